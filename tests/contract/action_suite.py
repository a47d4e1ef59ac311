"""What every Action must do, whatever stands behind it. A subclass says what it acts on and how time passes there.

The ground is fresh for every test: the effect is not there yet, its effector answers, and nothing has obeyed an order of `ORDER` or higher.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from contract.suite import Suite
from holdfast.fencing.order import Order
from holdfast.plan.blocks import BLOCKS, BlockClass
from holdfast.ports.action import Action, Answer, Finding, Outcome, Result, Task

ORDER = Order(0, 2, 2, 50)
LATER = Order(0, 2, 2, 60)
LOWER = {"older epoch": Order(0, 1, 9, 99), "older controller": Order(0, 2, 1, 99), "older step": Order(0, 2, 2, 49)}
ACT_SECONDS = 30.0
VERIFY_SECONDS = 30.0
SILENT_SECONDS = 8.0
"""Within this an action must have said *unknown* about silence, or else its caller's own bound says so."""


@dataclass(frozen=True)
class Ground:
    """One block on one world. `snapshot`: what looking must not change. `cut`: from now on the effector is silent."""

    action: Action
    task: Task
    snapshot: Callable[[], Awaitable[Any]]
    cut: Callable[[], Awaitable[None]]
    impatient: Action | None = None
    """The same with less patience of its own, where the action's is longer than the suite's."""


Opens = Callable[[], AbstractAsyncContextManager[Ground]]
Story = Callable[[Ground], Coroutine[Any, Any, None]]


def ordered(task: Task, order: Order) -> Task:
    return replace(task, order=order)


async def proved(ground: Ground, task: Task) -> Finding:
    """Verify as the controller does: again and again until it holds or the time is over."""
    async with asyncio.timeout(VERIFY_SECONDS):
        while True:
            finding = await ground.action.verify(task)
            if finding.answer is Answer.YES:
                return finding
            await asyncio.sleep(0.1)


async def acted(ground: Ground, task: Task, seconds: float = ACT_SECONDS) -> Outcome:
    try:
        async with asyncio.timeout(seconds):
            return await ground.action.act(task)
    except TimeoutError:
        return Outcome(Result.UNKNOWN, "no answer in time")


class ActionSuite(Suite):
    """`opens` is a fixture: it opens a fresh ground."""

    port = Action
    blocks: ClassVar[tuple[str, ...]] = ()
    """What a test class runs the contract for."""

    def tell(self, opens: Opens, story: Story) -> None:
        async def told() -> None:
            async with opens() as ground:
                self.held(ground.action)
                assert ground.task.block in self.blocks, f"{type(self).__name__} runs {ground.task.block} and does not name it"
                await story(ground)

        self.run(told)

    def run(self, main: Callable[[], Coroutine[Any, Any, None]]) -> None:
        asyncio.run(main())

    def test_before_the_act_it_is_neither_there_nor_proved_and_looking_changes_nothing(self, opens: Opens) -> None:
        async def story(ground: Ground) -> None:
            before = await ground.snapshot()
            finding = await ground.action.check(ground.task)
            assert finding.answer is Answer.NO, finding.detail
            assert finding.detail
            proof = await ground.action.verify(ground.task)
            assert proof.answer is not Answer.YES, f"proved without an act: {proof.detail}"
            assert await ground.snapshot() == before
            assert (await ground.action.check(ground.task)).answer is Answer.NO

        self.tell(opens, story)

    def test_the_act_brings_it_about_and_that_is_seen_and_proved(self, opens: Opens) -> None:
        async def story(ground: Ground) -> None:
            outcome = await acted(ground, ground.task)
            assert outcome.result is Result.SUCCEEDED, outcome.detail
            finding = await ground.action.check(ground.task)
            assert finding.answer is Answer.YES, finding.detail
            assert (await proved(ground, ground.task)).detail

        self.tell(opens, story)

    def test_acting_again_is_harmless(self, opens: Opens) -> None:
        async def story(ground: Ground) -> None:
            assert (await acted(ground, ground.task)).result is Result.SUCCEEDED
            await proved(ground, ground.task)
            for again in (ground.task, ordered(ground.task, LATER)):
                outcome = await acted(ground, again)
                assert outcome.result is Result.SUCCEEDED, outcome.detail
                await proved(ground, again)

        self.tell(opens, story)

    def test_a_lower_order_is_refused_and_changes_nothing(self, opens: Opens) -> None:
        async def story(ground: Ground) -> None:
            if BLOCKS[ground.task.block].block_class is not BlockClass.COMPARE:
                return  # such a block may be repeated by anybody: there is nothing to compare
            assert (await acted(ground, ground.task)).result is Result.SUCCEEDED
            await proved(ground, ground.task)
            before = await ground.snapshot()
            for what, lower in LOWER.items():
                outcome = await acted(ground, ordered(ground.task, lower))
                assert outcome.result is Result.REFUSED, (what, outcome)
                assert await ground.snapshot() == before, what

        self.tell(opens, story)

    def test_silence_is_unknown_and_never_failed(self, opens: Opens) -> None:
        async def story(ground: Ground) -> None:
            await ground.cut()
            action = ground.impatient or ground.action
            async with asyncio.timeout(SILENT_SECONDS):
                assert (await action.act(ground.task)).result is Result.UNKNOWN
            for look in (action.check, action.verify):
                async with asyncio.timeout(SILENT_SECONDS):
                    finding = await look(ground.task)
                # A proof that rests on an act of its own may know that there was none: that is no claim about the silent place.
                assert finding.answer is not Answer.YES, finding.detail

        self.tell(opens, story)
