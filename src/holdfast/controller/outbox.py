"""Many messages to many channels: in order of priority, so many at once a channel, with results in batches.

Rules: within a channel, the lowest priority number leaves first, and equals leave in the order they came; a channel that hangs keeps none
but its own waiting. Results come in batches, so that a journal writes thousands with few synchronisations. A message that was put in is
handed over or has failed; trying again, and remembering across restarts, is for whoever puts in.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator, Mapping, Sequence
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


class Outbox:
    """Runs while it is entered. `at_once` says for a channel how many hand-overs may be under way."""

    def __init__(
        self,
        notifiers: Mapping[str, Notifier],
        clock: Clock,
        at_once: Mapping[str, int] | None = None,
        bound_seconds: float = BOUND_SECONDS,
    ) -> None:
        self._notifiers = notifiers
        self._clock = clock
        self._at_once = at_once or {}
        self._bound_seconds = bound_seconds
        self._numbers = itertools.count()
        self._waiting: dict[tuple[str, bool], asyncio.PriorityQueue[tuple[int, int, Notification]]] = {}
        self._outcomes: asyncio.Queue[Outcome] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []
        self._open = 0

    def put(self, notification: Notification, priority: int) -> None:
        """Hand it over as soon as its turn comes. Priority 0 is urgent (people who must act); larger numbers wait longer."""
        channel = notification.channel
        urgent = priority <= URGENT_PRIORITY
        for lane in (False, True):
            if (channel, lane) not in self._waiting:
                self._waiting[channel, lane] = asyncio.PriorityQueue()
                workers = URGENT_AT_ONCE if lane else max(1, self._at_once.get(channel, AT_ONCE))
                self._tasks += [asyncio.create_task(self._work(self._waiting[channel, lane])) for _ in range(workers)]
        self._waiting[channel, urgent].put_nowait((priority, next(self._numbers), notification))
        self._open += 1

    async def _work(self, waiting: asyncio.PriorityQueue[tuple[int, int, Notification]]) -> None:
        while True:
            _, _, notification = await waiting.get()
            self._outcomes.put_nowait(await handed_over(self._notifiers, notification, self._clock, self._bound_seconds))

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
