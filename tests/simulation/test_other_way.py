"""Each primary step is made to fail in the simulated world; the plan's other way brings service back, and is proved like the first."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Literal

import pytest

from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record
from holdfast.plan.blocks import BLOCKS, Actor
from holdfast.plan.loader import LoadedPlan
from holdfast.plan.model import OtherWay, Phase, WayStep
from holdfast.ports.action import Action, Outcome, Result, Task
from holdfast.simulation.exercise import Exercised, exercise
from holdfast.simulation.journal import JournalFault
from holdfast.simulation.stage import Stage, StageSettings
from holdfast.simulation.world import BlockFault
from simulation.playing import PLAN, impatient, play, told, with_plan

_PROOFS = {"postgres.verify", "smoke.test", "performance.watch"}
_RUNS = PLAN.scenarios["regional-outage"]
THERE = [
    step.id
    for phase in _RUNS.phases
    for step in phase.steps
    if BLOCKS[step.block].actor is Actor.PROVIDER and step.block not in _PROOFS and not BLOCKS[step.block].removes_write
]
FULL_SIZE = next(step.parameters["replicas"] for phase in _RUNS.phases for step in phase.steps if step.block == "application.scale")
BACK = ["drain-dr", "promote-home-database", "bring-objects-home", "switch-home-dns", "reprotect-dr-database"]


def with_second_try(step: str, when: Literal["automatic", "ask"], block: str | None = None) -> LoadedPlan:
    """Another way for one step: the same block again under a step of its own, or another block."""

    def bound(phases: tuple[Phase, ...]) -> tuple[Phase, ...]:
        return tuple(phase.model_copy(update={"steps": tuple(_bound(one) for one in phase.steps)}) for phase in phases)

    def _bound(one: Any) -> Any:
        if one.id != step:
            return one
        named = block or one.block
        known = {"version": "2", "replicas": FULL_SIZE} | dict(one.parameters)
        fitting = {name: value for name, value in known.items() if name in BLOCKS[named].parameters}
        spare = WayStep(id=f"{step}-spare", block=named, component=one.component, parameters=fitting)
        return one.model_copy(update={"other_way": OtherWay(when=when, steps=(spare,))})

    hurried = impatient().plan.scenarios["regional-outage"]
    scenario = hurried.model_copy(update={run: bound(getattr(hurried, run)) for run in ("phases", "way_back")})
    return with_plan(scenarios={"regional-outage": scenario})


class _Refusing:
    """An action whose effector refuses one step of the plan."""

    def __init__(self, action: Action, step: str) -> None:
        self._action, self._step = action, step
        self.check, self.verify = action.check, action.verify

    async def act(self, task: Task) -> Outcome:
        """Refused for that step, else as it is."""
        return Outcome(Result.REFUSED, "refused for the test") if task.step == self._step else await self._action.act(task)


def played(step: str, loaded: LoadedPlan, interfere: Callable[[Stage], None] = lambda _: None) -> Exercised:
    """An exercise in which this step is always refused."""
    return exercise(StageSettings(loaded, seed=1), interfere, lambda _, action: _Refusing(action, step))


def of(exercised: Exercised, kind: Kind) -> list[dict[str, Any]]:
    return [dict(record.body) for record in exercised.facts.records if record.kind == kind]


@pytest.mark.parametrize("step", [*THERE, *BACK])
def test_a_primary_step_that_is_refused_goes_the_other_way_by_itself_and_the_exercise_passes(step: str) -> None:
    exercised = played(step, with_second_try(step, "automatic"))
    report = exercised.report()
    assert report.verdict == "pass", told(exercised, report)
    taken = of(exercised, Kind.OTHER_WAY)
    assert [(body["step"], body["by"]) for body in taken] == [(step, "holdfast")]
    result = {one.step: one for one in report.steps}
    assert result[step].verified == "yes"
    assert "refused" in (result[step].other_way or "")
    assert result[f"{step}-spare"].instead_of == step
    assert any(finding.about == f"step {step}" and f"{step}-spare" in finding.sentence for finding in report.findings)


@pytest.mark.parametrize("step", THERE)
def test_a_primary_step_whose_way_asks_waits_for_a_named_person_with_the_choice_spelled_out(step: str) -> None:
    exercised = played(step, with_second_try(step, "ask"))
    waiting = of(exercised, Kind.STEP_WAITING)[-1]
    assert waiting["step"] == step
    assert [choice["choice"] for choice in waiting["choices"]] == ["retry", "other-way", "skip", "done", "abort"]
    assert not of(exercised, Kind.OTHER_WAY)


@pytest.mark.parametrize("fault", [BlockFault.FAIL, BlockFault.SILENT_BEFORE])
def test_a_step_that_never_answers_goes_the_other_way_only_after_all_its_attempts(fault: BlockFault) -> None:
    def silence(stage: Stage) -> None:
        stage.world.faults.once["dns.switch"] = deque([fault, fault])

    exercised = play(silence, loaded=with_second_try("switch-dns", "automatic"))
    intents = [body["step"] for body in of(exercised, Kind.STEP_INTENDED) if body["step"].startswith("switch-dns")]
    assert intents == ["switch-dns", "switch-dns", "switch-dns-spare", "switch-dns"]
    assert exercised.report().verdict == "pass", told(exercised, exercised.report())


def test_a_way_that_does_nothing_and_says_it_did_is_found_out_by_the_first_ways_proof() -> None:
    exercised = played("activate-bucket", with_second_try("activate-bucket", "automatic", "bucket.reconcile"))
    waiting = of(exercised, Kind.STEP_WAITING)[-1]
    assert waiting["step"].startswith("activate-bucket")
    assert exercised.report().verdict != "pass"


def _loses_an_object(stage: Stage, records: Sequence[Record]) -> None:
    """Somebody deletes one in DR as soon as the source is fenced: a bucket that lacks nothing needs no restore."""
    bucket = stage.world.regions[stage.world.dr].bucket
    if any(record.kind == Kind.FENCE_CONFIRMED for record in records) and bucket.objects:
        bucket.delete(next(iter(bucket.objects)))


WAYS = {
    way.block: step.id
    for phase in _RUNS.phases
    for step in phase.steps
    if step.other_way is not None
    for way in step.other_way.steps
    if BLOCKS[way.block].actor is Actor.PROVIDER and way.block != step.block
}
"""Block that only another way of the plan itself does → the step that it stands in for."""


@pytest.mark.parametrize("block", sorted(WAYS))
def test_a_block_of_the_plans_own_other_way_that_does_nothing_and_says_it_did_never_passes(block: str) -> None:
    def by_itself(phases: tuple[Phase, ...]) -> tuple[Phase, ...]:
        return tuple(phase.model_copy(update={"steps": tuple(_by_itself(one) for one in phase.steps)}) for phase in phases)

    def _by_itself(one: Any) -> Any:
        way = one.other_way
        return one if way is None else one.model_copy(update={"other_way": way.model_copy(update={"when": "automatic"})})

    def numb(stage: Stage) -> None:
        stage.world.faults.always[block] = BlockFault.NO_OP
        stage.disk.on_append = lambda records: _loses_an_object(stage, records)

    hurried = impatient().plan.scenarios["regional-outage"]
    loaded = with_plan(scenarios={"regional-outage": hurried.model_copy(update={"phases": by_itself(hurried.phases)})})
    exercised = played(WAYS[block], loaded, numb)
    assert [body["step"] for body in of(exercised, Kind.OTHER_WAY)] == [WAYS[block]]
    assert exercised.report().verdict != "pass", told(exercised, exercised.report())


def _falls_behind(stage: Stage) -> None:
    """The copy in DR proves to lack twenty minutes, which the fence did not show: nobody approved that."""

    def forget(records: Sequence[Record]) -> None:
        if any(record.kind == Kind.FENCE_CONFIRMED and record.body["run"] == "failover" for record in records):
            store = stage.world.regions[stage.world.dr].postgres
            store.log[:] = [replace(write, at_seconds=write.at_seconds - 1200.0) for write in store.log]

    stage.disk.on_append = forget


def test_a_replica_that_is_too_far_behind_is_not_promoted_silently() -> None:
    exercised = play(_falls_behind)
    waiting = of(exercised, Kind.STEP_WAITING)[-1]
    assert waiting["step"] == "promote-database"
    assert "people approved a loss of at most" in waiting["reason"]
    assert not [body for body in of(exercised, Kind.STEP_FINISHED) if body["step"] == "promote-database" and body["outcome"] == "succeeded"]
    assert not [body for body in of(exercised, Kind.STEP_INTENDED) if body["step"] == "switch-dns"]


def test_a_replica_that_is_too_far_behind_is_replaced_from_the_archive_when_a_person_says_so() -> None:
    """The archive has what the replica lacks; the person saw that the replica would lose twenty minutes."""

    def choosing(stage: Stage) -> None:
        _falls_behind(stage)
        forget = stage.disk.on_append

        def choose(records: Sequence[Record]) -> None:
            if forget is not None:
                forget(records)
            if any(record.kind == Kind.STEP_WAITING for record in records):
                arguments = {"step": "promote-database", "choice": "other-way"}
                loop = asyncio.get_running_loop()
                loop.call_soon(lambda: stage.command("way", "choose", "exercise-three", arguments))

        stage.disk.on_append = choose

    loaded = with_second_try("promote-database", "ask", "postgres.restore")
    exercised = play(choosing, loaded=loaded)
    report = exercised.report()
    assert report.verdict == "pass", told(exercised, report)
    assert [body["by"] for body in of(exercised, Kind.OTHER_WAY)] == ["exercise-three"]
    step = next(one for one in report.steps if one.step == "promote-database")
    assert (step.outcome, step.verified) == ("succeeded", "yes")


@pytest.mark.parametrize("step", ["deploy", "scale-up"])
def test_an_application_that_can_neither_be_deployed_nor_scaled_is_started_afresh_and_the_way_home_copes_with_both_sets(step: str) -> None:
    stages: list[Stage] = []
    exercised = played(step, with_second_try(step, "automatic", "application.fresh"), stages.append)
    report = exercised.report()
    assert report.verdict == "pass", told(exercised, report)
    region = stages[0].world.regions[stages[0].world.dr]
    assert region.fresh_for is not None
    assert {one.wished_replicas for one in region.deployments.values()} == {1}, "the way home shrinks what serves"
    assert {one.wished_replicas for one in region.resting.values()} == {0}, "and sends the other set to zero"


@pytest.mark.parametrize(("step", "block"), [("promote-database", None), ("deploy", "application.fresh")])
def test_a_controller_killed_on_the_other_way_is_replaced_by_one_that_goes_on(step: str, block: str | None) -> None:
    loaded = with_second_try(step, "automatic", block)
    points = [number for number, kinds in enumerate(_appends(step, loaded), start=1) if kinds & {"step.other-way", f"{step}-spare"}]
    assert len(points) >= 3
    for number in points:
        for fault in (JournalFault.CRASH_BEFORE, JournalFault.CRASH_AFTER):

            def kill(stage: Stage, number: int = number, fault: JournalFault = fault) -> None:
                stage.disk.faults[number] = fault

            exercised = played(step, loaded, kill)
            report = exercised.report()
            assert exercised.kills == 1
            assert report.verdict == "pass", f"{fault} {number}: {told(exercised, report)}"
            assert len(of(exercised, Kind.OTHER_WAY)) == 1


def _appends(step: str, loaded: LoadedPlan) -> list[set[str]]:
    """Of every append of the undisturbed exercise: the kinds and steps in it."""
    seen: list[set[str]] = []

    def listen(stage: Stage) -> None:
        stage.disk.on_append = lambda records: seen.append(
            {record.kind for record in records} | {str(record.body.get("step")) for record in records}
        )

    played(step, loaded, listen)
    return seen
