"""Prepares the two PostgreSQL data directories of a lab: one made with initdb, the other a cold copy of it.

Both carry `standby.signal`, so that nothing but an agent can start either as a writer. SQL is loaded in single-user mode: no port
and no socket is opened, and no server is left behind when the preparation is killed; nor is anything in the machine's shared memory,
because the directories' own settings keep it in a file from the start. Never starts a server, and never touches a directory that already
holds anything.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from holdfast.agent.os_user import View, as_user
from holdfast.lab.processes import release_shared_memory

SCHEMA_FILE = Path(__file__).resolve().parent.parent / "agent" / "schema.sql"
"""Holdfast's own tables; `prepare` loads them before any other file."""

_OWN_SETTINGS = """
# Added by the lab. In the data directory, not in /dev/shm: what is killed leaves nothing outside its folder.
dynamic_shared_memory_type = mmap
"""

_HBA = """\
# Written by the lab: every site of it lives in 127/8, replication included.
host    all             all     127.0.0.0/8     scram-sha-256
host    replication     all     127.0.0.0/8     scram-sha-256
"""


class PostgresSetupError(Exception):
    """The data directories could not be made; the message says what failed, where, and what to do."""


@dataclass(frozen=True, slots=True)
class _Server:
    """Whose programs run as whom."""

    bin_directory: Path
    os_user: str | None
    view: View | None

    def command(self, program: str, *arguments: str) -> list[str]:
        return as_user([str(self.bin_directory / program), *arguments], self.os_user, self.view)


@dataclass(frozen=True, slots=True)
class PostgresPasswords:
    """Passwords of the three roles that every lab database has."""

    admin: str
    application: str
    replication: str


def prepare(
    primary: Path,
    replica: Path,
    *,
    bin_directory: Path,
    os_user: str | None,
    passwords: PostgresPasswords,
    view: View | None = None,
    sql_files: Sequence[Path] = (),
    database: str = "voicehive",
    admin_user: str = "holdfast",
    application_user: str = "voicehive",
    replication_user: str = "replication",
) -> None:
    """Make both directories: roles, database, Holdfast's schema, then `sql_files` in order under the application's role.

    The application's role owns the database and what the files make. Raises PostgresSetupError; what was made until then is removed.
    """
    for directory in (primary, replica):
        if directory.exists() and any(directory.iterdir()):
            raise PostgresSetupError(f"{directory} already holds files; remove it or choose another lab directory")
    server = _Server(bin_directory, os_user, view)
    try:
        _create_empty(primary, os_user)
        _initialise(primary, server, admin_user)
        roles = _roles_sql(passwords, admin_user, application_user, replication_user)
        _single_user(primary, server, "postgres", "the roles", roles)
        made = f"CREATE DATABASE {_name(database)} OWNER {_name(application_user)}"
        _single_user(primary, server, "postgres", "the database", [made])
        for file, owner in ((SCHEMA_FILE, admin_user), *((file, application_user) for file in sql_files)):
            statements = [f"SET ROLE {_name(owner)}", file.read_text(encoding="utf-8")]
            _single_user(primary, server, database, str(file), statements)
        (primary / "standby.signal").touch(mode=0o600)
        _own(primary / "standby.signal", os_user)
        _create_empty(replica, os_user)
        _run(["cp", "-a", f"{primary}/.", str(replica)], "copying the primary's data directory")
    except BaseException:
        release_shared_memory(primary)
        shutil.rmtree(primary, ignore_errors=True)
        shutil.rmtree(replica, ignore_errors=True)
        raise


def _create_empty(directory: Path, os_user: str | None) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o700)
    _own(directory, os_user)


def _own(path: Path, os_user: str | None) -> None:
    if os_user is not None and os.geteuid() == 0:
        shutil.chown(path, os_user, os_user)


def _initialise(directory: Path, server: _Server, admin_user: str) -> None:
    # `reject` until the file below stands: no moment in which the directory would let anybody in without a password.
    arguments = ["--auth=reject", "--encoding=UTF8", "--locale=C.UTF-8", "--data-checksums", "--no-sync", "--no-instructions"]
    # Segments of 1 MB, not 16: a lab writes little, and each is copied into the archive, received in DR and thrown away at the end.
    # --no-clean: who was killed in the middle is known by his files; `prepare` removes them.
    arguments += ["--wal-segsize=1", "--no-clean"]
    with _templates(directory, server) as templates:
        _run(server.command("initdb", "-D", str(directory), "-L", str(templates), "-U", admin_user, *arguments), "initdb", directory)
    (directory / "pg_hba.conf").write_text(_HBA, encoding="utf-8")


@contextmanager
def _templates(directory: Path, server: _Server) -> Iterator[Path]:
    """What initdb makes a directory from, with the lab's settings, which so hold from its first step (`--set` came with PostgreSQL 16)."""
    shown = _run(server.command("initdb", "--show", "-D", str(directory)), "asking initdb for its templates", directory)
    found = re.search(r"^share_path=(.+)$", shown, re.MULTILINE)
    if found is None:
        raise PostgresSetupError(f"{server.bin_directory}/initdb --show doesn't say where its templates are: {shown[-600:]}")
    templates = directory.with_name(f"{directory.name}.templates")
    templates.mkdir()
    templates.chmod(0o755)
    try:
        for file in Path(found[1]).iterdir():
            (templates / file.name).symlink_to(file)
        sample = templates / "postgresql.conf.sample"
        text = sample.read_text(encoding="utf-8")
        sample.unlink()
        sample.write_text(text + _OWN_SETTINGS, encoding="utf-8")
        yield templates
    finally:
        shutil.rmtree(templates)


def _roles_sql(passwords: PostgresPasswords, admin_user: str, application_user: str, replication_user: str) -> list[str]:
    return [
        "SET password_encryption = 'scram-sha-256'",
        f"ALTER ROLE {_name(admin_user)} PASSWORD {_literal(passwords.admin)}",
        f"CREATE ROLE {_name(application_user)} LOGIN PASSWORD {_literal(passwords.application)}",
        f"CREATE ROLE {_name(replication_user)} LOGIN REPLICATION PASSWORD {_literal(passwords.replication)}",
    ]


def _single_user(directory: Path, server: _Server, database: str, what: str, statements: Sequence[str]) -> None:
    # -j: a command ends at a semicolon and an empty line, so each text must hold no empty line of its own.
    script = "".join("\n".join(line for line in text.splitlines() if line.strip()).rstrip("; \n") + ";\n\n" for text in statements)
    options = ["-c", "exit_on_error=on", "-c", "fsync=off"]
    _run(server.command("postgres", "--single", "-j", "-D", str(directory), *options, database), f"loading {what}", directory, script)


def _run(command: Sequence[str], what: str, working_directory: Path | None = None, stdin: str = "") -> str:
    """Run a command to its end. Returns what it said."""
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    try:
        done = subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            cwd=working_directory,
            env=environment,
            check=False,
        )
    except FileNotFoundError as error:
        raise PostgresSetupError(f"{what}: the program {error.filename} is missing; run `make setup`") from error
    except PermissionError as error:
        raise PostgresSetupError(f"{what}: {error}; every folder above the lab's must be enterable for PostgreSQL's user") from error
    except subprocess.TimeoutExpired as error:
        raise PostgresSetupError(f"{what}: no end after 120 s; is the disk full or very slow?") from error
    if done.returncode != 0:
        # The server repeats statements after its errors, passwords included: only the error itself is passed on.
        faults = [line for line in done.stderr.splitlines() if re.search(r"\b(FATAL|ERROR|PANIC|error)\b", line)]
        raise PostgresSetupError(f"{what} failed with status {done.returncode} in {working_directory}: {' '.join(faults)[-1500:]}")
    return done.stdout + done.stderr


def _name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
