"""What became of every hand-over, of an incident or of none, as the records tell it: how often it was tried, what is left, and when.

Rules: an intent without an outcome was interrupted (the controller died in between): it is tried again, because somebody untold is worse
than somebody told twice, and the report says that it may have happened twice where the channel doesn't drop repeats. A time-out is
the same. What was refused for good is not tried again; what a channel takes later is tried then. What was sent and then reported as not
arrived, or whose receipt is missing too long, is open again, and goes the channel's second way.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record
from holdfast.plan.plan_clock import AS_ON_THE_WALL, PlanClock

PAUSES_SECONDS = (2.0, 10.0, 30.0, 60.0)
"""After each failed attempt: a channel that is down for a minute must not cost the message."""
ATTEMPTS = len(PAUSES_SECONDS) + 1
SHORTEST_PAUSE_SECONDS = 0.25
"""However fast the plan's clock runs, a channel gets that long to recover."""

SHORTEST_RECEIPT_SECONDS = 2.0
"""However fast the plan's clock runs, a receipt gets that long to come back."""

Delivery = tuple[str, str, str]
"""Key, channel, recipient."""
_OUTCOMES = frozenset({Kind.NOTIFICATION_SENT, Kind.NOTIFICATION_FAILED, Kind.NOTIFICATION_UNKNOWN})
HAND_OVERS = _OUTCOMES | {Kind.NOTIFICATION_INTENDED, Kind.NOTIFICATION_DELIVERED}
"""Kinds of records that say something of one hand-over."""


@dataclass(frozen=True, slots=True)
class Attempts:
    """One delivery so far. `unsuccessful`: attempts that failed or whose outcome nobody knows."""

    intended: int = 0
    settled: int = 0
    """Attempts of which something was recorded."""
    unsuccessful: int = 0
    last_seconds: float = 0.0
    sent: bool = False
    final: bool = False
    """Refused for good."""
    not_before_seconds: float = 0.0
    sent_seconds: float = 0.0
    receipt_within_seconds: float | None = None
    """On the plan's clock, after it was sent: how long its receipt is waited for; None when none is."""
    received: bool = False
    """Its receipt came back."""
    unreceived: bool = False
    """It was sent, and didn't arrive as far as anybody knows: only the second way is left."""
    in_doubt: bool = False
    """The outcome of an earlier hand-over isn't known."""

    @property
    def may_have_arrived(self) -> bool:
        """Whether an earlier hand-over may have arrived: nobody knows its outcome, or the controller died over it."""
        return self.in_doubt or self.intended > self.settled

    def lacks_receipt(self, now: float, clock: PlanClock) -> bool:
        """Whether its receipt is missing for too long."""
        if not self.sent or self.received or self.receipt_within_seconds is None:
            return False
        return now >= self.sent_seconds + max(clock.wall_seconds(self.receipt_within_seconds), SHORTEST_RECEIPT_SECONDS)

    def may_try(self, now: float, clock: PlanClock) -> bool:
        """Whether another attempt is left, and its pause is over."""
        if self.sent or self.final or now < self.not_before_seconds:
            return False
        return not self.unsuccessful or may_try_again(self.unsuccessful, self.last_seconds, now, clock)


def may_try_again(attempts: int, last_seconds: float, now: float, clock: PlanClock = AS_ON_THE_WALL) -> bool:
    """Whether another attempt at a delivery that failed so often is left, and its pause is over."""
    if attempts >= ATTEMPTS:
        return False
    return now >= last_seconds + max(clock.wall_seconds(PAUSES_SECONDS[attempts - 1]), SHORTEST_PAUSE_SECONDS)


def deliveries(records: Iterable[Record]) -> Mapping[Delivery, Attempts]:
    """Every delivery that was begun."""
    found: dict[Delivery, Attempts] = {}
    for record in records:
        if record.kind in HAND_OVERS:
            delivery = delivery_of(record.body)
            found[delivery] = after_one_more(found.get(delivery, Attempts()), record)
    return found


def after_one_more(known: Attempts, record: Record) -> Attempts:
    """One delivery after one more record of it, of a kind among HAND_OVERS."""
    if record.kind == Kind.NOTIFICATION_INTENDED:
        return replace(known, intended=known.intended + 1, in_doubt=known.may_have_arrived)
    if record.kind == Kind.NOTIFICATION_DELIVERED:
        return replace(known, sent=True, received=True)
    return _after_outcome(known, record)


def delivery_of(body: Mapping[str, Any]) -> Delivery:
    """Which delivery a record's body is about."""
    return body["key"], body["channel"], body["recipient"]


def _after_outcome(known: Attempts, record: Record) -> Attempts:
    settled = known.settled + (not known.sent)
    if record.kind == Kind.NOTIFICATION_SENT:
        within = record.body.get("receipt_within_seconds")
        return replace(known, sent=True, settled=settled, sent_seconds=record.at_seconds, receipt_within_seconds=within)
    later = record.body.get("retry_after_seconds")
    return replace(
        known,
        settled=settled,
        sent=False,
        unreceived=known.unreceived or known.sent,
        in_doubt=known.in_doubt or record.kind == Kind.NOTIFICATION_UNKNOWN,
        unsuccessful=known.unsuccessful + 1,
        last_seconds=record.at_seconds,
        final=record.body.get("final") is True,
        not_before_seconds=record.at_seconds + float(later) if later is not None else 0.0,
    )
