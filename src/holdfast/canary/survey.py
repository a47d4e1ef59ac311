"""A look at what the serving region's stores hold, as soon as one of them acknowledges under a new epoch: the only time to see what a
failover lost. A bucket that moved alone does so under the number of the run that moved it.

Later the sides are reconciled and brought home, and what the failover lost can't be told from what came after. Reads only, and only the
canary's own records of the last day.
"""

import asyncio
import time
from collections.abc import Sequence

from holdfast.canary.files import CanaryFiles
from holdfast.canary.records import canary_records, write
from holdfast.canary.upkeep import Say, Word
from holdfast.ledger.entry import LedgerEntry
from holdfast.ledger.measure import SINGLE_WRITER_STORES
from holdfast.plan.bindings import Bindings

LOOK_BACK_SECONDS = 86400.0
"""Records older than this are not looked for: no replica that is promoted is a day behind."""


class Survey:
    """Watches acknowledgements for a new epoch; `run` looks when there is one."""

    def __init__(
        self, files: CanaryFiles, bindings: Bindings, say: Say, known_epoch: int | None, known_bucket_epoch: int | None = None
    ) -> None:
        self._files = files
        self._bindings = bindings
        self._say = say
        self.epoch = known_epoch
        """The highest under which a database or cache acknowledged, kept over restarts; None before the first."""
        self.bucket_epoch = known_bucket_epoch
        """The same of buckets: a run that moves no writer leaves the others' where it is."""
        self._last_wanted: tuple[str, int] | None = None
        self._wanted: asyncio.Queue[tuple[str, int]] = asyncio.Queue()

    def acknowledged(self, entries: Sequence[LedgerEntry]) -> None:
        """Hear of entries that were kept."""
        for entry in entries:
            if entry.store is None or entry.epoch is None or entry.region is None:
                continue
            if entry.store in SINGLE_WRITER_STORES:
                self.epoch = self._risen(self.epoch, entry.region, entry.epoch)
            else:
                self.bucket_epoch = self._risen(self.bucket_epoch, entry.region, entry.epoch)

    def _risen(self, known: int | None, region: str, epoch: int) -> int:
        """The highest now. One look is enough for all stores that a failover moved."""
        if known is None or epoch <= known:
            return epoch if known is None else known
        if (region, epoch) != self._last_wanted:
            self._last_wanted = (region, epoch)
            self._wanted.put_nowait((region, epoch))
        return epoch

    async def run(self) -> None:
        """Look whenever a new epoch acknowledged."""
        while True:
            region, epoch = await self._wanted.get()
            self._say(Word(time.time(), "running", f"epoch {epoch} serves in {region}: reading what its stores hold of this canary"))
            await asyncio.to_thread(self._look, region, epoch)

    def _look(self, region: str, epoch: int) -> None:
        now = time.time()
        found = canary_records(self._bindings, region, now - LOOK_BACK_SECONDS)
        unread = [store.problem for store in found if store.records is None]
        try:
            write(self._files.contents / f"{now:017.6f}.{region}.json", region, found)
        except OSError as error:
            unread.append(f"what was read could not be kept: {error.strerror}")
        if unread:
            self._say(Word(time.time(), "unknown", f"what {region} holds is not wholly known: {'; '.join(unread)}"))
        else:
            count = sum(len(store.records or ()) for store in found)
            self._say(Word(time.time(), "done", f"{count} records of this canary are in {region}; the report will compare"))
