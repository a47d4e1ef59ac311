"""What every LocalRecords must do. A subclass says whose records they are, and what makes the agent there write one more."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

import pytest

from contract.suite import Suite
from holdfast.ports.local_records import LocalRecords

SILENT_SECONDS = 8.0
_RECORDED_SECONDS = 20.0
FIELDS = {"n", "at_seconds", "what", "detail", "facts", "signature"}


@dataclass(frozen=True)
class Desk:
    """One region's records. `act`: the agent does something of its own, and writes it down. `forge`: from now on none is genuine."""

    records: LocalRecords
    act: Callable[[], Awaitable[None]]
    restart: Callable[[], Awaitable[None]]
    cut: Callable[[], None]
    forge: Callable[[], None]


Desks = Callable[[], AbstractAsyncContextManager[Desk]]
Records = Sequence[Mapping[str, Any]]


async def recorded(desk: Desk, after: int) -> Records:
    """What was written after that number, once there is something."""
    async with asyncio.timeout(_RECORDED_SECONDS):
        while True:
            try:
                found = await desk.records.after(after)
            except (TimeoutError, ConnectionError):
                found = []
            if found:
                return found
            await asyncio.sleep(0.05)


class LocalRecordsSuite(Suite):
    """`desks` is a fixture: it opens an agent that has written something down already."""

    port = LocalRecords

    def tell(self, desks: Desks, story: Callable[[Desk], Awaitable[None]]) -> None:
        async def told() -> None:
            async with desks() as desk:
                self.held(desk.records)
                await story(desk)

        asyncio.run(told())

    def test_records_come_whole_and_oldest_first_and_asking_uses_nothing_up(self, desks: Desks) -> None:
        async def story(desk: Desk) -> None:
            found = await recorded(desk, 0)
            assert desk.records.region
            numbers = [record["n"] for record in found]
            assert numbers == list(range(1, len(found) + 1))
            assert all(record.keys() >= FIELDS and record["region"] == desk.records.region for record in found)
            assert list(await desk.records.after(0))[: len(found)] == list(found)

        self.tell(desks, story)

    def test_only_what_came_later_is_given_to_who_knows_the_rest(self, desks: Desks) -> None:
        async def story(desk: Desk) -> None:
            await desk.act()
            last = (await recorded(desk, 0))[-1]["n"]
            assert not await desk.records.after(last + 1_000)
            assert next(record["n"] for record in await desk.records.after(last - 1)) == last
            await desk.act()
            assert min(record["n"] for record in await recorded(desk, last)) == last + 1

        self.tell(desks, story)

    def test_what_was_written_outlives_the_agent(self, desks: Desks) -> None:
        async def story(desk: Desk) -> None:
            await desk.act()
            before = await recorded(desk, 0)
            await desk.restart()
            assert list(await recorded(desk, 0))[: len(before)] == list(before)

        self.tell(desks, story)

    def test_silence_is_no_empty_list(self, desks: Desks) -> None:
        async def story(desk: Desk) -> None:
            await recorded(desk, 0)
            desk.cut()
            began = time.monotonic()
            with pytest.raises((TimeoutError, ConnectionError)):
                await desk.records.after(0)
            assert time.monotonic() - began < SILENT_SECONDS

        self.tell(desks, story)

    def test_what_is_not_genuine_is_not_given(self, desks: Desks) -> None:
        async def story(desk: Desk) -> None:
            await recorded(desk, 0)
            desk.forge()
            with pytest.raises(ConnectionError, match="nothing was imported"):
                await desk.records.after(0)

        self.tell(desks, story)
