"""Each primary step of scenario 1 fails, in the reference plan as it stands: where the run goes then, and that it ends well from there."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record
from holdfast.plan.blocks import BLOCKS, Actor
from holdfast.simulation.exercise import Exercised
from holdfast.simulation.stage import Stage
from holdfast.simulation.world import BlockFault
from simulation.playing import PLAN, impatient, play, told

WITHOUT_WAY = ["retry", "skip", "done", "abort"]
WITH_WAY = ["retry", "other-way", "skip", "done", "abort"]
OF_A_FENCE = ["retry", "abort"]
ON_A_WAY = ["retry", "skip", "done", "first-way", "abort"]
PERSON = "exercise-three"


@dataclass(frozen=True)
class Failing:
    """A step that fails, and what follows. `asked`: the step that a person is asked about, None where Holdfast gets round it by itself."""

    what: str
    step: str
    fault: BlockFault
    asked: str | None
    choices: Sequence[str] = ()
    way: Sequence[str] = ()
    """Steps of the other way that was taken without asking."""
    answer: str = "retry"


CASES = [
    Failing("fence refused", "fence", BlockFault.REFUSE, "fence", OF_A_FENCE),
    Failing("promotion refused", "promote-database", BlockFault.REFUSE, "promote-database", WITH_WAY),
    Failing("promotion refused, restored instead", "promote-database", BlockFault.REFUSE, "promote-database", WITH_WAY, answer="other-way"),
    Failing("Redis promotion refused", "promote-cache", BlockFault.REFUSE, "promote-cache", WITHOUT_WAY),
    Failing("bucket can't be activated", "activate-bucket", BlockFault.FAIL, "activate-bucket", WITH_WAY),
    Failing("settings update fails", "update-settings", BlockFault.FAIL, "update-settings", WITHOUT_WAY),
    Failing("write test fails", "verify-database", BlockFault.FAIL, "verify-database", WITHOUT_WAY),
    Failing("scale fails", "scale-up", BlockFault.FAIL, "scale-up", WITHOUT_WAY),
    Failing("deploy fails", "deploy", BlockFault.FAIL, None, way=["start-fresh-set"]),
    Failing("deploy refused", "deploy", BlockFault.REFUSE, None, way=["start-fresh-set"]),
    Failing("deploy without an answer", "deploy", BlockFault.SILENT_BEFORE, None, way=["start-fresh-set"]),
    Failing("roll-out stuck", "deploy", BlockFault.NO_OP, None, way=["start-fresh-set"]),
    Failing(
        "load balancer unreachable",
        "switch-load-balancer",
        BlockFault.SILENT_BEFORE,
        "build-load-balancer",
        ON_A_WAY,
        ["build-load-balancer", "switch-fresh-load-balancer"],
        "done",
    ),
    Failing("DNS update refused", "switch-dns", BlockFault.REFUSE, "switch-dns", WITHOUT_WAY),
    Failing("smoke test fails", "smoke-test", BlockFault.FAIL, "smoke-test", WITHOUT_WAY),
    Failing("performance watch fails", "watch-performance", BlockFault.FAIL, "watch-performance", WITHOUT_WAY),
]
STEPS = {step.id: step for phase in PLAN.scenarios["regional-outage"].phases for step in phase.steps}


def of(exercised: Exercised, kind: Kind) -> list[dict[str, Any]]:
    return [dict(record.body) for record in exercised.facts.records if record.kind == kind]


def failing(stage: Stage, case: Failing) -> None:
    """Every attempt fails that the step has without anybody's word."""
    attempts = 1 if case.fault is BlockFault.REFUSE else 2
    stage.world.faults.once[STEPS[case.step].block] = deque([case.fault] * attempts)


def answering(stage: Stage, answer: str) -> None:
    """Whoever is asked gives this answer, once."""
    before, given = stage.disk.on_append, set[str]()

    def answer_what_waits(records: Sequence[Record]) -> None:
        if before is not None:
            before(records)
        for record in records:
            if record.kind == Kind.STEP_WAITING and record.body["step"] not in given:
                given.add(record.body["step"])
                arguments = {"step": record.body["step"], "choice": answer, "reason": "seen to"}
                asyncio.get_running_loop().call_soon(stage.command, f"answer-{record.body['step']}", "choose", PERSON, arguments)

    stage.disk.on_append = answer_what_waits


def test_every_step_that_a_provider_carries_out_is_among_them() -> None:
    assert {case.step for case in CASES} == {name for name, step in STEPS.items() if BLOCKS[step.block].actor is Actor.PROVIDER}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.what)
def test_a_step_that_fails_goes_where_the_plan_says(case: Failing) -> None:
    exercised = play(lambda stage: failing(stage, case), loaded=impatient())
    waiting, taken = of(exercised, Kind.STEP_WAITING), of(exercised, Kind.OTHER_WAY)
    assert [(body["step"], body["by"], body["steps"]) for body in taken] == ([(case.step, "holdfast", case.way)] if case.way else [])
    assert [body["step"] for body in waiting] == ([] if case.asked is None else [case.asked]), told(exercised, exercised.report())
    if case.asked is None:
        assert exercised.report().verdict == "pass", told(exercised, exercised.report())
        return
    assert [choice["choice"] for choice in waiting[0]["choices"]] == case.choices
    assert all(choice["command"].startswith("holdfast ") for choice in waiting[0]["choices"])
    assert waiting[0]["needs"] in PLAN.roles, "a named person, by role"
    later = {name for name, step in STEPS.items() if BLOCKS[step.block].moves_traffic and name != case.step}
    if waiting[0]["block"] == "manual":  # people's own work, which stand-ins tick off
        ticked = next(step for step in exercised.report().steps if step.step == case.asked)
        assert (ticked.by, exercised.report().verdict) == (PLAN.roles[waiting[0]["needs"]].stand_ins[0], "pass")
        return
    finished = {body["step"] for body in of(exercised, Kind.STEP_FINISHED) if body["outcome"] == "succeeded"}
    waits_for = {"switch-dns"} if case.step == "switch-load-balancer" else later if case.step not in _AFTER_TRAFFIC else set()
    assert not waits_for & finished, "traffic waits for every step before it"
    assert exercised.report().verdict != "pass"


_AFTER_TRAFFIC = {"switch-dns", "smoke-test", "watch-performance"}


@pytest.mark.parametrize("case", [case for case in CASES if case.asked is not None], ids=lambda case: case.what)
def test_the_answer_of_the_named_person_brings_the_run_to_its_end(case: Failing) -> None:
    def answered(stage: Stage) -> None:
        failing(stage, case)
        answering(stage, case.answer)

    exercised = play(answered, loaded=impatient())
    report = exercised.report()
    assert report.verdict == "pass", told(exercised, report)
    result = next(step for step in report.steps if step.step == case.step)
    assert (result.outcome, result.verified) == ("succeeded", "yes")
    if case.answer == "other-way":
        assert of(exercised, Kind.OTHER_WAY)[0]["by"] == PERSON


def test_a_fresh_set_that_does_not_come_either_is_left_to_a_named_person() -> None:
    def both_fail(stage: Stage) -> None:
        stage.world.faults.always |= {"application.deploy": BlockFault.FAIL, "application.fresh": BlockFault.FAIL}

    exercised = play(both_fail, loaded=impatient())
    waiting = of(exercised, Kind.STEP_WAITING)
    assert [body["step"] for body in waiting] == ["start-fresh-set"]
    assert [choice["choice"] for choice in waiting[0]["choices"]] == ON_A_WAY
    assert exercised.report().verdict != "pass"


def test_a_bucket_copy_that_lost_objects_is_brought_back_from_its_versions_by_a_persons_word() -> None:
    stages: list[Stage] = []

    def incomplete(stage: Stage) -> None:
        stages.append(stage)
        failing(stage, next(case for case in CASES if case.step == "activate-bucket"))
        copy = stage.world.regions[stage.world.dr].bucket

        def hide(records: Sequence[Record]) -> None:
            if any(record.kind == Kind.FENCE_CONFIRMED and record.body["run"] == "failover" for record in records):
                for key in list(copy.objects):
                    copy.delete(key)

        stage.disk.on_append = hide
        answering(stage, "other-way")

    exercised = play(incomplete, loaded=impatient())
    assert exercised.report().verdict == "pass", told(exercised, exercised.report())
    assert [(body["step"], body["by"]) for body in of(exercised, Kind.OTHER_WAY)] == [("activate-bucket", PERSON)]
    assert not stages[0].world.regions[stages[0].world.dr].bucket.deleted


def test_a_bucket_copy_that_lacks_more_than_was_approved_is_not_activated_until_a_person_who_may_accepts_it() -> None:
    def loses_its_newest(stage: Stage) -> None:
        copy = stage.world.regions[stage.world.dr].bucket

        def forget(records: Sequence[Record]) -> None:
            if any(record.kind == Kind.FENCE_CONFIRMED and record.body["run"] == "failover" for record in records):
                copy.arrived_until_seconds -= 1200.0
            if any(record.kind == Kind.STEP_WAITING for record in records):
                loop = asyncio.get_running_loop()
                for number, person in enumerate((PERSON, "exercise-one")):
                    arguments = {"step": "activate-bucket", "choice": "retry", "accepts_loss": True}
                    loop.call_soon(stage.command, f"accept-{number}", "choose", person, arguments)

        stage.disk.on_append = forget

    exercised = play(loses_its_newest, loaded=impatient())
    assert exercised.report().verdict == "pass", told(exercised, exercised.report())
    waiting = of(exercised, Kind.STEP_WAITING)
    assert [body["step"] for body in waiting] == ["activate-bucket"]
    assert "people approved a loss of at most" in waiting[0]["reason"]
    accepted = [body["facts"] for body in of(exercised, Kind.STEP_FINISHED) if "accepts_loss_seconds" in body["facts"]]
    assert [facts["person"] for facts in accepted] == ["exercise-one"], "who conducts the drill fills no role that may accept a loss"


def test_a_bucket_copy_that_is_far_behind_is_said_before_anybody_decides() -> None:
    """Nothing later would notice: what did not arrive can't be asked for. So the approvers see it as a loss above the RPO."""

    def behind(stage: Stage) -> None:
        stage.world.regions[stage.world.dr].bucket.lag_seconds = stage.world.regions[stage.world.home].bucket.lag_seconds = 1200.0

    exercised = play(behind, loaded=impatient())
    assert exercised.report().verdict != "pass"
    assert {body["step"] for body in of(exercised, Kind.STEP_INTENDED)} == {"assess", "alert"}
    proposed = of(exercised, Kind.PROPOSED)[0]
    assert (proposed["loss_bound_seconds"] > 1200.0, proposed["above_rpo"]) == (True, True)
