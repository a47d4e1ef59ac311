"""The clock that a controller goes by: the machine's, but as long as an incident is open nobody sets it.

A wall clock that is set in the middle of an incident would make an outage longer or shorter than it was: what is due would be told too
soon, or never. So the times of an open incident go on by the clock that it began under, as the steady clock counts; that the machine's
was set is recorded, and it is taken up when nothing is open any more. The next controller begins with the machine's clock as it finds it,
unless an incident is open whose last record is later: then it goes on from that.
"""

from holdfast.ports.clock import Clock

STEP_SECONDS = 1.0
"""A clock that moves by more than this against the steady one was set, not steered."""


class KeptClock:
    """The port Clock over another one."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._apart_seconds = self._apart_now()
        self._told_seconds = 0.0

    def wall_seconds(self) -> float:
        """Seconds since 1970, by the machine's clock when it was last taken up."""
        return self._clock.steady_seconds() + self._apart_seconds

    def steady_seconds(self) -> float:
        """As the clock behind it."""
        return self._clock.steady_seconds()

    async def sleep(self, seconds: float) -> None:
        """As the clock behind it."""
        await self._clock.sleep(seconds)

    def untold_step_seconds(self) -> float | None:
        """By how much the machine's clock was set, negative back; None where it wasn't. The same again until it was `told`."""
        step = self._apart_now() - self._apart_seconds - self._told_seconds
        return step if abs(step) > STEP_SECONDS else None

    def behind_seconds(self) -> float:
        """How far it is behind the machine's clock, which was set forward meanwhile; 0 where it isn't."""
        return max(0.0, self._apart_now() - self._apart_seconds)

    def told(self, step_seconds: float) -> None:
        """It is recorded."""
        self._told_seconds += step_seconds

    def go_on_from(self, seconds: float) -> None:
        """An incident is open whose times had come so far: a clock that was set back meanwhile holds none of them off."""
        self._apart_seconds = max(self._apart_seconds, seconds - self._clock.steady_seconds())

    def take_up(self) -> None:
        """Go by the machine's clock as it is now: nothing is open whose times would break over it."""
        self._apart_seconds, self._told_seconds = self._apart_now(), 0.0

    def _apart_now(self) -> float:
        return self._clock.wall_seconds() - self._clock.steady_seconds()
