"""On-call turns as an iCalendar, out to people's calendars and in from other tools.

Rules: out goes one event a shift, with an identifier that stays the same, in UTC. In come events as overrides of a rotation: whom an event
names (by e-mail address, identifier or name) is on call from its start to its end, local time of the rotation; what the rotation says by
itself is left out. A time that was moved or taken out of a series counts once, as it is now; one without a zone, and a whole day, is the
rotation's own. An event that names nobody of the plan is an error with its place, and nothing is taken over.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

from holdfast.communications.oncall import Shift, on_call, shifts, zone_of
from holdfast.plan.model import Override, Plan

MOST_BYTES = 5 * 1024 * 1024
MOST_EVENTS = 10_000
NOBODY = "nobody"
_PERSON = "X-HOLDFAST-PERSON"


class CalendarError(ValueError):
    """A calendar that can't be taken over: a line for each reason."""


@dataclass(frozen=True, slots=True)
class _Event:
    """One occurrence of an event of the calendar."""

    person: str | None
    start_seconds: float
    end_seconds: float
    summary: str


def calendar_of(plan: Plan, rotation: str, found: Iterable[Shift], made_seconds: float) -> bytes:
    """The shifts as the text of an .ics file. `made_seconds`: when it was made."""
    from icalendar import Calendar, Event

    calendar = Calendar()
    calendar.add("prodid", "-//Holdfast//on call//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", f"On call: {plan.rotations[rotation].name}")
    for shift in found:
        event = Event()
        person = plan.people.get(shift.person) if shift.person is not None else None
        name = "Nobody is on call" if shift.person is None else f"On call: {person.name if person is not None else shift.person}"
        event.add("uid", f"{rotation}-{int(shift.start_seconds)}@holdfast")
        event.add("dtstamp", datetime.fromtimestamp(made_seconds, UTC))
        event.add("dtstart", datetime.fromtimestamp(shift.start_seconds, UTC))
        event.add("dtend", datetime.fromtimestamp(shift.end_seconds, UTC))
        event.add("summary", f"{name} ({shift.because})" if shift.because else name)
        event.add(_PERSON, shift.person or NOBODY)
        calendar.add_component(event)
    return bytes(calendar.to_ical())


def overrides_from(plan: Plan, rotation: str, content: bytes, until_seconds: float) -> tuple[Override, ...]:
    """What a calendar says otherwise than the rotation by itself. Raises CalendarError. `until_seconds`: how far repeated events go."""
    zone = zone_of(plan.rotations[rotation].timezone or plan.timezone)
    events = sorted(_events(plan, content, until_seconds, zone), key=lambda event: event.start_seconds)

    def local(at_seconds: float) -> str:
        return datetime.fromtimestamp(at_seconds, zone).strftime("%Y-%m-%d %H:%M")

    return tuple(
        Override.model_validate(
            {"from": local(event.start_seconds), "to": local(event.end_seconds), "person": event.person, "because": event.summary}
        )
        for event in events
        if not _as_it_is(plan, rotation, event)
    )


def _as_it_is(plan: Plan, rotation: str, event: _Event) -> bool:
    """Whether the rotation says the same by itself, all the time."""
    inside = shifts(plan, rotation, event.start_seconds, event.end_seconds)
    return {shift.person for shift in inside} == {event.person} and on_call(plan, rotation, event.start_seconds).person == event.person


def _events(plan: Plan, content: bytes, until_seconds: float, zone: tzinfo) -> Iterator[_Event]:
    from icalendar import Calendar

    if len(content) > MOST_BYTES:
        raise CalendarError(f"the calendar has {len(content)} bytes; at most {MOST_BYTES} are read")
    try:
        calendar = Calendar.from_ical(content)
    except (ValueError, IndexError, KeyError) as error:
        raise CalendarError(f"this is not an iCalendar: {error}") from error
    problems: list[str] = []
    taken, moved = 0, _moved(calendar, zone)
    for number, event in enumerate(calendar.walk("VEVENT"), start=1):
        if str(event.get("status", "")).upper() == "CANCELLED":
            continue
        try:
            person, summary = _person(plan, event), str(event.get("summary", ""))
            spans = _spans(event, until_seconds, zone, moved)
        except ValueError as error:
            problems.append(f"event {number} ({str(event.get('summary', 'without a name'))[:60]}): {error}")
            continue
        for start, end in spans:
            taken += 1
            if taken > MOST_EVENTS:
                raise CalendarError(f"the calendar has more than {MOST_EVENTS} events; export a shorter span")
            yield _Event(person, start, end, summary)
    if problems:
        raise CalendarError("\n".join(problems))


def _person(plan: Plan, event: Any) -> str | None:
    """Whom the event names. Raises ValueError for nobody of the plan."""
    own = str(event.get(_PERSON, ""))
    if own == NOBODY:
        return None
    if own in plan.people:
        return own
    mails = {person.email.lower(): name for name, person in plan.people.items() if person.email}
    attendees = event.get("attendee", [])
    for attendee in [*(attendees if isinstance(attendees, list) else [attendees]), event.get("organizer", "")]:
        found = mails.get(str(attendee).lower().removeprefix("mailto:"))
        if found is not None:
            return found
    words = str(event.get("summary", "")).lower()
    named = [name for name, person in plan.people.items() if name in words or person.name.lower() in words]
    if len(named) == 1:
        return named[0]
    raise ValueError("it names nobody of the plan" if not named else f"it names several people: {', '.join(named)}")


def _moved(calendar: Any, zone: tzinfo) -> dict[str, set[float]]:
    """Series → the times of it that an event of their own takes the place of, also one that is cancelled."""
    found: dict[str, set[float]] = {}
    for event in calendar.walk("VEVENT"):
        at = _moment(event.get("recurrence-id"), zone)
        if at is not None:
            found.setdefault(str(event.get("uid", "")), set()).add(at.timestamp())
    return found


def _spans(event: Any, until_seconds: float, zone: tzinfo, moved: Mapping[str, Collection[float]]) -> list[tuple[float, float]]:
    """Start and end of every time that it takes place. Raises ValueError."""
    start = _moment(event.get("dtstart"), zone)
    if start is None:
        raise ValueError("it has no start")
    given, lasts = _moment(event.get("dtend"), zone), event.get("duration")
    length = given - start if given is not None else lasts.dt if lasts is not None else timedelta(days=1)
    if length <= timedelta(0):
        raise ValueError("it ends before it starts")
    replaces = event.get("recurrence-id")
    if replaces is not None and "RANGE" in replaces.params:
        raise ValueError("it changes a series from one time on (RANGE); split the series there and export it again")
    left_out = {at.timestamp() for at, _ in _listed(event.get("exdate"), zone)}
    left_out |= set(moved.get(str(event.get("uid", "")), ())) if replaces is None else set()
    times = {at.timestamp(): at + length for at in _repeated(event, start, until_seconds)}
    times |= {at.timestamp(): end or at + length for at, end in _listed(event.get("rdate"), zone)}
    return [(at, end.timestamp()) for at, end in sorted(times.items()) if at not in left_out]


def _repeated(event: Any, start: datetime, until_seconds: float) -> Iterator[datetime]:
    """When the event starts, by itself and by its rule. A rule is read in the clock that the event was written in. Raises ValueError."""
    rule = event.get("rrule")
    if rule is None:
        yield start
        return
    if isinstance(rule, list):
        raise ValueError("it has several rules of repetition; split it and export it again")
    from dateutil.rrule import rrulestr

    written = event.get("dtstart").dt
    floating = not isinstance(written, datetime) or written.tzinfo is None
    first = start.replace(tzinfo=None) if floating else start
    for count, found in enumerate(rrulestr(rule.to_ical().decode(), dtstart=first)):
        at = found.replace(tzinfo=start.tzinfo) if floating else found
        if at.timestamp() > until_seconds or count >= MOST_EVENTS:
            return
        yield at


def _listed(value: Any, zone: tzinfo) -> Iterator[tuple[datetime, datetime | None]]:
    """Single times that stand beside a series: each with its end where it has one of its own."""
    for part in value if isinstance(value, list) else [value] if value is not None else []:
        for one in part.dts:
            begins, ends = one.dt if isinstance(one.dt, tuple) else (one.dt, None)
            at = _in(begins, zone)
            yield at, at + ends if isinstance(ends, timedelta) else None if ends is None else _in(ends, zone)


def _moment(value: Any, zone: tzinfo) -> datetime | None:
    return None if value is None else _in(value.dt, zone)


def _in(value: date, zone: tzinfo) -> datetime:
    """A day is its midnight; a time without a zone is the rotation's own, as the standard leaves it to the reader."""
    if not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, tzinfo=zone)
    return value if value.tzinfo is not None else value.replace(tzinfo=zone)
