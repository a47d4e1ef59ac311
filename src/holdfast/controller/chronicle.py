"""The journal and what it says, kept in step: nothing is known that wasn't durable first."""

from collections.abc import Sequence

from holdfast.conduct.situation import Write
from holdfast.decision.replay import Installation, fold
from holdfast.journal.record import Record, following
from holdfast.ports.clock import Clock
from holdfast.ports.journal_store import JournalStore


class Chronicle:
    """Appends records and folds them into the installation's state, in that order."""

    def __init__(self, store: JournalStore, clock: Clock, serving: str) -> None:
        self._store = store
        self._clock = clock
        self._head = store.head()
        self.installation = Installation(serving)
        for record in store.read():
            self.installation = fold(self.installation, record)

    @property
    def is_new(self) -> bool:
        """Whether nothing was ever recorded."""
        return self._head[0] == 0

    def append(self, writes: Sequence[Write]) -> None:
        """All of the records or none, durable when this returns. Raises JournalConflict and JournalFull."""
        at_seconds = self._clock.wall_seconds()
        head, records = self._head, []
        for write in writes:
            record: Record = following(head, at_seconds, write.kind.value, write.incident, write.body)
            records.append(record)
            head = (record.sequence, record.hash)
        self._store.append(records)
        self._head = head
        for record in records:
            self.installation = fold(self.installation, record)
