"""Who is on call: turns without a gap, hand-overs at the local hour, overrides, holidays, and calendars out and in."""

import itertools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.communications.calendars import CalendarError, calendar_of, overrides_from
from holdfast.communications.oncall import fillers_at, moment_seconds, next_hand_over, on_call, shifts
from holdfast.plan.model import Override, Plan, Rotation
from holdfast.plan.people import Occasion
from unit.plan_texts import plan_with

PLAN = plan_with()
PEOPLE = ("piotr-zielinski", "tom-okafor", "katalin-szabo")
DUBLIN = ZoneInfo("Europe/Dublin")
WEEK = 7 * 86400.0


def rotating(**changes: object) -> Plan:
    """The reference plan with one weekly rotation from a Monday on, changed as named."""
    given_ = {"name": "Platform", "people": PEOPLE, "starts": "2026-01-05 09:00", "every": "weekly", **changes}
    return PLAN.model_copy(update={"rotations": {"platform": Rotation.model_validate(given_)}})


def at(text: str, zone: ZoneInfo = DUBLIN) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


def test_the_people_take_turns_in_their_order_and_begin_again() -> None:
    plan = rotating()
    days = ("2026-01-05 09:00", "2026-01-12 09:00", "2026-01-19 09:00", "2026-01-26 09:00")
    assert [on_call(plan, "platform", at(day)).person for day in days] == [*PEOPLE, PEOPLE[0]]
    assert on_call(plan, "platform", at("2026-01-12 08:59")).person == PEOPLE[0]
    assert next_hand_over(plan, "platform", at("2026-01-07 12:00")).person == PEOPLE[1]


def test_a_hand_over_keeps_its_local_hour_when_the_clocks_change() -> None:
    plan = rotating()
    shift = on_call(plan, "platform", at("2026-03-27 12:00"))
    assert datetime.fromtimestamp(shift.end_seconds, DUBLIN).hour == 9
    assert shift.end_seconds - shift.start_seconds == WEEK - 3600, "the week in which summer begins is an hour shorter"
    autumn = on_call(plan, "platform", at("2026-10-24 12:00"))
    assert autumn.end_seconds - autumn.start_seconds == WEEK + 3600


def test_an_hour_that_does_not_exist_is_the_moment_of_the_jump() -> None:
    jump = datetime(2026, 3, 29, 1, 0, tzinfo=UTC).timestamp()
    assert [moment_seconds(datetime.fromisoformat(f"2026-03-29 01:{minute:02}"), DUBLIN) for minute in (0, 30, 59)] == [jump] * 3


def test_an_override_replaces_whose_turn_it_is_and_a_holiday_has_nobody() -> None:
    christmas = {"from": "2026-12-25 00:00", "to": "2026-12-26 00:00"}
    plan = rotating(overrides=[{**christmas, "person": "ines-carvalho"}])
    assert on_call(plan, "platform", at("2026-12-25 03:00")).person == "ines-carvalho"
    plan = rotating(overrides=[{**christmas, "because": "Christmas"}])
    shift = on_call(plan, "platform", at("2026-12-25 03:00"))
    assert (shift.person, shift.because) == (None, "Christmas")
    role = PLAN.roles["technical-lead"].model_copy(update={"rotation": "platform"})
    assert fillers_at(plan, role, Occasion.INCIDENT, at("2026-12-25 03:00")) == ("ines-carvalho", "piotr-zielinski")


def test_whoever_is_on_call_is_called_before_the_primary_and_an_exercise_knows_no_rotation() -> None:
    plan = rotating()
    role = PLAN.roles["technical-lead"].model_copy(update={"rotation": "platform"})
    assert fillers_at(plan, role, Occasion.INCIDENT, at("2026-01-14 12:00")) == ("tom-okafor", "ines-carvalho", "piotr-zielinski")
    assert fillers_at(plan, role, Occasion.EXERCISE, at("2026-01-14 12:00")) == role.stand_ins


@given(
    start=st.datetimes(datetime.fromisoformat("2020-01-01"), datetime.fromisoformat("2030-01-01")),
    every_hours=st.integers(1, 400),
    moment=st.datetimes(datetime.fromisoformat("2019-01-01"), datetime.fromisoformat("2031-01-01")),
    zone=st.sampled_from(["Europe/Dublin", "America/New_York", "Australia/Lord_Howe", "UTC", "Asia/Kathmandu"]),
    holidays=st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 200)), max_size=3),
)
def test_there_is_never_a_gap_nor_two_at_once(
    start: datetime, every_hours: int, moment: datetime, zone: str, holidays: list[tuple[int, int]]
) -> None:
    overrides = [
        {
            "from": (start + timedelta(hours=after)).strftime("%Y-%m-%d %H:%M"),
            "to": (start + timedelta(hours=after + long)).strftime("%Y-%m-%d %H:%M"),
        }
        for after, long in holidays
    ]
    plan = rotating(starts=start.strftime("%Y-%m-%d %H:%M"), every=f"{every_hours}h", timezone=zone, overrides=overrides)
    now = moment.replace(tzinfo=UTC).timestamp()
    found = shifts(plan, "platform", now, now + 20 * every_hours * 3600.0)
    assert found[0].start_seconds <= now < found[0].end_seconds
    assert found[-1].end_seconds >= now + 20 * every_hours * 3600.0
    for one, following in itertools.pairwise(found):
        assert one.start_seconds < one.end_seconds == following.start_seconds
    for shift in found:
        middle = (shift.start_seconds + shift.end_seconds) / 2
        assert on_call(plan, "platform", max(middle, now)).person == shift.person


def test_what_went_out_as_a_calendar_comes_in_as_nothing_new() -> None:
    plan = rotating()
    content = calendar_of(
        plan, "platform", shifts(plan, "platform", at("2026-03-01 00:00"), at("2026-06-01 00:00")), at("2026-03-01 00:00")
    )
    assert overrides_from(plan, "platform", content, at("2027-01-01 00:00")) == ()
    assert content == calendar_of(
        plan, "platform", shifts(plan, "platform", at("2026-03-01 00:00"), at("2026-06-01 00:00")), at("2026-03-01 00:00")
    ), "the same turns have the same identifiers"


def calendar(*lines: str) -> bytes:
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", *lines, "END:VCALENDAR", ""]).encode()


def event(summary: str, *lines: str) -> tuple[str, ...]:
    return ("BEGIN:VEVENT", "UID:1", "DTSTAMP:20260101T000000Z", f"SUMMARY:{summary}", *lines, "END:VEVENT")


def test_another_tools_calendar_comes_in_as_overrides_in_local_time() -> None:
    plan = rotating()
    mailed = event("On call", "ATTENDEE:mailto:Ines.Carvalho@voicehive.example", "DTSTART:20260714T080000Z", "DTEND:20260715T080000Z")
    found = overrides_from(plan, "platform", calendar(*mailed), at("2027-01-01 00:00"))
    assert found == (
        Override.model_validate({"from": "2026-07-14 09:00", "to": "2026-07-15 09:00", "person": "ines-carvalho", "because": "On call"}),
    )


def test_a_repeated_event_is_taken_over_as_far_as_asked() -> None:
    plan = rotating()
    weekly = event("Inês Carvalho", "DTSTART:20260704T080000Z", "DTEND:20260704T200000Z", "RRULE:FREQ=WEEKLY")
    found = overrides_from(plan, "platform", calendar(*weekly), at("2026-08-01 00:00"))
    assert [override.start for override in found] == ["2026-07-04 09:00", "2026-07-11 09:00", "2026-07-18 09:00", "2026-07-25 09:00"]


def test_a_shift_that_was_swapped_taken_out_or_added_counts_once_as_it_is_now() -> None:
    weekly = event(
        "Inês Carvalho",
        "DTSTART;TZID=Europe/Dublin:20260704T090000",
        "DTEND;TZID=Europe/Dublin:20260704T210000",
        "RRULE:FREQ=WEEKLY;COUNT=4",
        "EXDATE;TZID=Europe/Dublin:20260711T090000",
        "RDATE;TZID=Europe/Dublin:20260730T090000",
    )
    swapped = event(
        "Katalin Szabó",
        "RECURRENCE-ID;TZID=Europe/Dublin:20260718T090000",
        "DTSTART;TZID=Europe/Dublin:20260719T090000",
        "DTEND;TZID=Europe/Dublin:20260719T210000",
    )
    called_off = event(
        "Inês Carvalho", "RECURRENCE-ID:20260725T080000Z", "DTSTART:20260725T080000Z", "DTEND:20260725T200000Z", "STATUS:CANCELLED"
    )
    found = overrides_from(rotating(), "platform", calendar(*weekly, *swapped, *called_off), at("2027-01-01 00:00"))
    assert [(override.start, override.person) for override in found] == [
        ("2026-07-04 09:00", "ines-carvalho"),
        ("2026-07-19 09:00", "katalin-szabo"),
        ("2026-07-30 09:00", "ines-carvalho"),
    ]


def test_a_time_without_a_zone_and_a_whole_day_are_the_rotations_own() -> None:
    floating = event("Inês Carvalho", "DTSTART:20260704T090000", "DTEND:20260704T210000", "RRULE:FREQ=WEEKLY;UNTIL=20260712T000000")
    day = event("Inês Carvalho", "DTSTART;VALUE=DATE:20260801", "DTEND;VALUE=DATE:20260802")
    found = overrides_from(rotating(), "platform", calendar(*floating, *day), at("2027-01-01 00:00"))
    assert [(override.start, override.end) for override in found] == [
        ("2026-07-04 09:00", "2026-07-04 21:00"),
        ("2026-07-11 09:00", "2026-07-11 21:00"),
        ("2026-08-01 00:00", "2026-08-02 00:00"),
    ]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (
            calendar(
                *event(
                    "Tom Okafor", "RECURRENCE-ID;RANGE=THISANDFUTURE:20260718T080000Z", "DTSTART:20260718T080000Z", "DTEND:20260718T200000Z"
                )
            ),
            "from one time on",
        ),
        (calendar(*event("Somebody else", "DTSTART:20260704T080000Z", "DTEND:20260704T200000Z")), "names nobody of the plan"),
        (calendar(*event("Tom Okafor", "DTSTART:20260704T080000Z", "DTEND:20260704T070000Z")), "ends before it starts"),
        (calendar(*event("Tom Okafor")), "has no start"),
        (b"not a calendar", "not an iCalendar"),
        (b"x" * (5 * 1024 * 1024 + 1), "at most"),
    ],
)
def test_a_calendar_that_can_not_be_taken_over_says_why(content: bytes, says: str) -> None:
    with pytest.raises(CalendarError, match=says):
        overrides_from(rotating(), "platform", content, at("2027-01-01 00:00"))
