"""Handing messages over beside the loop: an outbox takes them in order of priority, and what became of them is recorded in batches.

A channel's own fault is a failed delivery, which the policy tries again. A time-out is neither sent nor failed: it is recorded as
unknown, and whether the channel would deliver a repeat again, so that whoever reads the journal knows what may have arrived twice. Where
a channel's answer is its receipt, that is recorded too. No recipient's address and no link stands in a record. Handing over never delays
the loop.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from holdfast.conduct.situation import Tell, Write
from holdfast.controller.channels import Outcome
from holdfast.controller.outbox import URGENT_PRIORITY, Outbox, Terms
from holdfast.decision.deliveries import Delivery
from holdfast.decision.links import Deed, Link, code, sealed
from holdfast.decision.references import SECOND, kind_of
from holdfast.journal.kinds import Kind
from holdfast.ports.clock import Clock
from holdfast.ports.notifier import Loudness, Notification, Notifier, Purpose, Repeats, Way
from holdfast.ports.receipts import AT_ONCE, LATER


@dataclass(frozen=True, slots=True)
class Links:
    """Where people answer: the doors' public address, and the key that seals links and makes codes."""

    public_url: str
    key: bytes = field(repr=False)

    def to(self, person: str, incident: str, deed: Deed, hash_: str, until_seconds: float) -> str:
        """The address of one person's one answer."""
        return f"{self.public_url.rstrip('/')}/a/{sealed(self.key, Link(person, deed, incident, hash_, until_seconds))}"


class Telling:
    """The messages under way. `keep` records what became of them; `ended` is called after each batch that something may
    follow from at once: something urgent, something that did not go out, or the last that was under way."""

    def __init__(
        self,
        notifiers: Mapping[str, Notifier],
        clock: Clock,
        keep: Callable[[Sequence[Write]], Awaitable[None]],
        ended: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._keep = keep
        self._ended = ended
        self.terms: dict[str, Terms] = {}
        """Channel → how it is handed messages, before the first is."""
        self._outbox = Outbox(notifiers, clock, self.terms)
        self._put = asyncio.Event()
        self._moves: dict[str, Tell] = {}
        self._task: asyncio.Task[None] | None = None
        self._under_way: set[Delivery] = set()
        self.links: Links | None = None
        """None: messages carry no links."""
        self.receipt_within_seconds: Mapping[str, float] = {}
        """Channel → on the plan's clock, how long its receipt is waited for before the second way is gone too."""
        self.ended_by: Exception | None = None
        """What kept an outcome from being recorded: the loop must not go on without it."""

    @property
    def under_way(self) -> frozenset[Delivery]:
        """(key, channel, recipient) of what was begun and isn't recorded yet."""
        return frozenset(self._under_way)

    def begin(self, move: Tell, exercise: str | None) -> None:
        """Hand one over as soon as its turn comes. `exercise`: which one it is about, None when it is real."""
        notification = notification_of(move, exercise, self.links, self._clock.wall_seconds())
        self._moves[notification.key] = move
        self._under_way.add((move.key, move.channel, move.recipient))
        self._outbox.put(notification, move.priority)
        self._put.set()
        if self._task is None:
            self._task = asyncio.create_task(self._record())

    def stop(self) -> Awaitable[object]:
        """End what is under way, at once and whether or not its end is then awaited: whoever stops it may be ended just then too.

        What was not recorded is handed over again by the next controller.
        """
        running = [] if self._task is None else [self._task]
        for task in running:
            task.cancel()
        return asyncio.gather(*running, return_exceptions=True)

    async def _record(self) -> None:
        try:
            async with self._outbox:
                while True:
                    await self._put.wait()
                    self._put.clear()
                    async for batch in self._outbox.outcomes():
                        await self._kept(batch)
        except Exception as fault:
            self.ended_by = fault
            self._ended()

    async def _kept(self, batch: Sequence[Outcome]) -> None:
        moves = [self._moves.pop(outcome.notification.key) for outcome in batch]
        at_seconds = self._clock.wall_seconds()
        waits = self.receipt_within_seconds
        await self._keep(
            [
                write
                for move, outcome in zip(moves, batch, strict=True)
                for write in records_of(move, outcome, waits.get(move.channel), at_seconds)
            ]
        )
        self._under_way -= {(move.key, move.channel, move.recipient) for move in moves}
        if not self._under_way or any(
            outcome.reference is None or move.priority <= URGENT_PRIORITY for move, outcome in zip(moves, batch, strict=True)
        ):
            self._ended()


def notification_of(move: Tell, exercise: str | None, links: Links | None, now: float) -> Notification:
    """The message as a channel takes it, with the links that its recipient answers by."""
    asked, acknowledge, approve, digits = move.asked, None, None, None
    person = None if asked is None else asked.person
    if asked is not None and person is not None and links is not None:
        acknowledge = links.to(person, move.incident or move.test or "", Deed.ACKNOWLEDGE, "", asked.until_seconds)
        if asked.approve_hash is not None:
            approve = links.to(person, move.incident, Deed.APPROVE, asked.approve_hash, asked.approve_until_seconds)
            digits = code(links.key, person, asked.approve_hash)
    return Notification(
        key=f"{move.key}/{move.channel}/{move.recipient}",
        incident=move.incident or move.about,
        message=move.message,
        channel=move.over or move.channel,
        recipient=move.recipient,
        subject=move.subject,
        body=move.body,
        exercise=exercise is not None,
        purpose=Purpose(move.purpose),
        severity=move.severity,
        short=move.short,
        address=move.address,
        addresses=move.addresses,
        enrolled=move.enrolled,
        acknowledge_url=acknowledge,
        approve_url=approve,
        approve_hash=None if asked is None else asked.approve_hash,
        code=digits,
        again=move.again,
        attempt=move.attempt,
        facts=move.facts,
        loudest=Loudness[move.loudest.upper()],
        way=Way(move.way),
        within_seconds=None if move.due_seconds is None else move.due_seconds - now,
    )


def records_of(move: Tell, outcome: Outcome, receipt_within_seconds: float | None, at_seconds: float) -> Iterator[Write]:
    """What became of one hand-over, without the recipient's address. `receipt_within_seconds`: how long a receipt is waited for."""
    for write in _records(move, outcome, receipt_within_seconds, at_seconds):
        yield Write(write.kind, write.incident, {n: _without(move, value) if n in _SAID else value for n, value in write.body.items()})


_SAID = frozenset({"reason", "reference", "second_way"})
"""What a far end says. All else is how the delivery is known, and must stay as it is."""


def _without(move: Tell, value: str) -> str:
    """What was said, with the recipient's identifier in place of every address that it is reached at, in one go: where the identifier
    itself is said it stays as it is, also where an address is a part of it."""
    named = sorted(filter(None, {move.recipient, move.address, *move.addresses.values()}), key=len, reverse=True)
    return re.sub("|".join(map(re.escape, named)), lambda _: move.recipient, value)


def _records(move: Tell, outcome: Outcome, receipt_within_seconds: float | None, at_seconds: float) -> Iterator[Write]:
    over = {} if move.over is None else {"over": move.over}
    named = {"key": move.key, "message": move.message, "channel": move.channel, "recipient": move.recipient, **over}
    # Two channels know nothing of each other: what one may have delivered, the other delivers again.
    repeats = {"repeats": True} if outcome.repeats is Repeats.POSSIBLE or (move.over and move.again) else {}
    if outcome.reference is None:
        if outcome.unknown:
            ways = {"ways": outcome.unknown_ways} if outcome.unknown_ways > 1 else {}
            yield Write(Kind.NOTIFICATION_UNKNOWN, move.incident, {**named, "reason": outcome.reason, **repeats, **ways})
            return
        said = {} if outcome.final is None else {"final": outcome.final, "retry_after_seconds": outcome.retry_after_seconds}
        yield Write(Kind.NOTIFICATION_FAILED, move.incident, {**named, "reason": outcome.reason, **said})
        return
    reference, by_second = outcome.reference, outcome.reference.startswith(SECOND)
    second = {"second_way": reference.removeprefix(SECOND)} if by_second else {}
    second = second if move.over is None else {"second_way": f"{move.over}: {reference}"}
    awaited = receipt_within_seconds if kind_of(reference) in LATER and not second else None
    waits = {} if awaited is None else {"receipt_within_seconds": awaited}
    yield Write(Kind.NOTIFICATION_SENT, move.incident, {**named, "reference": reference, **repeats, **second, **waits})
    how = AT_ONCE.get(kind_of(reference))
    if how is not None:
        arrived = {name: named[name] for name in ("key", "channel", "recipient")}
        yield Write(Kind.NOTIFICATION_DELIVERED, move.incident, {**arrived, "at_seconds": at_seconds, "how": how})
