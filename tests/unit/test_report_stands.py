"""How it stood when people were asked and had decided: by the journal up to that moment, and by nothing that came later."""

from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from holdfast.health.observation import Observation, Seen, Subject
from holdfast.journal.kinds import Kind
from holdfast.report.build import build
from holdfast.report.facts import ReportFacts
from holdfast.report.seen import Stand
from unit.chains import in_order, lines_of
from unit.report_facts import DR, HOME, IMPACT, INCIDENT, ReportStory


@cache
def whole() -> ReportFacts:
    return ReportStory().facts()


def stands(facts: ReportFacts) -> dict[str, Stand]:
    return {stand.moment: stand for stand in build(facts).stands}


def with_lines(facts: ReportFacts, *more: tuple[float, Kind, dict[str, Any]]) -> ReportFacts:
    added = [(IMPACT + at, str(kind), INCIDENT, body) for at, kind, body in more]
    return replace(facts, records=in_order([*lines_of(facts.records), *added]))


def waiting(step: str, block: str, reason: str) -> dict[str, Any]:
    named = {"run": "failover", "step": step, "block": block, "attempt": 1}
    return {**named, "reason": reason, "needs": "technical-lead", "choices": []}


def earlier(facts: ReportFacts, *lost: str) -> ReportFacts:
    """The facts with the same incident a day before, told by the same journal. `lost`: what its records lack."""
    before = [
        (at - 86_400.0, kind, "inc-0-1" if incident else "", {key: said for key, said in body.items() if key not in lost})
        for at, kind, incident, body in lines_of(facts.records)
    ]
    return replace(facts, records=in_order([*before, *lines_of(facts.records)]))


def test_when_people_are_asked_it_says_who_must_act_and_by_when() -> None:
    (asked,) = stands(whole())["asked"].acting
    assert asked.what == f"approve the failover {HOME} → {DR}"
    assert asked.needed == 2
    assert asked.people == ("Ada Exercise (Platform Lead)", "Ben Exercise (Engineering Manager)", "Dana Exercise (Incident Commander)")
    assert asked.by_seconds == pytest.approx(2.25 + 1800)


def test_a_real_incident_asks_the_plans_own_people_and_never_the_stand_ins() -> None:
    (asked,) = stands(ReportStory(kind="incident").facts())["asked"].acting
    assert asked.people
    assert not any("Exercise" in person for person in asked.people)


def test_once_decided_nobody_must_act_and_the_fence_is_under_way() -> None:
    decided = stands(whole())["decided"]
    assert decided.acting == ()
    fence = next(step for step in decided.doing if step.step == "fence")
    assert (fence.state, fence.for_seconds, fence.limit_seconds) == ("running", 0.0, 120.0)
    assert decided.seconds >= build(whole()).decided_after_seconds  # type: ignore[operator]


def test_what_came_later_is_not_known_then() -> None:
    facts = whole()
    asked = next(place for place, record in enumerate(facts.records) if record.kind == Kind.PROPOSED)
    until_then = replace(facts, records=facts.records[: asked + 1])
    assert build(until_then).stands == (stands(facts)["asked"],)


def test_without_earlier_runs_the_forecast_rests_on_the_plans_windows() -> None:
    for stand in stands(whole()).values():
        assert (stand.expected_back_seconds, stand.expected_by, stand.expected_not_before) == (1800.0, "the plan's windows", False)


def test_with_an_earlier_exercise_it_rests_on_what_that_took() -> None:
    found = stands(earlier(whole()))["asked"]
    assert found.expected_by == "earlier runs"
    assert found.expected_back_seconds == pytest.approx(build(whole()).steps[-1].started_seconds, abs=60.0)
    assert found.expected_back_seconds is not None
    assert found.expected_back_seconds < 30.0


def test_an_earlier_run_whose_records_lack_something_counts_for_nothing() -> None:
    assert stands(earlier(whole(), "facts"))["asked"].expected_by == "the plan's windows"


def test_a_step_that_waits_for_a_person_is_a_moment_with_the_question() -> None:
    facts = with_lines(whole(), (6.0, Kind.STEP_WAITING, waiting("fence", "fence", "the agent refused: it knows a higher order")))
    stuck = stands(facts)["stuck"]
    assert stuck.seconds == pytest.approx(6.0)
    assert [asked.what for asked in stuck.acting] == ["say how fence goes on: the agent refused: it knows a higher order"]
    assert ("fence", "needs-person") in [(step.step, step.state) for step in stuck.doing]
    assert stuck.expected_not_before, "nobody can say how long a person takes"


def test_turning_back_has_no_steps_of_the_plan_and_so_no_such_moment() -> None:
    turning = {**waiting("fence", "fence", "the agent is silent"), "run": "turn-back"}
    assert "stuck" not in stands(with_lines(whole(), (6.0, Kind.STEP_WAITING, turning)))


def test_a_run_whose_end_names_no_run_tells_nothing() -> None:
    assert stands(with_lines(whole(), (6.0, Kind.RUN_FINISHED, {"outcome": "failed", "reason": "?"}))) == stands(whole())


def test_work_that_the_plan_gives_to_people_is_asked_for_and_is_no_trouble() -> None:
    facts = with_lines(whole(), (3.0, Kind.STEP_WAITING, waiting("call-carrier", "manual", "Call the carrier")))
    found = stands(facts)
    assert "stuck" not in found
    assert [asked.what for asked in found["decided"].acting] == ["do call-carrier and tick it off"]


def test_a_void_proposal_asks_nobody() -> None:
    void = {"proposal": f"{INCIDENT}-p1", "reason": "the loss could now be more"}
    assert (
        stands(with_lines(whole(), (2.3, Kind.PROPOSAL_VOID, void), (2.4, Kind.STEP_WAITING, waiting("assess", "assess", "?"))))[
            "stuck"
        ].acting
        == (stands(with_lines(whole(), (2.4, Kind.STEP_WAITING, waiting("assess", "assess", "?"))))["stuck"].acting[1:])
    )


def test_a_step_of_a_dead_controller_is_not_called_running() -> None:
    started = {"term": 2, "version": "0.1.0", "plan_digest": "", "profile": "fast", "environment": "lab", "resumed": True}
    told = [*lines_of(whole().records), (IMPACT + 5.19, str(Kind.CONTROLLER_STARTED), "", started)]
    fence = next(step for step in stands(replace(whole(), records=in_order(told)))["decided"].doing if step.step == "fence")
    assert fence.state == "unsettled"


def test_the_lag_is_that_of_the_moment() -> None:
    look = Observation(
        "outside", 1, IMPACT - 0.5, DR, Subject.POSTGRES, "database", Seen.UP, 0.01, facts={"role": "standby", "heartbeat_age_seconds": 0.3}
    )
    found = stands(replace(whole(), observations=(look,)))
    assert found["asked"].lag_seconds == pytest.approx(3.05, abs=0.01)
    assert stands(whole())["asked"].lag_seconds is None


def test_nothing_recorded_is_no_moment() -> None:
    assert build(replace(whole(), records=())).stands == ()
