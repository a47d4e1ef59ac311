"""What every Forgetful must do. A subclass says how its effector is opened, is killed and started anew, and falls silent."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from contract.suite import Suite
from holdfast.ports.action import Answer, Result, Task
from holdfast.ports.forgetful import Forgetful


@dataclass(frozen=True)
class Memory:
    """One effector that has obeyed nothing yet. `anew`: its process is killed and another one started on the same configuration."""

    effector: Forgetful
    task: Task
    anew: Callable[[], None]
    cut: Callable[[], None]


Memories = Callable[[], AbstractAsyncContextManager[Memory]]


class ForgetfulSuite(Suite):
    """`memories` is a fixture: it opens an effector."""

    port = Forgetful

    def tell(self, memories: Memories, story: Callable[[Memory], Awaitable[None]]) -> None:
        async def told() -> None:
            async with memories() as memory:
                self.held(memory.effector)
                await story(memory)

        asyncio.run(told())

    def test_what_was_ordered_is_recalled(self, memories: Memories) -> None:
        async def story(memory: Memory) -> None:
            assert (await memory.effector.act(memory.task)).result is Result.SUCCEEDED
            assert (await memory.effector.recalls(memory.task)).answer is Answer.YES

        self.tell(memories, story)

    def test_started_anew_it_has_forgotten_and_can_be_told_again_under_the_same_order(self, memories: Memories) -> None:
        async def story(memory: Memory) -> None:
            await memory.effector.act(memory.task)
            memory.anew()
            finding = await memory.effector.recalls(memory.task)
            assert (finding.answer, bool(finding.detail)) == (Answer.NO, True)
            assert (await memory.effector.act(memory.task)).result is Result.SUCCEEDED
            assert (await memory.effector.recalls(memory.task)).answer is Answer.YES
            assert (await memory.effector.check(memory.task)).answer is Answer.YES

        self.tell(memories, story)

    def test_silence_is_no_forgetting(self, memories: Memories) -> None:
        async def story(memory: Memory) -> None:
            await memory.effector.act(memory.task)
            memory.cut()
            assert (await memory.effector.recalls(memory.task)).answer is Answer.UNKNOWN

        self.tell(memories, story)
