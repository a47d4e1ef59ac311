"""What comes next for one delivery: its channel, the plan's second channel, or nothing any more, which is recorded.

Rules: the second channel (`routes.*.second_channel`) is for whoever it reaches and is not told the same over it anyway. What goes over it
stays the same delivery: sent over either, it is sent, and nothing more is tried. Where a place that many look at takes nothing, each of the
company's own people is told over the second channel, at an address of their own, by a delivery of their own; a place never stands in for
people's addresses, or it would be told once for each of them.
"""

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from holdfast.communications import Recipient
from holdfast.communications.places import looks_at_place
from holdfast.communications.recipients import person_recipient
from holdfast.conduct.situation import Situation, Tell, TellPurpose, WayOfChannel, Write
from holdfast.decision.deliveries import Attempts, Delivery, Turn
from holdfast.journal.kinds import Kind
from holdfast.plan.messages import Words
from holdfast.plan.model import Plan
from holdfast.plan.plan_clock import PlanClock


@dataclass(frozen=True, slots=True)
class Told:
    """One delivery of one message, before its words. `incident`: empty where it is about none."""

    incident: str
    key: str
    message: str
    channel: str
    recipient: Recipient
    purpose: TellPurpose
    priority: int
    due_seconds: float | None
    only_there: bool = False
    """Whether its words are for its channel's own state (a page, a pager): over another they would say nothing, and count as said."""
    way: WayOfChannel = "any"
    """Which of its channel's ways they are for."""

    @property
    def delivery(self) -> Delivery:
        """What journal and report know it by."""
        return self.key, self.channel, self.recipient.identifier

    def named(self) -> dict[str, Any]:
        """What each of its records begins with."""
        return {"key": self.key, "message": self.message, "channel": self.channel, "recipient": self.recipient.identifier}


@dataclass(frozen=True, slots=True)
class Attempt:
    """The next attempt at a delivery, after those `before`. `over`: the second channel, where it goes over that."""

    told: Told
    before: Attempts
    over: str | None = None

    def intended(self) -> Write:
        """Durable before the hand-over: without an outcome after it, it may have been handed over."""
        over = {} if self.over is None else {"over": self.over}
        named = {**self.told.named(), "attempt": self.before.intended + 1, **over}
        return Write(Kind.NOTIFICATION_INTENDED, self.told.incident, named)

    @property
    def way(self) -> WayOfChannel:
        """Which way it goes: where nothing came of what the first took, only the second is left."""
        if self.over is not None:
            return "any"
        return "second" if self.told.way == "any" and self.before.unreceived else self.told.way

    def tell(self, words: Words) -> Tell:
        """The hand-over itself, with what it says; the caller adds what only it knows."""
        told = self.told
        return Tell(
            incident=told.incident,
            key=told.key,
            message=told.message,
            channel=told.channel,
            recipient=told.recipient.identifier,
            subject=words.subject,
            body=words.body,
            short=words.short,
            purpose=told.purpose,
            address=told.recipient.address(self.over or told.channel),
            addresses=told.recipient.addresses or {},
            over=self.over,
            priority=told.priority,
            due_seconds=told.due_seconds,
            again=self.before.may_have_arrived,
            way=self.way,
            attempt=self.before.intended + 1,
        )


def attempts_at(
    situation: Situation, clock: PlanClock, begun: Mapping[Delivery, Attempts], told: Told, told_anyway: Container[tuple[str, str]] = ()
) -> Iterator[Attempt | Write]:
    """The next attempt if it may be made now, or the record that there is none any more.

    `told_anyway`: (channel, recipient) of all that the same message goes to.
    """
    if told.delivery in situation.telling:
        return
    before = begun.get(told.delivery, Attempts())
    if told.recipient.people and before.needs_help(situation.now, told.due_seconds):
        for one in _each_alone(situation.plan, told, told_anyway):
            yield from attempts_at(situation, clock, begun, one)
    second = stand_in(situation.plan, told, told_anyway) if before.unsuccessful and not before.alone else None
    match before.next_turn(situation.now, clock, told.due_seconds, second):
        case Turn.CHANNEL:
            yield Attempt(told, before)
        case Turn.SECOND_CHANNEL:
            yield Attempt(told, before, second)
        case Turn.GIVE_UP:
            reason = _given_up_because(told, before, second)
            body = {**told.named(), "attempts": before.unsuccessful, "due_seconds": told.due_seconds, "reason": reason}
            yield Write(Kind.NOTIFICATION_GIVEN_UP, told.incident, body)
        case Turn.NOTHING:
            pass


def stand_in(plan: Plan, told: Told, told_anyway: Container[tuple[str, str]]) -> str | None:
    """The channel that stands in for a delivery's own, by the plan; None where none does for this recipient."""
    if told.only_there:
        return None
    route = plan.routes.get(told.channel)
    second = None if route is None else route.second_channel
    if second is None or not told.recipient.is_reached_by(second) or (second, told.recipient.identifier) in told_anyway:
        return None
    if looks_at_place(told.recipient, second) and not looks_at_place(told.recipient, told.channel):
        return None
    return second


def _each_alone(plan: Plan, told: Told, told_anyway: Container[tuple[str, str]]) -> Iterator[Told]:
    """The same for each of the people for whom a place stands, over the plan's second channel."""
    route = None if told.only_there else plan.routes.get(told.channel)
    second = None if route is None else route.second_channel
    for person in told.recipient.people if second is not None else ():
        recipient = person_recipient(plan, person, told.recipient.through)
        if recipient.address(str(second)) is not None and (second, person) not in told_anyway:
            yield replace(told, channel=str(second), recipient=recipient)


def _given_up_because(told: Told, before: Attempts, second: str | None) -> str:
    tried = told.channel if second is None else f"{told.channel} and {second}"
    if before.channel.final and (second is None or before.second_channel.final):
        return f"{tried} refused it for good; nobody is told by it, tell them yourself"
    attempts = "attempt" if before.unsuccessful == 1 else "attempts"
    return f"{tried} took it in none of {before.unsuccessful} {attempts}, and its time is over; tell them yourself"
