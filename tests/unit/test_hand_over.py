"""A turn on call is handed over in the middle of an incident: whoever has it then is called and told, and who had it may still answer."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from holdfast.communications import DueMessage, IncidentFacts, due
from holdfast.communications.escalation import Call, Called, next_call
from holdfast.communications.oncall import on_call
from holdfast.conduct.answering import answered_roles
from holdfast.journal.kinds import Kind
from holdfast.plan.model import Audience, Escalation, Plan, Rotation
from unit.conduct_on_paper import LOADED, START, Paper

MINUTE = 60.0
BEFORE, AFTER = "tom-okafor", "ines-carvalho"
OTHERS = frozenset(LOADED.plan.roles) - {"technical-lead"}
P1 = {"answer_within": "5m", "level": "Whoever is on call", "audience": ["on-call"], "channels": ["phone"]}


def handed_over(after_minutes: float, start: float = START) -> Plan:
    """The reference plan, with a turn that is handed over so many minutes after the start: from `BEFORE` to `AFTER`."""
    moment = datetime.fromtimestamp(start, UTC) + timedelta(minutes=after_minutes)
    assert moment.second == 0, "hand-overs are written to the minute"
    turns = {"name": "On call", "people": [BEFORE, AFTER], "starts": f"{moment - timedelta(days=7):%Y-%m-%d %H:%M}", "every": "weekly"}
    rotation = Rotation.model_validate({**turns, "timezone": "UTC"})
    lead = LOADED.plan.roles["technical-lead"].model_copy(update={"rotation": "engineers", "primary": "katalin-szabo", "backup": None})
    plan = LOADED.plan.model_copy(
        update={
            "rotations": {"engineers": rotation},
            "roles": {**LOADED.plan.roles, "technical-lead": lead},
            "audiences": {**LOADED.plan.audiences, "on-call": Audience(name="On call", rotations=("engineers",))},
            "escalation": {"P1": Escalation.model_validate(P1)},
        }
    )
    assert [on_call(plan, "engineers", moment.timestamp() + by).person for by in (-1, 0)] == [BEFORE, AFTER]
    return plan


EVEN = START - START % 60.0
FACTS = IncidentFacts("inc-7", EVEN, "eu-west-1", "eu-central-1", severity="P1", functions=("voice",), aware_seconds=EVEN)


def called(call: Call | None) -> set[str]:
    assert call is not None
    return {out.recipient.identifier for out in call.calls}


def test_the_next_rung_calls_who_took_over_with_those_whose_turn_it_is_on_the_ladder_and_no_more_who_went_off() -> None:
    plan = handed_over(4, EVEN)
    first = next_call(plan, FACTS, OTHERS, None, EVEN)
    assert called(first) == {BEFORE}
    second = next_call(plan, FACTS, OTHERS, Called(1, 1, 0, EVEN), EVEN + 5 * MINUTE)
    assert called(second) == {AFTER, "katalin-szabo"}
    third = next_call(plan, FACTS, OTHERS, Called(2, 1, 1, EVEN + 5 * MINUTE), EVEN + 10 * MINUTE)
    assert called(third) == {AFTER}, "the level is whoever is on call by then"


def test_a_primary_who_takes_the_turn_over_is_called_though_its_place_on_the_ladder_moved() -> None:
    plan = handed_over(4, EVEN)
    lead = plan.roles["technical-lead"].model_copy(update={"primary": AFTER, "backup": "katalin-szabo"})
    plan = plan.model_copy(update={"roles": {**plan.roles, "technical-lead": lead}})
    assert called(next_call(plan, FACTS, OTHERS, Called(1, 1, 0, EVEN), EVEN + 5 * MINUTE)) == {AFTER, "katalin-szabo"}


def test_without_a_hand_over_nobody_is_called_besides() -> None:
    plan = handed_over(60, EVEN)
    assert called(next_call(plan, FACTS, OTHERS, Called(1, 1, 0, EVEN), EVEN + 5 * MINUTE)) == {"katalin-szabo"}


def told(message: DueMessage) -> list[str]:
    return [recipient.identifier for recipient in message.recipients]


@pytest.mark.parametrize("looked_after_minutes", [61, 300])
def test_each_update_goes_to_whoever_is_on_call_when_it_falls_owed(looked_after_minutes: float) -> None:
    plan = handed_over(40, EVEN)
    status = plan.messages["status"].model_copy(update={"audience": ("on-call",)})
    plan = plan.model_copy(update={"messages": {"status": status}})
    found = [one for one in due(plan, "regional-outage", FACTS, EVEN + looked_after_minutes * MINUTE) if one.message == "status"]
    assert [told(one) for one in found[:4]] == [[BEFORE], [BEFORE], [AFTER], [AFTER]], "owed from 12, 27, 42 and 57 minutes on"


def test_nobody_is_told_who_went_off_before_the_company_knew() -> None:
    plan = handed_over(10, EVEN)
    alert = plan.messages["incident-alert"].model_copy(update={"audience": ("on-call",)})
    plan = plan.model_copy(update={"messages": {"incident-alert": alert}})
    (late,) = [
        one
        for one in due(plan, "regional-outage", replace(FACTS, aware_seconds=EVEN + 20 * MINUTE), EVEN + 21 * MINUTE)
        if one.message == "incident-alert"
    ]
    assert told(late) == [AFTER]


def lost() -> Paper:
    paper = Paper(exercise=None, plan=handed_over(4, EVEN))
    paper.now = EVEN
    paper.lose_region()
    return paper


def taken(paper: Paper) -> list[tuple[str, str, str]]:
    bodies = [record.body for record in paper.records if record.kind == Kind.ROLE_TAKEN]
    return [(body["role"], body["person"], body["instead_of"]) for body in bodies if body["role"] == "technical-lead"]


def test_who_was_called_before_the_hand_over_still_counts_when_they_answer_after_it() -> None:
    paper = lost()
    paper.wait(4.5 * MINUTE)
    assert "answers for Technical Lead" in paper.command("ack", BEFORE)
    assert "technical-lead" in answered_roles(paper.incident)
    assert taken(paper) == [], "the role was theirs from the start"


def test_who_was_called_before_the_hand_over_and_is_first_for_another_role_answers_for_both() -> None:
    plan = handed_over(4, EVEN)
    other = plan.roles["database-administrator"].model_copy(update={"primary": BEFORE})
    paper = Paper(exercise=None, plan=plan.model_copy(update={"roles": {**plan.roles, "database-administrator": other}}))
    paper.now = EVEN
    paper.lose_region()
    paper.wait(4.5 * MINUTE)
    paper.command("ack", BEFORE)
    assert {"technical-lead", "database-administrator"} <= answered_roles(paper.incident)


def test_who_took_the_turn_over_answers_for_the_role_and_takes_it() -> None:
    paper = lost()
    paper.wait(5 * MINUTE)
    assert AFTER in {tell.recipient for tell in paper.told if tell.message == "call"}
    assert "answers for Technical Lead" in paper.command("ack", AFTER)
    assert taken(paper) == [("technical-lead", AFTER, BEFORE)]


def test_both_may_decide_where_the_role_decides() -> None:
    plan = handed_over(4, EVEN)
    rule = plan.approval.activation.model_copy(update={"of": ("technical-lead",), "count": 2})
    plan = plan.model_copy(update={"approval": plan.approval.model_copy(update={"activation": rule})})
    paper = Paper(exercise=None, plan=plan)
    paper.now = EVEN
    paper.lose_region()
    assert "fills none of the roles technical-lead" in paper.approve(AFTER)[0], "not before the turn is theirs"
    paper.wait(4.5 * MINUTE)
    said = paper.approve(AFTER, BEFORE)
    assert [one.startswith("accepted") for one in said] == [True, True]
