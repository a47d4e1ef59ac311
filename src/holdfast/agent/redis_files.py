"""What stands in and beside a Redis directory: `redis.conf` with the password and the bar, and what was put aside.

The file always names the peer with `replicaof`, so any start by anybody else is a replica's. Never here: processes and sessions.
"""

import json
import math
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from holdfast.agent.server_process import make_durable
from holdfast.agent.store import StoreFailure

_LONGER_THAN_THE_LEASE_SECONDS = 5
"""So much longer a server takes a silent peer for connected than a lease can last."""


@dataclass(frozen=True, slots=True)
class RedisConfiguration:
    """The section `redis` of the agent's configuration file, and the region's name."""

    region: str
    binary: Path
    directory: Path
    host: str
    port: int
    os_user: str | None
    password_file: Path
    peer_host: str
    peer_port: int
    settings: Mapping[str, str] = field(default_factory=dict)
    synchronous: bool = False
    """Whether a write needs the replica from the start on; an order changes it later."""
    lease_seconds: float = 15.0
    """The longest that a promise to this region lasts, on the clock of whoever gave it."""

    @classmethod
    def from_json(cls, section: Mapping[str, Any], *, region: str, synchronous: bool, lease_seconds: float) -> Self:
        """From the configuration file. Raises StoreFailure naming a key that is missing or not known."""
        values: dict[str, Any] = dict(section)
        for key in ("binary", "directory", "password_file"):
            if key in values:
                # A program is called by the name it is given: redis-server is a link to a program that looks at its name.
                values[key] = Path(values[key]).absolute() if key == "binary" else Path(values[key]).resolve()
        try:
            return cls(region=region, synchronous=synchronous, lease_seconds=lease_seconds, **values)
        except TypeError as error:
            raise StoreFailure(f"the section `redis` of the agent's configuration file is wrong: {error}") from error

    @property
    def log_file(self) -> Path:
        """What the server says."""
        return self.directory.with_name(self.directory.name + ".log")

    @property
    def pid_file(self) -> Path:
        """Where the server writes its process identifier."""
        return self.directory / "redis.pid"

    @property
    def settings_file(self) -> Path:
        """What the server starts from."""
        return self.directory / "redis.conf"

    @property
    def fresh_sign(self) -> Path:
        """Stands from the initialisation until the first mark: only then may a writer start without data."""
        return self.directory / "fresh"

    @property
    def replicas_needed_file(self) -> Path:
        """How many replicas a write needs, once that was ordered. Not only in the mark: that is flushed once a second."""
        return self.directory / "replicas-needed"

    @property
    def data(self) -> Path:
        """The append-only files."""
        return self.directory / "appendonlydir"

    @property
    def aside_directory(self) -> Path:
        """The append-only files as they were before the last copy of the peer."""
        return self.directory.with_name(self.directory.name + ".before-copy")

    @property
    def copying_sign(self) -> Path:
        """Stands from putting the own files aside until the copy of the peer is complete: what is there meanwhile is not worth keeping."""
        return self.directory.with_name(self.directory.name + ".copying")

    def password(self) -> str:
        """The password of both regions' servers."""
        try:
            return self.password_file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise StoreFailure(f"cannot read the password file {self.password_file}: {error.strerror}") from error


def make_directory(configuration: RedisConfiguration) -> None:
    """Have the directory, for the server's user."""
    if not configuration.directory.exists():
        configuration.directory.mkdir(parents=True, mode=0o700)
        _own(configuration.directory, configuration.os_user)


def write_settings(configuration: RedisConfiguration) -> None:
    """Renew `redis.conf`, durably. It holds the password, so only the server's user may read it."""
    part = configuration.directory / "redis.conf.part"
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write("".join(f"{name} {value}\n" for name, value in _settings(configuration).items()))
    _own(part, configuration.os_user)
    part.replace(configuration.settings_file)
    make_durable(configuration.settings_file)


def replicas_needed(configuration: RedisConfiguration) -> int:
    """How many replicas must have a write before it counts: what was ordered last, else as configured. What can't be read needs one."""
    try:
        return 0 if configuration.replicas_needed_file.read_text(encoding="ascii").strip() == "0" else 1
    except FileNotFoundError:
        return 1 if configuration.synchronous else 0
    except (OSError, ValueError):
        return 1


def keep_replicas_needed(configuration: RedisConfiguration, count: int) -> None:
    """Keep it durably, before the mark says it."""
    part = configuration.directory / "replicas-needed.part"
    part.write_text(f"{count}\n", encoding="ascii")
    make_durable(part)
    part.replace(configuration.replicas_needed_file)
    make_durable(configuration.replicas_needed_file)


def put_aside(configuration: RedisConfiguration) -> Path | None:
    """Move the append-only files away, over those of the last time; what an interrupted copy left is removed. Returns where they are."""
    if configuration.copying_sign.exists():
        shutil.rmtree(configuration.data, ignore_errors=True)
        return configuration.aside_directory if configuration.aside_directory.exists() else None
    if not configuration.data.exists():
        return None
    shutil.rmtree(configuration.aside_directory, ignore_errors=True)
    configuration.data.rename(configuration.aside_directory)
    make_durable(configuration.aside_directory)
    configuration.copying_sign.touch()
    make_durable(configuration.copying_sign)
    return configuration.aside_directory


def _settings(configuration: RedisConfiguration) -> dict[str, str]:
    password = json.dumps(configuration.password())
    return {
        "tcp-keepalive": "5",
        # Longer than the lease: who is cut off is a replica that doesn't confirm, and not one less, for as long as this region may write.
        "repl-timeout": str(math.ceil(configuration.lease_seconds) + _LONGER_THAN_THE_LEASE_SECONDS),
        "repl-ping-replica-period": "1",
        "repl-diskless-sync-delay": "0",
        "repl-backlog-size": "16mb",
        "maxmemory-policy": "noeviction",
        **configuration.settings,
        "bind": configuration.host,
        "port": str(configuration.port),
        "protected-mode": "no",
        "daemonize": "no",
        "dir": json.dumps(str(configuration.directory)),
        "pidfile": json.dumps(str(configuration.pid_file)),
        "requirepass": password,
        "masterauth": password,
        "save": '""',
        "appendonly": "yes",
        "appendfsync": "everysec",
        "replica-read-only": "yes",
        "replica-serve-stale-data": "yes",
        "replicaof": f"{configuration.peer_host} {configuration.peer_port}",
    }


def _own(path: Path, os_user: str | None) -> None:
    if os_user is not None and os.geteuid() == 0:
        shutil.chown(path, os_user, os_user)
