"""What every Forgetful must do besides what every Action must. A subclass says how its effector is started anew."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from contract.action_suite import LATER, LOWER, ORDER, acted, ordered, proved
from contract.action_suite import Ground as ActionGround
from contract.suite import Suite
from holdfast.ports.action import Answer, Result, Task
from holdfast.ports.forgetful import Forgetful


@dataclass(frozen=True)
class Memory:
    """One block on an effector that forgets. `restart`: its process ends and begins anew, as its configuration says."""

    action: Forgetful
    task: Task
    snapshot: Callable[[], Awaitable[Any]]
    """How it stands, without what it keeps of orders."""
    cut: Callable[[], Awaitable[None]]
    restart: Callable[[], Awaitable[None]]
    set_as_ordered: Callable[[], Awaitable[None]]
    """Somebody else brings it to what the task orders, without an order."""

    @property
    def ground(self) -> ActionGround:
        return ActionGround(self.action, self.task, self.snapshot, self.cut)


Memories = Callable[[], AbstractAsyncContextManager[Memory]]


class ForgetfulSuite(Suite):
    """`memories` is a fixture: it opens a fresh effector that was ordered nothing."""

    port = Forgetful

    def tell(self, memories: Memories, story: Callable[[Memory], Coroutine[Any, Any, None]]) -> None:
        async def told() -> None:
            async with memories() as memory:
                self.held(memory.action)
                await story(memory)

        asyncio.run(told())

    def test_what_was_ordered_is_recalled_and_so_is_what_was_ordered_later(self, memories: Memories) -> None:
        async def story(memory: Memory) -> None:
            assert (await acted(memory.ground, ordered(memory.task, LATER))).result is Result.SUCCEEDED
            before = await memory.snapshot()
            for order in (LATER, ORDER):
                assert (await memory.action.recalls(ordered(memory.task, order))).answer is Answer.YES
            assert await memory.snapshot() == before

        self.tell(memories, story)

    def test_started_anew_it_recalls_nothing_and_the_order_said_again_brings_it_back(self, memories: Memories) -> None:
        async def story(memory: Memory) -> None:
            assert (await acted(memory.ground, memory.task)).result is Result.SUCCEEDED
            await proved(memory.ground, memory.task)
            await memory.restart()
            before = await memory.snapshot()
            finding = await memory.action.recalls(memory.task)
            assert (finding.answer, bool(finding.detail)) == (Answer.NO, True)
            assert await memory.snapshot() == before, "asking changes nothing"
            assert (await acted(memory.ground, memory.task)).result is Result.SUCCEEDED
            await proved(memory.ground, memory.task)
            assert (await memory.action.recalls(memory.task)).answer is Answer.YES

        self.tell(memories, story)

    def test_one_that_is_as_ordered_already_is_given_the_order_to_keep(self, memories: Memories) -> None:
        async def story(memory: Memory) -> None:
            await memory.set_as_ordered()
            before = await memory.snapshot()
            for _ in range(2):
                assert (await memory.action.recalls(memory.task)).answer is Answer.YES
            assert await memory.snapshot() == before
            lower = ordered(memory.task, LOWER["older step"])
            assert (await acted(memory.ground, lower)).result is Result.REFUSED

        self.tell(memories, story)

    def test_silence_is_unknown(self, memories: Memories) -> None:
        async def story(memory: Memory) -> None:
            await memory.cut()
            assert (await memory.action.recalls(memory.task)).answer is Answer.UNKNOWN

        self.tell(memories, story)
