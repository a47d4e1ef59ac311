"""Channels that go on alerting by themselves until they hear more: they are told once that somebody has it, and once that service is back.

Rules: only where an alert went over such a channel or may have, and only after what became of it was recorded, or it would be opened by
what should end it. A pager is known by its channel, or, as either way of another channel, by how that is bound and by the references of
what it took. It hears by its own way and no other: there it would wake somebody to say that it is over, and count as said. What it hears
follows from the journal, and is owed like a message: with a record that it is due, and an intent before it is handed over.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from holdfast.communications.asking import DECISION_WITHIN_SECONDS
from holdfast.decision.deliveries import Attempts, Delivery, delivery_of
from holdfast.decision.references import FIRST_UNKNOWN, SECOND
from holdfast.decision.replay import IncidentState
from holdfast.journal.kinds import Kind
from holdfast.plan.model import Plan, Words

LATELY_SECONDS = 86_400.0
"""An incident that was over for a day pages nobody any more, whatever its pager was told."""
HAS_IT, IS_OVER = "somebody-has-it", "is-over"
"""How the two are called among messages; neither is one of the plan."""
PAGER_CHANNELS = ("pagerduty",)
"""Channels that are taken for pagers, whatever took what went over them."""
PAGER_WAYS = ("pagerduty",)
"""Kinds of ways that are pagers, whatever channel they are bound to."""
_FIRST, _SECOND = "1", "2"
"""How a key ends of what a pager is told, by which of its channel's ways it is."""


@dataclass(frozen=True, slots=True)
class Pager:
    """One that may be alerting. `second_way`: it is this channel's second way, whatever the first is."""

    channel: str
    second_way: bool = False

    def key(self, incident: str, message: str) -> str:
        """The key of what it is told. Each way of a channel is told by a delivery of its own."""
        return f"{incident}/{message}/{_SECOND if self.second_way else _FIRST}"


@dataclass(frozen=True, slots=True)
class Word:
    """What a pager is told. `recipient`: whom the alert over it named first."""

    key: str
    message: str
    channel: str
    recipient: str
    purpose: Literal["acknowledged", "resolved"]
    since_seconds: float
    words: Words
    second_way: bool = False

    def due(self, incident: IncidentState) -> dict[str, Any]:
        """The body of the record that it is owed."""
        return {
            "key": self.key,
            "message": self.message,
            "audience": [self.recipient],
            "channels": [self.channel],
            "due_seconds": self.since_seconds + incident.clock.wall_seconds(DECISION_WITHIN_SECONDS),
            "reason": "a pager goes on until it hears that somebody has it, or that it is over",
        }


def words_to_pagers(
    incident: IncidentState,
    restored_seconds: float | None,
    now: float,
    telling: Collection[Delivery] = (),
    bound: Collection[Pager] = (),
) -> Iterator[Word]:
    """What each pager of this incident is owed by now. `restored_seconds`: when service was back; `telling`: what is being handed over;
    its pager is told once that is over; `bound`: those that the bindings name."""
    ended = incident.ended_seconds
    if ended is not None and now - ended > LATELY_SECONDS:
        return
    given = next((record for record in incident.course if record.kind in (Kind.ACKNOWLEDGED, Kind.APPROVED)), None)
    over = restored_seconds if restored_seconds is not None else ended
    if given is None and over is None:
        return
    for pager, recipient in _alerted(incident, _known(incident, bound), telling).items():
        if over is not None:
            how = "service is back" if restored_seconds is not None else "it is over"
            said = Words(f"{{plan}}: {{incident}}: {how}", "State: {state}\n", "")
            yield _word(incident, pager, recipient, IS_OVER, "resolved", over, said)
        elif given is not None:
            said = Words("{severity}: {plan}: somebody has {incident}", f"{given.body['person']} has it. State: {{state}}\n", "")
            yield _word(incident, pager, recipient, HAS_IT, "acknowledged", given.at_seconds, said)


def _word(
    incident: IncidentState,
    pager: Pager,
    recipient: str,
    message: str,
    purpose: Literal["acknowledged", "resolved"],
    since_seconds: float,
    words: Words,
) -> Word:
    key = pager.key(incident.incident, message)
    return Word(key, message, pager.channel, recipient, purpose, since_seconds, words, pager.second_way)


def owes_pagers(incident: IncidentState, words: Iterable[Word]) -> bool:
    """Whether one of these words was neither sent nor given up."""
    told = (incident.deliveries.get((word.key, word.channel, word.recipient), Attempts()) for word in words)
    return any(not attempts.is_over for attempts in told)


def closed_by_the_end(plan: Plan, incident: IncidentState) -> Mapping[Delivery, Attempts]:
    """The incident's deliveries, with those closed that were begun over a pager before it heard that service is back: told now, they would
    open a new alert and page somebody again. For the same reason that pager stands in no more for what was begun over another channel.
    What is begun after that is new trouble."""
    over = f"{incident.incident}/{IS_OVER}/{_FIRST}"  # what a second way was told ends nothing of the first
    if over not in incident.messages_due:
        return incident.deliveries  # in the ordinary case none of a mailing's tens of thousands of records is looked at
    open_until: dict[str, int] = {}
    for record in incident.records:
        if record.kind == Kind.NOTIFICATION_SENT and record.body["key"] == over:
            open_until.setdefault(record.body["channel"], record.sequence)
    if not open_until:
        return incident.deliveries
    stands_in = {channel: route.second_channel for channel, route in plan.routes.items() if route.second_channel in open_until}
    late: set[Delivery] = set()
    alone: set[Delivery] = set()
    for record in incident.records:
        if record.kind != Kind.NOTIFICATION_INTENDED:
            continue
        channel = record.body["channel"]
        if record.sequence < open_until.get(channel, 0):
            late.add(delivery_of(record.body))
        if record.sequence < open_until.get(record.body.get("over") or stands_in.get(channel) or "", 0):
            alone.add(delivery_of(record.body))

    def now(delivery: Delivery, attempts: Attempts) -> Attempts:
        if delivery in late:
            return replace(attempts, closed=True)
        return replace(attempts, alone=True) if delivery in alone else attempts

    return {delivery: now(delivery, attempts) for delivery, attempts in incident.deliveries.items()}


def _known(incident: IncidentState, bound: Collection[Pager]) -> Mapping[str, Collection[Pager]]:
    """Channel → which of its ways are pagers; only those channels that have one."""
    took = {Pager(way.channel, way.second) for way in incident.ways if way.kind in PAGER_WAYS}
    found: dict[str, list[Pager]] = {}
    for pager in sorted({*map(Pager, PAGER_CHANNELS), *took, *bound}, key=lambda one: (one.channel, one.second_way)):
        found.setdefault(pager.channel, []).append(pager)
    return found


def _alerted(incident: IncidentState, pagers: Mapping[str, Collection[Pager]], telling: Collection[Delivery]) -> dict[Pager, str]:
    """Pager → the first whom an alert over it named. What is only intended, or came to no known end, may have alerted: unless it failed,
    or went by the channel's other way alone, it counts."""
    found: dict[Pager, str] = {}
    open_intents: dict[tuple[str, Delivery], str] = {}
    for record in incident.records:
        if record.kind not in _SAYS_OF_AN_ALERT or record.body["message"] in (HAS_IT, IS_OVER):
            continue
        channel = record.body.get("over") or record.body["channel"]
        if channel not in pagers:
            continue
        begun, recipient = (channel, delivery_of(record.body)), record.body["recipient"]
        in_doubt = open_intents.pop(begun, None) is not None and record.kind in (Kind.NOTIFICATION_INTENDED, Kind.NOTIFICATION_UNKNOWN)
        if record.kind == Kind.NOTIFICATION_INTENDED:
            open_intents[begun] = recipient
        for pager in pagers[channel]:
            if in_doubt or (record.kind == Kind.NOTIFICATION_SENT and _may_have_taken(pager, str(record.body["reference"]))):
                found.setdefault(pager, recipient)
    for (channel, _), recipient in open_intents.items():
        for pager in pagers[channel]:
            found.setdefault(pager, recipient)
    busy = {channel for channel, delivery in open_intents if delivery in telling}
    return {pager: recipient for pager, recipient in found.items() if pager.channel not in busy}


_SAYS_OF_AN_ALERT = frozenset({Kind.NOTIFICATION_INTENDED, Kind.NOTIFICATION_SENT, Kind.NOTIFICATION_FAILED, Kind.NOTIFICATION_UNKNOWN})


def _may_have_taken(pager: Pager, reference: str) -> bool:
    """Whether what was sent over its channel went by its way, or may have gone by that as well."""
    by_second = reference.startswith(SECOND)
    return by_second if pager.second_way else not by_second or reference.endswith(FIRST_UNKNOWN)
