"""Who must answer for an incident, by when, and who is called when they don't: a ladder that has no last rung.

Rules: a role is answered when somebody who fills it, or who was called for it, acknowledges; delivered is not acknowledged. First each
role's person on call (or its primary), then its backups, then the level of the incident's severity, then the levels of graver ones.
Each rung has the severity's answer time. After the last rung the ladder starts over with the first, and says so. Where nobody knows the
severity, or the matrix has no row for it, the gravest row counts, and the call says why: too loud is better than silent. A role that nobody
fills (in an exercise: that nobody stands in for) calls nobody. It ends when every role is answered, service is back, or the incident over.
Which rung was reached stands in the journal, so a controller that was away goes on where the last one stopped and skips nobody.
Who is on call is asked at each rung: whoever took a turn over since the last one is called with it, and whoever went off is no more.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from holdfast.communications.facts import IncidentFacts
from holdfast.communications.obligations import VENDOR
from holdfast.communications.oncall import fillers_at
from holdfast.communications.places import TOGETHER, looks_at_place, place_of_people
from holdfast.communications.recipients import EXERCISE_MAILBOX, Directory, Recipient, addressed, person_recipient
from holdfast.plan.model import Escalation, Plan
from holdfast.plan.people import Occasion

CALL = "call"
"""How a call is named among messages: it asks for an answer, and is no message of the plan."""
_GRAVEST_FIRST = ("P1", "P2", "P3", "P4")

Rung = Literal["primary", "backup", "level"]


@dataclass(frozen=True, slots=True)
class CallOut:
    """One recipient over one channel, from a moment on."""

    channel: str
    recipient: Recipient
    from_seconds: float


@dataclass(frozen=True, slots=True)
class Call:
    """One rung of the ladder, climbed. Moments in wall-clock seconds since 1970."""

    key: str
    number: int
    """1 for the first call of an incident."""
    round: int
    """1 until the ladder starts over."""
    place: int
    rung: Rung
    level: str
    """Whom the rung reaches, in words: `primary`, `backup`, or the plan's name of the level."""
    roles: tuple[str, ...]
    """Roles that nobody has answered for."""
    row: str
    """The severity whose row of the matrix it goes by."""
    calls: tuple[CallOut, ...]
    from_seconds: float
    answer_by_seconds: float
    reason: str

    @property
    def starts_over(self) -> bool:
        """Whether everybody was called already, and nobody answered."""
        return self.round > 1 and self.rung == "primary"


@dataclass(frozen=True, slots=True)
class Called:
    """What the journal says of the last call. `place`: how far up the ladder it was, 0 at its foot."""

    number: int
    round: int
    place: int
    at_seconds: float


@dataclass(frozen=True, slots=True)
class _Step:
    """A rung in the plan. `place`: which of a role's people; `row`: which row of the matrix."""

    rung: Rung
    place: int = 0
    row: Escalation | None = None


def answerable(plan: Plan, facts: IncidentFacts, at_seconds: float) -> Mapping[str, tuple[str, ...]]:
    """Role → its people in the order in which they are called at that moment; roles that nobody fills are not in it."""
    occasion = Occasion.of(facts.exercise)
    found = {name: fillers_at(plan, role, occasion, at_seconds) for name, role in plan.roles.items()}
    return {name: people for name, people in found.items() if people}


def row_severity(plan: Plan, severity: str | None) -> str | None:
    """The severity whose row of the matrix people are called by: its own, else the gravest that has one; None without a matrix."""
    rows = [priority for priority in _GRAVEST_FIRST if priority in plan.escalation]
    return severity if severity in rows else next(iter(rows), None)


def row_of(plan: Plan, severity: str | None) -> Escalation | None:
    """The row of the matrix that people are called by; None for a plan without a matrix."""
    wanted = row_severity(plan, severity)
    return next((row for priority, row in plan.escalation.items() if priority == wanted), None)


def why_that_row(severity: str | None, row: str | None) -> str:
    """Why people are called by another row than the severity's own; empty where they are not."""
    if row in (None, severity):
        return ""
    unknown = "nobody knows yet how severe it is" if severity is None else f"the matrix has no row for {severity}"
    return f"{unknown}, so people are called as for {row}"


def next_call(
    plan: Plan,
    facts: IncidentFacts,
    answered: frozenset[str],
    last: Called | None,
    now: float,
    directory: Directory | None = None,
) -> Call | None:
    """The call that is due at `now`, or None: nobody must be called any more, or not yet."""
    named, people = row_severity(plan, facts.severity), answerable(plan, facts, now)
    row = row_of(plan, named)
    open_roles = tuple(role for role in people if role not in answered)
    if named is None or row is None or not open_roles or facts.restored_seconds is not None:
        return None
    answer_within = facts.clock.wall_seconds(row.answer_within)
    if last is not None and now < last.at_seconds + answer_within:
        return None
    steps = _ladder(plan, named, people)
    number, turn, place = (1, 1, 0) if last is None else (last.number + 1, last.round, last.place + 1)
    while place < len(steps) and steps[place].rung == "backup" and all(len(people[role]) <= steps[place].place for role in open_roles):
        place += 1  # none of the open roles has anybody there
    if place >= len(steps):
        turn, place = turn + 1, 0
    step = steps[place]
    told = {} if last is None else _took_over(plan, facts, last, open_roles, people)
    told |= {one.identifier: one for one in _whom(plan, facts, step, open_roles, people, now, directory)}
    called = tuple(outs(plan, facts, tuple(told.values()), step.row or row, now))
    level = step.row.level if step.row is not None else step.rung
    why = why_that_row(facts.severity, named)
    reason = _reason(plan, open_roles, step, turn, level) + (f"; {why}" if why else "")
    key = f"{facts.incident}/{CALL}/{number}"
    return Call(key, number, turn, place, step.rung, level, open_roles, named, called, now, now + answer_within, reason)


def recipient_of(plan: Plan, identifier: str, directory: Directory | None = None) -> Recipient:
    """A recipient that the journal names, with everything that it is reached at: that stands nowhere but in the plan."""
    if identifier in plan.people:
        return person_recipient(plan, identifier, "")
    audience = identifier.removeprefix(EXERCISE_MAILBOX).partition(":")[0]
    known = (audience,) if audience in plan.audiences or audience.startswith(VENDOR) else ()
    found = addressed(plan, known, Occasion.INCIDENT, directory=directory) if not identifier.startswith(EXERCISE_MAILBOX) else ()
    mailbox = Recipient(identifier, identifier, audience, None, {} if TOGETHER in identifier else None)
    return next((recipient for recipient in found if recipient.identifier == identifier), mailbox)


def _ladder(plan: Plan, severity: str, people: Mapping[str, tuple[str, ...]]) -> tuple[_Step, ...]:
    places = max(len(found) for found in people.values())
    persons = tuple(_Step("primary" if place == 0 else "backup", place) for place in range(places))
    as_grave = reversed(_GRAVEST_FIRST[: _GRAVEST_FIRST.index(severity) + 1])
    rows = (row for grave in as_grave for priority, row in plan.escalation.items() if priority == grave)
    return (*persons, *(_Step("level", row=row) for row in rows if row.audience))


def _whom(
    plan: Plan,
    facts: IncidentFacts,
    step: _Step,
    roles: tuple[str, ...],
    people: Mapping[str, tuple[str, ...]],
    at_seconds: float,
    directory: Directory | None,
) -> tuple[Recipient, ...]:
    if step.row is not None:
        occasion = Occasion.of(facts.exercise)
        return addressed(plan, step.row.audience, occasion, at_seconds=at_seconds, directory=directory)
    found: dict[str, Recipient] = {}
    for role in roles:
        if step.place < len(people[role]):
            person = people[role][step.place]
            found.setdefault(person, person_recipient(plan, person, role))
    return tuple(found.values())


def _took_over(
    plan: Plan, facts: IncidentFacts, last: Called, roles: tuple[str, ...], people: Mapping[str, tuple[str, ...]]
) -> dict[str, Recipient]:
    """Who is first for one of these roles since a turn was handed over after the last rung, and was not called so far."""
    before = answerable(plan, facts, last.at_seconds)
    first = {people[role][0]: role for role in roles if people[role][0] not in before.get(role, ())[: last.place + 1]}
    return {person: person_recipient(plan, person, role) for person, role in first.items()}


def outs(plan: Plan, facts: IncidentFacts, told: tuple[Recipient, ...], row: Escalation, at_seconds: float) -> Iterator[CallOut]:
    """Over the person's own reach where the plan has one, else over the row's channels, all at once."""
    for recipient in told:
        reach = plan.people[recipient.person].reach if recipient.person is not None else None
        channels = row.channels if reach is None else reach.channels
        wait = 0.0 if reach is None or reach.how == "together" else facts.clock.wall_seconds(reach.wait)
        for place, channel in enumerate(channels):
            if recipient.is_reached_by(channel):
                yield CallOut(channel, recipient, at_seconds + place * wait)


def gathered(called: Iterable[CallOut]) -> Iterator[CallOut]:
    """As they are handed over: those who look at one place are called there once, at the first of their moments."""
    looking: dict[str, list[CallOut]] = {}
    for out in called:
        if looks_at_place(out.recipient, out.channel):
            looking.setdefault(out.channel, []).append(out)
        else:
            yield out
    for channel, there in looking.items():
        yield CallOut(channel, place_of_people(out.recipient for out in there), min(out.from_seconds for out in there))


def _reason(plan: Plan, roles: tuple[str, ...], step: _Step, turn: int, level: str) -> str:
    named = ", ".join(plan.roles[role].name for role in roles)
    if turn > 1 and step.rung == "primary":
        return f"everybody on the ladder was called and nobody answered for {named}: it starts over, round {turn}"
    if step.rung == "primary":
        return f"{named} must answer"
    return f"nobody answered for {named} in time: {level} is called"
