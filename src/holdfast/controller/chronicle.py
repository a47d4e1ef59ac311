"""The journal and what it says, kept in step: nothing is known that wasn't durable first."""

from collections.abc import Iterable, Iterator, Sequence

from holdfast.conduct.situation import Write
from holdfast.decision.replay import Installation, fold_all
from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record, following
from holdfast.ports.clock import Clock
from holdfast.ports.journal_store import JournalFull, JournalStore


class Chronicle:
    """Appends records and folds them into the installation's state, in that order."""

    def __init__(self, store: JournalStore, clock: Clock, serving: str) -> None:
        self._store = store
        self._clock = clock
        self._head = store.head()
        self._unconfirmed: list[Record] = []
        """What the last append tried to write when the disk was full."""
        self.installation = Installation(serving)
        self.last_seconds = 0.0
        """When the last record was written; 0 without any."""
        self.installation = fold_all(self.installation, self._noted(store.read()))

    @property
    def is_new(self) -> bool:
        """Whether no controller ever began a term with it: people's word for agents that it can't hear may stand in it already."""
        return self.installation.term == 0

    def append(self, writes: Sequence[Write]) -> None:
        """All of the records or none, durable when this returns. Raises JournalConflict and JournalFull.

        A full disk may have kept what it failed to confirm. That is looked for first: what was kept counts, is not written twice, and is
        confirmed by the sync of a record that says so.
        """
        kept = self._kept()
        if kept:
            reason = f"the disk had kept {len(kept)} records that it could not confirm; they are confirmed now"
            said = Write(Kind.JOURNAL_KEPT, "", {"records": len(kept), "reason": reason})
            again = [(record.kind, record.incident, record.body) for record in kept]
            writes = [said] if again == [(write.kind.value, write.incident, write.body) for write in writes] else [said, *writes]
        at_seconds = self._clock.wall_seconds()
        head, records = self._head, []
        for write in writes:
            record: Record = following(head, at_seconds, write.kind.value, write.incident, write.body)
            records.append(record)
            head = (record.sequence, record.hash)
        try:
            self._store.append(records)
        except JournalFull:
            self._unconfirmed = records
            raise
        self._take_in(records)

    def _kept(self) -> list[Record]:
        """What a full disk kept of the last append, taken in; nothing in the ordinary case."""
        tried, self._unconfirmed = self._unconfirmed, []
        if not tried or self._store.head() != (tried[-1].sequence, tried[-1].hash):
            return []
        self._take_in(tried)
        return tried

    def _take_in(self, records: Sequence[Record]) -> None:
        self.installation = fold_all(self.installation, self._noted(records))

    def _noted(self, records: Iterable[Record]) -> Iterator[Record]:
        """The same records, each noted as the journal's last when it is reached."""
        for record in records:
            self.last_seconds, self._head = record.at_seconds, (record.sequence, record.hash)
            yield record
