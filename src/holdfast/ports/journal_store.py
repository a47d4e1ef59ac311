"""Keeping the journal: the port behind the only truth about an incident."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from holdfast.journal.record import Record


class JournalStore(Protocol):
    """Append-only storage. When `append` returns, the records survive a power cut."""

    def append(self, records: Sequence[Record]) -> None:
        """All of them or none. JournalConflict: the first record does not follow the stored head. JournalFull: the disk is full."""

    def read(self, after: int = 0) -> Iterator[Record]:
        """Records with a higher sequence, in order."""

    def head(self) -> tuple[int, str]:
        """Sequence and hash of the last record; (0, GENESIS) when there is none."""


class JournalConflict(Exception):
    """Somebody else wrote in between: this controller is no longer the one."""


class JournalHeld(JournalConflict):
    """Another controller writes it already: this one never began."""


class JournalFull(Exception):
    """The journal could not be made durable; nothing may be done until it can."""


class JournalForeign(Exception):
    """The journal is of another installation than the agents or the bindings. The text says which, and what to do."""


class JournalBroken(Exception):
    """What is stored is no journal, or not a whole one; the message names the place."""
