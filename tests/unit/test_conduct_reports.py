"""Reports to an authority that are due long after an incident: whoever makes them is reminded although it is over."""

from holdfast.conduct.situation import Write
from holdfast.decision.table import State
from holdfast.journal.kinds import Kind
from holdfast.plan.governance import Regulation
from unit.conduct_on_paper import LOADED, START, Paper

HOUR = 3600.0
DAY = 24 * HOUR


def paper(exercise: str | None = None, *broken: str) -> Paper:
    """An incident that was over within minutes, of a company that owes three reports. `broken`: channels that took nothing meanwhile."""
    report = {"name": "DORA", "notify": "the supervisor", "notify_by": "communication-lead"}
    times = {"dora": "4h", "dora-intermediate": "76h", "dora-final": "30d"}
    regulations = {name: Regulation.model_validate({**report, "notify_within": within}) for name, within in times.items()}
    found = Paper(exercise=exercise, plan=LOADED.plan.model_copy(update={"regulations": regulations}))
    found.broken_channels = frozenset(broken)
    found.lose_region()
    found.wait(15 * 60)
    found.region_answers()
    found.wait(600)
    assert found.incident.state is State.STOOD_DOWN
    return found


def reminded(of: Paper) -> list[str]:
    rules = [tell.message for tell in of.told if tell.message.startswith("regulation.")]
    return list(dict.fromkeys(rules))


def test_reminders_of_later_reports_come_after_the_incident_is_over_each_near_its_deadline_and_once() -> None:
    over = paper()
    before = reminded(over)
    assert before == ["regulation.dora"]
    over.wait(2 * DAY)
    assert reminded(over) == before
    over.wait(4 * HOUR)
    assert reminded(over) == [*before, "regulation.dora-intermediate"]
    over.wait(27 * DAY - (over.now - START))
    assert reminded(over) == [*before, "regulation.dora-intermediate"]
    over.wait(HOUR)
    assert reminded(over) == [*before, "regulation.dora-intermediate", "regulation.dora-final"]
    told = len(over.told)
    over.wait(10 * DAY)
    over.restart()
    over.wait(60)
    assert len(over.told) == told


def test_after_a_long_sleep_somebody_is_reminded_late_rather_than_not_but_not_of_what_is_long_past() -> None:
    over = paper()
    over.wait(31 * DAY)
    assert reminded(over)[1:] == ["regulation.dora-final"], "the other was due four weeks ago"


def test_an_exercise_that_is_over_reminds_nobody() -> None:
    practised = paper("exercise-7")
    practised.wait(29 * DAY)
    assert "regulation.dora-final" not in reminded(practised)


def test_where_mail_fails_the_reminder_is_tried_again_though_the_incident_is_over() -> None:
    over = paper()
    over.broken_channels = frozenset({"email"})
    over.wait(53 * HOUR)
    over.broken_channels = frozenset()
    over.wait(HOUR)
    later = [record.kind for record in over.incident.records if record.body.get("message") == "regulation.dora-intermediate"]
    assert Kind.NOTIFICATION_FAILED in later and later[-1] == Kind.NOTIFICATION_SENT


def test_a_reminder_without_a_receipt_in_time_goes_the_second_way_though_the_incident_was_stood_down() -> None:
    over = paper()
    over.wait(53 * HOUR)
    tell = over.told[-1]
    assert (tell.message, tell.way) == ("regulation.dora-intermediate", "any")
    named = {"key": tell.key, "message": tell.message, "channel": tell.channel, "recipient": tell.recipient}
    over.write([Write(Kind.NOTIFICATION_SENT, tell.incident, {**named, "reference": "sms:1", "receipt_within_seconds": 60.0})])
    told = len(over.told)
    over.wait(59.0)
    assert len(over.told) == told
    over.wait(2.0)
    assert over.incident.records[-1].kind == Kind.NOTIFICATION_UNKNOWN
    over.wait(5.0)
    (again,) = over.told[told:]
    assert (again.key, again.recipient, again.way) == (tell.key, tell.recipient, "second")


def test_where_service_was_never_gone_what_no_channel_took_is_no_news_though_reports_are_still_to_come() -> None:
    over = paper(None, "email")
    missed = {key for (key, channel, _), known in over.incident.deliveries.items() if channel == "email" and not known.is_over}
    assert missed, "it was still being tried when the incident was stood down"
    over.broken_channels = frozenset()
    told = len(over.told)
    for _ in range(60):
        over.wait(60.0)
    over.wait(2 * DAY + 4 * HOUR)
    assert {tell.message for tell in over.told[told:]} == {"regulation.dora-intermediate"}


def test_of_what_was_told_before_the_end_no_receipt_is_missed_any_more_when_a_report_is_reminded_of() -> None:
    over = paper()
    tell = next(tell for tell in over.told if tell.message == "incident-alert")
    named = {"key": tell.key, "message": tell.message, "channel": tell.channel, "recipient": tell.recipient}
    over.write([Write(Kind.NOTIFICATION_SENT, tell.incident, {**named, "reference": "sms:1", "receipt_within_seconds": 60.0})])
    told = len(over.told)
    over.wait(53 * HOUR)
    over.wait(60.0)
    assert Kind.NOTIFICATION_UNKNOWN not in over.kinds()
    assert {other.message for other in over.told[told:]} == {"regulation.dora-intermediate"}


def test_a_plan_that_no_longer_knows_the_scenario_of_what_is_over_reminds_nobody_of_it() -> None:
    over = paper()
    known = {name: scenario for name, scenario in over.plan.scenarios.items() if name != over.incident.scenario}
    over.plan = over.plan.model_copy(update={"scenarios": known})
    over.wait(29 * DAY)
    assert reminded(over) == ["regulation.dora"]
