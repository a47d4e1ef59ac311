"""What every Probe must do. A subclass says what it looks at, how to silence that and let it answer again, and how time passes there.

A probe tells what it saw and when; in which order looks of many probes stand is told by who keeps them, so its own number is 0.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from contract.suite import Suite
from holdfast.health.observation import Observation, Seen
from holdfast.ports.clock import Clock
from holdfast.ports.probe import Probe

PROBE_SECONDS = 1.0
"""The time-out that a harness gives its probe."""
_HEALED_SECONDS = 20.0


async def nothing_to_let_go() -> None:
    """For a probe that holds nothing between two looks."""


@dataclass(frozen=True)
class Sight:
    """A probe and what it looks at, which answers well at first. `end`: what it looks at is gone, and refuses connections."""

    probe: Probe
    freeze: Callable[[], None]
    thaw: Callable[[], None]
    end: Callable[[], None]
    clock: Clock
    close: Callable[[], Awaitable[None]] = nothing_to_let_go


Looks = Callable[[], AbstractAsyncContextManager[Sight]]


class ProbeSuite(Suite):
    """`looks` is a fixture: it opens a fresh sight. All looks of a story are one observer's, in one loop."""

    port = Probe

    def run(self, main: Callable[[], Coroutine[Any, Any, None]]) -> None:
        asyncio.run(main())

    def tell(self, looks: Looks, story: Callable[[Sight], Coroutine[Any, Any, None]]) -> None:
        async def told() -> None:
            async with looks() as sight:
                self.held(sight.probe)
                try:
                    await story(sight)
                finally:
                    await sight.close()

        self.run(told)

    def test_what_answers_is_up_with_a_time_and_its_name(self, looks: Looks) -> None:
        async def story(sight: Sight) -> None:
            before = sight.clock.wall_seconds()
            first = await sight.probe.observe()
            second = await sight.probe.observe()
            assert (first.seen, second.seen) == (Seen.UP, Seen.UP), (first.detail, second.detail)
            assert first.observer and first.name
            assert (first.observer, first.subject, first.name, first.region) == (
                second.observer,
                second.subject,
                second.name,
                second.region,
            )
            assert (first.sequence, second.sequence) == (0, 0), "who keeps the looks of many probes numbers them"
            assert before - 0.1 <= first.at_seconds <= second.at_seconds <= sight.clock.wall_seconds() + 0.1
            assert 0 < first.latency_seconds < PROBE_SECONDS

        self.tell(looks, story)

    def test_silence_is_silent_within_the_time_and_never_an_exception_and_what_answers_again_is_up(self, looks: Looks) -> None:
        async def story(sight: Sight) -> None:
            up = await sight.probe.observe()
            sight.freeze()
            for _ in range(2):  # with the connection that was kept, and with a fresh one
                started = sight.clock.steady_seconds()
                seen = await sight.probe.observe()
                assert seen.seen is Seen.SILENT, seen
                assert seen.detail
                assert (seen.observer, seen.subject, seen.name) == (up.observer, up.subject, up.name)
                assert sight.clock.steady_seconds() - started < 2 * PROBE_SECONDS
            sight.thaw()
            await seen_as(sight, Seen.UP)

        self.tell(looks, story)

    def test_what_is_gone_is_not_up_and_it_is_said_why(self, looks: Looks) -> None:
        async def story(sight: Sight) -> None:
            await sight.probe.observe()
            sight.end()
            for _ in range(2):
                seen = await sight.probe.observe()
                assert seen.seen in (Seen.DOWN, Seen.SILENT), seen
                assert seen.detail

        self.tell(looks, story)

    def test_a_look_that_is_given_up_leaves_the_probe_as_it_was(self, looks: Looks) -> None:
        async def story(sight: Sight) -> None:
            await sight.probe.observe()
            sight.freeze()
            look = asyncio.ensure_future(sight.probe.observe())
            await sight.clock.sleep(0.05)
            look.cancel()
            await asyncio.gather(look, return_exceptions=True)
            sight.thaw()
            await seen_as(sight, Seen.UP)

        self.tell(looks, story)


class SecretProbeSuite(ProbeSuite):
    """Also for probes that must show a secret: `secret` is the file that holds it."""

    @pytest.fixture
    def secret(self) -> Path:
        raise AssertionError("a subclass provides the file")

    def test_a_secret_that_cant_be_read_is_the_observers_own_fault_and_says_nothing_of_what_it_looks_at(
        self, looks: Looks, secret: Path
    ) -> None:
        async def story(sight: Sight) -> None:
            secret.unlink()
            with pytest.raises(OSError, match="No such file"):
                await sight.probe.observe()

        self.tell(looks, story)


async def seen_as(sight: Sight, wanted: Seen) -> Observation:
    """Look until that is seen."""
    ends = sight.clock.steady_seconds() + _HEALED_SECONDS
    while True:
        seen = await sight.probe.observe()
        if seen.seen is wanted:
            return seen
        assert sight.clock.steady_seconds() < ends, seen
        await sight.clock.sleep(0.05)
