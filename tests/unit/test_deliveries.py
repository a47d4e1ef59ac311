"""When a delivery that failed is tried again: until it is due, less often where there is much time, never for ever."""

import itertools
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.decision.deliveries import ATTEMPTS, PAUSES_SECONDS, Attempts, Turn, after_one_more
from holdfast.decision.replay import Installation, fold, replayed
from holdfast.journal.kinds import Kind
from holdfast.journal.record import GENESIS, Record, following
from holdfast.plan.plan_clock import PlanClock

MINUTE, DAY = 60.0, 86_400.0
DELIVERY = {"key": "inc-1/customers/1", "message": "customers", "channel": "email", "recipient": "ada"}
EVERY_SECONDS = 0.25
OPENED: dict[str, Any] = {"scenario": "s", "kind": "k", "exercise": None, "source": "a", "target": "b", "mode": "graceful", "trigger": "t"}
OPENED |= {"impact_seconds": 1.0}


def after(known: Attempts, at_seconds: float, kind: Kind, **said: object) -> Attempts:
    return after_one_more(known, following((0, GENESIS), at_seconds, kind, "inc-1", {**DELIVERY, **said}))


def tried(
    due_seconds: float | None, *, until: float, second: str | None = None, scale: float = 1.0, known: Attempts | None = None
) -> list[tuple[float, Turn]]:
    """When what always fails is tried, from moment 0 on, and over what; the last is that it is given up, where it is by then."""
    known, now, found = known or Attempts(), 0.0, list[tuple[float, Turn]]()
    while now <= until:
        turn = known.next_turn(now, PlanClock(scale), due_seconds, second)
        if turn is not Turn.NOTHING:
            found.append((now, turn))
        if turn is Turn.GIVE_UP:
            break
        if turn is not Turn.NOTHING:
            over = {} if turn is Turn.CHANNEL else {"over": second}
            known = after(after(known, now, Kind.NOTIFICATION_INTENDED, **over), now, Kind.NOTIFICATION_FAILED, reason="down", **over)
        now += EVERY_SECONDS
    return found


def test_relays_that_are_down_for_three_minutes_lose_no_mail_that_is_due_in_fifteen() -> None:
    moments = [at for at, _ in tried(15 * MINUTE, until=20 * MINUTE)]
    assert any(3 * MINUTE < at < 5 * MINUTE for at in moments), "the relays are back after three minutes"
    pauses = [later - earlier for earlier, later in itertools.pairwise(moments)]
    assert pauses[: len(PAUSES_SECONDS)] == list(PAUSES_SECONDS)
    assert max(pauses) <= 3 * MINUTE and 13 * MINUTE <= moments[-2] <= 15 * MINUTE, "and it is tried until it is due"


@pytest.mark.parametrize("due", [-DAY, 0.0, 30.0, None])
def test_what_is_late_already_and_what_no_moment_is_named_for_gets_its_attempts_all_the_same(due: float | None) -> None:
    found = tried(due, until=DAY / 24)
    assert [turn for _, turn in found] == [Turn.CHANNEL] * ATTEMPTS + [Turn.GIVE_UP]


@given(st.floats(-DAY, 30 * DAY), st.sampled_from([1.0, 60.0]), st.sampled_from([None, "sms"]))
def test_however_far_away_the_deadline_nothing_is_tried_for_ever(due: float, scale: float, second: str | None) -> None:
    known, now, attempts = Attempts(), 0.0, 0
    while (turn := known.next_turn(now, PlanClock(scale), due, second)) is not Turn.GIVE_UP:
        if turn is Turn.NOTHING:  # the next look that finds something: pauses are bounded by what is left
            now += max(1.0 / scale, (due - now) * 0.01)
            continue
        attempts += 1
        known = after(after(known, now, Kind.NOTIFICATION_INTENDED), now, Kind.NOTIFICATION_FAILED, reason="down")
        assert attempts < 200
    assert attempts >= ATTEMPTS
    assert now <= max(due, 0.0) + 30 * MINUTE, "and what is past its moment is given up soon"


def test_the_plans_clock_runs_as_fast_in_pauses_as_everywhere() -> None:
    slow, fast = tried(30 * MINUTE, until=40 * MINUTE), tried(30.0, until=40.0, scale=60.0)
    assert slow[-1][1] is fast[-1][1] is Turn.GIVE_UP
    assert fast[-1][0] == pytest.approx(slow[-1][0] / 60.0, abs=3.0)


def test_from_half_way_on_every_other_attempt_goes_over_the_second_channel() -> None:
    found = tried(10 * MINUTE, until=20 * MINUTE, second="sms")
    first = [turn for at, turn in found if at < 5 * MINUTE]
    later = [turn for at, turn in found if at >= 5 * MINUTE and turn is not Turn.GIVE_UP]
    assert set(first) == {Turn.CHANNEL} and later[0] is Turn.SECOND_CHANNEL
    assert all(one is not other for one, other in itertools.pairwise(later))


def test_what_is_used_up_before_half_way_and_what_is_refused_for_good_goes_over_the_second_channel() -> None:
    late = tried(-MINUTE, until=DAY / 24, second="sms")
    assert [turn for _, turn in late[:2]] == [Turn.CHANNEL, Turn.SECOND_CHANNEL]
    assert len(late) == 2 * ATTEMPTS + 1
    undated = [turn for _, turn in tried(None, until=DAY / 24, second="sms")]
    assert undated[:ATTEMPTS] == [Turn.CHANNEL] * ATTEMPTS and undated[ATTEMPTS] is Turn.SECOND_CHANNEL

    refused = after(after(Attempts(), 0.0, Kind.NOTIFICATION_INTENDED), 0.0, Kind.NOTIFICATION_FAILED, final=True)
    assert refused.next_turn(3.0, PlanClock(), 30 * MINUTE, "sms") is Turn.SECOND_CHANNEL
    assert refused.next_turn(3.0, PlanClock(), 30 * MINUTE) is Turn.GIVE_UP
    both = after(after(refused, 3.0, Kind.NOTIFICATION_INTENDED, over="sms"), 3.0, Kind.NOTIFICATION_FAILED, final=True, over="sms")
    assert both.next_turn(30.0, PlanClock(), 30 * MINUTE, "sms") is Turn.GIVE_UP


def test_sent_over_either_it_is_sent_and_given_up_it_stays_so() -> None:
    failed = after(after(Attempts(), 0.0, Kind.NOTIFICATION_INTENDED), 0.0, Kind.NOTIFICATION_FAILED)
    sent = after(after(failed, 900.0, Kind.NOTIFICATION_INTENDED, over="sms"), 901.0, Kind.NOTIFICATION_SENT, over="sms")
    given_up = after(failed, 900.0, Kind.NOTIFICATION_GIVEN_UP)
    for known in (sent, given_up):
        assert {known.next_turn(at, PlanClock(), 1800.0, "sms") for at in (902.0, 1800.0, 10_000.0)} == {Turn.NOTHING}


def test_a_channel_that_says_when_is_left_alone_until_then_while_the_other_may_be_tried() -> None:
    later = after(after(Attempts(), 0.0, Kind.NOTIFICATION_INTENDED), 0.0, Kind.NOTIFICATION_FAILED, final=False, retry_after_seconds=400.0)
    assert later.next_turn(399.0, PlanClock(), 10 * MINUTE) is Turn.NOTHING
    assert later.next_turn(400.0, PlanClock(), 10 * MINUTE) is Turn.CHANNEL
    assert later.next_turn(301.0, PlanClock(), 10 * MINUTE, "sms") is Turn.SECOND_CHANNEL


def test_a_clock_that_was_set_back_leaves_nothing_waiting_for_the_time_that_it_took_away() -> None:
    failed = after(after(Attempts(), 5000.0, Kind.NOTIFICATION_INTENDED), 5000.0, Kind.NOTIFICATION_FAILED, retry_after_seconds=7.0)
    assert failed.next_turn(5001.0, PlanClock(), 6000.0) is Turn.NOTHING
    assert failed.next_turn(1400.0, PlanClock(), 6000.0) is Turn.CHANNEL


def test_what_becomes_of_one_delivery_says_nothing_of_another_and_the_incident_knows_both() -> None:
    said: list[tuple[Kind, dict[str, Any]]] = [
        (Kind.INCIDENT_OPENED, OPENED),
        (Kind.NOTIFICATION_INTENDED, {**DELIVERY, "attempt": 1}),
        (Kind.NOTIFICATION_INTENDED, {**DELIVERY, "recipient": "ben", "attempt": 1}),
        (Kind.NOTIFICATION_SENT, {**DELIVERY, "recipient": "ben", "reference": "smtp:1"}),
        (Kind.NOTIFICATION_FAILED, {**DELIVERY, "reason": "down"}),
    ]
    incident = replayed(
        "a", [following((number, GENESIS), 2.0, kind, "inc-1", body) for number, (kind, body) in enumerate(said)]
    ).incidents["inc-1"]
    ada, ben = (incident.deliveries[DELIVERY["key"], DELIVERY["channel"], who] for who in ("ada", "ben"))
    assert (ada.sent, ada.unsuccessful, ben.sent, ben.unsuccessful) == (False, 1, True, 0)
    assert [record.kind for record in incident.course] == [Kind.INCIDENT_OPENED]


def mailed(count: int) -> list[Record]:
    """An incident with a mailing to so many, its outcomes in batches as an outbox gives them, people called in between, and a notice."""
    to_all = [(Kind.NOTIFICATION_INTENDED, {**DELIVERY, "recipient": f"c{number}", "attempt": 1}) for number in range(count)]
    sent = [(Kind.NOTIFICATION_SENT, {**DELIVERY, "recipient": f"c{number}", "reference": "smtp:1"}) for number in range(count)]
    said: list[tuple[Kind, str, dict[str, Any]]] = [(Kind.INCIDENT_OPENED, "inc-1", OPENED)]
    said += [(kind, "inc-1", body) for kind, body in to_all]
    for number, (kind, body) in enumerate(sent):
        if number % 500 == 499:
            said.append((Kind.NOTIFICATION_DUE, "inc-1", {"key": f"inc-1/call/{number}", "message": "call"}))
            said.append((Kind.NOTIFICATION_INTENDED, "", {**DELIVERY, "key": "access/1", "recipient": f"c{number}", "attempt": 1}))
        said.append((kind, "inc-1", body))
    said.append((Kind.NOTIFICATION_FAILED, "inc-0", {**DELIVERY, "reason": "down"}))  # of an incident that no record opened
    return [following((number, GENESIS), float(number), kind, incident, body) for number, (kind, incident, body) in enumerate(said)]


def test_hand_overs_that_are_taken_at_once_say_the_same_as_one_by_one() -> None:
    records = mailed(1100)
    one_by_one = Installation("a")
    for record in records:
        one_by_one = fold(one_by_one, record)
    assert replayed("a", records) == one_by_one
    incident = one_by_one.incidents["inc-1"]
    assert len(incident.deliveries) == 1100 and all(known.sent for known in incident.deliveries.values())
    assert len(one_by_one.notices) == 2 and incident.messages_due == {"inc-1/call/499", "inc-1/call/999"}


def own_seconds(deed: Callable[[], object]) -> float:
    """Of this process's processor, the best of three."""
    found = []
    for _ in range(3):
        begun = time.process_time()
        deed()
        found.append(time.process_time() - begun)
    return min(found)


def test_eight_times_as_many_recipients_cost_about_eight_times_as_much() -> None:
    few, many = mailed(1_000), mailed(8_000)
    assert own_seconds(lambda: replayed("a", many)) < 16 * own_seconds(lambda: replayed("a", few))
