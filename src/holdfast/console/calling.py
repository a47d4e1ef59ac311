"""Messages and calls of an incident, as the read model shows them: what is due, sent, delivered, acknowledged and late.

Rules: one line for each message and channel, with numbers instead of names: a mailing may go to thousands. What was called and who has
answered is listed by role, with who is to answer by when.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from holdfast.communications import delivered
from holdfast.communications.places import stood_for
from holdfast.conduct.answering import answered_roles, called_as_for, calls_of
from holdfast.conduct.facts import incident_facts
from holdfast.conduct.messages import messages_to_come
from holdfast.conduct.situation import Situation
from holdfast.decision.replay import IncidentState
from holdfast.journal.kinds import Kind
from holdfast.report.history import History
from holdfast.report.telling import Attempts, answered_at, index_of, who_answers

_MOST_FAILURES = 3


def calling(situation: Situation, incident: IncidentState) -> dict[str, Any]:
    """Who was called last, who has answered, and for which roles nobody has. `loud`: everybody was called, and nobody answered.

    `as_for`: why people are called by another row of the matrix than the severity's own; empty where they are not.
    """
    calls = calls_of(incident)
    last = calls[-1].body if calls else None
    answered = answered_roles(incident)
    called = dict.fromkeys(role for call in calls for role in call.body["roles"])
    unanswered = [role for role in called if role not in answered]
    over = incident.ended or incident_facts(situation, incident).restored_seconds is not None
    people = {
        role: {"person": record.body["person"], "at_seconds": record.at_seconds, "way": record.body["way"]}
        for record in reversed(incident.records)
        if record.kind == Kind.ACKNOWLEDGED
        for role in record.body["roles"]
    }
    return {
        "called": sum(1 for _ in calls),
        "round": 0 if last is None else last["round"],
        "level": None if last is None else last["level"],
        "answer_by_seconds": None if last is None or not unanswered or over else last["answer_by_seconds"],
        "unanswered": [] if over else unanswered,
        "as_for": "" if over else called_as_for(incident),
        "loud": bool(last is not None and last["round"] > 1 and unanswered and not over),
        "answered": people,
    }


def messages(situation: Situation, incident: IncidentState) -> list[dict[str, Any]]:
    """Every message that fell due or is to come, a line for each channel. Moments in seconds since 1970."""
    history = History(incident.incident, incident.records)
    index, answered = index_of(history), answered_at(history)
    lines: list[dict[str, Any]] = []
    for record in incident.records:
        if record.kind == Kind.NOTIFICATION_DUE:
            body = record.body
            for channel in body["channels"]:
                known = {who: found for (over, who), found in index.get(body["key"], {}).items() if over == channel}
                wanted = known or dict.fromkeys(body.get("reached", {}).get(channel, body["audience"]), Attempts())
                lines.append(_line(situation.now, body, body["message"], str(channel), body["due_seconds"], wanted, answered))
        elif record.kind == Kind.ESCALATED:
            lines.extend(_calls(situation.now, record.body, index.get(record.body["key"], {}), answered))
    known_keys = {line["key"] for line in lines}
    return [*lines, *(line for line in _to_come(situation, incident) if line["key"] not in known_keys)]


def _calls(
    now: float, body: Mapping[str, Any], known: Mapping[tuple[str, str], Attempts], answered: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    for channel in dict.fromkeys(channel for channel, _, _ in body["calls"]):
        begun = {who: found for (over, who), found in known.items() if over == channel}
        together = {one for who in begun for one in stood_for(who)}  # called at one place, all by one hand-over
        named = (who for over, who, _ in body["calls"] if over == channel)
        wanted = {**{who: Attempts() for who in named if who not in together}, **begun}
        yield _line(now, body, "call", channel, body["answer_by_seconds"], wanted, answered)


def _line(
    now: float,
    body: Mapping[str, Any],
    message: str,
    channel: str,
    due_seconds: float,
    wanted: Mapping[str, Attempts],
    answered: Mapping[str, Any],
) -> dict[str, Any]:
    sent = {who: found.sent.at_seconds for who, found in wanted.items() if found.sent is not None}
    missing = len(wanted) - len(sent)
    late = [who for who, at in sent.items() if at > due_seconds]
    acknowledged = sum(any(at >= moment for one in who_answers(body, who) for at in answered.get(one, ())) for who, moment in sent.items())
    failures = [failure for found in wanted.values() for failure in found.failures]
    return {
        "key": body["key"],
        "message": message,
        "channel": channel,
        "recipients": len(wanted),
        "to": sorted(wanted)[:_MOST_FAILURES],
        "due_seconds": due_seconds,
        "sent": len(sent),
        "last_sent_seconds": max(sent.values(), default=None),
        "delivered": sum(found.delivered_seconds is not None for found in wanted.values()),
        "acknowledged": acknowledged,
        "late": len(late) + (missing if now > due_seconds else 0),
        "failures": failures[:_MOST_FAILURES],
        "given_up": sum(found.given_up and found.sent is None for found in wanted.values()),
        "may_be_twice": sum(found.may_be_twice for found in wanted.values()),
        "reason": body["reason"],
    }


def _to_come(situation: Situation, incident: IncidentState) -> Iterator[dict[str, Any]]:
    """What is owed next if nothing changes: people may write its words before it goes out."""
    for message in () if incident.ended else messages_to_come(situation, incident):
        for channel in message.channels:
            body = {"key": message.key, "reason": message.reason}
            told = delivered((channel,), message.recipients, message.places)
            wanted = {one.recipient.identifier: Attempts() for one in told}
            yield _line(situation.now, body, message.message, channel, message.due_seconds, wanted, {})
