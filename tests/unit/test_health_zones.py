"""Zones: one lost is known and moves nothing, several fire the plan's trigger, and what nobody says is unknown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.health.observation import Seen
from holdfast.health.picture import Picture
from holdfast.health.signals import Health
from holdfast.health.triggers import evaluate
from holdfast.health.zones import ZoneState, zone_as_facts, zone_in_words
from holdfast.plan.model import ZonesDownTrigger
from unit.health_world import DR, OBSERVERS, PLAN, PRIMARY, START, World, cut

FIRST, SECOND = PLAN.regions[PRIMARY].zones
ZONES = (PRIMARY, "zones-down")


def zone(seen: Picture, name: str) -> ZoneState:
    return next(state for state in seen.zones if state.zone == name)


def test_every_zone_of_the_plan_is_up_while_everybody_sees_it() -> None:
    seen = World().run(0, 5)
    assert {(state.region, state.zone): state.health for state in seen.zones} == {
        (region, name): Health.UP for region, place in PLAN.regions.items() for name in place.zones
    }
    assert zone(seen, FIRST).instances["voice"] == 3


def test_one_lost_zone_is_down_with_what_is_left_and_fires_nothing() -> None:
    world = World(lost_zones={SECOND: Seen.SILENT})
    seen = world.run(0, 90)
    lost = zone(seen, SECOND)
    assert (lost.health, lost.left["voice"], lost.components_down) == (Health.DOWN, 3, ())
    assert lost.since_seconds == pytest.approx(START, abs=2)
    assert seen.scores[PRIMARY].score == 100.0
    assert world.firing() == set()
    assert world.states[ZONES].condition is False


def test_two_lost_zones_fire_the_plans_trigger_after_the_hold() -> None:
    world = World(lost_zones=dict.fromkeys((FIRST, SECOND), Seen.DOWN), profile=PLAN.profiles["default"])
    world.run(0, 55)
    assert world.states[ZONES].condition is True
    assert world.firing() == set()
    world.run(55, 65)
    assert world.firing() == {ZONES}
    assert FIRST in world.states[ZONES].reason and SECOND in world.states[ZONES].reason


def test_a_zone_that_only_a_minority_misses_is_not_down() -> None:
    world = World(blind_to_zones=frozenset(OBSERVERS[:1]))
    assert {state.health for state in world.run(0, 20).zones} == {Health.UP}


def test_a_zone_that_only_one_observer_still_sees_is_down() -> None:
    assert zone(World(blind_to_zones=frozenset(OBSERVERS[:2])).run(0, 20), FIRST).health is Health.DOWN


def test_silence_of_observers_is_unknown_and_never_down() -> None:
    world = World(lost_zones={FIRST: Seen.SILENT, SECOND: Seen.SILENT}, silent_observers=frozenset(OBSERVERS[1:]))
    seen = world.run(0, 30)
    assert zone(seen, FIRST).health is Health.UNKNOWN
    assert world.states[ZONES].condition is None
    assert world.firing() == set()


def test_one_known_down_and_one_unknown_is_unknown_to_a_trigger_that_wants_two() -> None:
    world = World(lost_zones={FIRST: Seen.DOWN})
    world.run(0, 10)
    seen = world.round(10.0)
    unsure = tuple(
        state if state.zone != SECOND else ZoneState(PRIMARY, SECOND, Health.UNKNOWN, 0.0, "nobody has looked") for state in seen.zones
    )
    picture = Picture(seen.now, seen.signals, seen.joints, seen.functions, seen.scores, unsure)
    states = evaluate(PLAN, PLAN.profiles["fast"], [ZonesDownTrigger(kind="zones-down", count=2)], picture, {})
    assert (states[ZONES].condition, states[DR, "zones-down"].condition) == (None, False)


def test_a_trigger_for_more_zones_than_there_are_never_fires() -> None:
    world = World(lost_zones=dict.fromkeys((FIRST, SECOND), Seen.DOWN))
    seen = world.run(0, 20)
    state = evaluate(PLAN, PLAN.profiles["fast"], [ZonesDownTrigger(kind="zones-down", count=3)], seen, {})[ZONES]
    assert (state.condition, state.firing) == (None, None)
    assert "names 2 zones" in state.reason


def test_a_store_lost_with_its_zone_is_named_as_down_in_the_region() -> None:
    from holdfast.health.observation import Subject

    def database_gone(observer: str, at: float, region: str, subject: Subject) -> Seen:
        return Seen.SILENT if region == PRIMARY and subject in (Subject.POSTGRES, Subject.REDIS) else Seen.UP

    state = zone(World(database_gone, lost_zones={FIRST: Seen.SILENT}).run(0, 10), FIRST)
    assert state.components_down == ("database", "cache")
    words = zone_in_words(zone_as_facts(PLAN, state))
    assert f"zone {FIRST} is down; database down in {PRIMARY}; cache down in {PRIMARY}" in words
    assert "instances left: voice 3 of 4" in words and "enough" not in words, "instances without their store carry nothing"
    assert zone_in_words({**zone_as_facts(PLAN, state), "components_down": []}).endswith("instances, enough for the full load")


def test_what_is_left_is_called_too_few_when_it_is() -> None:
    facts = {**zone_as_facts(PLAN, zone(World(lost_zones={FIRST: Seen.SILENT}).run(0, 10), FIRST)), "left": {"voice": 1, "pms": 3}}
    assert zone_in_words(facts).endswith("too few for the full load of voice")
    assert "unknown" in zone_in_words({**facts, "left": {}})


@given(
    st.frozensets(st.sampled_from(OBSERVERS)), st.frozensets(st.sampled_from((FIRST, SECOND))), st.frozensets(st.sampled_from(OBSERVERS))
)
def test_taking_observers_away_never_makes_a_zone_down(blind: frozenset[str], lost: frozenset[str], silent: frozenset[str]) -> None:
    def down(world: World) -> set[str]:
        return {state.zone for state in world.run(0, 6).zones if state.health is Health.DOWN}

    zones = dict.fromkeys(lost, Seen.SILENT)
    heard = down(World(lost_zones=zones, blind_to_zones=blind))
    assert down(World(lost_zones=zones, blind_to_zones=blind, silent_observers=silent)) <= heard


def test_a_lost_region_has_all_its_zones_down_or_unknown_and_the_others_up() -> None:
    seen = World(cut(PRIMARY, 0)).run(0, 10)
    assert {state.health for state in seen.zones if state.region == PRIMARY} == {Health.DOWN}
    assert {state.health for state in seen.zones if state.region == DR} == {Health.UP}
