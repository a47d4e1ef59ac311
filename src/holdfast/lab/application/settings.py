"""The application's settings: which stores it uses, from a file that is read again when it changes.

The file is what the cluster makes of a ConfigMap and of secrets by reference (see `holdfast.lab.cluster`). Settings that cannot be
read leave the old ones in force and say why: an instance never goes on with half a change.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit


class SettingsError(ValueError):
    """Settings that cannot be used; the message names the key."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the stores are. `digest` tells two versions apart."""

    digest: str
    database_host: str
    database_port: int
    database_name: str
    database_user: str
    database_password: str
    cache_host: str
    cache_port: int
    cache_password: str
    storage_host: str
    storage_port: int
    storage_region: str
    storage_retention_seconds: float
    """How long what is stored is held against removal; 0: not at all."""
    bucket: str
    access_key: str
    secret_key: str
    partner_host: str
    partner_port: int

    def seen_through(self, routes: Mapping[str, str]) -> "Settings":
        """The same stores as they are reached from a zone. `routes`: first bytes of an address → those that lead there from the zone."""

        def seen(host: str) -> str:
            network, dot, last = host.rpartition(".")
            return routes.get(network + dot, network + dot) + last

        return replace(
            self,
            database_host=seen(self.database_host),
            cache_host=seen(self.cache_host),
            storage_host=seen(self.storage_host),
            partner_host=seen(self.partner_host),
        )

    def addresses(self) -> dict[str, str]:
        """Store → `host:port` in use, without secrets."""
        return {
            "database": f"{self.database_host}:{self.database_port}",
            "cache": f"{self.cache_host}:{self.cache_port}",
            "storage": f"{self.storage_host}:{self.storage_port}",
            "partner": f"{self.partner_host}:{self.partner_port}",
        }


@dataclass(frozen=True, slots=True)
class _Address:
    host: str
    port: int
    user: str
    name: str
    region: str


def _address(data: dict[str, str], key: str, scheme: str) -> _Address:
    text = data.get(key, "").strip()
    try:
        parts = urlsplit(text if "://" in text else f"{scheme}://{text}")
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise SettingsError(f"{key}: {text!r} is no address ({error}); write HOST:PORT") from None
    if not host or not port:
        raise SettingsError(f"{key}: {text!r} is no address; write HOST:PORT")
    return _Address(host, port, parts.username or "", parts.path.strip("/"), parse_qs(parts.query).get("region", [""])[-1])


def _secret(files: dict[str, str], key: str) -> str:
    if key not in files:
        return ""
    try:
        return Path(files[key]).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError(f"{key}: {files[key]} cannot be read: {error.strerror}") from error


def parse(content: bytes) -> Settings:
    """Settings of a file `{"data": {text: text}, "files": {secret: path}}`. Raises SettingsError."""
    try:
        document = json.loads(content)
        data, files = document["data"], document["files"]
        retention_seconds = float(data.get("storage_retention_seconds", "0"))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SettingsError(f"the settings file cannot be understood: {error!r}") from None
    database, cache = _address(data, "database", "postgresql"), _address(data, "cache", "redis")
    storage, partner = _address(data, "storage", "http"), _address(data, "partner", "http")
    bucket = storage.name or data.get("bucket", "")
    if not bucket:
        raise SettingsError("bucket: missing; name it here or as the path of `storage`")
    return Settings(
        digest=hashlib.sha256(content).hexdigest()[:16],
        database_host=database.host,
        database_port=database.port,
        database_name=database.name or "voicehive",
        database_user=database.user or "voicehive",
        database_password=_secret(files, "database_password"),
        cache_host=cache.host,
        cache_port=cache.port,
        cache_password=_secret(files, "cache_password"),
        storage_host=storage.host,
        storage_port=storage.port,
        # Requests are signed for the region of the storage, which is not the application's own while it uses the other side's.
        storage_region=storage.region or data.get("storage_region", "eu-west-1"),
        storage_retention_seconds=retention_seconds,
        bucket=bucket,
        access_key=data.get("access_key", "lab"),
        secret_key=_secret(files, "storage_secret_key") or "lab",
        partner_host=partner.host,
        partner_port=partner.port,
    )


class SettingsFile:
    """A settings file and what it was when last looked at."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self.problem = "the settings were not read yet"

    def changed(self) -> Settings | None:
        """New settings when the file changed since the last look and can be used; otherwise None, and `problem` says what is wrong."""
        try:
            status = self._path.stat()
            seen = (status.st_mtime_ns, status.st_ino, status.st_size)
            if seen == self._seen:
                return None
            settings = parse(self._path.read_bytes())
        except OSError as error:
            self.problem = f"{self._path} cannot be read: {error.strerror}"
            return None
        except SettingsError as error:
            self._seen = seen
            self.problem = f"{self._path}: {error}"
            return None
        self._seen, self.problem = seen, ""
        return settings
