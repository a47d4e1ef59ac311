"""Triggers over time: what holds, what does not, and what is unknown."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.health.observation import Seen, Subject
from holdfast.health.picture import picture
from unit.health_world import DR, OBSERVERS, PLAN, PRIMARY, START, World, cut

DEFAULT = PLAN.profiles["default"]


def test_the_fast_profile_fires_on_the_second_silent_round() -> None:
    world = World(cut(PRIMARY, 10))
    world.run(0, 11)
    assert world.firing() == set()
    world.round(11)
    assert world.firing() == {(PRIMARY, "network-lost"), (PRIMARY, "region-score"), (PRIMARY, "zones-down")}
    state = world.states[PRIMARY, "network-lost"]
    assert state.since_seconds == pytest.approx(START + 10, abs=0.6)
    assert PRIMARY in state.reason


@settings(max_examples=20, deadline=None)
@given(st.integers(min_value=0, max_value=30))
def test_a_cut_of_43_seconds_fires_nothing_when_a_trigger_must_hold_for_60(start: int) -> None:
    world = World(cut(PRIMARY, start, start + 43), profile=DEFAULT)
    for at in range(start + 60):
        world.round(at)
        assert world.firing() == set()


def test_a_cut_that_lasts_fires_after_the_hold_and_not_before() -> None:
    world = World(cut(PRIMARY, 10), profile=DEFAULT)
    world.run(0, 69)
    assert world.firing() == set()
    assert world.states[PRIMARY, "network-lost"].condition is True
    world.run(69, 73)
    assert (PRIMARY, "network-lost") in world.firing()


def test_two_cuts_with_a_breath_between_them_do_not_add_up() -> None:
    def twice(observer: str, at: float, region: str, subject: Subject) -> Seen:
        return Seen.SILENT if region == PRIMARY and (10 <= at < 50 or 52 <= at < 100) else Seen.UP

    world = World(twice, profile=DEFAULT)
    for at in range(110):
        world.round(at)
        assert world.firing() == set()


def test_unknown_interrupts_the_hold() -> None:
    world = World(cut(PRIMARY, 0), profile=DEFAULT)
    world.run(0, 30)
    world.silent_observers = frozenset(OBSERVERS[1:])
    world.run(30, 50)
    assert world.states[PRIMARY, "region-score"].condition is None
    world.silent_observers = frozenset()
    world.run(50, 75)
    assert (PRIMARY, "region-score") not in world.firing()


def test_a_database_that_says_no_does_not_bring_a_region_under_fifty_alone() -> None:
    world = World(lambda observer, at, region, subject: Seen.DOWN if region == PRIMARY and subject is Subject.POSTGRES else Seen.UP)
    seen = world.run(0, 15)
    assert seen.scores[PRIMARY].score == pytest.approx(75.0)
    assert world.firing() == set()


def test_functions_and_database_down_bring_it_under_fifty_while_the_network_is_not_lost() -> None:
    broken = (Subject.POSTGRES, Subject.TRANSACTION)
    world = World(lambda observer, at, region, subject: Seen.DOWN if region == PRIMARY and subject in broken else Seen.UP)
    world.run(0, 15)
    assert world.firing() == {(PRIMARY, "region-score")}
    assert world.states[PRIMARY, "network-lost"].firing is False
    assert world.states[DR, "region-score"].firing is False


@pytest.mark.alone
def test_watching_costs_little() -> None:
    world = World()
    world.run(0, 40)
    started = time.process_time()
    world.run(40, 60)
    spent = (time.process_time() - started) / 20
    assert spent < 0.03, f"one second of three observers cost {1000 * spent:.1f} ms of CPU"
    assert picture(PLAN, DEFAULT, world.history, START + 60.5).scores[PRIMARY].score == 100.0
