"""A PostgreSQL data directory out of a base backup and the log that was archived in this region: restored aside, verified, swapped in.

Rules: nothing of the running store is touched before the copy was recovered to the end of the archive, opened and read whole; it is
recovered as a standby on a port of its own, so nobody can write to it; the original directory is kept, under a name that is never used
twice. What brings backup and log here (pg_basebackup, pg_receivewal, a copied archive) is no affair of the agent.
Never here: promoting, and deciding that the copy is to be used.
"""

import shlex
import shutil
import signal
import time
from dataclasses import replace
from pathlib import Path

from holdfast.agent import postgres_copy as copy
from holdfast.agent import postgres_files as files
from holdfast.agent.postgres_files import PostgresConfiguration
from holdfast.agent.postgres_wire import Connection, StatementError, WireError
from holdfast.agent.server_process import ServerProcess, make_durable, until
from holdfast.agent.store import Facts, Launcher, StoreFailure, StoreRefusal

_COPY_TIMEOUT_SECONDS = 3600.0
_RECOVERY_TIMEOUT_SECONDS = 1800.0
_STILL_SECONDS = 1.0
"""The end of the archive is reached when replay stands still for so long: PostgreSQL asks for the next segment four times a second."""
_READ_TIMEOUT_SECONDS = 1800.0
_INVALID_INDEXES = "SELECT count(*) FROM pg_index WHERE NOT (indisvalid AND indisready)"
_TABLES = (
    "SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.relkind IN ('r', 'm') AND c.relpersistence = 'p' "
    "AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') ORDER BY 1"
)


def restorable_seconds(configuration: PostgresConfiguration) -> float | None:
    """Wall-clock time of the newest log that arrived here, or None when there is no base backup or no log."""
    backup, received = configuration.backup_directory, configuration.received_directory
    if backup is None or received is None or files.is_empty(backup):
        return None
    try:
        return max((entry.stat().st_mtime for entry in received.iterdir() if entry.is_file()), default=None)
    except OSError:
        return None


def recovery_options(configuration: PostgresConfiguration, launcher: Launcher) -> list[str]:
    """Options under which a restored directory replays the archive, following nobody."""
    control = copy.control_data(configuration, launcher)
    names = {setting: setting.replace("transaction", "xact") for setting in files.FLOORS}
    floor = {setting: int(control[f"{name} setting"]) for setting, name in names.items() if f"{name} setting" in control}
    received = shlex.quote(str(configuration.received_directory)).replace("%", "%%")
    # The newest segment is still being received: what stands in it is used up to its last whole record.
    command = f"cp {received}/%f %p 2>/dev/null || cp {received}/%f.partial %p"
    settings = {"restore_command": command, "primary_conninfo": "", "primary_slot_name": ""}
    return [*files.replica_options(configuration, floor), *(word for name, value in settings.items() for word in ("-c", f"{name}={value}"))]


def restore_aside(configuration: PostgresConfiguration, launcher: Launcher) -> Facts:
    """Make, recover and verify the copy. Raises StoreRefusal when there is nothing to restore from, StoreFailure when it isn't whole."""
    if restorable_seconds(configuration) is None:
        raise StoreRefusal(
            f"{configuration.region} has no base backup with archived log (looked in {configuration.backup_directory} and "
            f"{configuration.received_directory}); nothing was changed"
        )
    started = time.monotonic()
    aside = replace(configuration, data_directory=configuration.restored_directory, port=configuration.port + 1)
    directory = aside.data_directory
    _left_over(aside, launcher).stop(signal.SIGINT, 60)
    configuration.verified_sign.unlink(missing_ok=True)
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(mode=0o700)
    files.own(directory, configuration.os_user)
    done = launcher.run(["cp", "-a", f"{configuration.backup_directory}/.", str(directory)], timeout_seconds=_COPY_TIMEOUT_SECONDS)
    if done.status != 0:
        raise StoreFailure(f"the base backup can't be copied to {directory}: {done.output.strip()[-600:]}")
    for name in ("postmaster.pid", "recovery.signal"):
        (directory / name).unlink(missing_ok=True)
    files.bar(aside)
    process = _left_over(aside, launcher)
    command = [aside.program("postgres"), "-D", str(directory), *recovery_options(aside, launcher), "-c", "archive_mode=off"]
    process.start(command, environment={"LC_ALL": "C.UTF-8"})
    try:
        process.wait_until(lambda: copy.accepts(aside), _RECOVERY_TIMEOUT_SECONDS, "it was consistent")
        facts = _verified(aside, process)
    finally:
        process.stop(signal.SIGINT, 60)
    configuration.verified_sign.touch()
    make_durable(configuration.verified_sign)
    return {**facts, "aside": str(directory), "seconds": round(time.monotonic() - started, 3)}


def swap_in(configuration: PostgresConfiguration) -> Path:
    """Put the verified copy in place of the data directory, whose server is stopped. Returns where the original is kept."""
    data, restored = configuration.data_directory, configuration.restored_directory
    if not configuration.verified_sign.exists() or files.is_empty(restored):
        raise StoreFailure(f"there is no verified copy in {restored}; order the restore again")
    number = 1
    while (kept := data.with_name(f"{data.name}.before-restore-{number}")).exists():
        number += 1
    configuration.verified_sign.unlink()
    data.rename(kept)
    restored.rename(data)
    make_durable(data)
    return kept


def _left_over(aside: PostgresConfiguration, launcher: Launcher) -> ServerProcess:
    pid_file = aside.data_directory / "postmaster.pid"
    return ServerProcess(launcher, aside.data_directory, pid_file, "postgres", aside.log_file)


def _verified(aside: PostgresConfiguration, process: ServerProcess) -> Facts:
    """Wait for the end of the archive, then read every page of every table: a torn or spoilt one fails its checksum."""
    try:
        with Connection(aside.address(), 5.0) as session:
            position = _end_of_archive(session, process)
            if session.query(_INVALID_INDEXES, 30).one()[0] != "0":
                raise StoreFailure(f"the copy in {aside.data_directory} has indexes that are not valid; it was not swapped in")
            tables = [row[0] or "" for row in session.query(_TABLES, 30).rows]
            rows = sum(int(session.query(f"SELECT count(*) FROM {table}", _READ_TIMEOUT_SECONDS).one()[0] or 0) for table in tables)  # noqa: S608 - quoted by the server
            newest = session.query("SELECT extract(epoch FROM max(at)) FROM holdfast.heartbeat", 5).one()[0]
    except (WireError, StatementError) as error:
        raise StoreFailure(f"the copy in {aside.data_directory} is not whole, it was not swapped in: {error}; see {process.log}") from error
    return {
        "restored_to": position,
        "tables": len(tables),
        "rows": rows,
        "restored_heartbeat_seconds": None if newest is None else float(newest),
    }


def _end_of_archive(session: Connection, process: ServerProcess) -> str:
    last, since = "", time.monotonic()
    for _ in until(_RECOVERY_TIMEOUT_SECONDS, every_seconds=0.1):
        position = session.query("SELECT pg_last_wal_replay_lsn()", 5).one()[0] or ""
        if position != last:
            last, since = position, time.monotonic()
        elif time.monotonic() - since >= _STILL_SECONDS:
            return last
    raise StoreFailure(f"the archived log was not replayed to its end within {_RECOVERY_TIMEOUT_SECONDS:g} s; see {process.log}")
