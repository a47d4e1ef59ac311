"""What the report says of one delivery: by which way, and whether it may have arrived more than once."""

from dataclasses import replace
from typing import Any

import pytest

from holdfast.conduct.situation import Tell
from holdfast.controller.channels import BothUnknownError, Outcome, SecondWay, handed_over
from holdfast.controller.telling import notification_of, records_of
from holdfast.decision import references
from holdfast.journal.kinds import Kind
from holdfast.journal.record import GENESIS, Record, following
from holdfast.ports.notifier import Notification, Repeats
from holdfast.report.history import History
from holdfast.report.telling import Span, notifications
from holdfast.report.told import NotificationResult
from holdfast.simulation.clock import VirtualClock, run_virtual
from unit.conduct_on_paper import LOADED

START = 1_800_000_000.0
DELIVERY = {"key": "inc-1/call/1", "message": "call", "channel": "sms", "recipient": "exercise-one"}
DUE = {
    **{"key": "inc-1/call/1", "message": "call", "audience": ["exercise-one"], "channels": ["sms"], "reason": "a test"},
    "due_seconds": START + 300.0,
}
Said = tuple[Kind, dict[str, Any]]
INTENDED: Said = (Kind.NOTIFICATION_INTENDED, {"attempt": 1})
UNKNOWN: Said = (Kind.NOTIFICATION_UNKNOWN, {"reason": "no answer", "repeats": True})
DROPPED: Said = (Kind.NOTIFICATION_UNKNOWN, {"reason": "no answer"})
FAILED: Said = (Kind.NOTIFICATION_FAILED, {"reason": "refused"})
SENT: Said = (Kind.NOTIFICATION_SENT, {"reference": "sms:1", "repeats": True})
SECOND: Said = (Kind.NOTIFICATION_SENT, {"reference": f"{references.SECOND}sms:2", "second_way": "sms:2", "repeats": True})
FIRST_UNKNOWN: Said = (
    Kind.NOTIFICATION_SENT,
    {"reference": f"{references.SECOND}sms:2{references.FIRST_UNKNOWN}", "second_way": "sms:2", "repeats": True},
)
LOST: Said = (Kind.NOTIFICATION_FAILED, {"reason": "not delivered: the service says undelivered"})
BOTH: Said = (Kind.NOTIFICATION_UNKNOWN, {"reason": "first way: no answer; second way: no answer", "repeats": True, "ways": 2})


def row(*told: Said) -> NotificationResult:
    records, at = list[Record](), START
    for kind, body in [(Kind.NOTIFICATION_DUE, DUE), *((kind, {**DELIVERY, **body}) for kind, body in told)]:
        records.append(following((len(records), GENESIS), at, kind.value, "inc-1", body))
        at += 5.0
    (found,) = notifications(History("inc-1", tuple(records)), LOADED.plan, Span(START, START + 600.0))
    return found


@pytest.mark.parametrize(
    ("told", "may_be_twice"),
    [
        ([INTENDED, UNKNOWN] * 5, True),  # a service that takes it and then hangs: up to five texts, and nobody was told by what is known
        ([INTENDED, UNKNOWN], False),
        ([INTENDED, UNKNOWN, INTENDED, FAILED], False),
        ([INTENDED, UNKNOWN, INTENDED, SENT], True),
        ([INTENDED, DROPPED] * 5, False),  # the channel drops what it had
        ([INTENDED, INTENDED, UNKNOWN], True),  # the controller died over the first
        ([INTENDED, UNKNOWN, INTENDED], True),  # and over the second, which may have left
        ([INTENDED, FAILED, INTENDED, SENT], False),
        ([INTENDED, FIRST_UNKNOWN], True),
        ([INTENDED, BOTH], True),
        ([INTENDED, SENT, UNKNOWN, INTENDED, SECOND], True),  # no receipt came
        ([INTENDED, SENT, UNKNOWN], False),
        ([INTENDED, SENT, LOST, INTENDED, SECOND], False),
        ([INTENDED, SENT, LOST, INTENDED, UNKNOWN], False),
    ],
)
def test_what_was_handed_over_again_without_knowing_may_be_twice_told_in_the_end_or_not(told: list[Said], may_be_twice: bool) -> None:
    assert row(*told).may_be_twice is may_be_twice


def test_given_up_is_said_last_and_is_not_told() -> None:
    given_up: Said = (Kind.NOTIFICATION_GIVEN_UP, {"attempts": 5, "reason": "sms took it in none of 5 attempts; tell them yourself"})
    found = row(*[INTENDED, FAILED] * 5, given_up)
    assert found.met is False and found.sent_seconds is None
    assert found.failures[-1] == "sms to exercise-one: sms took it in none of 5 attempts; tell them yourself"


TELL = Tell("inc-1", "inc-1/call/1", "call", "pagerduty", "ada", "s", "b", address="+4915112345678", addresses={"email": "ada@example.org"})


def recorded(tell: Tell, reference: str | None, *, repeats: Repeats = Repeats.DROPPED, reason: str = "") -> dict[str, Any]:
    outcome = Outcome(notification_of(tell, None, None, 0.0), reference, None if reference else reason, False, repeats, 0.1)
    return dict(next(records_of(tell, outcome, 120.0, START)).body)


def test_over_the_plans_second_channel_the_record_names_it_before_its_way() -> None:
    over = replace(TELL, over="sms")
    assert notification_of(over, None, None, 0.0).channel == "sms"
    body = recorded(over, "sms:SM1", repeats=Repeats.POSSIBLE)
    assert (body["channel"], body["over"], body["second_way"]) == ("pagerduty", "sms", "sms: sms:SM1")
    assert "receipt_within_seconds" not in body, "no further way is left"


def test_what_one_channel_may_have_delivered_the_other_delivers_again_though_each_drops_its_own_repeats() -> None:
    over = replace(TELL, over="webhook")
    assert recorded(over, "webhook:1").get("repeats") is None
    assert recorded(replace(over, again=True), "webhook:1")["repeats"] is True


def test_no_address_of_a_person_stands_in_a_record_whichever_way_it_went() -> None:
    body = recorded(TELL, None, reason="+4915112345678 is silent, and the relay knows no ada@example.org")
    assert body["reason"] == "ada is silent, and the relay knows no ada"


class Silent:
    """Nobody knows whether it took it."""

    repeats = Repeats.POSSIBLE

    async def send(self, notification: Notification) -> str:
        raise TimeoutError("no answer")


def test_a_time_out_of_both_ways_counts_as_two() -> None:
    async def story() -> None:
        told = notification_of(TELL, None, None, 0.0)
        outcome = await handed_over({"pagerduty": SecondWay(Silent(), Silent())}, told, VirtualClock(), 10.0)
        (write,) = records_of(TELL, outcome, None, START)
        assert (write.kind, write.body["ways"]) == (Kind.NOTIFICATION_UNKNOWN, 2)
        with pytest.raises(BothUnknownError):
            await SecondWay(Silent(), Silent()).send(told)

    run_virtual(story)
