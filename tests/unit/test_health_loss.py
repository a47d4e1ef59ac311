"""Live RPO: a bound that is never too small, and unknown where nothing was seen."""

from typing import Any

import pytest

from holdfast.health.history import History, absorb
from holdfast.health.loss import component_losses, worst_loss
from holdfast.health.observation import Observation, Seen, Subject
from unit.health_world import DR, OBSERVERS, PLAN, START

PROFILE = PLAN.profiles["fast"]
STANDBY = {"role": "standby"}


def look(history: History, at: float, seen: Seen, facts: dict[str, Any], observer: str = "witness", error: float = 0.0) -> History:
    observation = Observation(observer, int(at), START + at + error, DR, Subject.POSTGRES, "database", seen, 0.01, facts=facts)
    return absorb(history, [observation], START + at, PROFILE)


def bound(history: History, at: float) -> float | None:
    return component_losses(PLAN, history, DR, START + at, skew_seconds=0.5)["database"].bound_seconds


def test_the_bound_runs_from_the_last_replayed_heartbeat_to_the_fence() -> None:
    history = look(History(), 10, Seen.UP, {**STANDBY, "heartbeat_age_seconds": 0.3})
    assert bound(history, 15) == pytest.approx(15 - 9.7 + 0.5)


def test_nothing_seen_is_unknown_and_makes_the_whole_unknown() -> None:
    losses = component_losses(PLAN, History(), DR, START, 0.5)
    assert set(losses) == {"database", "cache", "storage"}
    assert all(loss.bound_seconds is None for loss in losses.values())
    assert worst_loss(losses) == (None, None)


def test_a_wrong_clock_of_the_observer_cancels_out() -> None:
    history = look(History(), 10, Seen.UP, {**STANDBY, "heartbeat_age_seconds": 0.3 + 500}, error=500.0)
    assert bound(history, 15) == pytest.approx(5.8)


def test_a_copy_that_falls_silent_keeps_its_last_time_stamp() -> None:
    history = look(History(), 10, Seen.UP, {**STANDBY, "heartbeat_age_seconds": 0.3})
    history = look(history, 12, Seen.SILENT, {})
    assert bound(history, 15) == pytest.approx(5.8)


def test_the_newest_time_stamp_of_any_observer_counts() -> None:
    history = look(History(), 10, Seen.UP, {**STANDBY, "heartbeat_age_seconds": 4.0}, observer=OBSERVERS[0])
    history = look(history, 10, Seen.UP, {**STANDBY, "heartbeat_age_seconds": 1.0}, observer="witness")
    assert bound(history, 10) == pytest.approx(1.5)


def test_what_a_writer_holds_says_nothing_about_a_copy() -> None:
    """A primary that is rewound loses what it held alone: a bound taken from its days as a primary would be too small."""
    history = look(History(), 10, Seen.UP, {**STANDBY, "heartbeat_age_seconds": 0.3})
    history = look(history, 11, Seen.UP, {"role": "primary", "heartbeat_age_seconds": 0.1})
    assert bound(history, 15) is None


def test_writes_are_an_estimate_from_the_rate() -> None:
    history = look(History(), 10, Seen.UP, {**STANDBY, "heartbeat_age_seconds": 0.5})
    losses = component_losses(PLAN, history, DR, START + 11, 0.5, {"database": 20.0})
    assert losses["database"].estimated_writes == 40
    assert losses["database"].rpo_seconds == 300.0
