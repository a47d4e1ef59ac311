"""The journal in SQLite: append-only, hash-chained, one transaction and one sync for each append.

Rules: a record that does not follow the stored head is refused, and so is one that would read back differently from what was
hashed. Opening for writing walks the whole chain first: nobody goes on writing behind a break. After JournalFull the caller
must ask `head` again: the disk may have kept what it failed to confirm.
It never changes or removes a record; triggers in the file stop others from doing it by accident.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

from holdfast.journal.record import GENESIS, Record, first_break, proved
from holdfast.ports.journal_store import JournalBroken, JournalConflict
from holdfast.providers.sqlite.database import SqliteDatabase

_PAGE_RECORDS = 500
_PAGE = "SELECT sequence, at_seconds, kind, incident, body, previous, hash FROM journal WHERE sequence > ? ORDER BY sequence LIMIT ?"
_OF_INCIDENT = "SELECT sequence, at_seconds, kind, incident, body, previous, hash FROM journal WHERE incident = ? ORDER BY sequence"
_HEAD = "SELECT sequence, hash FROM journal ORDER BY sequence DESC LIMIT 1"
_INSERT = "INSERT INTO journal (sequence, at_seconds, kind, incident, body, previous, hash) VALUES (?, ?, ?, ?, ?, ?, ?)"


class JournalReader:
    """The journal, to look at. Works beside the controller that writes it."""

    def __init__(self, path: Path) -> None:
        self._database = SqliteDatabase.open_for_reading(path)

    def read(self, after: int = 0) -> Iterator[Record]:
        """Records with a higher sequence, in order. JournalBroken names the place where the file can't be read."""
        last = after
        while True:
            rows = self._database.rows(_PAGE, [last, _PAGE_RECORDS])
            for row in rows:
                yield _record(self._database.path, row)
            if len(rows) < _PAGE_RECORDS:
                return
            last = rows[-1][0]

    def read_incident(self, incident: str) -> Iterator[Record]:
        """Records of one incident, in order."""
        for row in self._database.rows(_OF_INCIDENT, [incident]):
            yield _record(self._database.path, row)

    def head(self) -> tuple[int, str]:
        """Sequence and hash of the last record; (0, GENESIS) when there is none."""
        rows = self._database.rows(_HEAD)
        return (rows[0][0], rows[0][1]) if rows else (0, GENESIS)

    def fault(self) -> str | None:
        """A sentence about the first thing that is wrong with the file, or None when chain and tail are whole."""
        return self.proved()[1]

    def proved(self) -> tuple[int, str | None]:
        """Up to which record the chain proves the journal, and what `fault` says."""
        marked = self._database.marked().split()  # before the head, which only grows meanwhile
        reached, broken = self._walked()
        path = self._database.path
        if broken is None and len(marked) == 2 and marked[0].isdigit():
            sequence, head_hash = self.head()
            noted, noted_hash = int(marked[0]), marked[1]
            if noted > sequence:
                broken = f"the tail is missing: records {sequence + 1} to {noted} were written and are gone"
            elif noted == sequence and noted_hash != head_hash:
                broken = f"record {sequence} is not the one that was written last: the end was replaced"
        if broken is None and (guards := self._database.guards_missing()):
            broken = f"{' and '.join(guards)} is gone from the file, which kept people from changing it by accident"
        if (cut := self._database.cut_short(certain=broken is not None)) is not None:
            broken = f"{cut}; record {reached} is the last whole one"
        return reached, f"{path}: {broken}" if broken else None

    def _walked(self) -> tuple[int, str | None]:
        """The chain from the first record on: how far it holds, and why not further."""
        reached = 0

        def counted() -> Iterator[Record]:
            nonlocal reached
            for record in self.read():
                yield record
                reached = record.sequence

        try:
            return proved(counted())
        except JournalBroken as error:
            return reached, str(error).removeprefix(f"{self._database.path}: ")

    def knows_its_end(self) -> bool:
        """Whether the file beside it says how far the journal had come: without it a lost tail shows only against a noted head."""
        return bool(self._database.marked())

    def against(self, sequence: int, noted: str) -> str | None:
        """What is wrong with the journal when record `sequence` was noted with this hash (or its beginning), or None."""
        last = self.head()[0]
        found = next(iter(self.read(sequence - 1)), None)
        if sequence > last or found is None:
            return f"record {sequence} was noted, and the journal ends with record {last}: its end was taken away"
        if not found.hash.startswith(noted):
            return f"record {sequence} is another one than was noted: its hash is {found.hash}"
        return None

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class SqliteJournal(JournalReader):
    """The journal, to write. At most one in the world for each file; `database` is where promises may be kept beside it."""

    def __init__(self, path: Path) -> None:
        self._database = SqliteDatabase.open_for_writing(path)
        fault = self.fault()
        if fault:
            self._database.close()
            raise JournalBroken(
                f"{fault}. Nothing was changed. `holdfast journal show` reads what is whole; to go on, move the file and its .lock aside"
                " and keep them: a controller without a journal starts above every epoch that its agents know"
            )

    @property
    def database(self) -> SqliteDatabase:
        """The open file, for what must be durable beside the journal."""
        return self._database

    def append(self, records: Sequence[Record]) -> None:
        """All of them or none. JournalConflict: the first record does not follow the stored head. JournalFull: the disk is full."""
        if not records:
            return
        rows = [_row(record) for record in records]
        with self._database.transaction() as connection:
            stored = connection.execute(_HEAD).fetchone()
            head = (stored[0], stored[1]) if stored else (0, GENESIS)
            if (records[0].sequence - 1, records[0].previous) != head:
                raise JournalConflict(
                    f"record {records[0].sequence} ({records[0].kind}) does not follow the journal's head, record {head[0]}:"
                    " somebody else wrote in between, so this controller must stop"
                )
            # As they will be read, not as they were given: what JSON can't carry must not get into a chain of hashes.
            broken = first_break((_record(self._database.path, row) for row in rows), head)
            if broken:
                raise ValueError(f"not a chain of records: {broken}")
            connection.executemany(_INSERT, rows)
        self._database.mark(f"{records[-1].sequence} {records[-1].hash}")


def _row(record: Record) -> tuple[Any, ...]:
    body = json.dumps(record.body, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return (record.sequence, record.at_seconds, record.kind, record.incident, body, record.previous, record.hash)


def _record(path: Path, row: Sequence[Any]) -> Record:
    sequence, at_seconds, kind, incident, text, previous, own_hash = row
    if not isinstance(sequence, int) or sequence < 1 or not isinstance(text, str):
        raise JournalBroken(f"{path}: what stands behind the last whole record is no record; the file is damaged")
    try:
        body = json.loads(text)
    except (TypeError, ValueError):
        raise JournalBroken(f"{path}: record {sequence} ({kind}) was changed after it was written: its body is no JSON") from None
    return Record(sequence, at_seconds, str(kind), str(incident), body, previous, own_hash)
