"""What became of every hand-over, of an incident or of none, as the records tell it: how often it was tried, what is left, and when.

Rules: an intent without an outcome was interrupted (the controller died in between): it is tried again, because somebody untold is worse
than somebody told twice, and the report says that it may have happened twice where the channel doesn't drop repeats. A time-out is
the same. What was refused for good is not tried again over that channel; what a channel takes later is tried then. What was sent and then
reported as not arrived, or whose receipt is missing too long, is open again, and goes the channel's second way.

What fails is tried until it is due, after pauses that grow and are shortened again as that moment comes near; what is late already gets
ATTEMPTS. From half-way to the moment on, every other attempt goes over the plan's second channel, where there is one. What is left
without success then is given up, once, and said; nothing is tried for ever.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record
from holdfast.plan.plan_clock import AS_ON_THE_WALL, PlanClock

PAUSES_SECONDS = (2.0, 10.0, 30.0, 60.0)
"""After each of the first failed attempts, on the plan's clock; each later pause is twice the one before."""
SHARE_OF_REST = 0.25
"""The longest pause after those: so much of the time that is left, and never less than the last of them. What is due in three days is
not tried every minute, and what is due in five minutes is."""
ATTEMPTS = len(PAUSES_SECONDS) + 1
"""So many over each channel get those that are late already, or that no moment is named for."""
SHORTEST_PAUSE_SECONDS = 0.25
"""However fast the plan's clock runs, a channel gets that long to recover."""
HALF_WAY = 0.5
"""So much of the time from the first attempt to the deadline belongs to the channel alone; then the plan's second channel helps."""

SHORTEST_RECEIPT_SECONDS = 2.0
"""However fast the plan's clock runs, a receipt gets that long to come back."""
_MOST_DOUBLINGS = 30

Delivery = tuple[str, str, str]
"""Key, channel, recipient."""
_OUTCOMES = frozenset({Kind.NOTIFICATION_SENT, Kind.NOTIFICATION_FAILED, Kind.NOTIFICATION_UNKNOWN})
HAND_OVERS = _OUTCOMES | {Kind.NOTIFICATION_INTENDED, Kind.NOTIFICATION_DELIVERED, Kind.NOTIFICATION_GIVEN_UP}
"""Kinds of records that say something of one hand-over."""


class Turn(StrEnum):
    """What comes next for a delivery."""

    NOTHING = "nothing"
    """It was sent, or given up, or must not be told any more; or its pause isn't over."""
    CHANNEL = "channel"
    SECOND_CHANNEL = "second-channel"
    """The plan's other channel that stands in for its own."""
    GIVE_UP = "give-up"
    """No attempt is left."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What a channel said of earlier attempts."""

    final: bool = False
    """It refused for good."""
    not_before_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Attempts:
    """One delivery so far. `unsuccessful`: attempts that failed or whose outcome nobody knows."""

    intended: int = 0
    settled: int = 0
    """Attempts of which something was recorded."""
    unsuccessful: int = 0
    first_seconds: float = 0.0
    """When it was begun."""
    last_seconds: float = 0.0
    sent: bool = False
    channel: Answered = Answered()
    second_channel: Answered = Answered()
    by_second_channel: bool = False
    """The last attempt went over the plan's second channel."""
    closed: bool = False
    """Told now, it would do harm."""
    alone: bool = False
    """The plan's second channel must not stand in for its own any more."""
    given_up: bool = False
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
    def is_over(self) -> bool:
        """Whether nothing is tried any more, as far as is known now."""
        return self.sent or self.closed or self.given_up

    def needs_help(self, now: float, due_seconds: float | None) -> bool:
        """Whether nothing has come of it for so long, or for good, that another channel should say it too."""
        if self.sent or self.closed or not self.unsuccessful:
            return False
        return self.channel.final or self._is_half_way(now, due_seconds)

    @property
    def may_have_arrived(self) -> bool:
        """Whether an earlier hand-over may have arrived: nobody knows its outcome, or the controller died over it."""
        return self.in_doubt or self.intended > self.settled

    def lacks_receipt(self, now: float, clock: PlanClock) -> bool:
        """Whether its receipt is missing for too long."""
        if not self.sent or self.received or self.receipt_within_seconds is None:
            return False
        return now >= self.sent_seconds + max(clock.wall_seconds(self.receipt_within_seconds), SHORTEST_RECEIPT_SECONDS)

    def next_turn(
        self, now: float, clock: PlanClock = AS_ON_THE_WALL, due_seconds: float | None = None, second_channel: str | None = None
    ) -> Turn:
        """What comes next. `due_seconds`: by when it must be there; `second_channel`: which one stands in for its own, where one does."""
        if self.is_over:
            return Turn.NOTHING
        stands_in = second_channel is not None and not self.second_channel.final
        if self.channel.final and not stands_in:
            return Turn.GIVE_UP
        if not self.unsuccessful:
            return Turn.CHANNEL
        again = self.last_seconds + _pause_seconds(self.unsuccessful, self.last_seconds, clock, due_seconds)
        least = ATTEMPTS if second_channel is None else 2 * ATTEMPTS
        if self.unsuccessful >= least and (due_seconds is None or again > due_seconds):
            return Turn.GIVE_UP
        if self.last_seconds <= now < again:  # a clock that was set back leaves nothing waiting for the time that it took away
            return Turn.NOTHING
        takes = {Turn.CHANNEL: self._takes(self.channel, now), Turn.SECOND_CHANNEL: stands_in and self._takes(self.second_channel, now)}
        helped = self.channel.final or (self._is_half_way(now, due_seconds) and not self.by_second_channel)
        order = (Turn.SECOND_CHANNEL, Turn.CHANNEL) if helped else (Turn.CHANNEL,)
        return next((turn for turn in order if takes[turn]), Turn.NOTHING)

    def _takes(self, answered: Answered, now: float) -> bool:
        return not answered.final and (now >= answered.not_before_seconds or now < self.last_seconds)

    def _is_half_way(self, now: float, due_seconds: float | None) -> bool:
        if due_seconds is None:
            return self.unsuccessful >= ATTEMPTS
        return now >= self.first_seconds + (due_seconds - self.first_seconds) * HALF_WAY


def _pause_seconds(attempts: int, last_seconds: float, clock: PlanClock, due_seconds: float | None) -> float:
    """On the wall, after so many failed attempts."""
    if attempts <= len(PAUSES_SECONDS):
        pause = PAUSES_SECONDS[attempts - 1]
    else:
        rest = 0.0 if due_seconds is None else clock.plan_seconds(due_seconds - last_seconds)
        grown = PAUSES_SECONDS[-1] * 2.0 ** min(attempts - len(PAUSES_SECONDS), _MOST_DOUBLINGS)
        pause = min(grown, max(PAUSES_SECONDS[-1], rest * SHARE_OF_REST))
    return max(clock.wall_seconds(pause), SHORTEST_PAUSE_SECONDS)


def with_more(known: Mapping[Delivery, Attempts], records: Iterable[Record]) -> Mapping[Delivery, Attempts]:
    """Every delivery that was begun, after more records of kinds among HAND_OVERS. What is known is copied once, however many they are."""
    found = dict(known)
    for record in records:
        delivery = delivery_of(record.body)
        found[delivery] = after_one_more(found.get(delivery, Attempts()), record)
    return found


def after_one_more(known: Attempts, record: Record) -> Attempts:
    """One delivery after one more record of it, of a kind among HAND_OVERS."""
    if record.kind == Kind.NOTIFICATION_INTENDED:
        first = known.first_seconds if known.intended else record.at_seconds
        by_second = record.body.get("over") is not None
        return replace(
            known,
            intended=known.intended + 1,
            in_doubt=known.may_have_arrived,
            first_seconds=first,
            by_second_channel=by_second,
        )
    if record.kind == Kind.NOTIFICATION_DELIVERED:
        return replace(known, sent=True, received=True)
    if record.kind == Kind.NOTIFICATION_GIVEN_UP:
        return replace(known, given_up=True)
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
    answered = Answered(record.body.get("final") is True, record.at_seconds + float(later) if later is not None else 0.0)
    by_second = record.body.get("over") is not None
    return replace(
        known,
        settled=settled,
        sent=False,
        unreceived=known.unreceived or (known.sent and not by_second),  # what the second channel lost says nothing of the first
        in_doubt=known.in_doubt or record.kind == Kind.NOTIFICATION_UNKNOWN,
        unsuccessful=known.unsuccessful + 1,
        last_seconds=record.at_seconds,
        channel=known.channel if by_second else answered,
        second_channel=answered if by_second else known.second_channel,
    )
