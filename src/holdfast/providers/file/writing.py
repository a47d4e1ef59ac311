"""Replacing a file as a whole: whoever reads it finds the old content or the new one, also after a crash, and never a part."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path


def replaced(path: Path, content: bytes) -> None:
    """Put the content in the file's place, durably, with the permissions that the file had. Raises OSError."""
    target = path.resolve()
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    made = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileNotFoundError):
            made.chmod(target.stat().st_mode & 0o7777)
        made.replace(target)
    except BaseException:
        with suppress(FileNotFoundError):
            made.unlink()
        raise
    directory = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
