"""Many messages to many channels: in order of priority, so many at once and a second, with results in batches.

Rules: within a channel, the lowest priority number leaves first, and equals leave in the order they came; a channel that hangs keeps none
but its own waiting. Where a channel takes only so many a second, the next turn is of whoever is most urgent, and waiting for one is no part
of the time in which the channel must answer: nothing has left yet. Results come in batches, so that a journal writes thousands with few
synchronisations. A message that was put in is handed over or has failed; trying again, and remembering across restarts, is for whoever
puts in.
"""

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

from holdfast.controller.channels import Outcome, handed_over
from holdfast.ports.clock import Clock
from holdfast.ports.notifier import Notification, Notifier

AT_ONCE = 8
BATCH = 500
MAILING = 50
"""From so many under way, results are collected for LINGER_SECONDS: each batch costs the journal a synchronisation."""
LINGER_SECONDS = 0.05
BOUND_SECONDS = 10.0
URGENT_AT_ONCE = 8
"""How many of a channel's hand-overs are kept for what is urgent: people who are called at the same moment don't wait for each other."""
URGENT_PRIORITY = 0


@dataclass(frozen=True, slots=True)
class Terms:
    """How one channel is handed messages."""

    bound_seconds: float = BOUND_SECONDS
    """How long a hand-over may take, from its turn on."""
    per_second: float | None = None
    """At most so many; no limit when absent."""
    at_once: int = AT_ONCE
    """So many hand-overs under way, beside those that are urgent."""


class Pace:
    """The turns of a channel that takes so many a second: of those who wait, the most urgent gets the next. What nobody took is lost."""

    def __init__(self, per_second: float, clock: Clock) -> None:
        self._apart_seconds = 1.0 / per_second
        self._clock = clock
        self._next_seconds = 0.0
        self._numbers = itertools.count()
        self._waiting: list[tuple[int, int, asyncio.Event]] = []

    async def turn(self, priority: int) -> None:
        """Returns when it is this one's turn."""
        mine = (priority, next(self._numbers), asyncio.Event())
        heapq.heappush(self._waiting, mine)
        try:
            while True:
                if self._waiting[0] is not mine:
                    await mine[2].wait()
                    mine[2].clear()
                    continue
                now = self._clock.steady_seconds()
                if now >= self._next_seconds:
                    self._next_seconds = now + self._apart_seconds
                    return
                await self._clock.sleep(self._next_seconds - now)  # and look again: somebody more urgent may have come
        finally:
            self._waiting.remove(mine)
            heapq.heapify(self._waiting)
            if self._waiting:
                self._waiting[0][2].set()


class Outbox:
    """Runs while it is entered. `terms`: how each channel is handed messages, read when it gets its first."""

    def __init__(self, notifiers: Mapping[str, Notifier], clock: Clock, terms: Mapping[str, Terms] | None = None) -> None:
        self._notifiers = notifiers
        self._clock = clock
        self._terms = {} if terms is None else terms
        self._numbers = itertools.count()
        self._waiting: dict[tuple[str, bool], asyncio.PriorityQueue[tuple[int, int, Notification]]] = {}
        self._outcomes: asyncio.Queue[Outcome] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []
        self._open = 0

    def put(self, notification: Notification, priority: int) -> None:
        """Hand it over as soon as its turn comes. Priority 0 is urgent (people who must act); larger numbers wait longer."""
        channel = notification.channel
        urgent = priority <= URGENT_PRIORITY
        if (channel, urgent) not in self._waiting:
            self._open_lanes(channel)
        self._waiting[channel, urgent].put_nowait((priority, next(self._numbers), notification))
        self._open += 1

    def _open_lanes(self, channel: str) -> None:
        terms = self._terms.get(channel, Terms())
        pace = None if terms.per_second is None else Pace(terms.per_second, self._clock)
        for lane, workers in ((False, max(1, terms.at_once)), (True, URGENT_AT_ONCE)):
            self._waiting[channel, lane] = asyncio.PriorityQueue()
            work = (self._work(self._waiting[channel, lane], terms.bound_seconds, pace) for _ in range(workers))
            self._tasks += map(asyncio.create_task, work)

    async def _work(self, waiting: asyncio.PriorityQueue[tuple[int, int, Notification]], bound_seconds: float, pace: Pace | None) -> None:
        while True:
            priority, _, notification = await waiting.get()
            if pace is not None:
                begun = self._clock.steady_seconds()
                await pace.turn(priority)
                notification = _after(notification, self._clock.steady_seconds() - begun)
            self._outcomes.put_nowait(await handed_over(self._notifiers, notification, self._clock, bound_seconds))

    async def outcomes(self) -> AsyncIterator[Sequence[Outcome]]:
        """Batches of at most 500 until nothing is under way: as many as there are. Only a mailing waits, and for a moment, to fill one."""
        while self._open:
            batch = [await self._outcomes.get()]
            if self._open > MAILING:
                await self._clock.sleep(LINGER_SECONDS)
            while len(batch) < BATCH and not self._outcomes.empty():
                batch.append(self._outcomes.get_nowait())
            self._open -= len(batch)
            yield batch

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _after(notification: Notification, seconds: float) -> Notification:
    """The same after it has waited: less time is left until it must be there."""
    return (
        notification if notification.within_seconds is None else replace(notification, within_seconds=notification.within_seconds - seconds)
    )
