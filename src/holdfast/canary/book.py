"""A canary's ledger: an entry counts once it is on the disk; full ledgers are condensed, packed and put away; all of it is bounded.

Rules: `write` returns when its entries are on the disk, or raises OSError with the ledger as it was before; nothing is ever written behind
half a line. What is thrown away to stay within the bound was condensed before, so availability outlives the entries that it came from.
It blocks: callers that must not wait call it in a thread, one call at a time.
"""

import gzip
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from holdfast.canary.files import CanaryFiles, append_whole, replace_whole, sync_directory, write_spans
from holdfast.ledger.availability import spans
from holdfast.ledger.entry import LedgerEntry
from holdfast.ledger.measure import requests
from holdfast.ledger.reading import LedgerError, entry_line, parse_ledger, set_torn_end_aside

LEDGER_BYTES = 1024 * 1024
KEEP_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class BookSettings:
    """One function's rhythm, for condensing, and the bounds on its files."""

    every_seconds: float
    within_seconds: float
    ledger_bytes: int = LEDGER_BYTES
    """A ledger that has reached this is put away."""
    keep_bytes: int = KEEP_BYTES
    """Of packed ledgers; the oldest are thrown away."""


class Book:
    """One function's ledger, to write. One canary writes it (see the directory's lock)."""

    def __init__(self, files: CanaryFiles, function: str, settings: BookSettings) -> None:
        self._files = files
        self._function = function
        self._settings = settings
        files.directory.mkdir(parents=True, exist_ok=True)
        files.earlier(function).mkdir(exist_ok=True)
        self.torn = set_torn_end_aside(files.ledger(function))
        """Bytes of a last line that the canary before could not finish; they were set aside."""
        self.damaged: list[Path] = []
        """Ledgers that somebody changed after they were written: set aside whole, their time is unknown."""
        self.dropped = 0
        """Packed ledgers that were thrown away to stay within the bound."""
        self._open()
        self._pack_what_is_left()

    def _open(self) -> None:
        path = self._files.ledger(self._function)
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self._good_bytes = os.fstat(self._descriptor).st_size
        sync_directory(path.parent)

    def write(self, entries: Iterable[LedgerEntry]) -> None:
        """Append the entries of one request, in one piece."""
        if self._good_bytes >= self._settings.ledger_bytes:
            self._put_away()
        self._good_bytes = append_whole(self._descriptor, "".join(map(entry_line, entries)).encode(), self._good_bytes)

    def _put_away(self) -> None:
        path, earlier = self._files.ledger(self._function), self._files.earlier(self._function)
        aside = earlier / f"{_first_sent_seconds(path):017.6f}.jsonl"
        path.rename(aside)
        old = self._descriptor
        try:
            self._open()
        except OSError:
            aside.rename(path)  # as it was: the next write tries again
            raise
        os.close(old)
        self._pack_what_is_left()

    def _pack_what_is_left(self) -> None:
        for ledger in sorted(self._files.earlier(self._function).glob("*.jsonl")):
            self._pack(ledger)

    def _pack(self, ledger: Path) -> None:
        """Condense, then pack, then remove. Whatever ends it in between, the next start does it again, which adds nothing new."""
        content = ledger.read_bytes()
        try:
            found = requests(parse_ledger(content, str(ledger)).entries)
        except LedgerError:
            self.damaged.append(ledger.rename(ledger.with_suffix(".damaged")))
            return
        write_spans(self._files, self._function, spans(found, self._settings.every_seconds, self._settings.within_seconds))
        replace_whole(ledger.with_suffix(".jsonl.gz"), gzip.compress(content, 6, mtime=0))
        ledger.unlink()
        packed = sorted(ledger.parent.glob("*.jsonl.gz"))
        total = sum(path.stat().st_size for path in packed)
        while packed and total > self._settings.keep_bytes:
            total -= packed[0].stat().st_size
            packed.pop(0).unlink()
            self.dropped += 1

    def close(self) -> None:
        """No more entries."""
        os.close(self._descriptor)


def _first_sent_seconds(ledger: Path) -> float:
    """When its first entry was sent: its name among the others. A damaged one goes by when it was changed last."""
    with ledger.open("rb") as file:
        line = file.readline()
    try:
        return parse_ledger(line, str(ledger)).entries[0].sent_seconds
    except (LedgerError, IndexError):
        return ledger.stat().st_mtime
