"""The agent's configuration file: read once, checked whole, every problem in one line. Never here: secrets' use, defaults that decide."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from holdfast.fencing.lease import reserve_seconds
from holdfast.fencing.promise import LONGEST_TTL_SECONDS, Epoch, Timing


class BadConfiguration(Exception):
    """The file can't be used. One line: file, place, what is wrong."""


@dataclass(frozen=True, slots=True)
class Remote:
    """Somebody whom this agent talks to. Both ways are signed with the asker's key for agents, the lease key for the controller."""

    name: str
    url: str
    key: bytes


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything that an agent is started with."""

    region: str
    state_directory: Path
    host: str
    port: int
    key: bytes
    controller: Remote
    peer: Remote
    ttl_seconds: float
    timing: Timing
    initial_epoch: Epoch
    initial_holder: str
    cgroup: Literal["auto", "v1", "v2", "none"]
    replication: Literal["asynchronous", "synchronous"]
    stores: Mapping[str, Mapping[str, Any]]
    """Section of each store that the file has: postgres, redis."""
    installation: str = ""
    """Which installation this agent belongs to; empty: the first that it hears of."""

    @property
    def tick_seconds(self) -> float:
        """How often the guard and the agent look: often enough that a deadline is not missed by more than a sixtieth of the lease."""
        return min(0.25, max(0.02, self.ttl_seconds / 60))

    @property
    def exports(self) -> Path:
        """Where what only this region held is written, see `exports`."""
        return self.state_directory / "exports"

    @property
    def reserve_seconds(self) -> float:
        """How long before its end the lease is treated as over, so that the fence is done in time."""
        return reserve_seconds(self.ttl_seconds)


def load(path: Path) -> Configuration:
    """Read and check. Raises BadConfiguration."""
    try:
        content = json.loads(path.read_text())
    except OSError as error:
        raise BadConfiguration(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise BadConfiguration(f"{path}: not JSON: {error}") from error
    try:
        return _configuration(_Section(content, ""))
    except BadConfiguration as error:
        raise BadConfiguration(f"{path}: {error}") from error


class _Section:
    """An object of the file; each look names the place when it fails."""

    def __init__(self, content: Any, place: str) -> None:
        if not isinstance(content, dict):
            raise BadConfiguration(f"{place.rstrip('.') or 'the file'} must be an object")
        self.content, self.place = content, place

    def _value(self, key: str) -> Any:
        if key not in self.content:
            raise BadConfiguration(f"{self.place}{key} is missing")
        return self.content[key]

    def section(self, key: str) -> "_Section":
        return _Section(self._value(key), f"{self.place}{key}.")

    def text(self, key: str) -> str:
        value = self._value(key)
        if not isinstance(value, str) or not value:
            raise BadConfiguration(f"{self.place}{key} must be a text, not {value!r}")
        return value

    def number(self, key: str, low: float, high: float) -> float:
        value = self._value(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or not low <= value <= high:
            raise BadConfiguration(f"{self.place}{key} must be a number from {low:g} to {high:g}, not {value!r}")
        return float(value)

    def whole(self, key: str) -> int:
        value = self._value(key)
        if type(value) is not int or value < 0:
            raise BadConfiguration(f"{self.place}{key} must be a whole number of at least 0, not {value!r}")
        return value

    def one_of(self, key: str, choices: tuple[str, ...]) -> Any:
        value = self.content.get(key, choices[0])
        if value not in choices:
            raise BadConfiguration(f"{self.place}{key} must be one of {', '.join(choices)}, not {value!r}")
        return value

    def key_bytes(self, key: str) -> bytes:
        path = Path(self.text(key))
        try:
            content = path.read_bytes().strip()
        except OSError as error:
            raise BadConfiguration(f"{self.place}{key}: {path} cannot be read: {error.strerror}") from error
        if len(content) < 16:
            raise BadConfiguration(f"{self.place}{key}: {path} holds {len(content)} bytes; a key has at least 16")
        return content


def _configuration(file: _Section) -> Configuration:
    listen = file._value("listen")
    if not (
        isinstance(listen, list) and len(listen) == 2 and isinstance(listen[0], str) and type(listen[1]) is int and 0 <= listen[1] < 65536
    ):
        raise BadConfiguration(f"listen must be [host, port], not {listen!r}")
    lease, peer, controller, initial = (file.section(key) for key in ("lease", "peer", "controller", "initial"))
    stores = {name: file.section(name).content for name in ("postgres", "redis") if file.content.get(name) is not None}
    if not stores:
        raise BadConfiguration("there is neither a section postgres nor a section redis: nothing to look after")
    region, peer_region, holder = file.text("region"), peer.text("region"), initial.text("holder")
    if region == peer_region:
        raise BadConfiguration(f"peer.region must be another region than {region!r}")
    if holder not in (region, peer_region):
        raise BadConfiguration(f"initial.holder must be {region!r} or {peer_region!r}, not {holder!r}")
    return Configuration(
        region=region,
        state_directory=Path(file.text("state_directory")).resolve(),
        host=listen[0],
        port=listen[1],
        key=file.key_bytes("key_file"),
        controller=Remote("controller", controller.text("url").rstrip("/"), controller.key_bytes("key_file")),
        peer=Remote(peer_region, peer.text("url").rstrip("/"), peer.key_bytes("key_file")),
        ttl_seconds=lease.number("ttl_seconds", 0.3, LONGEST_TTL_SECONDS),
        timing=Timing(lease.number("drift", 0, 0.2), lease.number("margin_seconds", 0, 60)),
        initial_epoch=Epoch(initial.whole("era"), initial.whole("epoch")),
        initial_holder=holder,
        cgroup=file.one_of("cgroup", ("auto", "v1", "v2", "none")),
        replication=file.one_of("replication", ("asynchronous", "synchronous")),
        stores=stores,
        installation=file.text("installation") if "installation" in file.content else "",
    )
