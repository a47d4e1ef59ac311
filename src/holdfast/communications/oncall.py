"""Who is on call: a rotation's turns, handed over at its own local hour, with overrides and holidays.

Rules: turns follow each other without a gap in either direction from the first hand-over. Hand-overs keep their local hour over changes
of daylight saving, so one turn may be an hour longer or shorter; an hour that does not exist is the moment at which the clock jumps, one
that comes twice is its first. An override replaces whoever's turn it is, the later one in the plan where two overlap; without a person
it is a holiday, on which nobody is on call and the role's primary is called.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from holdfast.plan.model import Override, Plan, Role, Rotation
from holdfast.plan.people import Occasion, fillers

_MOST_SHIFTS = 5000
"""As many as are ever listed at once."""


@dataclass(frozen=True, slots=True)
class Shift:
    """Somebody's time on call, `start_seconds` inclusive to `end_seconds` exclusive (since 1970). `person` is None on a holiday."""

    person: str | None
    start_seconds: float
    end_seconds: float
    because: str = ""
    """Why it is not the turn's own person; empty where it is."""


def zone_of(timezone: str) -> tzinfo:
    """The time zone of this name; UTC on a machine that has no time zone database: the offset still says what is meant."""
    try:
        return ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def on_call(plan: Plan, rotation: str, at_seconds: float) -> Shift:
    """Who is on call at a moment, from when until when."""
    known = plan.rotations[rotation]
    zone = zone_of(known.timezone or plan.timezone)
    turn = _turn(known, zone, at_seconds)
    edges = [turn.start_seconds, turn.end_seconds, *_edges(known, zone)]
    start = max(edge for edge in edges if edge <= at_seconds)
    end = min(edge for edge in edges if edge > at_seconds)
    override = _override(known, zone, at_seconds)
    if override is None:
        return Shift(turn.person, start, end)
    return Shift(override.person, start, end, override.because or ("holiday" if override.person is None else "override"))


def shifts(plan: Plan, rotation: str, from_seconds: float, until_seconds: float) -> tuple[Shift, ...]:
    """Everybody's time on call that touches a span, in order and without a gap; neighbours with the same person are one."""
    found: list[Shift] = []
    at = from_seconds
    while at < until_seconds and len(found) < _MOST_SHIFTS:
        shift = on_call(plan, rotation, at)
        if found and (found[-1].person, found[-1].because) == (shift.person, shift.because):
            found[-1] = Shift(shift.person, found[-1].start_seconds, shift.end_seconds, shift.because)
        else:
            found.append(shift)
        at = shift.end_seconds
    return tuple(found)


def next_hand_over(plan: Plan, rotation: str, at_seconds: float) -> Shift:
    """The shift after the one that is on: who takes over, and when."""
    now = on_call(plan, rotation, at_seconds)
    following = on_call(plan, rotation, now.end_seconds)
    while (following.person, following.because) == (now.person, now.because) and len(plan.rotations[rotation].people) > 1:
        following = on_call(plan, rotation, following.end_seconds)
    return following


def fillers_at(plan: Plan, role: Role, occasion: Occasion, at_seconds: float) -> tuple[str, ...]:
    """As `plan.people.fillers`, with whoever is on call for the role before its primary. An exercise has its stand-ins."""
    people = fillers(role, occasion)
    if occasion is Occasion.EXERCISE or role.rotation is None or role.rotation not in plan.rotations:
        return people
    person = on_call(plan, role.rotation, at_seconds).person
    return people if person is None else tuple(dict.fromkeys((person, *people)))


def fillers_between(plan: Plan, role: Role, occasion: Occasion, from_seconds: float, until_seconds: float) -> tuple[str, ...]:
    """Everybody who fills the role at some moment of a span, both ends included: who was on call first of all, then who took over."""
    first = fillers_at(plan, role, occasion, from_seconds)
    if occasion is Occasion.EXERCISE or role.rotation is None or role.rotation not in plan.rotations:
        return first
    later = (shift.person for shift in shifts(plan, role.rotation, from_seconds, max(from_seconds, until_seconds)))
    last = fillers_at(plan, role, occasion, max(from_seconds, until_seconds))
    return tuple(dict.fromkeys((*first, *(person for person in later if person is not None), *last)))


def rotations_behind(plan: Plan, identifiers: Iterable[str], occasion: Occasion) -> tuple[str, ...]:
    """Rotations that say who these roles and audiences are at a moment; none in an exercise, which has its stand-ins."""
    if occasion is Occasion.EXERCISE:
        return ()
    found: dict[str | None, None] = {}
    for identifier in identifiers:
        circle, roles = plan.audiences.get(identifier), [identifier]
        if circle is not None:
            found |= dict.fromkeys(circle.rotations)
            roles = [*circle.roles]
        found |= dict.fromkeys(plan.roles[role].rotation for role in roles if role in plan.roles)
    return tuple(rotation for rotation in found if rotation is not None and rotation in plan.rotations)


def _turn(rotation: Rotation, zone: tzinfo, at_seconds: float) -> Shift:
    """The turn by the rotation alone."""
    first = datetime.fromisoformat(rotation.starts)
    every = timedelta(seconds=max(rotation.every, 1.0))
    local = datetime.fromtimestamp(at_seconds, zone).replace(tzinfo=None)
    number = (local - first) // every
    while moment_seconds(first + number * every, zone) > at_seconds:
        number -= 1
    while moment_seconds(first + (number + 1) * every, zone) <= at_seconds:
        number += 1
    start, end = (moment_seconds(first + turn * every, zone) for turn in (number, number + 1))
    return Shift(rotation.people[number % len(rotation.people)], start, end)


def _edges(rotation: Rotation, zone: tzinfo) -> Iterator[float]:
    for override in rotation.overrides:
        yield moment_seconds(datetime.fromisoformat(override.start), zone)
        yield moment_seconds(datetime.fromisoformat(override.end), zone)


def _override(rotation: Rotation, zone: tzinfo, at_seconds: float) -> Override | None:
    for override in reversed(rotation.overrides):
        start, end = (moment_seconds(datetime.fromisoformat(text), zone) for text in (override.start, override.end))
        if start <= at_seconds < end:
            return override
    return None


def moment_seconds(local: datetime, zone: tzinfo) -> float:
    """Seconds since 1970 of a local time. One that the clock jumps over is the moment of the jump, so that order is kept."""
    early = local.replace(tzinfo=zone, fold=0)
    late = local.replace(tzinfo=zone, fold=1)
    before, after = early.timestamp(), late.timestamp()
    if before <= after:
        return before  # an hour that comes twice counts the first time
    low, high = int(after), int(before)  # it does not exist: the jump is between its two readings
    offset = datetime.fromtimestamp(low, zone).utcoffset()
    while high - low > 1:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return float(high)
