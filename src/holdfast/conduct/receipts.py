"""What channels say later about what they were handed: it arrived, it didn't, or nothing.

Rules: a receipt names the very hand-over by its delivery's key and the number of the attempt (without a number it is about the latest), and
says who reports it; it is no acknowledgement, and can execute nothing. What did not arrive, and what nothing was heard of within the
channel's time on the plan's clock, is open again and goes the second way. That an attempt was lost which another one followed changes
nothing: the delivery goes on from that other one.
"""

from collections.abc import Iterator, Mapping

from holdfast.conduct.quiet_test import arrived as of_a_test
from holdfast.conduct.situation import Command, Move, Situation, Write
from holdfast.decision.deliveries import Attempts, Delivery, delivery_of
from holdfast.decision.replay import IncidentState
from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record
from holdfast.plan.values import spoken_duration

MACHINE = "machine:"
"""Before the name of whoever reports."""
ARRIVED, LOST = "delivered", "failed"


def without_receipt(situation: Situation, incident: IncidentState, begun: Mapping[Delivery, Attempts]) -> Iterator[Write]:
    """Deliveries whose receipt is missing for too long."""
    for (key, channel, recipient), attempts in begun.items():
        within = attempts.receipt_within_seconds
        if within is None or not attempts.lacks_receipt(situation.now, incident.clock):
            continue
        reason = f"no receipt within {spoken_duration(within)}; it goes the second way too"
        named = {"key": key, "message": _message_of(incident, (key, channel, recipient)), "channel": channel, "recipient": recipient}
        yield Write(Kind.NOTIFICATION_UNKNOWN, incident.incident, {**named, "reason": reason, "repeats": True})


def receipt(situation: Situation, command: Command) -> tuple[str, tuple[Move, ...]]:
    """A channel's later word. Arguments: key (message/channel/recipient), attempt (may be left out), result (delivered | failed), how."""
    if not command.by.startswith(MACHINE):
        return "refused: a receipt comes from a channel, not from a person; a person acknowledges", ()
    given, result = str(command.arguments.get("key")), command.arguments.get("result")
    if result not in (ARRIVED, LOST):
        return f"refused: a receipt says {ARRIVED} or {LOST}", ()
    said_how = str(command.arguments.get("how") or command.by.removeprefix(MACHINE))[:200]
    if (of_test := of_a_test(situation, given, said_how, str(result))) is not None:
        return of_test
    found = _handed_over(situation, given, command.arguments.get("attempt"))
    if found is None:
        return "refused: nothing was handed over under this key", ()
    incident, intent, is_latest = found
    key, channel, recipient = delivery_of(intent.body)
    if result == ARRIVED:
        if _is_known(incident, Kind.NOTIFICATION_DELIVERED, (key, channel, recipient)):
            return "accepted: that was known", ()
        arrived = {"key": key, "channel": channel, "recipient": recipient, "at_seconds": situation.now, "how": said_how}
        return "accepted: it arrived", (Write(Kind.NOTIFICATION_DELIVERED, incident.incident, arrived),)
    if not is_latest:
        return "accepted: it did not arrive, and was handed over again since", ()
    over = {"over": intent.body["over"]} if "over" in intent.body else {}
    named = {"key": key, "message": intent.body["message"], "channel": channel, "recipient": recipient, **over}
    return "accepted: it did not arrive", (
        Write(Kind.NOTIFICATION_FAILED, incident.incident, {**named, "reason": f"not delivered: {said_how}"}),
    )


def _handed_over(situation: Situation, given: str, attempt: object) -> tuple[IncidentState, Record, bool] | None:
    """The intent that a receipt names, and whether it is the latest of its delivery; without a number it is that one."""
    for incident in reversed(tuple(situation.installation.incidents.values())):
        is_latest = True
        for record in reversed(incident.records):
            if record.kind != Kind.NOTIFICATION_INTENDED or "/".join(delivery_of(record.body)) != given:
                continue
            if attempt is None or record.body["attempt"] == attempt:
                return incident, record, is_latest
            is_latest = False
    return None


def _is_known(incident: IncidentState, kind: Kind, delivery: Delivery) -> bool:
    return any(record.kind == kind and delivery_of(record.body) == delivery for record in incident.records)


def _message_of(incident: IncidentState, delivery: Delivery) -> str:
    intents = (record for record in incident.records if record.kind == Kind.NOTIFICATION_INTENDED)
    return next((str(record.body["message"]) for record in intents if delivery_of(record.body) == delivery), "")
