"""What every Clock must do."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from contract.suite import Suite
from holdfast.ports.clock import Clock


class ClockSuite(Suite):
    port = Clock

    @pytest.fixture
    def clock(self) -> Clock:
        raise AssertionError("a subclass provides the clock")

    def run(self, main: Callable[[], Coroutine[Any, Any, None]]) -> None:
        asyncio.run(main())

    def test_both_clocks_go_forward_with_what_was_slept(self, clock: Clock) -> None:
        self.held(clock)

        async def story() -> None:
            wall, steady = clock.wall_seconds(), clock.steady_seconds()
            await clock.sleep(0.05)
            assert 0.045 <= clock.steady_seconds() - steady < 5
            assert 0.045 <= clock.wall_seconds() - wall < 5

        self.run(story)

    def test_the_wall_clock_counts_from_1970_and_the_steady_one_never_goes_back(self, clock: Clock) -> None:
        async def story() -> None:
            assert clock.wall_seconds() > 1_700_000_000
            readings = [clock.steady_seconds() for _ in range(1000)]
            assert readings == sorted(readings)

        self.run(story)

    def test_sleepers_wake_in_the_order_of_their_times(self, clock: Clock) -> None:
        async def story() -> None:
            woken: list[float] = []

            async def sleeper(seconds: float) -> None:
                await clock.sleep(seconds)
                woken.append(seconds)

            await asyncio.gather(*(sleeper(seconds) for seconds in (0.09, 0.03, 0.06, 0.0)))
            assert woken == [0.0, 0.03, 0.06, 0.09]

        self.run(story)

    def test_a_sleep_can_be_given_up(self, clock: Clock) -> None:
        async def story() -> None:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.02):
                    await clock.sleep(60)

        self.run(story)
