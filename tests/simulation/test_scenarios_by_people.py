"""Scenarios that people carry out: declared by name, asked about by role, ticked off one by one, and closed without moving anything."""

from collections.abc import Sequence
from typing import Any

import pytest

from holdfast.decision.replay import replayed
from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record
from holdfast.report.drawing import phase_rows, phase_scale
from holdfast.report.history import History
from holdfast.report.steps import phase_results, step_results
from holdfast.simulation.clock import run_virtual
from holdfast.simulation.exercise import Exercise, People
from holdfast.simulation.journal import JournalFault
from holdfast.simulation.stage import Stage, StageSettings
from simulation.playing import LOADED, PLAN

LONG_SECONDS = 600.0


def declared(scenario: str, crash_at: int | None = None) -> Sequence[Record]:
    """The journal of an exercise in which somebody declares a scenario and the stand-ins tick its steps off.

    `crash_at`: the append of the journal, counted from the declaration, at which the controller dies.
    """

    async def story() -> Sequence[Record]:
        stage = Stage(StageSettings(LOADED, seed=3))
        wanted: dict[str, object] = {"scenario": scenario}
        exercise, people = Exercise(stage), People(stage)
        stage.begin()
        try:
            await exercise.until("all is well", exercise._all_is_well, 60.0)
            await exercise.until("it is declared", lambda: people.repeat("d", "declare", wanted).startswith("accepted"), 60.0)
            if crash_at is not None:
                stage.disk.faults[stage.disk.appends + crash_at] = JournalFault.CRASH_AFTER
            await exercise.until("it is over", lambda: exercise.incident_is("closed", "stood-down", "needs-person"), LONG_SECONDS)
            assert (stage.kills > 0) == (crash_at is not None)
            return tuple(stage.disk.records)
        finally:
            await stage.end()

    return run_virtual(story)


def bodies(records: Sequence[Record], kind: Kind) -> list[dict[str, Any]]:
    return [dict(record.body) for record in records if record.kind == kind]


@pytest.mark.parametrize("scenario", ["database-corruption", "security-breach"])
def test_people_go_through_every_step_and_each_is_asked_of_the_role_that_the_plan_names(scenario: str) -> None:
    records = declared(scenario)
    planned = {step.id: step for phase in PLAN.scenarios[scenario].phases for step in phase.steps}
    manual = {name: step.by or "technical-lead" for name, step in planned.items() if step.block == "manual"}
    assert {body["step"]: body["needs"] for body in bodies(records, Kind.STEP_WAITING)} == manual
    done = {body["step"]: body for body in bodies(records, Kind.STEP_FINISHED)}
    assert set(done) == set(planned)
    for step, role in manual.items():
        assert done[step]["outcome"] == "settled"
        assert done[step]["facts"]["person"] in PLAN.roles[role].stand_ins
    assert bodies(records, Kind.INCIDENT_CLOSED) == [{"outcome": "resolved", "reason": "every step is done, and nothing was moved"}]


def test_nobody_is_asked_to_approve_and_no_region_changes_its_part() -> None:
    records = declared("security-breach")
    assert not {record.kind for record in records} & {Kind.PROPOSED, Kind.EPOCH_OPENED, Kind.FENCE_CONFIRMED}
    after = replayed(PLAN.primary_region(), records)
    incident = list(after.incidents.values())[-1]
    assert (incident.scenario, incident.severity, incident.state.value) == ("security-breach", "P1", "closed")
    assert after.serving == PLAN.primary_region()


def test_only_the_scenarios_own_messages_are_owed() -> None:
    corruption, breach = (
        {body["message"] for body in bodies(declared(name), Kind.NOTIFICATION_DUE)} for name in ("database-corruption", "security-breach")
    )
    assert "database-alarm" in corruption - breach
    assert {"security-alarm", "authority"} <= breach - corruption
    assert "stakeholders" not in breach | corruption


@pytest.mark.parametrize("crash_at", [2, 9, 16])
def test_a_controller_that_dies_in_between_asks_nothing_twice(crash_at: int) -> None:
    records = declared("database-corruption", crash_at)
    asked = [body["step"] for body in bodies(records, Kind.STEP_WAITING)]
    assert len(asked) == len(set(asked))
    assert bodies(records, Kind.INCIDENT_CLOSED)[0]["outcome"] == "resolved"


def test_a_scenario_that_the_plan_does_not_have_is_refused_with_those_it_has() -> None:
    async def story() -> str:
        stage = Stage(StageSettings(LOADED))
        exercise, people = Exercise(stage), People(stage)
        stage.begin()
        try:
            await exercise.until("all is well", exercise._all_is_well, 60.0)
            return people.repeat("d", "declare", {"scenario": "flood"})
        finally:
            await stage.end()

    said = run_virtual(story)
    assert said.startswith("refused: the plan has no scenario 'flood'; it has: regional-outage")


def test_a_phase_without_an_end_is_reported_as_one_and_every_tick_with_its_name() -> None:
    phases = PLAN.scenarios["security-breach"].phases
    records = declared("security-breach")
    steps = step_results(
        History(next(r.incident for r in records if r.kind == Kind.INCIDENT_OPENED), tuple(records)),
        "failover",
        phases,
        records[0].at_seconds,
    )
    ticked = {step.step: step.by for step in steps if step.by is not None}
    assert ticked["review"] in PLAN.roles["incident-commander"].stand_ins
    assert {step.step for step in steps if step.block == "manual"} == set(ticked)
    results = phase_results(phases, steps)
    assert results[-1].planned_end_seconds is None
    rows = phase_rows(results, phase_scale(results))
    assert not rows[-1].late
