"""What every Protector must do. A subclass says which writer it acts on, and how it falls silent."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace

from contract.suite import Suite
from holdfast.fencing.order import Order
from holdfast.ports.action import Outcome, Result
from holdfast.ports.protection import ModeWish, Protector

SILENT_SECONDS = 25.0


@dataclass(frozen=True)
class Writer:
    """A writer in synchronous mode that has its replica. `wish`: drop its protection, under the lowest order that it obeys."""

    protector: Protector
    wish: ModeWish
    other_region: str
    protected: Callable[[], Awaitable[bool | None]]
    """Whether each write waits, as asked of the writer itself."""
    recorded: Callable[[], Awaitable[list[str]]]
    """The modes that were recorded, oldest first."""
    cut: Callable[[], Awaitable[None]]

    def above(self, steps: int, **changes: object) -> ModeWish:
        order = self.wish.order
        return replace(self.wish, order=Order(order.era, order.epoch, order.term, order.step + steps), **changes)  # type: ignore[arg-type]


Writers = Callable[[], AbstractAsyncContextManager[Writer]]


class ProtectorSuite(Suite):
    """`writers` is a fixture: it opens a fresh writer."""

    port = Protector

    def tell(self, writers: Writers, story: Callable[[Writer], Awaitable[None]]) -> None:
        async def told() -> None:
            async with writers() as writer:
                self.held(writer.protector)
                await story(writer)

        asyncio.run(told())

    def test_it_is_dropped_and_taken_up_again_and_each_is_recorded(self, writers: Writers) -> None:
        async def story(writer: Writer) -> None:
            assert await writer.protected() is True
            assert (await writer.protector.set_mode(writer.wish)).result is Result.SUCCEEDED
            assert await writer.protected() is False
            assert (await writer.protector.set_mode(writer.above(1, mode="synchronous"))).result is Result.SUCCEEDED
            assert await writer.protected() is True
            assert await writer.recorded() == ["asynchronous", "synchronous"]

        self.tell(writers, story)

    def test_the_same_order_again_changes_nothing_more(self, writers: Writers) -> None:
        async def story(writer: Writer) -> None:
            for _ in range(2):
                assert (await writer.protector.set_mode(writer.wish)).result is Result.SUCCEEDED
            assert await writer.recorded() == ["asynchronous"]

        self.tell(writers, story)

    def test_a_lower_order_and_a_region_that_is_not_the_writer_are_refused(self, writers: Writers) -> None:
        async def story(writer: Writer) -> None:
            assert (await writer.protector.set_mode(writer.above(5, mode="synchronous"))).result is Result.SUCCEEDED
            assert (await writer.protector.set_mode(writer.wish)).result is Result.REFUSED
            for region in (writer.other_region, "mars"):
                assert (await writer.protector.set_mode(writer.above(9, region=region))).result is Result.REFUSED
            assert await writer.protected() is True

        self.tell(writers, story)

    def test_silence_is_unknown(self, writers: Writers) -> None:
        async def story(writer: Writer) -> None:
            await writer.cut()
            async with asyncio.timeout(SILENT_SECONDS):
                outcome: Outcome = await writer.protector.set_mode(writer.wish)
            assert outcome.result is Result.UNKNOWN
            assert outcome.detail

        self.tell(writers, story)
