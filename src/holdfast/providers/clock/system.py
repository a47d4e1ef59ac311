"""The system's two clocks: the wall's, and CLOCK_BOOTTIME, which counts suspended time too (where a system has it)."""

import asyncio
import time

_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class SystemClock:
    """The port Clock over the system. Tells nothing but time."""

    def wall_seconds(self) -> float:
        """Seconds since 1970, as people read them; may step."""
        return time.time()

    def steady_seconds(self) -> float:
        """Seconds of a clock that never steps and counts suspended time too."""
        return time.clock_gettime(_STEADY)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)
