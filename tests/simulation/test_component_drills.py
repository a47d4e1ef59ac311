"""Drills of one component in the simulated world, by the production controller, with the invariants looked at all the time."""

from collections.abc import Callable, Coroutine

import pytest

from holdfast.decision.replay import replayed
from holdfast.decision.table import State
from holdfast.journal.kinds import Kind
from holdfast.ledger.entry import RequestResult
from holdfast.report.verdict import judge
from holdfast.simulation.clock import run_virtual
from holdfast.simulation.exercise import Exercise, Exercised, People, last_incident
from holdfast.simulation.faults import give_back, take_away, written_in
from holdfast.simulation.invariants import Invariants
from holdfast.simulation.journal import JournalFault
from holdfast.simulation.stage import Stage, StageSettings
from simulation.playing import LOADED, PLAN, told

HOME, DR = PLAN.primary_region(), PLAN.dr_region()
DRILLS = ("database-failover", "application-failover", "storage-failover")


def on_stage(scenario: str, story: Callable[[Stage], Coroutine[None, None, None]], seed: int = 1) -> Stage:
    """A story on a stage of a scenario; whatever breaks an invariant ends it."""
    invariants = Invariants()

    async def play() -> Stage:
        stage = Stage(StageSettings(LOADED, scenario=scenario, seed=seed), invariants.wrap)
        invariants.watch(stage)
        await story(stage)
        return stage

    return run_virtual(play)


def drilled(scenario: str, seed: int = 1, interfere: Callable[[Stage], None] = lambda _: None) -> tuple[Stage, Exercised]:
    found: list[Exercised] = []

    async def story(stage: Stage) -> None:
        interfere(stage)
        found.append(await Exercise(stage).play())

    return on_stage(scenario, story, seed), found[0]


async def lived(stage: Stage, seconds: float) -> None:
    people = People(stage)
    until = stage.clock.steady_seconds() + seconds
    while stage.clock.steady_seconds() < until:
        await stage.clock.sleep(0.1)
        stage.check()
        people.answer()


async def until_done(stage: Stage, step: str) -> None:
    until, people = stage.clock.steady_seconds() + 60.0, People(stage)
    while step not in {record.body.get("step") for record in stage.disk.records if record.kind == Kind.STEP_FINISHED}:
        assert stage.clock.steady_seconds() < until, f"{step} is not done"
        await stage.clock.sleep(0.1)
        people.answer()


def kinds(stage: Stage) -> set[str]:
    return {record.kind for record in stage.disk.records}


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("scenario", DRILLS)
def test_the_drill_of_a_component_passes_there_and_back_by_its_own_criteria(scenario: str, seed: int) -> None:
    stage, exercised = drilled(scenario, seed)
    report = exercised.report()
    assert report.verdict == "pass", told(exercised, report)
    assert report.failback.done and report.failback.lost_acknowledged_writes == 0
    exercise = PLAN.exercises[scenario]
    assert report.criteria is not None and report.criteria.within_seconds == exercise.within
    assert tuple(component.id for component in report.components) == exercise.components
    assert {rule.result for rule in report.rules if rule.name == "criterion"} == {"pass"}
    assert written_in(stage.world) == dict.fromkeys(("bucket", "redis", "postgres"), HOME), "everything is home again"


def test_only_the_database_moves_the_write_epoch_and_the_cache_goes_with_it() -> None:
    for scenario in DRILLS:
        stage, _ = drilled(scenario)
        opened = [record.body["epoch"] for record in stage.disk.records if record.kind == Kind.EPOCH_OPENED]
        numbered = [record.body["epoch"] for record in stage.disk.records if record.kind == Kind.RUN_NUMBERED]
        fenced = {record.body["region"] for record in stage.disk.records if record.kind == Kind.FENCE_CONFIRMED}
        if scenario == "database-failover":
            assert (opened, numbered, fenced) == ([2, 3], [], {HOME, DR})
        else:
            assert (opened, numbered, fenced) == ([], [2, 3], set())
            known = replayed(HOME, stage.disk.records)
            assert (known.epoch, known.serving, known.used) == (1, HOME, (0, 3)), "the next region's epoch is above every number"


def test_who_stands_on_nothing_that_was_lost_notices_nothing() -> None:
    _, exercised = drilled("storage-failover")
    report = exercised.report()
    assert {function.id: bool(function.rto_actual_seconds) for function in report.functions} == {
        "voice": True,
        "pms": False,
        "authentication": False,
        "analytics": False,
        "configuration": False,
    }
    hit = {
        entry.function for ledger in exercised.facts.ledgers.values() for entry in ledger if entry.result is not RequestResult.ACKNOWLEDGED
    }
    assert hit == {"voice"}
    spared = report.model_copy(
        update={"functions": tuple(one.model_copy(update={"rto_actual_seconds": 2.0}) for one in report.functions)},
    )
    assert {rule.result for rule in judge(spared).rules if rule.name == "spared"} == {"fail"}


def test_a_bucket_that_was_behind_is_counted_and_stays_within_what_people_saw() -> None:
    def slow(stage: Stage) -> None:
        stage.world.regions[HOME].bucket.lag_seconds = 2.0

    _, exercised = drilled("storage-failover", interfere=slow)
    report = exercised.report()
    assert report.verdict == "pass", told(exercised, report)
    late = sum(function.late_writes or 0 for function in report.functions)
    assert late > 0 and report.lost_writes.total == 0, "what came back with the bucket is late, not lost"
    assert report.loss_bound.seconds is not None and report.loss_bound.seconds >= 2.0


@pytest.mark.parametrize("scenario", DRILLS)
def test_killed_again_and_again_the_drill_still_passes(scenario: str) -> None:
    def interfere(stage: Stage) -> None:
        stage.disk.faults |= dict.fromkeys(range(20, 200, 13), JournalFault.CRASH_AFTER)

    stage, exercised = drilled(scenario, interfere=interfere)
    assert exercised.report().verdict == "pass", told(exercised, exercised.report())
    assert stage.kills >= 5


@pytest.mark.parametrize("scenario", ["application-failover", "storage-failover"])
def test_an_abort_in_the_middle_brings_back_what_moved_alone(scenario: str) -> None:
    async def story(stage: Stage) -> None:
        stage.begin()
        try:
            await lived(stage, 20.0)
            take_away(stage.world, PLAN.exercises[scenario])
            await until_done(stage, "point-application")
            give_back(stage.world)
            incident = last_incident(stage)
            assert incident is not None
            said = stage.command("abort-1", "abort", People(stage).conductor, {"incident": incident.incident})
            assert said.startswith("accepted"), said
            await lived(stage, 40.0)
            incident = last_incident(stage)
            assert incident is not None and incident.state is State.TURNED_BACK, incident
        finally:
            await stage.end()

    stage = on_stage(scenario, story)
    assert written_in(stage.world) == dict.fromkeys(("bucket", "redis", "postgres"), HOME)
    assert set(stage.world.dns.values()) == {HOME}
    assert not kinds(stage) & {Kind.EPOCH_OPENED, Kind.EPOCH_WITHDRAWN}


def test_a_database_that_is_down_is_no_lost_application() -> None:
    async def story(stage: Stage) -> None:
        stage.begin()
        try:
            await lived(stage, 20.0)
            stage.world.regions[HOME].agent.hang()
            await lived(stage, 30.0)
        finally:
            await stage.end()

    assert not kinds(on_stage("application-failover", story)) & {Kind.SUSPICION_RAISED, Kind.INCIDENT_OPENED}
