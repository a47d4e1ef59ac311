"""Prepares the two PostgreSQL data directories of a lab: one made with initdb, the other a cold copy of it.

Both carry `standby.signal`, so that nothing but an agent can start either as a writer. SQL is loaded in single-user mode: no port
and no socket is opened, and no server is left behind when the preparation is killed. Never starts a server, and never touches a directory
that already holds anything.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SCHEMA_FILE = Path(__file__).resolve().parent.parent / "agent" / "schema.sql"
"""Holdfast's own tables; `prepare` loads them before any other file."""

_HBA = """\
# Written by the lab: every site of it lives in 127/8, replication included.
host    all             all     127.0.0.0/8     scram-sha-256
host    replication     all     127.0.0.0/8     scram-sha-256
"""


class PostgresSetupError(Exception):
    """The data directories could not be made; the message says what failed, where, and what to do."""


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
    try:
        _create_empty(primary, os_user)
        _initialise(primary, bin_directory, os_user, admin_user)
        roles = _roles_sql(passwords, admin_user, application_user, replication_user)
        _single_user(primary, bin_directory, os_user, "postgres", "the roles", roles)
        _single_user(
            primary,
            bin_directory,
            os_user,
            "postgres",
            "the database",
            [f"CREATE DATABASE {_name(database)} OWNER {_name(application_user)}"],
        )
        for file, owner in ((SCHEMA_FILE, admin_user), *((file, application_user) for file in sql_files)):
            statements = [f"SET ROLE {_name(owner)}", file.read_text(encoding="utf-8")]
            _single_user(primary, bin_directory, os_user, database, str(file), statements)
        (primary / "standby.signal").touch(mode=0o600)
        _own(primary / "standby.signal", os_user)
        _create_empty(replica, os_user)
        _run(["cp", "-a", f"{primary}/.", str(replica)], None, "copying the primary's data directory")
    except BaseException:
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


def _initialise(directory: Path, bin_directory: Path, os_user: str | None, admin_user: str) -> None:
    # `reject` until the file below stands: no moment in which the directory would let anybody in without a password.
    arguments = ["--auth=reject", "--encoding=UTF8", "--locale=C.UTF-8", "--data-checksums", "--no-sync", "--no-instructions"]
    # Segments of 1 MB, not 16: a lab writes little, and each is copied into the archive, received in DR and thrown away at the end.
    arguments += ["--wal-segsize=1"]
    _run([str(bin_directory / "initdb"), "-D", str(directory), "-U", admin_user, *arguments], os_user, "initdb", directory)
    (directory / "pg_hba.conf").write_text(_HBA, encoding="utf-8")


def _roles_sql(passwords: PostgresPasswords, admin_user: str, application_user: str, replication_user: str) -> list[str]:
    return [
        "SET password_encryption = 'scram-sha-256'",
        f"ALTER ROLE {_name(admin_user)} PASSWORD {_literal(passwords.admin)}",
        f"CREATE ROLE {_name(application_user)} LOGIN PASSWORD {_literal(passwords.application)}",
        f"CREATE ROLE {_name(replication_user)} LOGIN REPLICATION PASSWORD {_literal(passwords.replication)}",
    ]


def _single_user(directory: Path, bin_directory: Path, os_user: str | None, database: str, what: str, statements: Sequence[str]) -> None:
    # -j: a command ends at a semicolon and an empty line, so each text must hold no empty line of its own.
    script = "".join("\n".join(line for line in text.splitlines() if line.strip()).rstrip("; \n") + ";\n\n" for text in statements)
    command = [
        str(bin_directory / "postgres"),
        "--single",
        "-j",
        "-D",
        str(directory),
        "-c",
        "exit_on_error=on",
        "-c",
        "fsync=off",
        database,
    ]
    _run(command, os_user, f"loading {what}", directory, script)


def _run(command: Sequence[str], os_user: str | None, what: str, working_directory: Path | None = None, stdin: str = "") -> None:
    prefix = ["setpriv", "--reuid", os_user, "--regid", os_user, "--init-groups"] if os_user is not None and os.geteuid() == 0 else []
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    try:
        done = subprocess.run(
            [*prefix, *command],
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
        raise PostgresSetupError(f"{what}: {error}; every folder above the lab's must be enterable for {os_user}") from error
    except subprocess.TimeoutExpired as error:
        raise PostgresSetupError(f"{what}: no end after 120 s; is the disk full or very slow?") from error
    if done.returncode != 0:
        # The server repeats statements after its errors, passwords included: only the error itself is passed on.
        faults = [line for line in done.stderr.splitlines() if re.search(r"\b(FATAL|ERROR|PANIC|error)\b", line)]
        raise PostgresSetupError(f"{what} failed with status {done.returncode} in {working_directory}: {' '.join(faults)[-1500:]}")


def _name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
