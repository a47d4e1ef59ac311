"""What killed PostgreSQLs leave on the machine outside their folders: System V shared memory in the kernel, and files in /dev/shm.

Whose they were is written nowhere but in the servers' folders. So a trace counts as *left* when it is new, no living process has anything
to do with it, and no folder that a test still has knows it: then nobody can ever clear it away. Where root may, a test run has its shared
memory apart (`keep_apart`): it never finds what another run or a server of the machine left, and what it leaves itself ends with it.
"""

import ctypes
import os
import pwd
import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.lab.ground import POSTGRES_USER
from holdfast.lab.processes import claimed_segments, segments, start_ticks

_FILES = Path("/dev/shm")
_PATIENCE_SECONDS = 2.0
"""A server that is ending lets go a moment before it clears away."""
_NEW_IPC_NAMESPACE = 0x08000000
"""CLONE_NEWIPC of unshare(2)."""


def keep_apart() -> None:
    """Give this process, and all that it starts from now on, System V shared memory of their own. Without permission nothing changes."""
    ctypes.CDLL(None).unshare(_NEW_IPC_NAMESPACE)


@pytest.fixture(scope="module", autouse=True)
def nothing_stays_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """For the conftest of a folder: each of its files is held to it. What a rig keeps for later files is known by its folder."""
    since = time.time()
    yield
    assert left_since(since) == [], f"left by the tests of {request.path.name}"


def left_since(moment_seconds: float, *ended: Path) -> list[str]:
    """What was left since then, in words; empty is good. `ended`: folders whose own word counts no more."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while left := [*_segments_left(int(moment_seconds), ended), *_files_left(int(moment_seconds))]:
        if time.monotonic() > deadline:
            break
        time.sleep(0.05)
    return left


def _segments_left(since_seconds: int, ended: tuple[Path, ...]) -> list[str]:
    unused = [each for each in segments() if each.attached == 0 and each.made_seconds >= since_seconds and each.user in _users()]
    unused = [each for each in unused if start_ticks(each.creator) is None]
    known = frozenset[tuple[int, int]]().union(*(claimed_segments(folder) for folder in _folders(ended))) if unused else frozenset()
    return [
        f"shared memory {each.number} (key {each.key}) of the process {each.creator} that is gone"
        for each in unused
        if (each.key, each.number) not in known
    ]


def _files_left(since_seconds: int) -> list[str]:
    found = [file for file in _FILES.glob("PostgreSQL.*") if _is_new(file, since_seconds)]
    used = _mapped() if found else frozenset()
    return [f"{file}, which no process uses" for file in found if str(file) not in used]


def _is_new(file: Path, since_seconds: int) -> bool:
    try:
        status = file.stat()
    except OSError:
        return False
    return status.st_mtime >= since_seconds and status.st_uid in _users()


def _users() -> set[int]:
    """Whom PostgreSQL runs as here."""
    try:
        return {os.geteuid(), pwd.getpwnam(POSTGRES_USER).pw_uid}
    except KeyError:
        return {os.geteuid()}


def _folders(ended: tuple[Path, ...]) -> Iterator[Path]:
    for folder in Path(tempfile.gettempdir()).glob("holdfast-*"):
        if not any(each.is_relative_to(folder) for each in ended):
            yield folder


def _mapped() -> frozenset[str]:
    """Every file of /dev/shm that a living process has in its memory."""
    found: set[str] = set()
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit():
                found.update(re.findall(rf"{_FILES}/\S+", (process / "maps").read_text(errors="replace")))
        except OSError:
            continue
    return frozenset(found)
