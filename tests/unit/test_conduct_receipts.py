"""What a channel says later: it arrived, it didn't, or nothing; and what follows from each."""

import pytest

from holdfast.communications.asking import DECISION
from holdfast.conduct.pagers import HAS_IT, IS_OVER, LATELY_SECONDS, closed_by_the_end, words_to_pagers
from holdfast.conduct.policy import answered
from holdfast.conduct.situation import Command, Tell, Write
from holdfast.decision.deliveries import Turn
from holdfast.journal.kinds import Kind
from holdfast.report.history import History
from holdfast.report.telling import Span, notifications
from unit.conduct_on_paper import Paper
from unit.test_conduct_calling import bodies, calling_plan, lost

WAITS_SECONDS = 120.0
BY, GIVEN = "machine:twilio", {"result": "delivered", "how": "Twilio says delivered"}


def called(paper: Paper) -> Tell:
    """The text message with which one stand-in was called."""
    return next(tell for tell in paper.told if (tell.message, tell.channel, tell.recipient) == ("call", "sms", "exercise-one"))


def key_of(tell: Tell) -> str:
    return f"{tell.key}/{tell.channel}/{tell.recipient}"


def awaited(paper: Paper, tell: Tell) -> None:
    """It was sent over a way whose receipt comes later."""
    named = {"key": tell.key, "message": tell.message, "channel": tell.channel, "recipient": tell.recipient, "reference": "sms:1"}
    waits = {"repeats": True, "receipt_within_seconds": WAITS_SECONDS}
    paper.write([Write(Kind.NOTIFICATION_SENT, tell.incident, {**named, **waits})])


def again(paper: Paper, tell: Tell) -> list[Tell]:
    return [other for other in paper.told if key_of(other) == key_of(tell)][1:]


def test_a_receipt_is_recorded_once_and_acknowledges_nothing() -> None:
    paper = lost()
    tell = called(paper)
    awaited(paper, tell)
    for _ in range(2):
        assert paper.command("receipt", BY, key=key_of(tell), **GIVEN).startswith("accepted")
    (body,) = bodies(paper, Kind.NOTIFICATION_DELIVERED)
    assert (body["channel"], body["recipient"], body["how"]) == ("sms", "exercise-one", "Twilio says delivered")
    assert bodies(paper, Kind.ACKNOWLEDGED) == []
    paper.wait(WAITS_SECONDS + 1)
    assert again(paper, tell) == []


def test_a_receipt_that_comes_before_the_hand_over_is_recorded_counts_too() -> None:
    paper = lost()
    tell = called(paper)
    assert paper.command("receipt", BY, key=key_of(tell), **GIVEN).startswith("accepted")
    awaited(paper, tell)
    paper.wait(WAITS_SECONDS + 1)
    assert again(paper, tell) == []


def test_what_did_not_arrive_goes_the_second_way() -> None:
    paper = lost()
    tell = called(paper)
    awaited(paper, tell)
    said = paper.command("receipt", BY, key=key_of(tell), result="failed", how="undelivered, error 30003")
    assert said.startswith("accepted")
    paper.wait(3)
    (second,) = again(paper, tell)
    assert second.way == "second"
    assert "not delivered: undelivered, error 30003" in str(bodies(paper, Kind.NOTIFICATION_FAILED)[-1]["reason"])


def test_without_a_receipt_in_time_it_goes_the_second_way_and_may_be_twice() -> None:
    paper = lost()
    tell = called(paper)
    awaited(paper, tell)
    paper.wait(WAITS_SECONDS - 1)
    assert again(paper, tell) == []
    paper.wait(2)
    paper.wait(3)
    (second,) = again(paper, tell)
    assert (second.way, second.again) == ("second", True)
    assert bodies(paper, Kind.NOTIFICATION_UNKNOWN)[-1]["repeats"] is True


def test_only_a_channel_reports_and_only_what_was_handed_over() -> None:
    paper = lost()
    key = key_of(called(paper))
    for by, arguments in (
        ("exercise-one", {"key": key, **GIVEN}),
        (BY, {"key": "inc-9/call/1/sms/exercise-one", **GIVEN}),
        (BY, {"key": key, "result": "approved"}),
        (BY, {}),
    ):
        assert paper.command("receipt", by, **arguments).startswith("refused")
    assert bodies(paper, Kind.NOTIFICATION_DELIVERED) == []


def test_whoever_decides_is_asked_with_the_hash_of_exactly_what_is_proposed() -> None:
    paper = lost()
    proposal = paper.incident.proposal
    assert proposal is not None
    asked = [tell for tell in paper.told if tell.message == DECISION]
    assert {tell.recipient for tell in asked} == {"exercise-one", "exercise-two", "exercise-three"}
    assert all(tell.asked is not None and tell.asked.approve_hash == proposal.hash and tell.priority == 0 for tell in asked)
    assert "It may lose at most 3.6 s of writes" in asked[0].body
    due = next(body for body in bodies(paper, Kind.NOTIFICATION_DUE) if body["message"] == DECISION)
    assert sorted(map(tuple, due["deliveries"])) == sorted((tell.channel, tell.recipient) for tell in asked)  # type: ignore[call-overload]


def test_an_intent_without_an_outcome_makes_the_next_hand_over_a_possible_repeat() -> None:
    paper = lost()
    tell = called(paper)
    delivery = (tell.key, tell.channel, tell.recipient)
    named = {"key": tell.key, "message": tell.message, "channel": tell.channel, "recipient": tell.recipient}
    paper.write([Write(Kind.NOTIFICATION_INTENDED, tell.incident, {**named, "attempt": 9})])
    assert paper.incident.deliveries[delivery].may_have_arrived


def test_a_pager_hears_once_that_somebody_has_it_and_once_that_it_is_over() -> None:
    paper = lost()

    def to_pager() -> list[tuple[str, str]]:
        return [(tell.message, tell.purpose) for tell in paper.told if tell.channel == "pagerduty" and tell.purpose != "alert"]

    paper.wait(1)
    assert to_pager() == [], "it goes on until somebody has it"
    paper.command("ack", "exercise-two")
    paper.wait(1)
    assert to_pager() == [(HAS_IT, "acknowledged")]
    paper.approve("exercise-one", "exercise-two")
    paper.region_answers()
    assert to_pager() == [(HAS_IT, "acknowledged"), (IS_OVER, "resolved")]


def words_over_pager(paper: Paper) -> list[str]:
    return [tell.purpose for tell in paper.told if (tell.over or tell.channel) == "pagerduty" and tell.purpose != "alert"]


def test_a_pager_hears_that_it_is_over_when_an_incident_stands_down_also_where_it_takes_nothing_just_then() -> None:
    paper = lost()
    paper.broken_channels = frozenset({"pagerduty"})
    assert paper.command("refuse", "exercise-two", reason="a test of the alarm").startswith("accepted")
    assert paper.incident.ended and words_over_pager(paper) == ["resolved"]
    paper.broken_channels = frozenset()
    paper.wait(5.0)
    assert words_over_pager(paper) == ["resolved", "resolved"], "it is tried again"
    paper.wait(3600.0)
    assert words_over_pager(paper) == ["resolved", "resolved"], "and once it heard, it is left alone"


@pytest.mark.parametrize("page_heard_of_it", [False, True])
def test_an_incident_that_was_over_for_a_day_pages_nobody_any_more(page_heard_of_it: bool) -> None:
    paper = lost()
    if page_heard_of_it:
        named = {"key": "inc-1-1/news/1", "message": "news", "channel": "status-page", "recipient": "customers"}
        owed = {"key": named["key"], "message": "news", "audience": ["customers"], "channels": ["status-page"], "due_seconds": paper.now}
        paper.write([Write(Kind.NOTIFICATION_DUE, "inc-1-1", {**owed, "reason": "customers are hit"})])
        paper.write([Write(Kind.NOTIFICATION_INTENDED, "inc-1-1", {**named, "status": "investigating", "attempt": 1})])
        paper.write([Write(Kind.NOTIFICATION_SENT, "inc-1-1", {**named, "reference": "status-page:1"})])
    _, ending = answered(paper.situation(), Command("c", "refuse", "exercise-two", {"reason": "a test of the alarm"}))
    paper.write([move for move in ending if isinstance(move, Write)])
    assert paper.incident.ended and words_over_pager(paper) == []
    paper.alarms = ()
    paper.wait(LATELY_SECONDS + 1.0)
    assert words_over_pager(paper) == []
    late = [tell.facts["status"] for tell in paper.told if tell.channel == "status-page" and tell.facts]
    assert late == (["resolved"] if page_heard_of_it else []), "a page goes on saying that it lasts, and a pager does not"


def test_a_pager_that_alerted_in_place_of_another_channel_hears_that_it_is_over_too() -> None:
    paper = lost()
    alert = next(tell for tell in paper.told if (tell.message, tell.channel) == ("call", "sms"))
    kept = [record for record in paper.records if record.body.get("channel") != "pagerduty"]
    named = {"key": alert.key, "message": alert.message, "channel": "sms", "recipient": alert.recipient, "over": "pagerduty"}
    left = Paper(plan=paper.plan)
    left.write([Write(Kind(record.kind), record.incident, dict(record.body)) for record in kept[1:]])
    left.write([Write(Kind.NOTIFICATION_SENT, alert.incident, {**named, "reference": "pagerduty:1"})])
    (over,) = words_to_pagers(left.incident, left.now, left.now)
    assert (over.channel, over.purpose) == ("pagerduty", "resolved")


def test_what_the_second_channel_lost_says_nothing_of_the_first() -> None:
    paper = Paper(plan=calling_plan())
    paper.broken_channels = frozenset({"sms"})
    paper.lose_region()
    paper.broken_channels = frozenset()
    tell = called(paper)
    second = {"key": tell.key, "message": tell.message, "channel": tell.channel, "recipient": tell.recipient, "over": "email"}
    paper.write([Write(Kind.NOTIFICATION_INTENDED, tell.incident, {**second, "attempt": 2})])
    paper.write([Write(Kind.NOTIFICATION_SENT, tell.incident, {**second, "reference": "smtp:1"})])
    assert paper.command("receipt", BY, key=key_of(tell), result="failed", how="no such mailbox").startswith("accepted")
    failed = bodies(paper, Kind.NOTIFICATION_FAILED)[-1]
    assert (failed["over"], failed["reason"]) == ("email", "not delivered: no such mailbox")
    paper.wait(60.0)
    (after,) = again(paper, tell)
    assert (after.over, after.way) == (None, "any"), "its own channel is tried by every way that it has"


def test_an_alert_that_a_pager_did_not_take_in_time_pages_nobody_once_it_is_over() -> None:
    paper = lost()
    taken = next(tell for tell in paper.told if tell.channel == "pagerduty" and tell.purpose == "alert")
    named = {"key": taken.key, "message": taken.message, "channel": "pagerduty", "recipient": "exercise-nine"}
    paper.write([Write(Kind.NOTIFICATION_INTENDED, taken.incident, {**named, "attempt": 1})])
    paper.write([Write(Kind.NOTIFICATION_UNKNOWN, taken.incident, {**named, "reason": "no answer"})])
    delivery = (taken.key, "pagerduty", "exercise-nine")

    def may_be_tried() -> bool:
        begun = closed_by_the_end(paper.plan, paper.incident)
        return begun[delivery].next_turn(paper.now + 60.0, paper.incident.clock) is Turn.CHANNEL

    assert may_be_tried()
    paper.approve("exercise-one", "exercise-two")
    paper.region_answers()
    assert IS_OVER in {tell.message for tell in paper.told}
    assert not may_be_tried()


def test_whoever_decided_before_the_question_reached_them_was_not_owed_it() -> None:
    paper = lost()
    key = next(str(body["key"]) for body in bodies(paper, Kind.NOTIFICATION_DUE) if body["message"] == DECISION)
    hers = {"key": key, "recipient": "exercise-one"}
    kept = [record for record in paper.records if not hers.items() <= record.body.items()]
    rows = notifications(History(paper.incident.incident, tuple(kept)), paper.plan, Span(paper.now, paper.now + 3600.0))
    asked = {row.recipient_ref for row in rows if row.rule == DECISION}
    assert asked == {"exercise-two", "exercise-three"}
    assert all(row.met for row in rows if row.rule == DECISION)


def test_a_late_receipt_of_an_earlier_attempt_says_nothing_of_the_one_that_followed() -> None:
    paper = lost()
    tell = called(paper)
    awaited(paper, tell)
    second = {"key": tell.key, "message": tell.message, "channel": tell.channel, "recipient": tell.recipient, "over": "email"}
    paper.write([Write(Kind.NOTIFICATION_INTENDED, tell.incident, {**second, "attempt": 2})])
    paper.write([Write(Kind.NOTIFICATION_SENT, tell.incident, {**second, "reference": "smtp:1"})])
    said = paper.command("receipt", BY, key=key_of(tell), attempt=1, result="failed", how="undelivered, error 30003")
    assert said == "accepted: it did not arrive, and was handed over again since"
    assert bodies(paper, Kind.NOTIFICATION_FAILED) == []
    paper.wait(60.0)
    assert again(paper, tell) == [], "what went over the second channel was sent"
    assert paper.command("receipt", BY, key=key_of(tell), attempt=2, result="failed", how="bounced").startswith("accepted")
    assert bodies(paper, Kind.NOTIFICATION_FAILED)[-1]["over"] == "email"
    assert paper.command("receipt", BY, key=key_of(tell), attempt=9, **GIVEN).startswith("refused: nothing was handed over")
    assert paper.command("receipt", BY, key=key_of(tell), attempt=1, **GIVEN) == "accepted: it arrived"


def test_every_hand_over_names_its_number_so_that_a_receipt_can() -> None:
    paper = Paper(plan=calling_plan())
    paper.broken_channels = frozenset({"sms"})
    paper.lose_region()
    paper.broken_channels = frozenset()
    paper.wait(3.0)
    tell = called(paper)
    assert (tell.attempt, again(paper, tell)[0].attempt) == (1, 2)
