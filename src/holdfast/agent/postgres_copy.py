"""How a PostgreSQL data directory comes to follow the peer: rewound to it, or replaced by a new copy of it.

Rules: the sign that bars a writer stands throughout (pg_rewind's own crash recovery would need it gone, so an unclean directory is first
recovered by a short standby start); a directory that a rewind may have left half changed is never rewound again but replaced; a new copy is
taken aside and swapped in whole, and the original is kept until the next copy. Never here: deciding that this region is to follow.
"""

import shutil
import signal
from dataclasses import replace
from pathlib import Path

from holdfast.agent import postgres_files as files
from holdfast.agent import postgres_queries as queries
from holdfast.agent.postgres_files import PostgresConfiguration, bar, is_empty, own, read_secret, write_owned, write_password_file
from holdfast.agent.postgres_wire import Connection, StatementError, WireError, identifier, literal
from holdfast.agent.server_process import ServerProcess, make_durable
from holdfast.agent.store import Launcher, StoreFailure

_SCHEMA_FILE = Path(__file__).resolve().parent / "schema.sql"
_TOOL_TIMEOUT_SECONDS = 3600.0
_RECOVERY_TIMEOUT_SECONDS = 300.0


class CopyFailure(StoreFailure):
    """A tool could not bring the directory to the peer's state."""


def control_data(configuration: PostgresConfiguration, launcher: Launcher) -> dict[str, str]:
    """What pg_controldata says. Raises StoreFailure when the control file cannot be read."""
    done = launcher.run(
        [configuration.program("pg_controldata"), "-D", str(configuration.data_directory)], timeout_seconds=10, environment={"LC_ALL": "C"}
    )
    if done.status != 0:
        raise StoreFailure(f"cannot read the control file of {configuration.data_directory}: {done.output.strip()}")
    return {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in done.output.splitlines())}


def replica_options(configuration: PostgresConfiguration, launcher: Launcher) -> list[str]:
    """Options that let the directory be replayed: no less room than the writer had, nor than the peer has if it answers."""
    control = control_data(configuration, launcher)
    names = {setting: setting.replace("transaction", "xact") for setting in files.FLOORS}
    own_floor = {setting: int(control[f"{name} setting"]) for setting, name in names.items() if f"{name} setting" in control}
    try:
        with Connection(configuration.peer_address(), 3) as session:
            peer_floor = queries.read_settings(session, files.FLOORS)
    except (WireError, StatementError):
        peer_floor = {}  # silent: then its log doesn't come either, and the next start asks again
    return files.replica_options(configuration, own_floor, peer_floor)


def rewind(configuration: PostgresConfiguration, launcher: Launcher, process: ServerProcess) -> str:
    """Undo what the peer never got, so that the directory can follow it. Returns pg_rewind's last words. Raises CopyFailure."""
    if configuration.rewinding_sign.exists():
        raise CopyFailure(f"an earlier pg_rewind of {configuration.data_directory} was interrupted")
    write_password_file(configuration)
    _checkpoint_peer(configuration)
    recover(configuration, launcher, process)
    configuration.rewinding_sign.touch()
    make_durable(configuration.rewinding_sign)
    source = f"{configuration.peer_conninfo(configuration.admin_user)} dbname={configuration.database}"
    done = launcher.run(
        [configuration.program("pg_rewind"), "-D", str(configuration.data_directory), f"--source-server={source}", "--no-ensure-shutdown"],
        timeout_seconds=_TOOL_TIMEOUT_SECONDS,
        environment={"LC_ALL": "C"},
    )
    if done.status != 0:
        raise CopyFailure(f"pg_rewind of {configuration.data_directory} failed: {done.output.strip()[-600:]}")
    bar(configuration)
    configuration.rewinding_sign.unlink()
    return done.output.strip().splitlines()[-1] if done.output.strip() else ""


def recover(configuration: PostgresConfiguration, launcher: Launcher, process: ServerProcess) -> None:
    """Bring a directory whose server was killed to a clean stop, as a standby of nobody."""
    if control_data(configuration, launcher).get("Database cluster state", "").startswith("shut down"):
        return
    bar(configuration)
    nobody = ["-c", "primary_conninfo=", "-c", "primary_slot_name=", "-c", "archive_mode=off"]
    command = [configuration.program("postgres"), "-D", str(configuration.data_directory)]
    process.start([*command, *replica_options(configuration, launcher), *nobody], environment={"LC_ALL": "C.UTF-8"})
    process.wait_until(lambda: accepts(configuration), _RECOVERY_TIMEOUT_SECONDS, "its crash recovery was complete")
    process.stop(signal.SIGINT, 60)


def accepts(configuration: PostgresConfiguration) -> bool:
    """Whether the own server lets the administrator in."""
    try:
        Connection(configuration.address(), 1.0).close()
    except WireError:
        return False
    except StatementError as error:
        if error.sqlstate == "57P03":  # starting up, or not yet consistent
            return False
        raise StoreFailure(
            f"PostgreSQL at {configuration.host}:{configuration.port} does not let {configuration.admin_user} in: {error}"
        ) from error
    return True


def take_copy(configuration: PostgresConfiguration, launcher: Launcher) -> Path | None:
    """Put a new copy of the peer in place of the data directory. Returns where the original is kept. Raises CopyFailure."""
    write_password_file(configuration)
    incoming, data = configuration.incoming_directory, configuration.data_directory
    shutil.rmtree(incoming, ignore_errors=True)
    incoming.mkdir(mode=0o700)
    own(incoming, configuration.os_user)
    arguments = ["-D", str(incoming), "-d", configuration.peer_conninfo(configuration.replication_user), "-w", "-X", "stream", "-c", "fast"]
    done = launcher.run(
        [configuration.program("pg_basebackup"), *arguments], timeout_seconds=_TOOL_TIMEOUT_SECONDS, environment={"LC_ALL": "C"}
    )
    if done.status != 0:
        shutil.rmtree(incoming, ignore_errors=True)
        raise CopyFailure(
            f"cannot copy the peer {configuration.peer_host}:{configuration.peer_port} with pg_basebackup: {done.output.strip()[-600:]}"
        )
    (incoming / "standby.signal").touch(mode=0o600)
    own(incoming / "standby.signal", configuration.os_user)
    make_durable(incoming / "standby.signal")
    kept = _make_way(configuration)
    incoming.rename(data)
    make_durable(data)
    configuration.rewinding_sign.unlink(missing_ok=True)
    return kept


def _make_way(configuration: PostgresConfiguration) -> Path | None:
    """Put the data directory aside; a copy that never followed the peer is removed instead, or it would push out the original."""
    data, aside = configuration.data_directory, configuration.aside_directory
    if configuration.copying_sign.exists() or is_empty(data):
        shutil.rmtree(data, ignore_errors=True)
        return aside if aside.exists() else None
    shutil.rmtree(aside, ignore_errors=True)
    data.rename(aside)
    configuration.copying_sign.touch()
    make_durable(configuration.copying_sign)
    return aside


def initialise(configuration: PostgresConfiguration, launcher: Launcher, process: ServerProcess) -> None:
    """Make an empty database with Holdfast's schema, unless the directory holds one."""
    data = configuration.data_directory
    secret = data.with_name(data.name + ".initial")  # stands until all is done: what it stands beside may be thrown away
    if secret.exists():
        shutil.rmtree(data, ignore_errors=True)
    elif not is_empty(data):
        return
    data.mkdir(parents=True, exist_ok=True)
    data.chmod(0o700)
    own(data, configuration.os_user)
    write_owned(secret, read_secret(configuration.admin_password_file), configuration.os_user)
    options = [
        "--encoding=UTF8",
        "--locale=C.UTF-8",
        "--data-checksums",
        "--auth=scram-sha-256",
        f"--pwfile={secret}",
        "-U",
        configuration.admin_user,
    ]
    done = launcher.run([configuration.program("initdb"), "-D", str(data), *options], timeout_seconds=120)
    if done.status != 0:
        raise StoreFailure(f"initdb of {data} failed: {done.output.strip()[-600:]}")
    nets = "127.0.0.0/8" if configuration.peer_host.startswith("127.") else f"{configuration.peer_host}/32"
    rules = [
        f"host {database} all {network} scram-sha-256"
        for database in ("all", "replication")
        for network in dict.fromkeys((nets, "127.0.0.0/8"))
    ]
    write_owned(data / "pg_hba.conf", "\n".join(rules) + "\n", configuration.os_user)
    command = [configuration.program("postgres"), "-D", str(data)]
    process.start([*command, *files.server_options(configuration)], environment={"LC_ALL": "C.UTF-8"})
    _load_schema(configuration, process)
    process.stop(signal.SIGINT, 60)
    bar(configuration)
    secret.unlink()


def _load_schema(configuration: PostgresConfiguration, process: ServerProcess) -> None:
    first = replace(configuration, database="postgres")
    process.wait_until(lambda: accepts(first), 60, "it accepted sessions")
    with Connection(first.address(), 5) as session:
        password = literal(read_secret(configuration.replication_password_file))
        session.query(f"CREATE ROLE {identifier(configuration.replication_user)} LOGIN REPLICATION PASSWORD {password}", 10)
        session.query(f"CREATE DATABASE {identifier(configuration.database)}", 60)
    with Connection(configuration.address(), 5) as session:
        session.query(_SCHEMA_FILE.read_text(encoding="utf-8"), 30)


def _checkpoint_peer(configuration: PostgresConfiguration) -> None:
    """pg_rewind reads the peer's timeline from its control file, which only a checkpoint after the promotion brings up to date."""
    try:
        with Connection(configuration.peer_address(), 5) as session:
            if session.query("SELECT pg_is_in_recovery()", 5).one()[0] == "t":
                raise CopyFailure(
                    f"the peer {configuration.peer_host}:{configuration.peer_port} is itself a replica: there is no writer to follow"
                )
            session.query("CHECKPOINT", 120)
    except (WireError, StatementError) as error:
        raise CopyFailure(
            f"the peer {configuration.peer_host}:{configuration.peer_port} cannot be asked for a checkpoint: {error}"
        ) from error
