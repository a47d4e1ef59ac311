"""What a channel says later about a message that it took: that it arrived, or that it didn't.

Rules: a receipt is about one delivery of one incident, found by the channel's own reference, or, where it is faster than the record of
the hand-over, by the message's key and its recipient. Arrived is not acknowledged. One that says no more than was known adds nothing.
"""

from collections.abc import Iterator

from holdfast.conduct.deliveries import Delivery, delivery_of
from holdfast.conduct.situation import Command, Move, Situation, Write
from holdfast.decision.replay import IncidentState
from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record

OUTCOMES = ("delivered", "failed")
_LONGEST = 300
_SETTLING = (Kind.NOTIFICATION_DELIVERED, Kind.NOTIFICATION_FAILED)


def receipt(situation: Situation, command: Command) -> tuple[str, tuple[Move, ...]]:
    """The answer to a receipt and its record.

    Arguments: outcome (delivered | failed), how (in the channel's words), reference (the channel's own), and key and recipient, where
    they are known.
    """
    given = {name: str(command.arguments.get(name) or "")[:_LONGEST] for name in ("outcome", "how", "reference", "key", "recipient")}
    if given["outcome"] not in OUTCOMES:
        return f"refused: a receipt says delivered or failed, not '{given['outcome']}'", ()
    incidents = [*situation.installation.incidents.values()][::-1]
    for incident in incidents:
        handed_over = next(_meant(incident, given["reference"], given["key"], given["recipient"]), None)
        if handed_over is not None:
            return _recorded(situation.now, incident, handed_over, given["outcome"], given["how"])
    return f"refused: nothing was handed over as '{given['reference']}'", ()


def _meant(incident: IncidentState, reference: str, key: str, recipient: str) -> Iterator[Record]:
    """Hand-overs that it may be about, the surest first."""
    sent = [record for record in reversed(incident.records) if record.kind == Kind.NOTIFICATION_SENT]
    yield from (record for record in sent if reference and _as_sent(record) == reference)
    yield from (
        record
        for record in reversed(incident.records)
        if record.kind == Kind.NOTIFICATION_INTENDED and _is_of(record, reference, key, recipient)
    )


def _as_sent(record: Record) -> str:
    """The channel's own reference, without what was noted round it about the second way."""
    return str(record.body.get("reference", "")).removeprefix("second:").partition(" ")[0]


def _is_of(record: Record, reference: str, key: str, recipient: str) -> bool:
    """Whether a hand-over of which nothing was recorded yet is meant. A channel's own key has three parts."""
    body = record.body
    return (
        bool(reference and key) and body["recipient"] == recipient and key in (body["key"], f"{body['key']}/{body['channel']}/{recipient}")
    )


def _recorded(now: float, incident: IncidentState, handed_over: Record, outcome: str, how: str) -> tuple[str, tuple[Move, ...]]:
    delivery = delivery_of(handed_over.body)
    if _known(incident, delivery) == outcome:
        return "accepted: that was known already", ()
    named = dict(zip(("key", "channel", "recipient"), delivery, strict=True))
    if outcome == "delivered":
        return "accepted: it arrived", (Write(Kind.NOTIFICATION_DELIVERED, incident.incident, {**named, "at_seconds": now, "how": how}),)
    body = {**named, "message": handed_over.body["message"], "reason": f"it did not arrive: {how}"}
    return "accepted: it did not arrive", (Write(Kind.NOTIFICATION_FAILED, incident.incident, body),)


def _known(incident: IncidentState, delivery: Delivery) -> str | None:
    """What the last word about a delivery since it was sent says of its arrival."""
    for record in reversed(incident.records):
        if record.kind in (*_SETTLING, Kind.NOTIFICATION_SENT) and delivery_of(record.body) == delivery:
            return {Kind.NOTIFICATION_DELIVERED: "delivered", Kind.NOTIFICATION_FAILED: "failed"}.get(Kind(record.kind))
    return None
