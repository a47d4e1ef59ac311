"""What the agent must still know after a crash, and the signed records of what it did by itself.

Rules: the state is one small file, replaced whole (written aside, fsynced, renamed, the directory fsynced) with a digest inside; when
`write` returns, it survives a power cut. A file that is there but can't be trusted is an error, never an empty state: the agent must not
forget a promise. Records are appended and fsynced one by one; a torn last line is dropped, a damaged one before it is an error.

Never here: what the values mean.
"""

import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from holdfast.fencing.order import Order
from holdfast.fencing.promise import Activation, Epoch, Memory, Stage
from holdfast.fencing.signing import canonical, sign_record

STATE_FILE = "state.json"
RECORDS_FILE = "records.jsonl"


class DamagedState(Exception):
    """The durable state can't be trusted. The text says what to do."""


class Role(StrEnum):
    """What a store is here, durably."""

    WRITER = "writer"
    REPLICA = "replica"
    PROMOTING = "promoting"
    """A promotion was begun: it goes on only when ordered again."""
    BARRED = "barred"
    """An old writer that must become a replica before it runs again."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The order that was accepted last, and its answer once there was one (an order that is repeated is not carried out twice)."""

    order: Order
    verb: str
    answer: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class State:
    """All of it. Frozen: every change is a new value, written before anybody hears of it."""

    region: str
    instance: str
    memory: Memory
    roles: Mapping[str, Role]
    orders: Mapping[str, Answered] = field(default_factory=dict)
    """Scope (`region`, or a store's name) → the highest order seen there. Orders to different stores may come in any order."""
    yielded: Order | None = None
    """The order of fence under which this region gave its write power up; only a later `withdraw` gives it back."""
    initialised: bool = field(default=False)
    """Whether the initial holder's stores were made."""
    installation: str = ""
    """The one that this agent belongs to: who names another is neither heard nor obeyed. Empty until it is configured or heard."""


class StateFile:
    """The file."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / STATE_FILE

    def read(self) -> State | None:
        """The state; None when the agent has never run here. Raises DamagedState."""
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            if (self.path.parent / RECORDS_FILE).exists():
                raise DamagedState(
                    f"{self.path} is missing, but this agent has run here before ({RECORDS_FILE} is there). {_ADVICE}"
                ) from None
            return None
        try:
            whole = json.loads(content)
            if whole["digest"] != _digest(whole["state"]):
                raise ValueError("the digest does not match the content")
            return _state(whole["state"])
        except (ValueError, KeyError, TypeError) as error:
            raise DamagedState(f"{self.path} is damaged ({type(error).__name__}: {error}). {_ADVICE}") from error

    def write(self, state: State) -> None:
        """Durably replace it."""
        content = _plain(state)
        aside = self.path.with_suffix(".new")
        with aside.open("wb") as file:
            file.write(canonical({"version": 1, "digest": _digest(content), "state": content}) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        aside.replace(self.path)
        _sync_directory(self.path.parent)


_ADVICE = (
    "This agent starts no writer and gives no promise until that is settled. Restore the file from a copy of this very machine, "
    "or start once with --without-memory: it then hears from the controller who holds the right to write, and waits out the longest promise"
)


class Records:
    """What the agent did by itself, signed: imported into the journal later, marked late."""

    def __init__(self, directory: Path, region: str, key: bytes) -> None:
        self._path, self._region, self._key = directory / RECORDS_FILE, region, key
        self._records: list[dict[str, Any]] = []
        content = self._path.read_bytes() if self._path.exists() else b""
        whole = content[: content.rfind(b"\n") + 1]
        for number, line in enumerate(whole.splitlines(), 1):
            try:
                self._records.append(json.loads(line))
            except ValueError as error:
                raise DamagedState(f"{self._path}:{number}: not a record ({error}); move the file aside and keep it as evidence") from error
        with self._path.open("ab") as file:
            file.truncate(len(whole))
        _sync_directory(directory)

    def append(self, what: str, detail: str, at_seconds: float, **facts: Any) -> None:
        """Durably add one."""
        record = {"n": self.last + 1, "region": self._region, "at_seconds": at_seconds, "what": what, "detail": detail, "facts": facts}
        signed = sign_record(self._key, record)
        with self._path.open("ab") as file:
            file.write(canonical(signed) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self._records.append(signed)

    def after(self, number: int, most: int = 500) -> list[dict[str, Any]]:
        """Records above a number, oldest first."""
        return self._records[max(number, 0) :][:most]

    @property
    def last(self) -> int:
        """The number of the newest; 0 when there is none."""
        return len(self._records)


def fresh(region: str, epoch: Epoch, holder: str, stores: list[str]) -> State:
    """The state of an agent that has never run: what its configuration says."""
    role = Role.WRITER if holder == region else Role.REPLICA
    return State(region, secrets.token_hex(8), Memory(epoch, holder), dict.fromkeys(stores, role))


def without_memory(region: str, longest_ttl_seconds: float, stores: list[str]) -> State:
    """The state of an agent that forgot everything: nothing runs as writer, nothing is promised until the controller was heard."""
    nobody = Memory(Epoch(-1, -1), holder="", longest_ttl_seconds=longest_ttl_seconds, unheard=frozenset({"controller"}))
    return State(region, secrets.token_hex(8), nobody, dict.fromkeys(stores, Role.BARRED), initialised=True)


def _digest(content: Any) -> str:
    return hashlib.sha256(canonical(content)).hexdigest()


def _plain(state: State) -> dict[str, Any]:
    content = asdict(state)
    content["memory"]["unheard"] = sorted(state.memory.unheard)
    return content


def _state(content: Mapping[str, Any]) -> State:
    yielded = content["yielded"]
    return State(
        region=content["region"],
        instance=content["instance"],
        memory=_memory(content["memory"]),
        roles={name: Role(role) for name, role in content["roles"].items()},
        orders={scope: Answered(_order(last["order"]), last["verb"], last["answer"]) for scope, last in content["orders"].items()},
        yielded=_order(yielded) if yielded else None,
        initialised=bool(content["initialised"]),
        installation=str(content.get("installation", "")),
    )


def _memory(content: Mapping[str, Any]) -> Memory:
    activation, withdrawn = content["activation"], content["withdrawn"]
    return Memory(
        epoch=Epoch(*content["epoch"]),
        holder=content["holder"],
        promised_region=content["promised_region"],
        promised_instance=content["promised_instance"],
        longest_ttl_seconds=float(content["longest_ttl_seconds"]),
        activation=Activation(Epoch(*activation["epoch"]), _order(activation["order"]), Stage(activation["stage"])) if activation else None,
        withdrawn=Epoch(*withdrawn) if withdrawn else None,
        unheard=frozenset(content["unheard"]),
    )


def _order(content: Mapping[str, int]) -> Order:
    return Order(content["era"], content["epoch"], content["term"], content["step"])


def _sync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
