"""Channels that go on alerting by themselves until they hear more: they are told once that somebody has it, and once that service is back.

Rules: only where an alert went over such a channel, and only after that was recorded, or it would be opened by what should end it. It
follows from the journal, and is owed like a message: with a record that it is due, and an intent before it is handed over.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from holdfast.communications import IncidentFacts
from holdfast.communications.asking import DECISION_WITHIN_SECONDS, PAGERS
from holdfast.decision.deliveries import Attempts, Delivery, delivery_of
from holdfast.decision.replay import IncidentState
from holdfast.journal.kinds import Kind
from holdfast.plan.model import Words

LATELY_SECONDS = 86_400.0
"""An incident that was over for a day pages nobody any more, whatever its pager was told."""
HAS_IT, IS_OVER = "somebody-has-it", "is-over"
"""How the two are called among messages; neither is one of the plan."""


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


def words_to_pagers(incident: IncidentState, facts: IncidentFacts) -> Iterator[Word]:
    """What each pager of this incident is owed by now."""
    given = next((record for record in incident.course if record.kind in (Kind.ACKNOWLEDGED, Kind.APPROVED)), None)
    for channel, recipient in _alerted(incident).items():
        if given is not None and facts.restored_seconds is None and not incident.ended:
            said = Words("{severity}: {plan}: somebody has {incident}", f"{given.body['person']} has it. State: {{state}}\n", "")
            yield Word(f"{incident.incident}/{HAS_IT}/1", HAS_IT, channel, recipient, "acknowledged", given.at_seconds, said)
        over = facts.restored_seconds if facts.restored_seconds is not None else _ended_seconds(incident)
        if over is not None:
            how = "service is back" if facts.restored_seconds is not None else "it is over"
            said = Words(f"{{plan}}: {{incident}}: {how}", "State: {state}\n", "")
            yield Word(f"{incident.incident}/{IS_OVER}/1", IS_OVER, channel, recipient, "resolved", over, said)


def owes_pagers(incident: IncidentState, now: float) -> bool:
    """Whether a pager that alerted has not heard yet, for good, that an incident is over that ended lately."""
    ended = _ended_seconds(incident)
    if ended is None or now - ended > LATELY_SECONDS:
        return False
    heard = {
        record.body["channel"]
        for record in incident.records
        if record.kind in (Kind.NOTIFICATION_SENT, Kind.NOTIFICATION_GIVEN_UP) and record.body["message"] == IS_OVER
    }
    return not heard >= _alerted(incident).keys()


def _ended_seconds(incident: IncidentState) -> float | None:
    """When it was closed without service having been lost and brought back; None while it is open."""
    return next((record.at_seconds for record in reversed(incident.course) if record.kind == Kind.INCIDENT_CLOSED), None)


def closed_by_the_end(incident: IncidentState, begun: Mapping[Delivery, Attempts]) -> Mapping[Delivery, Attempts]:
    """The deliveries, with those closed that were begun over a pager before it heard that service is back: told now, they would open a new
    alert and page somebody again. What is begun after that is new trouble."""
    open_until: dict[str, int] = {}
    for record in incident.records:
        if record.kind == Kind.NOTIFICATION_SENT and record.body["message"] == IS_OVER:
            open_until.setdefault(record.body["channel"], record.sequence)
    if not open_until:
        return begun
    late = {
        delivery_of(record.body)
        for record in incident.records
        if record.kind == Kind.NOTIFICATION_INTENDED and record.sequence < open_until.get(record.body["channel"], 0)
    }
    return {delivery: replace(attempts, closed=True) if delivery in late else attempts for delivery, attempts in begun.items()}


def _alerted(incident: IncidentState) -> dict[str, str]:
    """Pager → the first whom an alert over it named."""
    found: dict[str, str] = {}
    for record in incident.records:
        if record.kind == Kind.NOTIFICATION_SENT and (over := record.body.get("over") or record.body["channel"]) in PAGERS:
            found.setdefault(over, record.body["recipient"])
    return found
