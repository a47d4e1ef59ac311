"""What people ordered last about the protection of each component: folded out of the journal, record by record.

It says what was ordered and what came of it. Whether a write waits for its replica now is what observers see (`health.protection`).
An order is about one region's time as the writer. It is kept when another region takes over, since that may be withdrawn, but stands for
nothing there (`stands`): readers ask.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record

DROPPED: Final = "asynchronous"
"""The mode in which no write waits for the replica."""
PROTECTED: Final = "synchronous"
"""The mode in which each does."""


@dataclass(frozen=True, slots=True)
class ProtectionOrder:
    """The last order about one component."""

    intent: Mapping[str, Any]
    """The body of the record that was durable before anything was ordered."""
    since_seconds: float
    outcome: str | None = None
    """succeeded, refused, failed or unknown; None while nothing is known to have come of it."""
    detail: str = ""

    @property
    def ask(self) -> str:
        """What identifies it."""
        return str(self.intent["ask"])

    @property
    def drops(self) -> bool:
        """Whether it drops protection."""
        return bool(self.intent["mode"] == DROPPED)

    def stands(self, serving: str, epoch: tuple[int, int]) -> bool:
        """Whether it is about the writer of now: this region, in this (era, epoch). A region that was promoted anew knows no old word."""
        era, number, *_ = self.intent["order"]
        return bool(self.intent["region"] == serving and (era, number) >= epoch)


def after(known: Mapping[str, ProtectionOrder], record: Record) -> Mapping[str, ProtectionOrder]:
    """Component → its last order, after one more record."""
    body = record.body
    if record.kind == Kind.PROTECTION_ORDERED:
        return {**known, body["component"]: ProtectionOrder(body, record.at_seconds)}
    if record.kind == Kind.PROTECTION_CHANGED:
        return {
            component: replace(order, outcome=body["outcome"], detail=body["detail"]) if order.ask == body["ask"] else order
            for component, order in known.items()
        }
    return known
