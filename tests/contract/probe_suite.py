"""What every Probe must do. A subclass says what it looks at, and how to silence that and let it answer again."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from holdfast.health.observation import Observation, Seen
from holdfast.ports.probe import Probe

PROBE_SECONDS = 1.0
"""The time-out that a harness gives its probe."""


@dataclass(frozen=True)
class Sight:
    """A probe and what it looks at, which answers well at first."""

    probe: Probe
    freeze: Callable[[], None]
    thaw: Callable[[], None]


class ProbeSuite:
    @pytest.fixture
    def sight(self) -> Sight:
        raise AssertionError("a subclass provides the sight")

    def look(self, sight: Sight) -> Observation:
        return asyncio.run(sight.probe.observe())

    def test_what_answers_is_up_with_a_time_and_a_place_in_the_order(self, sight: Sight) -> None:
        before = time.time()
        first, second = self.look(sight), self.look(sight)
        assert (first.seen, second.seen) == (Seen.UP, Seen.UP), (first.detail, second.detail)
        assert first.observer and first.name
        assert (first.observer, first.subject, first.name, first.region) == (second.observer, second.subject, second.name, second.region)
        assert second.sequence == first.sequence + 1
        assert before - 0.1 <= first.at_seconds <= second.at_seconds <= time.time() + 0.1
        assert 0 < first.latency_seconds < PROBE_SECONDS

    def test_silence_is_silent_within_the_time_and_never_an_exception(self, sight: Sight) -> None:
        self.look(sight)
        sight.freeze()
        started = time.monotonic()
        observation = self.look(sight)
        assert observation.seen is Seen.SILENT, observation
        assert observation.detail
        assert time.monotonic() - started < 2 * PROBE_SECONDS

    def test_what_answers_again_is_up_again(self, sight: Sight) -> None:
        sight.freeze()
        assert self.look(sight).seen is Seen.SILENT
        sight.thaw()
        assert any(self.look(sight).seen is Seen.UP for _ in range(5))
