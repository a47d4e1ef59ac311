"""What stands in and beside a PostgreSQL data directory: settings, signs, passwords, the control file.

Settings are passed as `-c` options, because pg_rewind and pg_basebackup put the other side's files over ours. The one exception is
`synchronous_standby_names`, which must be changed at run time and therefore stands in `postgresql.auto.conf`. Passwords never stand on a
command line: they are in a file beside the data directory that only the server's user can read. Never here: processes and sessions.
"""

import os
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from holdfast.agent.postgres_wire import Address
from holdfast.agent.server_process import make_durable
from holdfast.agent.store import StoreFailure


@dataclass(frozen=True, slots=True)
class PostgresConfiguration:
    """The section `postgres` of the agent's configuration file, and the names of both regions."""

    region: str
    peer_region: str
    bin_directory: Path
    data_directory: Path
    host: str
    port: int
    os_user: str | None
    peer_host: str
    peer_port: int
    replication_user: str
    replication_password_file: Path
    slot: str
    """The slot on this server that the peer's replica uses."""
    admin_user: str
    admin_password_file: Path
    database: str
    archive_directory: Path
    synchronous: bool = False
    """Whether a writer starts with waiting for its replica, where nothing else was ever set."""
    settings: Mapping[str, str] = field(default_factory=dict)
    backup_directory: Path | None = None
    """A base backup of the writer, kept in this region, or None: then there is no restore here."""
    received_directory: Path | None = None
    """Where the writer's log arrives in this region (whole segments, and the newest one as `.partial`)."""

    @classmethod
    def from_json(cls, section: Mapping[str, Any], *, region: str, peer_region: str, synchronous: bool) -> Self:
        """From the configuration file. Raises StoreFailure naming a key that is missing or not known."""
        values: dict[str, Any] = dict(section)
        paths = ("bin_directory", "data_directory", "replication_password_file", "admin_password_file", "archive_directory")
        for key in (*paths, "backup_directory", "received_directory"):
            if values.get(key) is not None:
                values[key] = Path(values[key]).resolve() if key != "bin_directory" else Path(values[key])
        try:
            return cls(region=region, peer_region=peer_region, synchronous=synchronous, **values)
        except TypeError as error:
            raise StoreFailure(f"the section `postgres` of the agent's configuration file is wrong: {error}") from error

    @property
    def own_slot(self) -> str:
        """The slot on the peer that this server uses as a replica."""
        return slot_name(self.region)

    @property
    def password_file(self) -> Path:
        """libpq's password file for the way to the peer."""
        return _beside(self.data_directory, ".pgpass")

    @property
    def log_file(self) -> Path:
        """What the server says."""
        return _beside(self.data_directory, ".log")

    @property
    def rewinding_sign(self) -> Path:
        """Stands while pg_rewind may have left the data directory half changed."""
        return _beside(self.data_directory, ".rewinding")

    @property
    def aside_directory(self) -> Path:
        """The data directory as it was before the last new copy was put in its place."""
        return _beside(self.data_directory, ".before-copy")

    @property
    def copying_sign(self) -> Path:
        """Stands from putting a copy in place until it follows the peer: what is there meanwhile is not worth keeping."""
        return _beside(self.data_directory, ".copying")

    @property
    def restored_directory(self) -> Path:
        """A restored copy until it is swapped in."""
        return _beside(self.data_directory, ".restored")

    @property
    def verified_sign(self) -> Path:
        """Stands beside a restored copy from its verification on: nothing else is swapped in."""
        return _beside(self.data_directory, ".restored.verified")

    @property
    def incoming_directory(self) -> Path:
        """A new copy while it is being taken."""
        return _beside(self.data_directory, ".incoming")

    def program(self, name: str) -> str:
        """Path of a server program."""
        return str(self.bin_directory / name)

    def address(self) -> Address:
        """The own server, as administrator."""
        return Address(self.host, self.port, self.admin_user, read_secret(self.admin_password_file), self.database)

    def peer_address(self) -> Address:
        """The peer's server, as administrator."""
        return Address(self.peer_host, self.peer_port, self.admin_user, read_secret(self.admin_password_file), self.database)

    def peer_conninfo(self, user: str) -> str:
        """libpq's words for the way to the peer. All waits are short: a cut link must not hold anything for minutes."""
        return (
            f"host={self.peer_host} port={self.peer_port} user={user} passfile={self.password_file} application_name={self.region} "
            "connect_timeout=3 tcp_user_timeout=5000 keepalives_idle=2 keepalives_interval=1 keepalives_count=3 gssencmode=disable"
        )


def slot_name(region: str) -> str:
    """Name of the slot that a region's replica uses."""
    return "holdfast_" + "".join(letter if letter.isalnum() else "_" for letter in region.lower())


def server_options(configuration: PostgresConfiguration) -> list[str]:
    """Every setting that matters, as `-c` options. `settings` of the configuration may add and override, except for safety."""
    archive = shlex.quote(str(configuration.archive_directory)).replace("%", "%%")
    # Never overwrites: what is there already must be the same, and a name appears only when its bytes are on disk.
    archive_command = (
        f"if test -f {archive}/%f; then cmp -s %p {archive}/%f; "
        f"else cp %p {archive}/%f.part && sync {archive}/%f.part && mv {archive}/%f.part {archive}/%f; fi"
    )
    settings: dict[str, str] = {
        "max_wal_senders": "10",
        "max_replication_slots": "10",
        "max_slot_wal_keep_size": "256MB",
        "wal_keep_size": "64MB",
        "max_wal_size": "512MB",
        "hot_standby_feedback": "on",
        "wal_receiver_timeout": "5s",
        "wal_sender_timeout": "5s",
        "wal_receiver_status_interval": "1s",
        "wal_retrieve_retry_interval": "250ms",  # a promotion may have to wait for the end of one such pause
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_line_prefix": "%m [%p] %q%u@%d/%a ",
        "cluster_name": configuration.region,
        **configuration.settings,
        "listen_addresses": configuration.host,
        "port": str(configuration.port),
        "unix_socket_directories": "",
        "wal_level": "replica",
        "hot_standby": "on",
        "wal_log_hints": "on",
        "full_page_writes": "on",
        "fsync": "on",
        "dynamic_shared_memory_type": "mmap",  # in the data directory: a fenced server leaves nothing in the host's shared memory
        "restart_after_crash": "off",  # else one killed backend brings a fenced server back
        "archive_mode": "on",
        "archive_command": archive_command,
        "logging_collector": "off",
        "recovery_target_timeline": "latest",
        "primary_conninfo": configuration.peer_conninfo(configuration.replication_user),
        "primary_slot_name": configuration.own_slot,
    }
    return [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]


FLOORS = ("max_connections", "max_worker_processes", "max_wal_senders", "max_prepared_transactions", "max_locks_per_transaction")
"""Settings in which a replica must have at least what the writer has whose log it replays: with less it stops replaying."""


def replica_options(configuration: PostgresConfiguration, *needed: Mapping[str, int]) -> list[str]:
    """The same for a replica, with no less room than any of the given writers' `FLOORS`."""
    options = server_options(configuration)
    own_values = dict(word.split("=", 1) for word in options[1::2])
    for setting in FLOORS:
        floor = max((writer.get(setting, 0) for writer in needed), default=0)
        if floor > int(own_values.get(setting, "0")):
            options += ["-c", f"{setting}={floor}"]
    return options


def write_password_file(configuration: PostgresConfiguration) -> None:
    """Renew libpq's password file, readable by the server's user only."""
    users = {
        configuration.replication_user: configuration.replication_password_file,
        configuration.admin_user: configuration.admin_password_file,
    }
    lines = [f"*:*:*:{_escaped(user)}:{_escaped(read_secret(file))}\n" for user, file in users.items()]
    write_owned(configuration.password_file, "".join(lines), configuration.os_user)


def write_owned(path: Path, text: str, os_user: str | None) -> None:
    """Replace a file, mode 600, for the server's user, durably."""
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    own(part, os_user)
    part.replace(path)
    make_durable(path)


def read_secret(path: Path) -> str:
    """A password from its file. Raises StoreFailure when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise StoreFailure(f"cannot read the password file {path}: {error.strerror}") from error


def own(path: Path, os_user: str | None) -> None:
    """Give a path to the server's user, where this process may."""
    if os_user is not None and os.geteuid() == 0:
        shutil.chown(path, os_user, os_user)


def bar(configuration: PostgresConfiguration) -> None:
    """Let any start be a standby's, durably."""
    sign = configuration.data_directory / "standby.signal"
    if not configuration.data_directory.is_dir():
        return
    sign.touch(mode=0o600)
    own(sign, configuration.os_user)
    make_durable(sign)


def is_empty(directory: Path) -> bool:
    """Whether a directory holds no PostgreSQL data."""
    return not (directory / "PG_VERSION").exists()


def standby_names_setting(configuration: PostgresConfiguration, synchronous: bool) -> str:
    """Value of `synchronous_standby_names`."""
    return f'"{configuration.peer_region}"' if synchronous else ""


def set_standby_names_if_absent(configuration: PostgresConfiguration) -> None:
    """Write the configured replication mode where none was ever set; a server that was relaxed stays relaxed over a restart."""
    path = configuration.data_directory / "postgresql.auto.conf"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    if any(line.split("=", 1)[0].strip() == "synchronous_standby_names" for line in text.splitlines()):
        return
    value = standby_names_setting(configuration, configuration.synchronous)
    write_owned(path, f"{text.rstrip()}\nsynchronous_standby_names = '{value}'\n", configuration.os_user)


def _beside(directory: Path, suffix: str) -> Path:
    return directory.with_name(directory.name + suffix)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace(":", "\\:")
