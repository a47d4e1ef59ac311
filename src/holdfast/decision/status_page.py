"""What the status page was told of an incident, as the records tell it.

Rules: an intent names the state that the page is to say, and it counts as told once the hand-over was sent. Where an earlier hand-over of
the same message may have said another state, nobody knows which one stands there, so that neither counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from holdfast.decision.deliveries import Delivery, delivery_of
from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record


@dataclass(frozen=True, slots=True)
class PageTold:
    """The page so far. `recipient`: whom the first message on it was for; None while the page says nothing of the incident."""

    recipient: str | None = None
    since_seconds: float = 0.0
    states: tuple[str, ...] = ()
    """What it says, in the order in which it was told."""
    begun: Mapping[Delivery, frozenset[str]] = field(default_factory=dict)
    """Hand-over → the states that its intents named."""


def after_one_more(page: PageTold, record: Record) -> PageTold:
    """The page after an intent or what became of it."""
    delivery, status = delivery_of(record.body), record.body.get("status")
    if record.kind == Kind.NOTIFICATION_INTENDED:
        if status is None:
            return page
        return replace(page, begun={**page.begun, delivery: page.begun.get(delivery, frozenset()) | {status}})
    if delivery not in page.begun or record.body.get("over") is not None:  # told over another channel, which is no page
        return page
    opened = page if page.recipient is not None else replace(page, recipient=delivery[2], since_seconds=record.at_seconds)
    said = page.begun[delivery] if len(page.begun[delivery]) == 1 else frozenset()
    return replace(opened, states=(*page.states, *(state for state in said if state not in page.states)))
