"""Which messages of the plan are owed: by when, to whom, over which channels, and why.

Rules: a message is owed as soon as its conditions hold (scenario, severity, functions hit, length of the outage, service back); it may be
sent from `from_seconds` on and is late after `due_seconds`. A repeated message falls due at `due`, then at every interval until service is
back. What counts down stops where service is back: nobody is told of an outage that was over before its message was owed. Whoever is on
call when a message falls owed hears it, and when the turn is handed over, whoever has it then hears the next. All of it runs
on the plan's clock (`IncidentFacts.clock`); the moments that come out are the wall's.
Never here: sending, or remembering what was sent; `key` is stable, so that whoever does can tell a repeat.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from holdfast.communications.facts import IncidentFacts
from holdfast.communications.obligations import LaterReport, all_messages
from holdfast.communications.oncall import Shift, on_call, rotations_behind
from holdfast.communications.places import NEEDS_NO_LIST, HandOver, delivered, places_of
from holdfast.communications.recipients import PLACES, Directory, Recipient, addressed
from holdfast.plan.model import Message, Plan, Scenario
from holdfast.plan.people import Occasion
from holdfast.plan.values import spoken_duration

_EARLY_SHARE = 0.2
"""A repeated message may go out this share of its interval ahead of its moment, or it could never be on time."""
_MOST_REPEATS = 500
"""An incident that lasts for weeks owes no more of one message than this; the latest ones count."""


@dataclass(frozen=True, slots=True)
class DueMessage:
    """One message that is owed. Moments in wall-clock seconds since 1970."""

    key: str
    """Incident, message and occurrence: the same in every call, and after a restart."""
    message: str
    occurrence: int
    from_seconds: float
    due_seconds: float
    recipients: tuple[Recipient, ...]
    channels: tuple[str, ...]
    step: str | None
    """The scenario's step that sends it; None when it is sent as soon as it is owed."""
    reason: str
    unknown: tuple[str, ...] = ()
    """Audiences of which nobody knows who is in them: their directory doesn't answer, and no copy of it is left."""
    places: Mapping[str, Recipient] = field(default_factory=dict)
    """Channel → the recipient that stands for all who look at its one place."""

    @property
    def at_last_seconds(self) -> float:
        """When it goes out although the step that should send it has not come yet."""
        return self.due_seconds - (self.due_seconds - self.from_seconds) * _EARLY_SHARE

    @property
    def deliveries(self) -> tuple[HandOver, ...]:
        """Every channel with every address that it reaches, and with its place where it has one for all."""
        return tuple(delivered(self.channels, self.recipients, self.places))

    @property
    def reached(self) -> Mapping[str, tuple[str, ...]]:
        """Identifiers of those who are told over each channel that has a place: not everybody has a hand-over of their own there."""
        return {
            channel: tuple(one.recipient.identifier for one in delivered((channel,), self.recipients, self.places))
            for channel in self.channels
            if channel in PLACES
        }


def due(plan: Plan, scenario: str, facts: IncidentFacts, now: float, directory: Directory | None = None) -> tuple[DueMessage, ...]:
    """Messages owed until `now`, the earliest first, those already overdue included."""
    senders = _senders(plan.scenarios[scenario])
    messages = all_messages(plan)
    applying = {name: message for name, message in messages.items() if _applies(message, scenario, facts)}
    told = {name: _Told(plan, message, facts, directory) for name, message in applying.items()}
    owed = [
        DueMessage(
            key=f"{facts.incident}/{name}/{occurrence}",
            message=name,
            occurrence=occurrence,
            from_seconds=earliest,
            due_seconds=moment,
            recipients=everybody,
            places=places,
            channels=message.channels,
            step=senders.get(name) if occurrence == 1 else None,
            reason=_reason(plan, message, facts, moment)
            + ("" if directory is None or facts.exercise else directory.copies_of(message.audience, now)),
            unknown=() if directory is None or facts.exercise or _needs_no_list(message) else directory.unknown_of(message.audience),
        )
        for name, message in applying.items()
        for occurrence, earliest, moment in _on_the_wall(message, facts, now)
        if earliest <= now
        for everybody, places in (told[name].at(earliest),)
    ]
    return tuple(sorted(owed, key=lambda message: (message.due_seconds, message.from_seconds)))


def next_change_seconds(plan: Plan, scenario: str, facts: IncidentFacts, now: float) -> float:
    """The earliest moment after `now` at which another message is owed, if nothing else happens; infinity when none ever is.

    Whoever keeps many incidents' clocks needs to look at each only then, or when its facts change.
    """
    moments = (
        moment
        for message in all_messages(plan).values()
        if _applies(message, scenario, facts)
        for moment in _starts_after(message, facts, now)
    )
    return min(moments, default=math.inf)


def recipients(
    plan: Plan, message: Message, facts: IncidentFacts, directory: Directory | None = None, at_seconds: float | None = None
) -> tuple[Recipient, ...]:
    """Who hears the message, in the plan's order, nobody twice. `at_seconds`: when it falls owed; nobody heard before the company knew."""
    known = facts.started_seconds if facts.aware_seconds is None else facts.aware_seconds
    at = known if at_seconds is None else max(at_seconds, known)
    return addressed(plan, message.audience, Occasion.of(facts.exercise), at_seconds=at, directory=directory)


class _Told:
    """Who hears one message at each moment: looked up once for everybody's turn, since one may be owed 500 times."""

    def __init__(self, plan: Plan, message: Message, facts: IncidentFacts, directory: Directory | None) -> None:
        self._plan = plan
        self._message = message
        self._facts = facts
        self._directory = directory
        self._rotations = rotations_behind(plan, message.audience, Occasion.of(facts.exercise))
        self._turns: dict[str, Shift] = {}
        self._known: dict[tuple[str | None, ...], tuple[tuple[Recipient, ...], Mapping[str, Recipient]]] = {}

    def at(self, at_seconds: float) -> tuple[tuple[Recipient, ...], Mapping[str, Recipient]]:
        """Everybody, and who stands for each place. Ask for moments in order."""
        moment = max(at_seconds, self._facts.aware_seconds or at_seconds)
        for rotation in self._rotations:
            turn = self._turns.get(rotation)
            if turn is None or not turn.start_seconds <= moment < turn.end_seconds:
                self._turns[rotation] = on_call(self._plan, rotation, moment)
        people = tuple(self._turns[rotation].person for rotation in self._rotations)
        if people not in self._known:
            told = recipients(self._plan, self._message, self._facts, self._directory, moment)
            occasion = Occasion.of(self._facts.exercise)
            self._known[people] = told, places_of(self._plan, self._message.audience, told, self._message.channels, occasion)
        return self._known[people]


def _needs_no_list(message: Message) -> bool:
    return all(channel in NEEDS_NO_LIST for channel in message.channels)


def _senders(scenario: Scenario) -> dict[str, str]:
    steps = (step for phase in scenario.phases for step in phase.steps if step.block == "notify")
    return {step.parameters["message"]: step.id for step in steps}


def _applies(message: Message, scenario: str, facts: IncidentFacts) -> bool:
    in_this_scenario = not message.scenarios or scenario in message.scenarios
    at_this_severity = not message.severities or facts.severity in message.severities
    hits_its_functions = not message.functions or bool(set(message.functions) & set(facts.functions))
    return in_this_scenario and at_this_severity and hits_its_functions


def _plan_moments(facts: IncidentFacts, now: float) -> tuple[float, float, float | None, float | None]:
    """Start, now, service back and aware, as the plan's clock shows them."""
    start, clock = facts.started_seconds, facts.clock

    def shown(at_seconds: float | None) -> float | None:
        return None if at_seconds is None else clock.plan_moment(start, at_seconds)

    return start, clock.plan_moment(start, now), shown(facts.restored_seconds), shown(facts.aware_seconds)


def _on_the_wall(message: Message, facts: IncidentFacts, now: float) -> Iterator[tuple[int, float, float]]:
    start, clock = facts.started_seconds, facts.clock
    for number, earliest, moment in _occurrences(message, *_plan_moments(facts, now)):
        yield number, clock.wall_moment(start, earliest), clock.wall_moment(start, moment)


def _occurrences(message: Message, start: float, now: float, over: float | None, aware: float | None) -> Iterator[tuple[int, float, float]]:
    """(number, from, due) of every time that the message is owed up to `now`, all on the plan's clock."""
    if message.counts_from == "restored":
        if over is not None:
            yield 1, over, over + message.due
        return
    if message.counts_from == "aware":
        if aware is not None:  # an authority is told also of what is over
            yield 1, aware + _opens_after(message), aware + message.due
        return
    if message.every is None or message.every <= 0:
        earliest = start + message.lasting
        if over is None or earliest < over:
            yield 1, earliest, start + max(message.due, message.lasting)
        return
    lead = message.every * _EARLY_SHARE
    end = now + lead if over is None else min(now + lead, over)
    repeats = int(max(end - start - message.due, -message.every) // message.every) + 1
    for number in range(max(0, repeats - _MOST_REPEATS), repeats):
        moment = start + message.due + number * message.every
        if moment - start > message.lasting:
            yield number + 1, moment - lead, moment


def _opens_after(message: Message) -> float:
    """How long after the company knew a message is owed."""
    return message.opens_after if isinstance(message, LaterReport) else 0.0


def _starts_after(message: Message, facts: IncidentFacts, now: float) -> Iterator[float]:
    """When the message is owed next, on the wall."""
    start, shown, over, aware = _plan_moments(facts, now)
    if message.counts_from == "aware" and aware is not None and aware + _opens_after(message) > shown:
        yield facts.clock.wall_moment(start, aware + _opens_after(message))
    if message.counts_from != "start" or over is not None:
        return
    earliest = start + message.lasting
    if message.every is not None and message.every > 0:
        lead = message.every * _EARLY_SHARE
        first = start + message.due - lead
        number = max(0, math.floor((shown - first) / message.every) + 1)
        earliest = first + number * message.every
    if earliest > shown:
        yield facts.clock.wall_moment(start, earliest)


def _reason(plan: Plan, message: Message, facts: IncidentFacts, moment: float) -> str:
    if message.counts_from == "restored":
        return f"the plan tells them within {spoken_duration(message.due)} after service is back"
    if message.counts_from == "aware":
        return f"they must be told within {spoken_duration(message.due)} after the company knew"
    conditions = []
    if message.severities:
        conditions.append(f"severity is {facts.severity}")
    if message.functions:
        hit = [plan.functions[name].name for name in message.functions if name in facts.functions]
        conditions.append(f"{' and '.join(hit)} {'is' if len(hit) == 1 else 'are'} hit")
    if message.lasting:
        conditions.append(f"the outage has lasted longer than {spoken_duration(message.lasting)}")
    often = (
        f"every {spoken_duration(message.every)}"
        if message.every
        else f"within {spoken_duration(facts.clock.plan_seconds(moment - facts.started_seconds))}"
    )
    because = f", since {' and '.join(conditions)}" if conditions else ""
    return f"the plan tells them {often} from the start{because}"
