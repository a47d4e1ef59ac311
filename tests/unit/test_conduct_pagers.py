"""Which pagers may be alerting, by which way each is told, and what must not go over them once they heard that it is over."""

from typing import Any

import pytest

from holdfast.conduct.pagers import HAS_IT, IS_OVER, closed_by_the_end, owes_pagers, words_to_pagers
from holdfast.conduct.situation import Write
from holdfast.decision.references import FIRST_UNKNOWN, SECOND
from holdfast.journal.kinds import Kind
from holdfast.plan.organisation import Route
from unit.conduct_on_paper import Paper
from unit.test_conduct_calling import calling_plan

PLAN = calling_plan()
STANDS_IN = PLAN.model_copy(update={"routes": {**PLAN.routes, "sms": Route(name="SMS", second_channel="pagerduty")}})
CALL = {"key": "inc-1-1/call/1", "message": "call", "channel": "pagerduty", "recipient": "exercise-one"}
DELIVERY = (CALL["key"], CALL["channel"], CALL["recipient"])
INTENDED, SENT, FAILED, UNKNOWN = Kind.NOTIFICATION_INTENDED, Kind.NOTIFICATION_SENT, Kind.NOTIFICATION_FAILED, Kind.NOTIFICATION_UNKNOWN


def after(*said: tuple[Kind, dict[str, Any]]) -> Paper:
    """An incident of which nobody was told anything but this."""
    paper = Paper(plan=STANDS_IN)
    paper.lose_region()
    opened = [record for record in paper.records[1:] if not record.kind.startswith("notification.")]
    left = Paper(plan=paper.plan)
    left.write([Write(Kind(record.kind), record.incident, dict(record.body)) for record in opened])
    left.write([Write(kind, "inc-1-1", {**CALL, **body}) for kind, body in said])
    return left


def told(paper: Paper, telling: frozenset[tuple[str, str, str]] = frozenset()) -> list[tuple[str, str, bool]]:
    """What pagers hear now that service is back: over which channel, what, and whether by its second way."""
    words = words_to_pagers(paper.incident, paper.now, paper.now, telling)
    return [(word.channel, word.message, word.second_way) for word in words]


@pytest.mark.parametrize(
    ("said", "is_told"),
    [
        ([(INTENDED, {"attempt": 1}), (SENT, {"reference": "pagerduty:1"})], True),
        ([(INTENDED, {"attempt": 1}), (UNKNOWN, {"reason": "no answer"})], True),
        ([(INTENDED, {"attempt": 1})], True),
        ([(INTENDED, {"attempt": 1}), (FAILED, {"reason": "refused"})], False),
        ([(INTENDED, {"attempt": 1}), (UNKNOWN, {"reason": "no answer"}), (INTENDED, {"attempt": 2}), (FAILED, {"reason": "down"})], True),
        ([(INTENDED, {"attempt": 1}), (INTENDED, {"attempt": 2}), (FAILED, {"reason": "down"})], True),
    ],
)
def test_a_pager_that_may_have_alerted_hears_that_it_is_over_and_one_that_surely_did_not_hears_nothing(
    said: list[tuple[Kind, dict[str, Any]]], is_told: bool
) -> None:
    assert told(after(*said)) == ([("pagerduty", IS_OVER, False)] if is_told else [])


def test_while_the_alert_is_being_handed_over_its_pager_waits_for_what_comes_of_it() -> None:
    paper = after((INTENDED, {"attempt": 1}))
    assert told(paper, frozenset({DELIVERY})) == []
    assert told(paper) == [("pagerduty", IS_OVER, False)]


@pytest.mark.parametrize("reference", [f"{SECOND}pagerduty:1", f"{SECOND}pagerduty:1{FIRST_UNKNOWN}"])
def test_a_pager_that_is_a_channels_second_way_hears_it_by_that_way(reference: str) -> None:
    paper = after((INTENDED, {"channel": "phone", "attempt": 1}), (SENT, {"channel": "phone", "reference": reference}))
    assert told(paper) == [("phone", IS_OVER, True)]
    both = after((INTENDED, {"attempt": 1}), (SENT, {"reference": reference}))
    assert told(both) == [("pagerduty", IS_OVER, False), ("pagerduty", IS_OVER, True)]
    keys = {word.key for word in words_to_pagers(both.incident, 1.0, both.now)}
    assert len(keys) == 2, "each way is told by a delivery of its own"


def test_a_pager_that_is_another_channels_first_way_is_known_by_what_it_took_and_opened_no_more_once_it_heard() -> None:
    sent = (INTENDED, {"channel": "phone", "attempt": 1}), (SENT, {"channel": "phone", "reference": "pagerduty:1"})
    late = (
        (INTENDED, {"channel": "phone", "recipient": "exercise-two", "attempt": 1}),
        (UNKNOWN, {"channel": "phone", "recipient": "exercise-two", "reason": "no answer"}),
    )
    paper = after(*sent, *late)
    assert told(paper) == [("phone", IS_OVER, False)]
    over = {"key": f"inc-1-1/{IS_OVER}/1", "message": IS_OVER, "channel": "phone", "reference": "pagerduty:1"}
    paper.write([Write(Kind.NOTIFICATION_DUE, "inc-1-1", over)])
    paper.write([Write(INTENDED, "inc-1-1", {**CALL, **over, "attempt": 1}), Write(SENT, "inc-1-1", {**CALL, **over})])
    assert closed_by_the_end(paper.plan, paper.incident)[CALL["key"], "phone", "exercise-two"].closed


def test_both_words_go_the_second_way_where_the_alert_did() -> None:
    paper = after((INTENDED, {"channel": "phone", "attempt": 1}), (SENT, {"channel": "phone", "reference": f"{SECOND}pagerduty:1"}))
    paper.lose_region()
    paper.command("ack", "exercise-two")
    paper.wait(1.0)
    words = [tell for tell in paper.told if tell.message in (HAS_IT, IS_OVER) and tell.channel == "phone"]
    assert [(tell.message, tell.second_way) for tell in words] == [(HAS_IT, True)]
    assert paper.command("refuse", "exercise-two", reason="a test of the alarm").startswith("accepted")
    words = [tell for tell in paper.told if tell.message in (HAS_IT, IS_OVER) and tell.channel == "phone"]
    assert [(tell.message, tell.second_way) for tell in words] == [(HAS_IT, True), (IS_OVER, True)]
    assert not owes_pagers(paper.incident, words_to_pagers(paper.incident, None, paper.now))


def test_a_pager_that_heard_that_it_is_over_stands_in_no_more_for_what_was_begun_before() -> None:
    text = {"key": "inc-1-1/call/1", "channel": "sms", "recipient": "exercise-two"}
    paper = after(
        (INTENDED, {**text, "attempt": 1}),
        (FAILED, {**text, "reason": "down"}),
        (INTENDED, {**text, "recipient": "exercise-three", "over": "pagerduty", "attempt": 1}),
        (UNKNOWN, {**text, "recipient": "exercise-three", "over": "pagerduty", "reason": "no answer"}),
        (INTENDED, {"attempt": 1}),
        (UNKNOWN, {"reason": "no answer"}),
    )

    def known(recipient: str, channel: str = "sms") -> tuple[bool, bool]:
        begun = closed_by_the_end(paper.plan, paper.incident)
        attempts = begun["inc-1-1/call/1", channel, recipient]
        return attempts.closed, attempts.alone

    assert known("exercise-two") == known("exercise-three") == known("exercise-one", "pagerduty") == (False, False)
    over = {"key": f"inc-1-1/{IS_OVER}/1", "message": IS_OVER}
    paper.write([Write(Kind.NOTIFICATION_DUE, "inc-1-1", over)])
    paper.write([Write(INTENDED, "inc-1-1", {**CALL, **over, "attempt": 1}), Write(SENT, "inc-1-1", {**CALL, **over, "reference": "p:1"})])
    assert known("exercise-two") == known("exercise-three") == (False, True), "over its own channel it goes on"
    assert known("exercise-one", "pagerduty")[0]
    paper.write([Write(INTENDED, "inc-1-1", {**CALL, **text, "key": "inc-1-1/call/2", "attempt": 1})])
    begun = closed_by_the_end(paper.plan, paper.incident)
    assert not begun["inc-1-1/call/2", "sms", "exercise-two"].alone, "what is begun after that is new trouble"


def test_what_must_not_page_again_is_tried_over_its_own_channel_alone() -> None:
    routes = {**PLAN.routes, "slack": Route(name="Slack", second_channel="pagerduty")}
    messages = {**PLAN.messages, "news": PLAN.messages["stakeholders"]}  # no step sends it: it is begun at once
    paper = Paper(plan=PLAN.model_copy(update={"routes": routes, "messages": messages}))
    paper.broken_channels = frozenset({"slack"})
    paper.lose_region()
    paper.wait(60.0)
    assert [tell.channel for tell in paper.told if tell.message == "news"].count("slack") >= 1, "it is begun, and not taken"
    paper.approve("exercise-one", "exercise-two")
    paper.region_answers()
    assert IS_OVER in {tell.message for tell in paper.told}
    for _ in range(120):
        paper.wait(15.0)
    assert [tell.channel for tell in paper.told if tell.message == "news"].count("slack") > 2, "it was tried on"
    assert [tell for tell in paper.told if tell.over == "pagerduty" and tell.message == "news"] == []
