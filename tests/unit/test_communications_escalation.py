"""Who is called when nobody answers: primary, backup, the severity's level, graver levels, and over again."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.communications import IncidentFacts
from holdfast.communications.escalation import Call, Called, answerable, next_call
from holdfast.plan.model import Escalation, Plan, Reach
from holdfast.plan.plan_clock import PlanClock
from unit.plan_texts import plan_with

START = 1_700_000_000.0
MINUTE = 60.0
MATRIX = {
    "P1": ("5m", "Executive team", ["executives"], ["phone", "sms", "email"]),
    "P2": ("15m", "Engineering management", ["management"], ["phone", "email"]),
    "P3": ("30m", "Team leads", ["engineering"], ["email", "slack"]),
}
PLAN = plan_with().model_copy(
    update={
        "escalation": {
            severity: Escalation.model_validate({"answer_within": within, "level": level, "audience": audience, "channels": channels})
            for severity, (within, level, audience, channels) in MATRIX.items()
        }
    }
)
FACTS = IncidentFacts("inc-7", START, "eu-west-1", "eu-central-1", severity="P1", functions=("voice",), aware_seconds=START)


def climbed(plan: Plan, facts: IncidentFacts, minutes: int, answered: frozenset[str] = frozenset()) -> list[Call]:
    """Every call that is made if somebody looks every ten plan seconds and nobody answers."""
    calls: list[Call] = []
    for tick in range(minutes * 6 + 1):
        now = facts.clock.wall_moment(START, START + tick * 10.0)
        last = Called(calls[-1].number, calls[-1].round, calls[-1].place, calls[-1].from_seconds) if calls else None
        call = next_call(plan, facts, answered, last, now)
        if call is not None:
            calls.append(call)
    return calls


def told(call: Call) -> set[str]:
    return {out.recipient.identifier for out in call.calls}


def test_first_the_primaries_then_the_backups_then_the_level_each_after_its_answer_time() -> None:
    calls = climbed(PLAN, FACTS, 14)
    assert [(call.level, (call.from_seconds - START) / MINUTE) for call in calls] == [("primary", 0), ("backup", 5), ("Executive team", 10)]
    assert told(calls[0]) == {"aoife-brennan", "ines-carvalho", "nadia-haddad", "katalin-szabo", "matteo-ricci"}
    assert told(calls[1]) == {"matteo-ricci", "piotr-zielinski", "jonas-lindqvist", "tom-okafor", "ines-carvalho", "priya-raman"}
    assert told(calls[2]) == {"elena-marin", "henrik-dahl", "priya-raman"}
    assert {out.channel for out in calls[2].calls} == {"phone", "sms", "email"}


def test_after_the_last_level_it_starts_over_with_the_first_and_says_so() -> None:
    calls = climbed(PLAN, FACTS, 20)
    over = calls[3]
    assert (over.rung, over.round, over.starts_over) == ("primary", 2, True)
    assert "starts over" in over.reason
    assert told(over) == told(calls[0])


def test_a_milder_severity_has_more_time_and_climbs_through_the_graver_levels() -> None:
    calls = climbed(PLAN, replace(FACTS, severity="P3"), 150)
    assert [call.level for call in calls] == ["primary", "backup", "Team leads", "Engineering management", "Executive team", "primary"]
    assert {later.from_seconds - earlier.from_seconds for earlier, later in itertools.pairwise(calls)} == {30 * MINUTE}


def test_only_for_roles_that_nobody_answered_for_somebody_is_called() -> None:
    others = frozenset(PLAN.roles) - {"database-administrator"}
    calls = climbed(PLAN, FACTS, 10, others)
    assert told(calls[0]) == {"katalin-szabo"}
    assert told(calls[1]) == {"tom-okafor"}
    assert climbed(PLAN, FACTS, 60, frozenset(PLAN.roles)) == []


def test_a_role_without_a_backup_goes_to_the_level_at_once() -> None:
    alone = PLAN.roles["technical-lead"].model_copy(update={"backup": None})
    plan = PLAN.model_copy(update={"roles": {"technical-lead": alone}})
    assert [call.level for call in climbed(plan, FACTS, 5)] == ["primary", "Executive team"]


def test_nobody_is_called_when_service_is_back_or_the_plan_has_no_matrix() -> None:
    assert climbed(PLAN, replace(FACTS, restored_seconds=START), 60) == []
    assert climbed(PLAN.model_copy(update={"escalation": {}}), replace(FACTS, severity=None), 60) == []


@pytest.mark.parametrize(
    ("severity", "why"), [(None, "nobody knows yet how severe it is"), ("P4", "the matrix has no row for P4")], ids=["unknown", "no row"]
)
def test_where_no_row_says_who_is_called_the_gravest_counts_and_the_call_says_why(severity: str | None, why: str) -> None:
    calls, gravest = climbed(PLAN, replace(FACTS, severity=severity), 20), climbed(PLAN, FACTS, 20)
    assert [(call.level, call.row, call.from_seconds, told(call)) for call in calls] == [
        (call.level, "P1", call.from_seconds, told(call)) for call in gravest
    ]
    assert {call.reason.rpartition("; ")[2] for call in calls} == {f"{why}, so people are called as for P1"}
    assert "so people are called" not in gravest[0].reason


def test_without_a_row_for_p1_the_gravest_that_there_is_counts() -> None:
    plan = PLAN.model_copy(update={"escalation": {name: row for name, row in PLAN.escalation.items() if name != "P1"}})
    calls = climbed(plan, replace(FACTS, severity=None), 50)
    assert [(call.level, call.row) for call in calls[:3]] == [("primary", "P2"), ("backup", "P2"), ("Engineering management", "P2")]


def test_a_person_is_reached_over_its_own_channels_in_turn_with_a_wait_between() -> None:
    in_turn = PLAN.people["ines-carvalho"].model_copy(update={"reach": Reach(channels=("slack", "phone"), how="in-turn", wait="2m")})  # type: ignore[arg-type]
    plan = PLAN.model_copy(update={"people": {**PLAN.people, "ines-carvalho": in_turn}})
    hers = [out for out in climbed(plan, FACTS, 1)[0].calls if out.recipient.identifier == "ines-carvalho"]
    assert [(out.channel, out.from_seconds - START) for out in hers] == [("slack", 0.0), ("phone", 120.0)]


def test_an_exercise_calls_stand_ins_and_mailboxes_and_nobody_real() -> None:
    for call in climbed(PLAN, replace(FACTS, exercise="drill-3"), 60):
        for out in call.calls:
            person = out.recipient.person
            assert PLAN.people[person].exercise if person is not None else out.recipient.identifier.startswith("exercise:")


def test_a_controller_that_was_away_calls_the_next_rung_and_skips_nobody() -> None:
    late = next_call(PLAN, FACTS, frozenset(), Called(1, 1, 0, START), START + 3600)
    assert late is not None
    assert (late.rung, late.answer_by_seconds) == ("backup", START + 3600 + 5 * MINUTE)


def test_at_scale_60_a_minute_of_the_plan_is_a_second() -> None:
    calls = climbed(PLAN, replace(FACTS, clock=PlanClock(60.0)), 14)
    assert [call.from_seconds - START for call in calls] == pytest.approx([0.0, 5.0, 10.0])


@given(
    severity=st.sampled_from(["P1", "P2", "P3", "P4", None]),
    roles=st.sets(st.sampled_from(sorted(PLAN.roles)), min_size=1),
    exercise=st.sampled_from([None, "drill-3"]),
    answers_at=st.integers(1, 40),
)
def test_it_never_ends_in_silence_before_everybody_has_answered(
    severity: str | None, roles: set[str], exercise: str | None, answers_at: int
) -> None:
    facts = replace(FACTS, severity=severity, exercise=exercise)
    answered = frozenset(PLAN.roles) - roles
    last, now = None, START
    for _ in range(answers_at):
        call = next_call(PLAN, facts, answered, last, now)
        assert call is not None, "as long as a role is open, the answer time of one call is the start of the next"
        assert call.calls, "and every call reaches somebody"
        assert set(call.roles) <= roles
        assert next_call(PLAN, facts, answered, Called(call.number, call.round, call.place, now), call.answer_by_seconds - 1) is None
        last, now = Called(call.number, call.round, call.place, now), call.answer_by_seconds
    assert next_call(PLAN, facts, answered | roles, last, now) is None
    assert set(answerable(PLAN, facts, now)) == set(PLAN.roles)
