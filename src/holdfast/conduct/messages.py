"""Messages that are owed now, from the plan and the journal: recorded as due first, then handed over delivery by delivery.

A delivery that failed is tried again after a pause that grows, at most five times in all; what was sent is never sent again,
because its key is in the journal.
"""

from typing import Any

from holdfast.communications import DueMessage, IncidentFacts, due, rendered
from holdfast.conduct.runs import FAILOVER
from holdfast.conduct.situation import Move, Situation, Tell, Write
from holdfast.decision.replay import IncidentState
from holdfast.decision.table import State
from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record
from holdfast.plan.tiers import cost_so_far

PAUSES_SECONDS = (2.0, 10.0, 30.0, 60.0)
"""After each failed attempt: a channel that is down for a minute must not cost the message."""
ATTEMPTS = len(PAUSES_SECONDS) + 1
WORTH_WAITING_SECONDS = 60.0
_WORDS = {
    State.DECLARED: "under investigation",
    State.AWAITING_APPROVAL: "waiting for a decision",
    State.ACTIVATING: "recovery under way",
    State.NEEDS_PERSON: "recovery under way, a person is needed",
}


def incident_facts(situation: Situation, incident: IncidentState) -> IncidentFacts:
    """What messages may say about the incident now."""
    restored = next((record.at_seconds for record in incident.records if _is_back(record)), None)
    functions: dict[str, None] = dict.fromkeys(hit.function for hit in situation.functions_hit)
    done = []
    for record in incident.records:
        if record.kind == Kind.SEVERITY_CHANGED:
            functions |= dict.fromkeys(record.body["functions"])
        elif record.kind == Kind.STEP_FINISHED and record.body["outcome"] in ("succeeded", "settled"):
            done.append(record.body["step"])
    commander = next((r.body["roles"].get("incident-commander") for r in incident.records if r.kind == Kind.ROLES_ACTIVATED), None)
    return IncidentFacts(
        incident=incident.incident,
        started_seconds=incident.impact_seconds,
        source=incident.source,
        target=incident.target,
        severity=incident.severity,
        functions=tuple(functions),
        commander=commander,
        exercise=incident.exercise,
        state=_WORDS.get(incident.state, "service is back"),
        actions_taken=tuple(done),
        cost_usd=cost_so_far(situation.plan, situation.now - incident.impact_seconds).usd,
        restored_seconds=restored,
    )


def _is_back(record: Record) -> bool:
    """Whether this record says that every function is served again."""
    return record.kind == Kind.RUN_FINISHED and record.body["run"] == FAILOVER and record.body["outcome"] == "succeeded"


def owed(situation: Situation, incident: IncidentState) -> tuple[DueMessage, ...]:
    """Messages that the plan owes by now, the earliest first."""
    return due(situation.plan, incident.scenario, incident_facts(situation, incident), situation.now)


def due_record(incident: IncidentState, message: DueMessage) -> Write:
    """The record that a message is owed."""
    body: dict[str, Any] = {
        "key": message.key,
        "message": message.message,
        "audience": [recipient.identifier for recipient in message.recipients],
        "channels": list(message.channels),
        "due_seconds": message.due_seconds,
        "reason": message.reason,
    }
    return Write(Kind.NOTIFICATION_DUE, incident.incident, body)


def may_try_again(attempts: int, last_seconds: float, now: float) -> bool:
    """Whether another attempt at a delivery that failed so often is left, and its pause is over."""
    return attempts < ATTEMPTS and now >= last_seconds + PAUSES_SECONDS[attempts - 1]


def _may_try(incident: IncidentState, key: str, channel: str, recipient: str, now: float) -> bool:
    """Whether another attempt at this delivery is left, and its pause is over."""
    wanted = (key, channel, recipient)
    failed = [
        record.at_seconds
        for record in incident.records
        if record.kind == Kind.NOTIFICATION_FAILED and (record.body["key"], record.body["channel"], record.body["recipient"]) == wanted
    ]
    return not failed or may_try_again(len(failed), failed[-1], now)


def _can_say(situation: Situation, incident: IncidentState, message: DueMessage) -> bool:
    """Whether it is worth sending now: before anybody knows how severe it is, only what is due within a minute goes out."""
    return incident.severity is not None or message.due_seconds - situation.now <= WORTH_WAITING_SECONDS


def messages(situation: Situation, incident: IncidentState) -> tuple[Move, ...]:
    """Record what fell due, and hand over what is due and wasn't sent."""
    now_owed = owed(situation, incident)
    sent_by_steps = {record.body["step"] for record in incident.records if record.kind == Kind.STEP_FINISHED}
    fallen_due = [
        message
        for message in now_owed
        if message.key not in incident.messages_due
        and (message.step is None or message.step in sent_by_steps)
        and _can_say(situation, incident, message)
    ]
    if fallen_due:
        return tuple(due_record(incident, message) for message in fallen_due)
    facts = incident_facts(situation, incident)
    moves: list[Move] = []
    for message in now_owed:
        if message.key not in incident.messages_due:
            continue
        for channel, recipient in message.deliveries:
            delivery = (message.key, channel, recipient.identifier)
            if delivery in incident.messages_sent or delivery in situation.telling:
                continue
            if not _may_try(incident, *delivery, situation.now):
                continue
            subject, body = rendered(situation.plan, incident.scenario, message.message, facts, situation.now)
            moves.append(Tell(incident.incident, message.key, message.message, channel, recipient.identifier, subject, body))
    return tuple(moves)
