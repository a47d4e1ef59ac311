"""Carrying out people's word about protection, beside the loop and bounded in time. What did not come to an answer is *unknown*.

Never here: whether it may be (conduct says), and how a store does it (the port).
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from holdfast.conduct.situation import SetMode, Write
from holdfast.journal.kinds import Kind
from holdfast.ports.action import Outcome, Result
from holdfast.ports.protection import ModeWish, Protector

SET_SECONDS = 20.0


class Protecting:
    """The orders under way. `keep` records what became of one; `ended` is called after each."""

    def __init__(self, protector: Protector | None, keep: Callable[[Sequence[Write]], Awaitable[None]], ended: Callable[[], None]) -> None:
        self._protector = protector
        self._keep = keep
        self._ended = ended
        self.tasks: dict[str, asyncio.Task[None]] = {}
        """By what identifies the order."""
        self.ended_by: Exception | None = None
        """What kept an outcome from being recorded: the loop must not go on without it."""

    def begin(self, move: SetMode) -> None:
        """Carry one out beside the loop."""
        self.tasks[move.ask] = asyncio.create_task(self._carry_out(move))

    async def _carry_out(self, move: SetMode) -> None:
        try:
            outcome = await _set(self._protector, move)
            body = {"ask": move.ask, "component": move.component, "region": move.region, "mode": move.mode}
            await self._keep([Write(Kind.PROTECTION_CHANGED, "", {**body, "outcome": outcome.result.value, "detail": outcome.detail})])
        except Exception as fault:
            self.ended_by = fault
        finally:
            self.tasks.pop(move.ask, None)
            self._ended()


async def _set(protector: Protector | None, move: SetMode) -> Outcome:
    if protector is None:
        return Outcome(Result.UNKNOWN, "this controller reaches no agent that could do it")
    try:
        async with asyncio.timeout(SET_SECONDS):
            return await protector.set_mode(ModeWish(move.region, move.kind, move.mode, move.order))
    except Exception as error:  # A provider's own fault must not end the loop; what was not answered is unknown.
        return Outcome(Result.UNKNOWN, f"not answered: {str(error) or type(error).__name__}")
