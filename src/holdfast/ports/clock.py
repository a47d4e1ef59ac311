"""Time, passed in. Nothing above this port may ask the system for it."""

from typing import Protocol


class Clock(Protocol):
    """Two clocks: one that people read and one that only grows."""

    def wall_seconds(self) -> float:
        """Seconds since 1970, as people read them; may step."""

    def steady_seconds(self) -> float:
        """Seconds of a clock that never steps and counts suspended time too (CLOCK_BOOTTIME)."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""
