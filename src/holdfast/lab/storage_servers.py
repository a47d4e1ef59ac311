"""The S3 servers that a lab can run, and how each is started.

`moto` is always there: it keeps objects in memory and forgets them when it ends. `versitygw` is a real server over a folder, with
versions, object lock, signatures that are checked, and conditional writes that hold against concurrent writers; `make storage` builds it
into the project's `.tools/bin`. Neither copies between regions: that is `copier`'s work with both. Never here: starting one.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from holdfast.lab.ground import LabProblem

PROGRAM = "versitygw"
TOOLS = Path(__file__).resolve().parents[3] / ".tools" / "bin"


class StorageServer(StrEnum):
    """Which server stands in for a region's object storage."""

    MOTO = "moto"
    VERSITYGW = "versitygw"


IN_WORDS = {
    StorageServer.MOTO: "moto (a stand-in that keeps objects in memory)",
    StorageServer.VERSITYGW: "versitygw (a real S3 server)",
}


@dataclass(frozen=True, slots=True)
class Start:
    """A command and what its environment must hold besides."""

    command: tuple[str, ...]
    environment: Mapping[str, str]


def installed() -> Path | None:
    """The real server's program, the project's own first; None when there is none."""
    found = shutil.which(PROGRAM, path=f"{TOOLS}{os.pathsep}{os.environ.get('PATH', '')}")
    return Path(found) if found else None


def chosen(asked: str | None, directory: Path) -> StorageServer:
    """The server to run in a lab's folder: the one asked for, else the real one where it can run. Raises LabProblem."""
    if asked is None:
        return StorageServer.VERSITYGW if installed() and _keeps_attributes(directory) else StorageServer.MOTO
    try:
        server = StorageServer(asked)
    except ValueError as error:
        raise LabProblem(f"'{asked}' is no storage server of the lab; say {' or '.join(StorageServer)}") from error
    if server is StorageServer.VERSITYGW and installed() is None:
        raise LabProblem(f"{PROGRAM} is not installed. `make storage` builds it (it needs Go); without it say --storage moto")
    if server is StorageServer.VERSITYGW and not _keeps_attributes(directory):
        raise LabProblem(
            f"the file system of {directory} keeps no attributes with its files, and {PROGRAM} needs them. "
            "Name another folder with --directory, or say --storage moto"
        )
    return server


def _keeps_attributes(directory: Path) -> bool:
    """Whether files there may carry attributes of a user's (`user.…`): where the real server keeps what it knows of an object."""
    there = next(folder for folder in (directory, *directory.parents) if folder.exists())
    try:
        with tempfile.TemporaryFile(dir=there) as file:
            os.setxattr(file.fileno(), "user.holdfast", b"1")
    except OSError:
        return False
    return True


def start(server: StorageServer, where: str, region: str, directory: Path, access_key: str, secret_key: str) -> Start:
    """How to start a region's storage. `directory`: of its own, absolute, below it `data`, `versions` and `access.log`."""
    if server is StorageServer.MOTO:
        return Start((sys.executable, "-m", "holdfast.lab.storage", "--listen", where), {})
    command = [str(installed()), "--port", where, "--region", region, "--access-log", str(access_log(directory)), "--quiet", "--keep-alive"]
    # It changes into the folder of its data, so every path is absolute. Secrets go into the environment: a command line is for everybody.
    command += ["posix", "--versioning-dir", str(directory / "versions"), str(directory / "data")]
    return Start(tuple(command), {"ROOT_ACCESS_KEY": access_key, "ROOT_SECRET_KEY": secret_key, "GOMAXPROCS": "1"})


def make_folders(directory: Path) -> None:
    """What the real server wants to find."""
    for name in ("data", "versions"):
        (directory / name).mkdir(parents=True)


def access_log(directory: Path) -> Path:
    """Where the real server notes each request."""
    return directory / "access.log"
