"""The bytes of a file that a person named: of a regular file, and of nothing that could keep a reader waiting for ever."""

import os
import stat
from pathlib import Path


class NotAFileError(OSError):
    """What is named is a pipe, a device or a socket; a directory raises IsADirectoryError, as opening one does."""


def bytes_of(path: Path, most: int) -> bytes:
    """The content of a regular file, at most so many bytes of it. Raises OSError; never waits for anybody to write."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:  # fdopen refuses a directory
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise NotAFileError("this is a pipe or a device, and no file")
        return file.read(most)
