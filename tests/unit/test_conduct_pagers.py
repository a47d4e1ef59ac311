"""Which pagers may be alerting, by which way each is told, and what must not go over them once they heard that it is over."""

import itertools
from typing import Any

import pytest

from holdfast.conduct.pagers import HAS_IT, IS_OVER, Pager, closed_by_the_end, owes_pagers, words_to_pagers
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


def told(paper: Paper, telling: frozenset[tuple[str, str, str]] = frozenset(), *bound: Pager) -> list[tuple[str, str, bool]]:
    """What pagers hear now that service is back: over which channel, what, and whether by its second way."""
    words = words_to_pagers(paper.incident, paper.now, paper.now, telling, bound)
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
    again = after((INTENDED, {"attempt": 1}), (SENT, {"reference": reference}))
    first = [("pagerduty", IS_OVER, False)] if reference.endswith(FIRST_UNKNOWN) else []
    assert told(again) == [*first, ("pagerduty", IS_OVER, True)], "the first hears it too where it may have alerted"
    keys = {word.key for word in words_to_pagers(again.incident, 1.0, again.now)}
    assert len(keys) == len(first) + 1, "each way is told by a delivery of its own"


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


def over_phone(recipient: str, *said: tuple[Kind, dict[str, Any]]) -> list[tuple[Kind, dict[str, Any]]]:
    """The same of one call."""
    return [(kind, {"channel": "phone", "recipient": recipient, **body}) for kind, body in said]


def test_a_pager_that_is_another_channels_first_way_waits_while_an_alert_over_that_is_being_handed_over() -> None:
    paper = after(
        *over_phone("exercise-one", (INTENDED, {"attempt": 1}), (SENT, {"reference": "pagerduty:1"})),
        *over_phone("exercise-two", (INTENDED, {"attempt": 1})),
    )
    in_flight = (CALL["key"], "phone", "exercise-two")
    assert told(paper, frozenset({in_flight})) == [], "it would open anew what was just ended"
    assert told(paper) == [("phone", IS_OVER, False)]
    first_of_all = after(*over_phone("exercise-two", (INTENDED, {"attempt": 1})))
    assert told(first_of_all, frozenset({in_flight}), Pager("phone")) == []


@pytest.mark.parametrize("second", [False, True])
@pytest.mark.parametrize(
    ("said", "is_told"),
    [
        ([(INTENDED, {"attempt": 1}), (UNKNOWN, {"reason": "no answer"})], True),
        ([(INTENDED, {"attempt": 1})], True),
        ([(INTENDED, {"attempt": 1}), (FAILED, {"reason": "refused"})], False),
        ([], False),
    ],
)
def test_a_pager_that_a_channel_is_bound_to_and_that_may_have_alerted_hears_it_though_nothing_is_known_to_have_reached_it(
    said: list[tuple[Kind, dict[str, Any]]], is_told: bool, second: bool
) -> None:
    paper, pager = after(*over_phone("exercise-one", *said)), Pager("phone", second)
    assert told(paper, frozenset(), pager) == ([("phone", IS_OVER, second)] if is_told else [])


def test_what_went_by_a_channels_other_way_alerted_no_pager() -> None:
    by_first, by_second = (
        after(*over_phone("exercise-one", (INTENDED, {"attempt": 1}), (SENT, {"reference": f"{by}voice:1"}))) for by in ("", SECOND)
    )
    assert told(by_first, frozenset(), Pager("phone", second_way=True)) == told(by_second, frozenset(), Pager("phone")) == []
    for paper in (by_first, by_second):  # nothing was heard of it within its time: that is no doubt about which way it went
        paper.write([Write(UNKNOWN, "inc-1-1", {**CALL, "channel": "phone", "reason": "no receipt within 2 min"})])
    assert told(by_first, frozenset(), Pager("phone", second_way=True)) == told(by_second, frozenset(), Pager("phone")) == []


def test_a_pager_hears_by_its_own_way_and_nobody_is_rung_to_hear_that_it_is_over() -> None:
    paper = Paper(plan=PLAN)
    paper.pagers = frozenset({Pager("phone")})
    paper.lose_region()
    paper.command("ack", "exercise-two")
    paper.approve("exercise-one", "exercise-two")
    paper.region_answers()
    words = {(tell.message, tell.channel): tell.way for tell in paper.told if tell.message in (HAS_IT, IS_OVER)}
    assert words == dict.fromkeys(itertools.product((HAS_IT, IS_OVER), ("pagerduty", "phone")), "first")
    assert {tell.way for tell in paper.told if tell.message == "call"} == {"any"}, "a call goes whatever way there is"


@pytest.mark.parametrize(
    ("channel", "way", "reference", "ends"),
    [
        ("phone", 1, "pagerduty:1", True),
        ("phone", 1, f"{SECOND}voice:1", True),  # as journals of an earlier version have it
        ("pagerduty", 1, f"{SECOND}sms:1", True),
        ("phone", 2, f"{SECOND}pagerduty:1", False),
    ],
)
def test_what_a_pager_was_told_ends_what_was_begun_over_it_unless_it_is_only_the_channels_second_way(
    channel: str, way: int, reference: str, ends: bool
) -> None:
    text = {"key": "inc-1-1/call/1", "channel": "sms", "recipient": "exercise-three"}
    missed = ((INTENDED, {"attempt": 1}), (UNKNOWN, {"reason": "no answer"}))
    calls = [(kind, {**body, "channel": channel}) for kind, body in over_phone("exercise-two", *missed)]
    paper = after(*calls, *((kind, {**text, **body}) for kind, body in missed))
    plan = PLAN.model_copy(update={"routes": {**PLAN.routes, "sms": Route(name="SMS", second_channel=channel)}})
    over = {**CALL, "key": f"inc-1-1/{IS_OVER}/{way}", "message": IS_OVER, "channel": channel}
    for owed in ({**over, "key": f"inc-1-1/{IS_OVER}/1", "channel": "slack"}, over):  # a pager of another channel hears it too
        paper.write([Write(Kind.NOTIFICATION_DUE, "inc-1-1", owed)])
    paper.write([Write(INTENDED, "inc-1-1", {**over, "attempt": 1})])
    assert not any(known.closed or known.alone for known in closed_by_the_end(plan, paper.incident).values()), "it did not hear it yet"
    paper.write([Write(SENT, "inc-1-1", {**over, "reference": reference})])
    begun = closed_by_the_end(plan, paper.incident)
    assert begun[CALL["key"], channel, "exercise-two"].closed == ends
    assert begun[text["key"], "sms", text["recipient"]].alone == ends


def test_both_words_go_the_second_way_where_the_alert_did() -> None:
    paper = after((INTENDED, {"channel": "phone", "attempt": 1}), (SENT, {"channel": "phone", "reference": f"{SECOND}pagerduty:1"}))
    paper.lose_region()
    paper.command("ack", "exercise-two")
    paper.wait(1.0)
    words = [tell for tell in paper.told if tell.message in (HAS_IT, IS_OVER) and tell.channel == "phone"]
    assert [(tell.message, tell.way) for tell in words] == [(HAS_IT, "second")]
    assert paper.command("refuse", "exercise-two", reason="a test of the alarm").startswith("accepted")
    words = [tell for tell in paper.told if tell.message in (HAS_IT, IS_OVER) and tell.channel == "phone"]
    assert [(tell.message, tell.way) for tell in words] == [(HAS_IT, "second"), (IS_OVER, "second")]
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
