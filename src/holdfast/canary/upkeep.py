"""The canary's own health: a ledger that can't be written stops it until it can, and a stepped clock is noticed and told.

Rules: what isn't measured is told as such and never guessed. While the ledger can't be kept nothing is sent, because what nobody can write
down measures nothing. The end of such a time is marked with its beginning as soon as the disk takes a line again.
"""

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from holdfast.canary.book import Book
from holdfast.canary.files import CanaryFiles, Mark, What, write_mark
from holdfast.ledger.entry import LedgerEntry

TRY_SECONDS = 1.0
ROOM_BYTES = 256 * 1024
"""Free again is what has room for a few hundred entries."""
STEP_SECONDS = 0.5
"""A clock that moves by more than this against the steady one was stepped, not steered."""


@dataclass(frozen=True, slots=True)
class Word:
    """One thing that the canary says. `state` as the command line shows it."""

    at_seconds: float
    state: str
    text: str


Say = Callable[[Word], None]


class Standstill:
    """Whether the ledger can be kept. While it can't, `open` is not set and nobody sends."""

    def __init__(self, files: CanaryFiles, say: Say) -> None:
        self._files = files
        self._say = say
        self.open = asyncio.Event()
        self.open.set()
        self.since_seconds: float | None = None
        self.reason = ""

    def begin(self, error: OSError, at_seconds: float) -> None:
        """The ledger could not be written."""
        if self.since_seconds is not None:
            return
        self.since_seconds = at_seconds
        self.reason = f"the ledger could not be kept: {os.strerror(error.errno) if error.errno else error}"
        self.open.clear()
        told = f"{self.reason} ({self._files.directory}). Nothing is sent or measured until it can; make room there"
        self._say(Word(at_seconds, "failed", told))

    async def run(self) -> None:
        """Try again as long as it stands."""
        while True:
            await asyncio.sleep(TRY_SECONDS)
            if self.since_seconds is None:
                continue
            now = time.time()
            try:
                await asyncio.to_thread(self._try, Mark(now, What.LEDGER_STOOD, self.reason, self.since_seconds, now))
            except OSError:
                continue  # as before; it was told
            self._say(Word(now, "done", f"the ledger can be kept again; {now - self.since_seconds:.0f} s were not measured"))
            self.since_seconds, self.reason = None, ""
            self.open.set()

    def _try(self, mark: Mark) -> None:
        """A mark alone would fit into what is left of its last block, and the next entry would stand again."""
        probe = self._files.directory / "room.probe"
        try:
            with probe.open("wb") as file:
                file.write(bytes(ROOM_BYTES))
                file.flush()
                os.fsync(file.fileno())
        finally:
            probe.unlink(missing_ok=True)
        write_mark(self._files, mark)


class DurableLedger:
    """A function's book as its client keeps it: in a thread, one write at a time; a write that fails begins a standstill."""

    def __init__(self, book: Book, standstill: Standstill, kept: Callable[[Sequence[LedgerEntry]], None]) -> None:
        self._book = book
        self._standstill = standstill
        self._kept = kept
        self._one = asyncio.Lock()

    async def keep(self, entries: Sequence[LedgerEntry]) -> None:
        """Returns when the entries are on the disk, or when it is known that they are not."""
        async with self._one:
            try:
                await asyncio.to_thread(self._book.write, entries)
            except OSError as error:
                self._standstill.begin(error, entries[0].sent_seconds)
                return
        self._kept(entries)


class ClockWatch:
    """Compares the wall clock with the steady one."""

    def __init__(self, wall: Callable[[], float] = time.time, steady: Callable[[], float] = time.monotonic) -> None:
        self._wall = wall
        self._steady = steady
        self._last = (wall(), steady())

    def look(self) -> Mark | None:
        """A mark when the wall clock was stepped since the last look, or the machine slept."""
        (wall_before, steady_before), (wall, steady) = self._last, (self._wall(), self._steady())
        self._last = (wall, steady)
        expected = wall_before + (steady - steady_before)
        step = wall - expected
        if abs(step) <= STEP_SECONDS:
            return None
        how = f"forward by {step:.1f} s, or the machine slept" if step > 0 else f"back by {-step:.1f} s"
        return Mark(wall, What.CLOCK_STEPPED, f"the clock went {how}", min(expected, wall), max(expected, wall))
