"""What is carried out beside the loop and comes to one record: begun, under way, and recorded at its end.

Never here: what is done, and how long it may take (whoever gives the deed bounds it in time).
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from holdfast.conduct.situation import Write


class Beside:
    """The deeds under way. `keep` records what became of one; `ended` is called after each."""

    def __init__(self, keep: Callable[[Sequence[Write]], Awaitable[None]], ended: Callable[[], None]) -> None:
        self._keep = keep
        self._ended = ended
        self.tasks: dict[str, asyncio.Task[None]] = {}
        """By identifier of what a person asked for."""
        self.ended_by: Exception | None = None
        """What kept an outcome from being recorded: the loop must not go on without it."""

    def begin(self, identifier: str, deed: Callable[[], Awaitable[Write]]) -> None:
        """Carry one out. `deed`: does it, and says what became of it."""
        self.tasks[identifier] = asyncio.create_task(self._carry_out(identifier, deed))

    async def _carry_out(self, identifier: str, deed: Callable[[], Awaitable[Write]]) -> None:
        try:
            await self._keep([await deed()])
        except Exception as fault:  # Not over with this task: the loop raises it, and the next controller settles what has no outcome.
            self.ended_by = fault
        finally:
            self.tasks.pop(identifier, None)
            self._ended()
