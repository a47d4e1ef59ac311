"""The ground that a lab stands on: programs, the directory, and its secrets. Looked at before anything is made.

Every obstacle is a `LabProblem` that says what is missing and what to do. A directory is only ever emptied when it carries a
lab's mark. Never here: starting servers.
"""

import base64
import fcntl
import os
import pwd
import secrets
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from holdfast.agent.os_user import View, as_user
from holdfast.lab.layout import Layout

_SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
_POSTGRES_TOOLS = ("postgres", "initdb", "pg_rewind", "pg_basebackup", "pg_controldata")
POSTGRES_USER = "postgres"


class LabProblem(Exception):
    """The lab can't do what was asked; the text says what happened, where, and what to do next."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A lab's directory that is this process's now."""

    lock: int
    """The descriptor that holds it."""
    view: View | None
    """What PostgreSQL's programs must be given to reach it; None where its user can pass all folders above."""


@dataclass(frozen=True, slots=True)
class Programs:
    """Where the server programs are."""

    postgres_bin_directory: Path
    redis: Path
    haproxy: Path
    knot: Path
    setpriv: Path


def search_path() -> str:
    """PATH with the folders where Debian keeps servers, which an ordinary user's PATH leaves out."""
    parts = [part for part in os.environ.get("PATH", "").split(os.pathsep) if part]
    return os.pathsep.join([*parts, *(folder for folder in _SYSTEM_FOLDERS if folder not in parts)])


def find_programs() -> Programs:
    """Find every server program. Raises LabProblem naming all that are missing."""
    path = search_path()
    postgres = _postgres_bin_directory(path)
    found = {name: shutil.which(name, path=path) for name in ("redis-server", "haproxy", "knotd", "setpriv")}
    missing = [name for name, where in found.items() if where is None]
    if postgres is None:
        missing.insert(0, "PostgreSQL (postgres, initdb, pg_rewind, pg_basebackup)")
    if missing or postgres is None:
        raise LabProblem(f"these server programs are missing: {', '.join(missing)}. `make setup` installs them")
    redis, haproxy, knot, setpriv = (Path(where or "") for where in found.values())
    return Programs(postgres, redis, haproxy, knot, setpriv)


def _postgres_bin_directory(path: str) -> Path | None:
    installed = [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/").glob("usr/pgsql-*/bin")]
    candidates = sorted(installed, key=lambda folder: _digits(folder.parent.name), reverse=True)
    candidates += [Path(folder) for folder in path.split(os.pathsep)]
    return next((folder for folder in candidates if all((folder / tool).exists() for tool in _POSTGRES_TOOLS)), None)


def _digits(name: str) -> int:
    return int("".join(character for character in name if character.isdigit()) or 0)


def postgres_os_user() -> str | None:
    """The user that PostgreSQL runs as: it refuses root. None: as whoever runs the lab. Raises LabProblem when there is no such user."""
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam(POSTGRES_USER)
    except KeyError as error:
        raise LabProblem(f"PostgreSQL refuses to run as root and there is no user '{POSTGRES_USER}'. `make setup` installs both") from error
    return POSTGRES_USER


def take_directory(layout: Layout) -> Taken:
    """Make the directory if need be and lock it. Raises LabProblem when it is in use, full of something else, or out of
    PostgreSQL's reach."""
    directory = layout.directory
    existed = directory.exists()
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if not layout.mark.exists() and any(directory.iterdir()):
            raise LabProblem(f"{directory} holds something that is not a lab. Name an empty or a new folder with --directory")
        lock = os.open(layout.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise LabProblem(f"{directory} can't be used: {error.strerror}. Name another folder with --directory") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise LabProblem(
            f"a lab runs in {directory} already. See it with `holdfast lab status`, stop it with `holdfast lab down`, "
            "or name another folder with --directory"
        ) from error
    try:
        layout.mark.write_text("This folder belongs to a Holdfast lab; `holdfast lab up` empties it.\n", encoding="utf-8")
        return Taken(lock, _view_of(directory))
    except BaseException:
        give_back_empty_directory(layout, existed)
        os.close(lock)
        raise


def give_back_empty_directory(layout: Layout, existed: bool) -> None:
    """Undo `take_directory` where nothing was made yet."""
    inhabitants = {entry.name for entry in layout.directory.iterdir()}
    if inhabitants <= {layout.mark.name, layout.lock.name}:
        layout.mark.unlink(missing_ok=True)
        layout.lock.unlink(missing_ok=True)
        if not existed:
            layout.directory.rmdir()


def _view_of(directory: Path) -> View | None:
    """What PostgreSQL's user needs in order to get there. Raises LabProblem naming the folder that keeps it out."""
    if postgres_os_user() is None:
        return None
    # `test` of a folder says nothing about those above it that can't be passed: so from the top down.
    closed = next((folder for folder in (*reversed(directory.parents), directory) if _why_not(folder, None) is not None), None)
    if closed is None:
        return None
    other = "or name another folder with --directory"
    way_out = f"Open it with `chmod o+x {closed}`, {other}"
    if closed == directory:
        raise LabProblem(f"the user {POSTGRES_USER}, whom PostgreSQL runs as, can't enter {closed}. {way_out}")
    view = View(closed, directory)
    reason = _why_not(directory, view)
    if reason is not None:
        raise LabProblem(
            f"the user {POSTGRES_USER}, whom PostgreSQL runs as, can't enter {closed}, and it can't be shown {directory} otherwise "
            f"({reason or 'it is closed itself'}). {way_out if reason else f'Open it with `chmod o+x {directory}`, {other}'}"
        )
    return view


def _why_not(folder: Path, view: View | None) -> str | None:
    """None when PostgreSQL's user can enter a folder; else what was said about it."""
    command = as_user(["test", "-x", str(folder)], postgres_os_user(), view)
    done = subprocess.run(command, check=False, env={"PATH": search_path()}, cwd="/", capture_output=True, text=True)
    return None if done.returncode == 0 else " ".join(done.stderr.split())


def empty_directory(layout: Layout) -> None:
    """Remove what the last lab left; its logs, ledgers and journal go to `previous`. The mark and the lock stay."""
    _forget(layout.previous)
    kept = [path for path in layout.kept if path.exists()]
    if kept:
        layout.previous.mkdir()
        for path in kept:
            path.rename(layout.previous / path.name)
    remove_all_but(layout, (layout.previous,))


def remove_all_but(layout: Layout, kept: tuple[Path, ...]) -> None:
    """Remove everything but `kept`, the mark and the lock."""
    stay = {layout.mark, layout.lock, *kept}
    for entry in layout.directory.iterdir():
        if entry not in stay:
            _forget(entry)


def _forget(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        # Once forgivingly: what was killed a moment ago may have been removing files of its own.
        shutil.rmtree(path, ignore_errors=True)
        if path.exists():
            shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def lay_out(layout: Layout) -> None:
    """Make the folders of a new lab."""
    for folder in (layout.log, layout.ledgers, layout.controller, layout.received, layout.configuration):
        folder.mkdir()
    layout.secrets.mkdir(mode=0o700)


def write_secret(layout: Layout, name: str, value: str | None = None) -> str:
    """Keep a secret under a name, for the owner's eyes only; without a value, make one up. Returns it."""
    secret = value or secrets.token_urlsafe(24)
    write_private(layout.secret(name), secret)
    return secret


def new_dns_key() -> str:
    """A key for signed updates, written as DNS servers want it."""
    return base64.b64encode(secrets.token_bytes(32)).decode("ascii")


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)


def write_whole(path: Path, text: str) -> None:
    """Replace a file at once, so that a reader sees the old or the new content, never half of it."""
    aside = path.with_name(path.name + ".new")
    aside.write_text(text, encoding="utf-8")
    aside.rename(path)
