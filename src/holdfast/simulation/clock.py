"""Virtual time: an asyncio event loop that jumps to the next moment at which something is due, and the port Clock over it.

Everything written with asyncio.sleep, asyncio.timeout or the port Clock runs in virtual time, deterministically: a minute of
waiting takes no time at all. A loop in which everything waits for something that will never happen says so instead of hanging.
Not for real sockets, threads or subprocesses: nothing here waits for them.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

START_WALL_SECONDS = 1_800_000_000.0
"""Wall clock at the beginning of every simulation."""
_LIMIT_SECONDS = 7 * 86400.0


class SimulationStuckError(RuntimeError):
    """Nothing is due any more and nobody is done, or virtual time ran out."""


class _JumpingSelector(selectors.SelectSelector):
    """Waits for nothing: when nothing is ready, time moves on instead."""

    def __init__(self) -> None:
        super().__init__()
        self.virtual_seconds = 0.0
        self.look: Callable[[], None] | None = None

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if self.look is not None:
            look, self.look = self.look, None
            look()  # what it raises ends the simulation; then nobody looks any more
            self.look = look
        ready = super().select(0)
        if ready:
            return ready
        if timeout is None:
            raise SimulationStuckError("everything in the simulation waits for something that will never happen")
        self.virtual_seconds += max(timeout, 0.0)
        if self.virtual_seconds > _LIMIT_SECONDS:
            raise SimulationStuckError(f"the simulation did not end within {_LIMIT_SECONDS:.0f} virtual seconds")
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock is virtual and begins at zero."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)
        self._clock_resolution = 1e-6  # sums of floats must not leave a timer due in a moment that never comes

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._jumping.virtual_seconds

    def look_after_every_event(self, look: Callable[[], None]) -> None:
        """Call this whenever everything that was ready has run. What it raises ends the simulation."""
        self._jumping.look = look


class VirtualClock:
    """The port Clock in virtual time. `offset_seconds`: how far this place's wall clock is off; `rate`: how fast both clocks go."""

    def __init__(self, *, offset_seconds: float = 0.0, rate: float = 1.0, now: Callable[[], float] | None = None) -> None:
        self._offset_seconds = offset_seconds
        self._rate = rate
        self._now = now if now is not None else lambda: asyncio.get_running_loop().time()

    def wall_seconds(self) -> float:
        """Seconds since 1970, as this place's people read them."""
        return START_WALL_SECONDS + self._offset_seconds + self._now() * self._rate

    def steady_seconds(self) -> float:
        """Seconds of a clock that never steps."""
        return self._now() * self._rate

    def step(self, seconds: float) -> None:
        """The wall clock is set, as a time server or a person sets it; negative is back. The steady clock never steps."""
        self._offset_seconds += seconds

    async def sleep(self, seconds: float) -> None:
        """Wait, by this place's clock."""
        await asyncio.sleep(max(seconds, 0.0) / self._rate)


def run_virtual(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine function to its end in virtual time; whatever it left running is cancelled."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main())
