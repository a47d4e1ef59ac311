"""The little that agent and guard share: a mapped file of numbers, each written by one side only.

Times are CLOCK_BOOTTIME in nanoseconds, so they go on while the host is suspended; the boot id beside them makes numbers of an earlier boot
void. Each number is eight aligned bytes. A deadline that is read half-new, half-old can't be: one store of eight bytes.

Never here: fencing, deciding. Standard library only (the guard loads this file too).
"""

import mmap
import os
import time
from pathlib import Path

_MAGIC = b"HOLDFAST"
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_HEAD = 64
_FIELDS = (
    "deadline",  # agent: not to be alive as a writer at or after this
    "armed",  # agent: bit per store that is, or may be, a writer
    "agent_pid",
    "agent_start",  # with the pid: exactly one process
    "end",  # agent: 1 asks the guard to end
    "guard_pid",
    "tick",  # guard: when it last looked
    "fences",  # guard: how often it has fenced
    "fenced_at",  # guard: when it last had
    "clean",  # guard: 1 when that fence left nobody
)
_SIZE = _HEAD + 8 * len(_FIELDS)


def boot_nanoseconds() -> int:
    """Now."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def boot_seconds() -> float:
    """Now, as the lease counts."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Pulse:
    """The mapped file. Made afresh when it is missing, foreign, or of another boot."""

    def __init__(self, path: Path, *, create: bool) -> None:
        boot = _BOOT_ID.read_text().strip().encode()[:36]
        flags = os.O_RDWR | (os.O_CREAT if create else 0)
        handle = os.open(path, flags, 0o600)
        try:
            self.found = os.fstat(handle).st_size == _SIZE
            """Whether a file of this kind and boot was there."""
            os.ftruncate(handle, _SIZE)
            self._map = mmap.mmap(handle, _SIZE)
        finally:
            os.close(handle)
        self.found = self.found and self._map[:44] == _MAGIC + boot
        if not self.found:
            self._map[:] = bytes(_SIZE)
            self._map[:44] = _MAGIC + boot
        self._numbers = memoryview(self._map)[_HEAD:].cast("Q")

    def get(self, field: str) -> int:
        """One number."""
        return int(self._numbers[_FIELDS.index(field)])

    def put(self, field: str, value: int) -> None:
        """Write one number."""
        self._numbers[_FIELDS.index(field)] = value
