"""The last quiet test of people's channels: what was to be handed over to whom, what became of it, and who said that it arrived.

Folded out of the journal, record by record. A test belongs to no incident, and its deliveries are known by its name. Never here: who is
tested over what (see `conduct.quiet_test`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record

PREFIX = "test-"
"""How the name of a test begins."""
UNDER_WAY_SECONDS = 60.0
"""So long a test that comes to no end is carried on, and keeps another from being begun."""

Hand = tuple[str, str]
"""Channel, person."""


@dataclass(frozen=True, slots=True)
class Handed:
    """One hand-over. `said`: the channel's reference where it was sent, else why it was not; `delivered_seconds`: when it was there."""

    outcome: Literal["under-way", "sent", "failed", "unknown"] = "under-way"
    at_seconds: float = 0.0
    said: str = ""
    delivered_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A channel that one person was not tested over. `because`: no-address (nobody can be reached there) | rings | place."""

    channel: str
    person: str
    because: str
    says: str


@dataclass(frozen=True, slots=True)
class ChannelTest:
    """One test. `rings`: channels that somebody asked for although they ring; `until_seconds`: how long an answer counts."""

    name: str
    by: str
    people: tuple[str, ...]
    rings: tuple[str, ...]
    reaches: tuple[Hand, ...]
    left_out: tuple[LeftOut, ...]
    at_seconds: float
    until_seconds: float
    handed: Mapping[Hand, Handed] = field(default_factory=dict)
    answers: Mapping[str, tuple[float, str]] = field(default_factory=dict)
    """Person → (when, by which way) it said that the test arrived."""
    broken_off: bool = False
    """An incident was opened while it was under way, for which it would be taken: no more is handed over, also not afterwards."""

    @property
    def number(self) -> int:
        """1 for the first test of an installation."""
        return int(self.name.removeprefix(PREFIX))

    def may_hand_over(self, now: float) -> bool:
        """Whether hand-overs of it may still be begun."""
        return not self.broken_off and self._has_time(now)

    def awaits(self, hand: Hand, now: float) -> bool:
        """Whether it is still to become known what became of one: also of one that was begun before an incident was opened."""
        known = self.handed.get(hand)
        return self._has_time(now) and (not self.broken_off if known is None else known.outcome == "under-way")

    def is_under_way(self, now: float) -> bool:
        """Whether anything of it is still to become known."""
        return any(self.awaits(hand, now) for hand in self.reaches)

    def _has_time(self, now: float) -> bool:
        return now < self.at_seconds + UNDER_WAY_SECONDS


def after(known: ChannelTest | None, record: Record) -> ChannelTest | None:
    """The last test after one more record."""
    body = record.body
    if record.kind == Kind.CHANNELS_TESTED:
        return ChannelTest(
            name=body["test"],
            by=body["by"],
            people=tuple(body["people"]),
            rings=tuple(body["rings"]),
            reaches=tuple((channel, person) for channel, person in body["reaches"]),
            left_out=tuple(LeftOut(*one) for one in body["left_out"]),
            at_seconds=record.at_seconds,
            until_seconds=body["until_seconds"],
        )
    if known is not None and record.kind == Kind.INCIDENT_OPENED:
        return replace(known, broken_off=known.broken_off or known.is_under_way(record.at_seconds))
    if known is None or record.incident:
        return known
    if record.kind == Kind.TEST_ACKNOWLEDGED and body["test"] == known.name:
        return replace(known, answers={body["person"]: (record.at_seconds, body["way"]), **known.answers})
    if body.get("key") != known.name:
        return known
    hand = (body["channel"], body["recipient"])
    now = _changed(known.handed.get(hand, Handed()), record)
    return replace(known, handed={**known.handed, hand: now})


def _changed(before: Handed, record: Record) -> Handed:
    match record.kind:
        case Kind.NOTIFICATION_SENT:
            return replace(before, outcome="sent", at_seconds=record.at_seconds, said=str(record.body["reference"]))
        case Kind.NOTIFICATION_FAILED:
            return replace(before, outcome="failed", at_seconds=record.at_seconds, said=str(record.body["reason"]))
        case Kind.NOTIFICATION_UNKNOWN if before.delivered_seconds is not None:
            return before  # nobody knew whether it was taken, and by then it was there
        case Kind.NOTIFICATION_UNKNOWN:
            return replace(before, outcome="unknown", at_seconds=record.at_seconds, said=str(record.body["reason"]))
        case Kind.NOTIFICATION_DELIVERED:
            said = before.said if before.outcome == "sent" else ""
            return replace(
                before,
                outcome="sent",
                at_seconds=before.at_seconds or record.at_seconds,
                said=said,
                delivered_seconds=record.body["at_seconds"],
            )
        case _:
            return before
