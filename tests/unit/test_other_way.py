"""The second way: when a step does not succeed, the plan's other way is gone by itself or by a person's word, and proved like the first."""

from typing import Any, Literal

import pytest

from holdfast.conduct.promised import promised
from holdfast.conduct.situation import Write
from holdfast.console.state import state
from holdfast.decision.table import State
from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record
from holdfast.plan.model import OtherWay, Plan, Scenario, WayStep
from unit.conduct_on_paper import DR, LOADED, Paper
from unit.plan_texts import only_problem, plan_with

ONE, TWO, LEAD = "exercise-one", "exercise-two", "exercise-three"
_SETTINGS = "after: [promote-database, promote-cache, activate-bucket]"
_SPARE = "steps: [{ id: scale-more, block: application.scale, component: application, parameters: { replicas: 5 } }]"


def with_way(when: Literal["automatic", "ask"] | None, *steps: WayStep, step: str = "deploy") -> Plan:
    """The reference plan with another way bound to one step."""
    way = OtherWay(when=when, steps=steps or (WayStep(id="scale-more", block="application.scale", component="application"),))

    def bound(scenario: Scenario) -> Scenario:
        phases = tuple(
            phase.model_copy(
                update={"steps": tuple(one.model_copy(update={"other_way": way}) if one.id == step else one for one in phase.steps)}
            )
            for phase in scenario.phases
        )
        return scenario.model_copy(update={"phases": phases})

    plan = LOADED.plan
    return plan.model_copy(update={"scenarios": {name: bound(scenario) for name, scenario in plan.scenarios.items()}})


def lost(plan: Plan, **outcomes: str) -> Paper:
    """A region is lost and the failover approved, where blocks answer as said."""
    paper = Paper(plan=plan)
    paper.outcomes = {name.replace("_", "."): outcome for name, outcome in outcomes.items()}
    paper.lose_region()
    paper.approve(ONE, TWO)
    return paper


def of(paper: Paper, kind: Kind, step: str) -> list[Record]:
    return [record for record in paper.records if record.kind == kind and record.body.get("step") == step]


def test_an_automatic_way_is_gone_without_asking_and_the_step_is_proved_at_its_end() -> None:
    paper = lost(with_way("automatic"), application_deploy="refused")
    taken = of(paper, Kind.OTHER_WAY, "deploy")
    assert len(taken) == 1
    assert taken[0].body["by"] == "holdfast"
    assert "refused" in taken[0].body["reason"]
    assert paper.begun.index("scale-more") > paper.begun.index("deploy")
    assert paper.begun.count("deploy") == 2, "once to do it, once to prove what the other way did"
    assert len(of(paper, Kind.STEP_WAITING, "deploy")) == 1, "the proof failed too, and then a person is asked"
    paper.outcomes = {}
    paper.command("choose", ONE, step="deploy", choice="other-way")
    paper.region_answers()
    assert paper.incident.state is State.RECOVERED
    assert paper.installation.serving == DR


def test_while_it_is_paused_no_other_way_is_taken_by_itself() -> None:
    paper = Paper(plan=with_way("automatic"))
    paper.hangs = frozenset({"application.deploy"})
    paper.lose_region()
    paper.approve(ONE, TWO)
    paper.command("pause", LEAD, reason="look first")
    begun = of(paper, Kind.STEP_INTENDED, "deploy")[-1]
    named = {name: begun.body[name] for name in ("run", "step", "block", "attempt")}
    refused = {**named, "outcome": "refused", "detail": "no", "facts": {}, "checked": "no", "verified": "unknown"}
    paper.write([Write(Kind.STEP_FINISHED, begun.incident, refused)])
    paper.settle()
    assert of(paper, Kind.OTHER_WAY, "deploy") == []
    paper.hangs = frozenset()
    paper.command("resume", LEAD)
    paper.settle()
    assert len(of(paper, Kind.OTHER_WAY, "deploy")) == 1


def test_a_way_that_asks_waits_and_spells_out_every_choice_with_its_command() -> None:
    paper = lost(with_way("ask"), application_deploy="failed")
    for _ in range(20):
        paper.wait(6.0)
    assert paper.incident.state is State.NEEDS_PERSON
    waiting = of(paper, Kind.STEP_WAITING, "deploy")[-1].body
    assert [choice["choice"] for choice in waiting["choices"]] == ["retry", "other-way", "skip", "done", "abort"]
    spoken = {choice["choice"]: choice for choice in waiting["choices"]}
    assert "scale-more (application.scale)" in spoken["other-way"]["says"]
    assert spoken["other-way"]["command"] == "holdfast choose deploy other-way --as NAME"
    assert "scale-more" not in paper.begun
    assert paper.command("choose", ONE, step="deploy", choice="other-way") == "accepted"
    taken = of(paper, Kind.OTHER_WAY, "deploy")[-1].body
    assert (taken["by"], taken["steps"]) == (ONE, ["scale-more"])
    assert "did not succeed" in taken["reason"]
    assert "scale-more" in paper.begun


def test_without_a_word_in_the_plan_a_way_that_can_lose_nothing_is_automatic() -> None:
    assert of(lost(with_way(None), application_deploy="refused"), Kind.OTHER_WAY, "deploy")


def test_a_step_without_another_way_says_so_to_whoever_asks_for_it() -> None:
    paper = lost(LOADED.plan, dns_switch="refused")
    said = paper.command("choose", ONE, step="switch-dns", choice="other-way")
    assert "binds no other way" in said
    assert "retry, skip, done" in said


def test_a_way_that_fails_offers_the_first_way_again() -> None:
    paper = lost(with_way("automatic"), application_deploy="refused", application_scale="refused")
    waiting = {record.body["step"] for record in paper.records if record.kind == Kind.STEP_WAITING}
    assert waiting == {"scale-up", "scale-more"}
    paper.outcomes = {"application.scale": "refused"}
    assert paper.command("choose", ONE, step="scale-more", choice="first-way") == "accepted"
    assert paper.begun[-1] == "deploy"
    assert of(paper, Kind.STEP_FINISHED, "deploy")[-1].body["outcome"] == "succeeded"
    paper.outcomes = {}
    paper.command("choose", ONE, step="scale-up", choice="retry")
    paper.region_answers()
    assert paper.incident.state is State.RECOVERED


def test_the_other_way_is_gone_by_itself_only_once() -> None:
    paper = lost(with_way("automatic"), application_deploy="refused")
    paper.command("choose", ONE, step="deploy", choice="retry")
    assert len(of(paper, Kind.OTHER_WAY, "deploy")) == 1
    assert len(of(paper, Kind.STEP_WAITING, "deploy")) == 2


def test_traffic_waits_until_what_the_other_way_did_is_proved() -> None:
    plan = with_way("automatic", WayStep(id="by-hand", block="manual", parameters={"text": "start the spare"}), step="promote-database")
    paper = lost(plan, postgres_promote="refused")
    assert "switch-load-balancer" not in paper.begun
    paper.outcomes = {}
    assert paper.command("choose", ONE, step="by-hand", choice="done", reason="the spare runs") == "accepted"
    assert paper.begun.index("switch-load-balancer") > len(paper.begun) - 1 - paper.begun[::-1].index("promote-database")


def test_a_writer_made_on_another_way_waits_for_the_fence_too() -> None:
    plan = with_way("automatic", WayStep(id="promote-again", block="postgres.promote", component="database"), step="promote-cache")
    paper = lost(plan, redis_promote="refused", fence="failed")
    for _ in range(20):
        paper.wait(6.0)
    assert "promote-again" not in paper.begun


@pytest.mark.parametrize("batches", range(1, 80, 3))
def test_a_controller_that_dies_on_another_way_is_replaced_by_one_that_goes_on(batches: int) -> None:
    paper = lost(with_way("automatic"), application_deploy="refused")
    left = paper.cut_after(batches)
    left.lose_region()
    left.outcomes = {"application.deploy": "refused"}
    left.approve(ONE, TWO)
    left.outcomes = {}
    left.region_answers()
    for _ in range(4):
        if left.incident.state is State.NEEDS_PERSON:
            left.command("choose", ONE, step="deploy", choice="retry")
    assert left.incident.state is State.RECOVERED
    assert len(of(left, Kind.OTHER_WAY, "deploy")) <= 1


def test_attempts_end_with_the_window_of_their_phase() -> None:
    paper = lost(LOADED.plan, smoke_test="failed")
    window = paper.plan.scenarios["regional-outage"].phases[-1].window
    begun_seconds = of(paper, Kind.STEP_INTENDED, "smoke-test")[0].at_seconds
    for _ in range(12):
        paper.wait(60.0)  # as long as one attempt may take
    waiting = of(paper, Kind.STEP_WAITING, "smoke-test")
    assert "window of its phase" in waiting[0].body["reason"]
    assert window[1] - window[0] <= waiting[0].at_seconds - begun_seconds <= window[1] - window[0] + 61.0
    before = len(of(paper, Kind.STEP_INTENDED, "smoke-test"))
    paper.command("choose", ONE, step="smoke-test", choice="retry")
    assert len(of(paper, Kind.STEP_INTENDED, "smoke-test")) == before + 1
    assert len(of(paper, Kind.STEP_WAITING, "smoke-test")) == 1, "whoever says retry gets the whole window again"


# -- a replica that is too far behind ---------------------------------------------------------------------------------------


def behind() -> Paper:
    paper = Paper()
    paper.outcomes = {"postgres.promote": "refused"}
    paper.facts["postgres.promote"] = {"would_lose_seconds": 1203.4}
    paper.lose_region()
    paper.approve(ONE, TWO)
    assert of(paper, Kind.STEP_WAITING, "promote-database")
    paper.outcomes, paper.facts["postgres.promote"] = {}, {}
    return paper


def test_a_loss_above_the_approved_one_is_accepted_by_a_named_approver_only_and_stands_in_the_journal() -> None:
    paper = behind()
    said = paper.command("choose", LEAD, step="promote-database", choice="retry", accepts_loss=True)
    assert "only they can accept a loss" in said
    assert "is accepted with retry" in paper.command("choose", ONE, step="promote-database", choice="skip", reason="x", accepts_loss=True)
    assert promised(paper.incident, "failover", "ungraceful")["loss_bound_seconds"] < 5.0
    assert paper.command("choose", ONE, step="promote-database", choice="retry", accepts_loss=True) == "accepted"
    record = next(r for r in of(paper, Kind.STEP_FINISHED, "promote-database") if r.body["outcome"] == "again")
    assert record.body["facts"] == {"person": ONE, "accepts_loss_seconds": 1203.4}
    assert "accepts a loss of 1203.4 s" in record.body["detail"]
    assert promised(paper.incident, "failover", "ungraceful")["loss_bound_seconds"] == 1203.4


def test_retry_alone_accepts_nothing() -> None:
    paper = behind()
    before = promised(paper.incident, "failover", "ungraceful")
    paper.command("choose", ONE, step="promote-database", choice="retry")
    assert promised(paper.incident, "failover", "ungraceful") == before


def test_a_planned_move_is_held_to_the_sources_position_and_not_to_a_bound() -> None:
    assert promised(behind().incident, "failover", "graceful") == {}


# -- in the plan's file -------------------------------------------------------------------------------------------------------


def _way(text: str) -> tuple[str, str]:
    return _SETTINGS, f"{_SETTINGS}, other_way: {{ {text} }}"


def test_a_plan_binds_another_way_and_a_misspelt_one_is_told_with_its_line() -> None:
    plan = plan_with(_way(f"when: ask, {_SPARE}"))
    step = next(one for phase in plan.scenarios["regional-outage"].phases for one in phase.steps if one.id == "update-settings")
    assert step.other_way is not None
    assert step.other_way.steps[0].id == "scale-more"
    assert "did you mean 'application.scale'" in only_problem(_way(f"when: ask, {_SPARE.replace('application.scale', 'application.scle')}"))
    assert "unique" in only_problem(_way(f"when: ask, {_SPARE.replace('scale-more', 'scale-up')}"))
    assert "automatic" in only_problem(_way(f"when: sometimes, {_SPARE}"))


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (("block: smoke.test, after: [switch-dns]", f"block: smoke.test, after: [switch-dns], other_way: {{ {_SPARE} }}"), "only proves"),
        (("block: fence, after: [approve]", f"block: fence, after: [approve], other_way: {{ {_SPARE} }}"), "knows no other way"),
        (_way("steps: [{ id: again, block: approve }]"), "can't stand on another way"),
    ],
)
def test_some_steps_have_no_other_way(edit: tuple[str, str], says: str) -> None:
    assert says in only_problem(edit)


def test_the_status_shows_the_way_that_was_taken() -> None:
    paper = lost(with_way("automatic"), application_deploy="refused", application_scale="refused")
    shown: dict[str, Any] = {step["id"]: step for step in state(paper.situation(), 0.0, None, {})["incident"]["steps"]}
    assert shown["deploy"]["state"] == "other-way"
    assert shown["scale-more"]["instead_of"] == "deploy"
    assert [choice["choice"] for choice in shown["scale-more"]["choices"]] == ["retry", "skip", "done", "first-way", "abort"]
