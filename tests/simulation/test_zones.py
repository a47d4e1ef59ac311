"""Zones and one-way links in the simulated world, with the invariants looked at after every event."""

from collections.abc import Awaitable, Callable
from itertools import permutations

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from holdfast.console.narration import line
from holdfast.decision.table import State
from holdfast.journal.kinds import Kind
from holdfast.ledger.entry import RequestResult
from holdfast.simulation.exercise import People, last_incident
from holdfast.simulation.invariants import under_watch
from holdfast.simulation.stage import Stage, StageSettings
from simulation.playing import LOADED, PLAN

HOME, DR, WITNESS = PLAN.primary_region(), PLAN.dr_region(), PLAN.witness
FIRST, SECOND = PLAN.regions[HOME].zones
SITES = (HOME, DR, WITNESS, "outside")
LINKS = tuple(permutations(SITES, 2))
CALM_SECONDS = 20.0

Story = Callable[[Stage], Awaitable[None]]


def played(story: Story, seed: int = 1) -> Stage:
    """A story on a stage that has been calm for a while; people approve whatever they are asked."""

    async def play(stage: Stage) -> Stage:
        await lived(stage, CALM_SECONDS)
        await story(stage)
        return stage

    return under_watch(StageSettings(LOADED, seed=seed, people_accept_loss=True), play)


async def lived(stage: Stage, seconds: float) -> None:
    people = People(stage)
    until = stage.clock.steady_seconds() + seconds
    while stage.clock.steady_seconds() < until:
        await stage.clock.sleep(0.1)
        stage.check()
        people.answer()


def told(stage: Stage) -> list[tuple[str, str]]:
    return [(record.body["zone"], record.body["health"]) for record in stage.disk.records if record.kind == Kind.ZONE_CHANGED]


def kinds(stage: Stage) -> set[str]:
    return {record.kind for record in stage.disk.records}


def results(stage: Stage, since: float) -> set[RequestResult]:
    ledgers = stage.clients.ledgers.values()
    return {entry.result for ledger in ledgers for entry in ledger if entry.sent_seconds >= since}


def test_the_loss_of_a_zone_without_stores_is_survived_and_told_and_moves_nothing() -> None:
    async def story(stage: Stage) -> None:
        began = stage.clock.wall_seconds()
        stage.world.links.cut_zone(SECOND)
        await lived(stage, 60.0)
        stage.world.links.heal_zone(SECOND)
        await lived(stage, 20.0)
        assert results(stage, began) == {RequestResult.ACKNOWLEDGED}

    stage = played(story)
    assert told(stage) == [(SECOND, "down"), (SECOND, "up")]
    assert not kinds(stage) & {Kind.SUSPICION_RAISED, Kind.INCIDENT_OPENED, Kind.EPOCH_OPENED}


def test_the_zone_with_the_stores_is_a_database_down_in_the_region_and_follows_the_score() -> None:
    async def story(stage: Stage) -> None:
        stage.world.links.cut_zone(FIRST)
        await lived(stage, 60.0)
        incident = last_incident(stage)
        assert incident is not None
        assert (incident.state, incident.trigger) == (State.RECOVERED, "region-score")
        assert results(stage, stage.clock.wall_seconds() - 5.0) == {RequestResult.ACKNOWLEDGED}

    stage = played(story)
    lost = next(record for record in stage.disk.records if record.kind == Kind.ZONE_CHANGED)
    said = line(lost)
    assert said is not None
    assert said.text.startswith(f"zone {FIRST} is down; database down in {HOME}; cache down in {HOME}; ")
    raised = next(record.body["reason"] for record in stage.disk.records if record.kind == Kind.SUSPICION_RAISED)
    assert "database (postgres) down" in raised


def test_several_zones_down_fire_their_trigger_though_the_region_itself_answers() -> None:
    async def story(stage: Stage) -> None:
        for zone in (FIRST, SECOND):
            stage.world.links.cut_zone(zone)
        await lived(stage, 60.0)
        incident = last_incident(stage)
        assert incident is not None
        assert (incident.state, incident.severity) == (State.RECOVERED, "P1")

    stage = played(story)
    raised = {record.body["trigger"] for record in stage.disk.records if record.kind == Kind.SUSPICION_RAISED}
    assert "zones-down" in raised and "network-lost" not in raised
    assert told(stage) == [], "where no zone is left, the region's triggers speak"


@pytest.mark.parametrize("link", LINKS)
def test_no_single_link_cut_one_way_moves_anything(link: tuple[str, str]) -> None:
    """Least of all from the source to the witness: there the controller hears nobody of the source, and two observers do."""

    async def story(stage: Stage) -> None:
        stage.world.links.cut_one_way(*link)
        await lived(stage, 40.0)
        assert stage.world.writes_here(HOME)

    assert not kinds(played(story)) & {Kind.INCIDENT_OPENED, Kind.EPOCH_OPENED}


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.frozensets(st.sampled_from(LINKS), min_size=1), st.integers(0, 10_000))
@example(frozenset({(HOME, WITNESS), (WITNESS, HOME)}), 1)
@example(frozenset({(HOME, WITNESS), (HOME, "outside")}), 2)
@example(frozenset((HOME, other) for other in SITES[1:]), 3)
@example(frozenset((other, HOME) for other in SITES[1:]), 4)
def test_links_cut_one_way_open_nothing_without_a_majority_and_never_make_two_writers(links: frozenset[tuple[str, str]], seed: int) -> None:
    async def story(stage: Stage) -> None:
        for link in links:
            stage.world.links.cut_one_way(*link)
        await lived(stage, 30.0)
        without = [observer for observer in PLAN.observers if not stage.world.links.answers(observer, HOME)]
        if Kind.INCIDENT_OPENED in kinds(stage):
            assert len(without) > len(PLAN.observers) / 2
        stage.world.links.heal_all()
        await lived(stage, 30.0)

    played(story, seed)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from([zone for region in PLAN.regions.values() for zone in region.zones]), st.booleans()), max_size=6))
def test_zones_that_come_and_go_never_make_two_writers(events: list[tuple[str, bool]]) -> None:
    async def story(stage: Stage) -> None:
        for zone, lost in events:
            (stage.world.links.cut_zone if lost else stage.world.links.heal_zone)(zone)
            await lived(stage, 7.0)

    played(story)
