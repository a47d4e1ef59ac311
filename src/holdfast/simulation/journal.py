"""A journal in memory that can crash its controller, fill its disk, lose its tail and be tampered with.

The disk outlives the journal object, as a file outlives a process: open a new `MemoryJournal` on the same `MemoryDisk` to play a
restart. A crash is a BaseException: nothing that handles errors can handle it, as nothing handles kill -9.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from holdfast.journal.record import GENESIS, Record, first_break
from holdfast.ports.journal_store import JournalBroken, JournalConflict, JournalFull


class ControllerCrash(BaseException):
    """The controller is gone, as after kill -9. Whoever plays the world catches it; nobody else."""


class JournalFault(StrEnum):
    """What can happen at an append."""

    CRASH_BEFORE = "crash-before"
    """The controller dies before the records are durable."""
    CRASH_AFTER = "crash-after"
    """The controller dies after they are, before anybody learns of it."""
    FULL = "full"


@dataclass
class MemoryDisk:
    """What survives a crash: the records, the promises, and who holds the lock. `faults` by number of the append (1 is the first).

    `on_append` is told what is about to be appended. `on_crash` is told at the very moment at which a controller dies: whoever plays
    the world stops the rest of it.
    """

    records: list[Record] = field(default_factory=list)
    promises: dict[str, str] = field(default_factory=dict)
    faults: dict[int, JournalFault] = field(default_factory=dict)
    full: bool = False
    """Whether no promise finds room any more (an append has its faults by number)."""
    appends: int = 0
    writer: object | None = None
    on_crash: Callable[[], None] | None = None
    on_append: Callable[[Sequence[Record]], None] | None = None

    def tear(self, count: int) -> None:
        """Lose the last records, as a disk that lied about its sync does."""
        del self.records[len(self.records) - count :]

    def tamper(self, sequence: int, body: Mapping[str, Any]) -> None:
        """Change a record without its hash, as somebody with an editor does."""
        self.records[sequence - 1] = replace(self.records[sequence - 1], body=body)


class MemoryJournal:
    """A JournalStore on a MemoryDisk."""

    def __init__(self, disk: MemoryDisk | None = None) -> None:
        self.disk = disk if disk is not None else MemoryDisk()
        if self.disk.writer is not None:
            raise JournalConflict("another controller is writing this journal")
        broken = first_break(self.disk.records)
        if broken:
            raise JournalBroken(broken)
        self.disk.writer = self
        self._dead = False

    def append(self, records: Sequence[Record]) -> None:
        """All of them or none. JournalConflict: the first record does not follow the stored head. JournalFull: the disk is full."""
        if self._dead:
            raise ControllerCrash("this controller is dead already")
        if not records:
            return
        if self.disk.writer is not self or (records[0].sequence - 1, records[0].previous) != self.head():
            raise JournalConflict(f"record {records[0].sequence} does not follow the journal's head, record {self.head()[0]}")
        carried = [replace(record, body=json.loads(json.dumps(record.body, allow_nan=False))) for record in records]
        broken = first_break(carried, self.head())
        if broken:
            raise ValueError(f"not a chain of records: {broken}")
        self.disk.appends += 1
        if self.disk.on_append is not None:
            self.disk.on_append(carried)
        fault = self.disk.faults.pop(self.disk.appends, None)
        if fault is JournalFault.FULL:
            raise JournalFull("the journal's disk is full; free space on it: nothing is done until then")
        if fault is JournalFault.CRASH_BEFORE:
            self._die()
        self.disk.records.extend(carried)
        if fault is JournalFault.CRASH_AFTER:
            self._die()

    def read(self, after: int = 0) -> Iterator[Record]:
        """Records with a higher sequence, in order."""
        yield from tuple(record for record in self.disk.records if record.sequence > after)

    def head(self) -> tuple[int, str]:
        """Sequence and hash of the last record; (0, GENESIS) when there is none."""
        return (self.disk.records[-1].sequence, self.disk.records[-1].hash) if self.disk.records else (0, GENESIS)

    def close(self) -> None:
        """Let others write."""
        if self.disk.writer is self:
            self.disk.writer = None

    def kill(self) -> None:
        """The controller dies now: what it still tries to append is never written."""
        if self._dead:
            return
        self._dead = True
        self.close()
        if self.disk.on_crash is not None:
            self.disk.on_crash()

    def _die(self) -> None:
        self.kill()
        raise ControllerCrash(f"killed at append {self.disk.appends}")


class MemoryPromises:
    """The controller's promises on the same disk."""

    def __init__(self, disk: MemoryDisk) -> None:
        self._disk = disk

    def get(self, key: str) -> Any | None:
        """The value last put, or None."""
        return json.loads(self._disk.promises[key]) if key in self._disk.promises else None

    def all(self) -> dict[str, Any]:
        """Every value by its key."""
        return {key: json.loads(value) for key, value in sorted(self._disk.promises.items())}

    def put(self, key: str, value: Any) -> None:
        """Keep one value."""
        self.put_all({key: value})

    def put_all(self, values: Mapping[str, Any]) -> None:
        """Keep several, all or none. JournalFull: there is no room for them."""
        written = {key: json.dumps(value, allow_nan=False) for key, value in values.items()}
        if self._disk.full:
            raise JournalFull("the journal's disk is full; free space on it: nothing is promised until then")
        self._disk.promises.update(written)
