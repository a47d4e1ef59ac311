"""A channel that stays down: its deliveries go over the plan's second channel in time, once; what nothing takes is given up, aloud."""

import json
from collections import Counter
from typing import Any

import pytest

from holdfast.communications.recipients import person_recipient
from holdfast.conduct.pagers import HAS_IT, IS_OVER
from holdfast.conduct.situation import Tell
from holdfast.conduct.status_page import MESSAGE
from holdfast.console.headline import headline
from holdfast.console.narration import line
from holdfast.console.state import state
from holdfast.journal.kinds import Kind
from holdfast.plan.model import Plan
from holdfast.plan.organisation import Route
from holdfast.report.history import History
from holdfast.report.telling import Span, notifications
from holdfast.report.told import NotificationResult
from unit.conduct_on_paper import Paper
from unit.test_conduct_calling import bodies, calling_plan

MINUTE = 60.0


def with_second(**channels: str) -> Plan:
    """The reference plan, where one channel stands in for another."""
    plan = calling_plan()
    routes = {channel: Route(name=channel, second_channel=second) for channel, second in channels.items()}
    return plan.model_copy(update={"routes": {**plan.routes, **routes}})


def lost(plan: Plan, *broken: str) -> Paper:
    paper = Paper(plan=plan)
    paper.broken_channels = frozenset(broken)
    paper.lose_region()
    return paper


def pass_by(paper: Paper, seconds: float) -> None:
    end = paper.now + seconds
    while paper.now < end:
        paper.wait(15.0)


def alerts(paper: Paper, channel: str) -> list[Tell]:
    return [tell for tell in paper.told if (tell.message, tell.channel) == ("incident-alert", channel)]


def rows(paper: Paper, message: str, channel: str) -> list[NotificationResult]:
    span = Span(0.0, paper.now)  # on paper, moments are too small to be told from lengths of time: all count from nought
    found = notifications(History(paper.incident.incident, paper.incident.records), paper.plan, span)
    return [row for row in found if (row.rule, row.channel) == (message, channel)]


def test_half_way_to_its_deadline_what_a_pager_does_not_take_goes_to_each_of_its_people_over_the_second_channel_once() -> None:
    paper = lost(with_second(pagerduty="sms"), "pagerduty")
    begun = paper.now
    pass_by(paper, 4 * MINUTE)
    people = set(paper.plan.roles["incident-commander"].stand_ins)
    alone = alerts(paper, "sms")
    assert Counter(tell.recipient for tell in alone) == dict.fromkeys(people, 1)
    assert {tell.recipient: tell.address for tell in alone} == {who: person_recipient(paper.plan, who, "").address("sms") for who in people}
    sent = [record for record in paper.incident.records if record.kind == Kind.NOTIFICATION_SENT]
    helped = [record for record in sent if (record.body["message"], record.body["channel"]) == ("incident-alert", "sms")]
    assert len(helped) == len(people)
    assert all(begun + 2 * MINUTE <= record.at_seconds <= begun + 4 * MINUTE for record in helped)
    assert {(row.recipient_ref, row.met) for row in rows(paper, "incident-alert", "sms")} == {(who, True) for who in people}
    paper.broken_channels = frozenset()
    pass_by(paper, 10 * MINUTE)
    assert len(alerts(paper, "sms")) == len(alone), "once"


def test_where_a_pager_refuses_for_good_its_people_are_told_at_once_over_the_second_channel() -> None:
    paper = Paper(plan=with_second(pagerduty="sms"))
    paper.refusing_channels = frozenset({"pagerduty"})
    paper.lose_region()
    paper.wait(3.0)
    assert len(alerts(paper, "pagerduty")) == 1
    people = set(paper.plan.roles["incident-commander"].stand_ins)
    assert Counter(tell.recipient for tell in alerts(paper, "sms")) == dict.fromkeys(people, 1)
    pass_by(paper, 10 * MINUTE)
    assert (len(alerts(paper, "pagerduty")), len(alerts(paper, "sms"))) == (1, len(people)), "once"


def called_over(paper: Paper) -> list[tuple[str, str]]:
    return [(tell.over or tell.channel, tell.recipient) for tell in paper.told if tell.message == "call"]


def with_calls_over(plan: Plan, *channels: str) -> Plan:
    row = plan.escalation["P1"].model_copy(update={"channels": channels})
    return plan.model_copy(update={"escalation": {"P1": row}})


def test_a_call_that_a_place_does_not_take_asks_each_person_behind_it_and_nobody_who_has_answered() -> None:
    paper = Paper(plan=with_calls_over(with_second(pagerduty="sms"), "pagerduty"))
    paper.broken_channels = frozenset({"pagerduty"})
    paper.lose_region()
    ((_, place),) = called_over(paper)
    assert set(place.split("+")) == {"exercise-one", "exercise-two", "exercise-three"}
    paper.command("ack", "exercise-two")
    pass_by(paper, 4 * MINUTE)
    alone = [tell for tell in paper.told if (tell.message, tell.channel) == ("call", "sms")]
    assert sorted(tell.recipient for tell in alone) == ["exercise-one", "exercise-three"]
    assert all(tell.asked is not None and tell.asked.person == tell.recipient for tell in alone)


def test_a_call_that_goes_to_a_pager_and_a_chat_room_anyway_is_not_made_twice_to_the_same_people() -> None:
    paper = Paper(plan=with_calls_over(with_second(pagerduty="slack"), "pagerduty", "slack"))
    paper.broken_channels = frozenset({"pagerduty"})
    paper.lose_region()
    pass_by(paper, 4 * MINUTE)
    heard = Counter(channel for channel, _ in called_over(paper))
    assert heard["slack"] == 1 and heard["pagerduty"] > 1


@pytest.mark.parametrize("second", ["sms", "slack"])
def test_words_for_a_pagers_own_state_never_go_over_another_channel(second: str) -> None:
    paper = lost(with_second(pagerduty=second))
    paper.broken_channels = frozenset({"pagerduty"})
    paper.command("ack", "exercise-two")
    pass_by(paper, 15 * MINUTE)
    paper.refusing_channels = frozenset({"pagerduty"})
    paper.command("refuse", "exercise-one", reason="a test of the alarm")
    pass_by(paper, 15 * MINUTE)
    words = [tell for tell in paper.told if tell.message in (HAS_IT, IS_OVER)]
    assert {tell.message for tell in words} == {HAS_IT, IS_OVER}
    assert {tell.over or tell.channel for tell in words} == {"pagerduty"}
    given_up = {body["message"] for body in bodies(paper, Kind.NOTIFICATION_GIVEN_UP)}
    assert given_up >= {HAS_IT, IS_OVER}, "but that it did not hear is said"


def test_a_status_pages_state_never_goes_over_another_channel() -> None:
    paper = lost(with_second(**{"status-page": "email"}))
    pass_by(paper, 20 * MINUTE)
    assert any(tell.channel == "status-page" for tell in paper.told)
    paper.broken_channels = frozenset({"status-page"})
    paper.approve("exercise-one", "exercise-two", accepts_loss=True)
    paper.region_answers()
    pass_by(paper, 30 * MINUTE)
    page = [tell for tell in paper.told if tell.message == MESSAGE]
    assert page and {tell.over or tell.channel for tell in page} == {"status-page"}


def test_a_channel_that_is_back_before_half_way_needs_no_second() -> None:
    paper = lost(with_second(pagerduty="sms"), "pagerduty")
    pass_by(paper, 15.0)
    paper.broken_channels = frozenset()
    pass_by(paper, 5 * MINUTE)
    assert [tell for tell in alerts(paper, "pagerduty") if tell.over] == alerts(paper, "sms") == []
    assert all(row.met and row.second_way is None for row in rows(paper, "incident-alert", "pagerduty"))


def test_whoever_is_told_the_same_over_the_second_channel_anyway_is_not_told_it_twice() -> None:
    paper = lost(with_second(pagerduty="slack"), "pagerduty")
    pass_by(paper, 6 * MINUTE)
    assert [tell for tell in alerts(paper, "pagerduty") if tell.over] == []
    twice = Counter((tell.key, tell.recipient) for tell in alerts(paper, "slack"))
    assert set(twice.values()) == {1}


def test_what_nothing_takes_until_it_is_due_is_given_up_once_and_said_loudly() -> None:
    paper = lost(with_second(pagerduty="sms"), "pagerduty", "sms")
    pass_by(paper, 15 * MINUTE)
    given_up = [
        body for body in bodies(paper, Kind.NOTIFICATION_GIVEN_UP) if (body["message"], body["channel"]) == ("incident-alert", "pagerduty")
    ]
    people = {tell.recipient for tell in alerts(paper, "pagerduty")}
    assert Counter(body["recipient"] for body in given_up) == dict.fromkeys(people, 1)
    assert all(str(body["reason"]).startswith("pagerduty took it in none of ") for body in given_up)
    alone = [body["recipient"] for body in bodies(paper, Kind.NOTIFICATION_GIVEN_UP) if body["channel"] == "sms"]
    assert set(paper.plan.roles["incident-commander"].stand_ins) <= set(alone), "nor did any of them hear by text message"
    count = len(alerts(paper, "pagerduty"))
    pass_by(paper, 10 * MINUTE)
    assert len(alerts(paper, "pagerduty")) == count, "and then nothing is tried any more"

    said = next(line(record) for record in paper.records if record.kind == Kind.NOTIFICATION_GIVEN_UP)
    assert said is not None and said.state == "failed" and said.text.startswith("GIVEN UP: ")
    now: dict[str, Any] = json.loads(json.dumps(state(paper.situation(), 1.0, None, {})))
    first = headline(now, paper.now)
    assert first.state == "needs-person" and "DELIVERIES GIVEN UP (" in first.text and "incident-alert over pagerduty" in first.text
    (shown,) = [one for one in now["incident"]["messages"] if (one["message"], one["channel"]) == ("incident-alert", "pagerduty")]
    assert (shown["given_up"], shown["sent"]) == (len(people), 0)
    told = rows(paper, "incident-alert", "pagerduty")
    assert all(row.met is False and "tell them yourself" in row.failures[-1] for row in told)


def test_a_controller_that_takes_over_gives_nothing_up_twice_and_goes_on_where_the_last_one_stopped() -> None:
    paper = lost(with_second(pagerduty="sms"), "pagerduty", "sms")
    pass_by(paper, 15 * MINUTE)
    paper.restart()
    count = len(paper.told), len(bodies(paper, Kind.NOTIFICATION_GIVEN_UP))
    paper.wait(1.0)
    assert (len(paper.told), len(bodies(paper, Kind.NOTIFICATION_GIVEN_UP))) == count


def test_a_customer_mail_outlives_relays_that_are_down_for_three_minutes() -> None:
    paper = lost(calling_plan(), "email")
    pass_by(paper, 14 * MINUTE)
    while not any(tell.message == "customers" and tell.channel == "email" for tell in paper.told):
        paper.wait(15.0)
    pass_by(paper, 3 * MINUTE)
    paper.broken_channels = frozenset()
    pass_by(paper, 10 * MINUTE)
    told = rows(paper, "customers", "email")
    assert told and all(row.met for row in told)
    given_up = [body for body in bodies(paper, Kind.NOTIFICATION_GIVEN_UP) if body["message"] == "customers"]
    assert given_up == []
