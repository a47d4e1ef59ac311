"""Which messages of the plan are owed: by when, to whom, over which channels, and why.

Rules: a message is owed as soon as its conditions hold (severity, functions hit, length of the outage, service back); it may be sent
from `from_seconds` on and is late after `due_seconds`. A repeated message falls due at `due`, then at every interval until service is
back. In an exercise roles mean their stand-ins, and an audience is one mailbox named after it: no person behind it is reached.
What counts down stops where service is back: nobody is told of an outage that was over before its message was owed.
Never here: sending, or remembering what was sent; `key` is stable, so that whoever does can tell a repeat.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from holdfast.communications.facts import IncidentFacts
from holdfast.plan.model import Message, Plan, Scenario
from holdfast.plan.people import Occasion, fillers
from holdfast.plan.values import spoken_duration

_EARLY_SHARE = 0.2
"""A repeated message may go out this share of its interval ahead of its moment, or it could never be on time."""
_MOST_REPEATS = 500
"""An incident that lasts for weeks owes no more of one message than this; the latest ones count."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who is told: a person of the plan, or an audience reached as one (`person` is None). `through`: role or audience that named it."""

    identifier: str
    name: str
    through: str
    person: str | None


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

    @property
    def deliveries(self) -> tuple[tuple[str, Recipient], ...]:
        """Every channel with every recipient."""
        return tuple((channel, recipient) for channel in self.channels for recipient in self.recipients)


def due(plan: Plan, scenario: str, facts: IncidentFacts, now: float) -> tuple[DueMessage, ...]:
    """Messages owed until `now`, the earliest first, those already overdue included."""
    senders = _senders(plan.scenarios[scenario])
    applying = {name: message for name, message in plan.messages.items() if _applies(message, scenario, facts)}
    told = {name: recipients(plan, message, facts) for name, message in applying.items()}  # once: a message may be owed 500 times
    owed = [
        DueMessage(
            key=f"{facts.incident}/{name}/{occurrence}",
            message=name,
            occurrence=occurrence,
            from_seconds=earliest,
            due_seconds=moment,
            recipients=told[name],
            channels=message.channels,
            step=senders.get(name) if occurrence == 1 else None,
            reason=_reason(plan, message, facts, moment),
        )
        for name, message in applying.items()
        for occurrence, earliest, moment in _occurrences(message, facts, now)
        if earliest <= now
    ]
    return tuple(sorted(owed, key=lambda message: (message.due_seconds, message.from_seconds)))


def recipients(plan: Plan, message: Message, facts: IncidentFacts) -> tuple[Recipient, ...]:
    """Who hears the message, in the plan's order, nobody twice."""
    return addressed(plan, message.audience, Occasion.INCIDENT if facts.exercise is None else Occasion.EXERCISE)


def addressed(plan: Plan, audience: Iterable[str], occasion: Occasion) -> tuple[Recipient, ...]:
    """Who stands behind these roles and audiences, in the plan's order, nobody twice."""
    found: dict[str, Recipient] = {}
    for identifier in audience:
        for recipient in _named(plan, identifier, occasion):
            found.setdefault(recipient.identifier, recipient)
    return tuple(found.values())


def _named(plan: Plan, identifier: str, occasion: Occasion) -> Iterator[Recipient]:
    role = plan.roles.get(identifier)
    if role is not None:
        people = fillers(role, occasion)
        if not people:
            yield Recipient(f"exercise:{identifier}", f"{role.name} (nobody stands in)", identifier, None)
        yield from (_person(plan, person, identifier) for person in people)
        return
    audience = plan.audiences[identifier]
    if occasion is Occasion.EXERCISE:
        yield Recipient(f"exercise:{identifier}", audience.name, identifier, None)
        return
    yield from (_person(plan, person, identifier) for person in audience.people)
    for inner in audience.roles:
        yield from (_person(plan, person, identifier) for person in fillers(plan.roles[inner], occasion))
    if audience.address is not None:
        yield Recipient(audience.address, audience.name, identifier, None)


def _person(plan: Plan, person: str, through: str) -> Recipient:
    return Recipient(person, plan.people[person].name, through, person)


def _senders(scenario: Scenario) -> dict[str, str]:
    steps = (step for phase in scenario.phases for step in phase.steps if step.block == "notify")
    return {step.parameters["message"]: step.id for step in steps}


def _applies(message: Message, scenario: str, facts: IncidentFacts) -> bool:
    in_this_scenario = not message.scenarios or scenario in message.scenarios
    at_this_severity = not message.severities or facts.severity in message.severities
    hits_its_functions = not message.functions or bool(set(message.functions) & set(facts.functions))
    return in_this_scenario and at_this_severity and hits_its_functions


def _occurrences(message: Message, facts: IncidentFacts, now: float) -> Iterator[tuple[int, float, float]]:
    """(number, from, due) of every time that the message is owed up to `now`."""
    start = facts.started_seconds
    if message.counts_from == "restored":
        if facts.restored_seconds is not None:
            yield 1, facts.restored_seconds, facts.restored_seconds + message.due
        return
    over = facts.restored_seconds
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


def _reason(plan: Plan, message: Message, facts: IncidentFacts, moment: float) -> str:
    if message.counts_from == "restored":
        return f"the plan tells them within {spoken_duration(message.due)} after service is back"
    conditions = []
    if message.severities:
        conditions.append(f"severity is {facts.severity}")
    if message.functions:
        hit = [plan.functions[name].name for name in message.functions if name in facts.functions]
        conditions.append(f"{' and '.join(hit)} {'is' if len(hit) == 1 else 'are'} hit")
    if message.lasting:
        conditions.append(f"the outage has lasted longer than {spoken_duration(message.lasting)}")
    often = f"every {spoken_duration(message.every)}" if message.every else f"within {spoken_duration(moment - facts.started_seconds)}"
    because = f", since {' and '.join(conditions)}" if conditions else ""
    return f"the plan tells them {often} from the start{because}"
