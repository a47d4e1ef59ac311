"""What stands between a message and its channel: the guard of exercises, the second way, and the address of each way's own kind.

The order is guard → first way → second way: nothing gets past the guard by failing over. The rate stands before all of it (see `outbox`):
whoever waits for a turn has not been handed over.
"""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from holdfast.communications.recipients import EXERCISE_MAILBOX
from holdfast.decision.references import FIRST_UNKNOWN, SECOND
from holdfast.plan.channel_bindings import ADDRESS_OF_CHANNEL
from holdfast.ports.clock import Clock
from holdfast.ports.notifier import Loudness, Notification, Notifier, RefusedNotificationError, Repeats, Way
from holdfast.ports.post import EXERCISE_PREFIX

FIRST_SHARE = 0.5
"""How much of a message's deadline the first way may use up."""
SHORTEST_SECONDS = 2.0
"""However little time is left until a message is due, a way gets that long to answer."""


class ExerciseGuard:
    """Lets an exercise reach only who is enrolled in it, and a real message carry no mark of an exercise.

    `real` is None where nothing real is bound. `exercise_target` is a far end with nothing real behind it: it takes an exercise's
    messages to everybody. `rehearsed` is what an exercise's messages go through on their way to the real far end: it gives those without an
    address one of the exercise's own (see `Mailbox`), or keeps them from leaving (see `NoRoom`). `public` channels ignore whom a message is
    for, in one of their ways: who reads it (customers, whoever is on call, a room) was never enrolled, so an exercise passes only to a
    target.
    """

    def __init__(
        self, real: Notifier | None, exercise_target: Notifier | None = None, *, public: bool, rehearsed: Notifier | None = None
    ) -> None:
        self._real = real
        self._rehearsed = rehearsed
        self._exercise_target = exercise_target
        self._public = public

    @property
    def repeats(self) -> Repeats:
        """Possible where one of the far ends says so."""
        ends = [end for end in (self._real, self._exercise_target) if end is not None]
        return Repeats.POSSIBLE if any(end.repeats is Repeats.POSSIBLE for end in ends) else Repeats.DROPPED

    async def send(self, notification: Notification) -> str:
        """Raises ValueError for what must not leave."""
        if not notification.exercise:
            for text in (notification.subject, notification.body, notification.short):
                if text.startswith(EXERCISE_PREFIX):
                    raise ValueError(f"message {notification.message} is real but says {EXERCISE_PREFIX}; nothing was sent")
            return await _bound(self._real, notification).send(notification)
        marked = in_exercise_words(notification)
        if self._exercise_target is not None:
            return await self._exercise_target.send(marked)
        if self._public:
            raise ValueError(
                f"message {notification.message}: an exercise never reaches channel {notification.channel}, whose readers are real;"
                " bind it with exercise_only to a receiver of exercises. Nothing was sent"
            )
        way = self._rehearsed or (None if notification.address is None else self._real)
        if notification.enrolled is not True and not _is_mailbox(notification):
            raise ValueError(f"message {notification.message}: {notification.recipient} is not enrolled in this exercise; nothing was sent")
        if way is None:
            raise ValueError(
                f"message {notification.message}: {notification.recipient} has no address on channel {notification.channel}, and what an"
                " exercise can't send to somebody's own goes nowhere real; bind the channel with exercise_address. Nothing was sent"
            )
        return await way.send(marked)


def _is_mailbox(notification: Notification) -> bool:
    """Whether it stands for an audience in an exercise, and for no person's address."""
    named = notification.recipient.startswith(EXERCISE_MAILBOX)
    return named and notification.address is None and not notification.addresses


def _bound(real: Notifier | None, notification: Notification) -> Notifier:
    if real is None:
        raise RefusedNotificationError(
            f"channel {notification.channel} is bound for exercises only; bind it to something real. Nothing was sent"
        )
    return real


def in_exercise_words(notification: Notification) -> Notification:
    """The same with every text marked. Marking twice changes nothing."""
    return replace(
        notification,
        subject=_marked(notification.subject),
        body=_marked(notification.body),
        short=_marked(notification.short) if notification.short else "",
    )


def _marked(text: str) -> str:
    return text if text.startswith(EXERCISE_PREFIX) else f"{EXERCISE_PREFIX}: {text}"


class _Before:
    """Stands before a channel, and promises of repeats what that does."""

    def __init__(self, inner: Notifier) -> None:
        self._inner = inner

    @property
    def repeats(self) -> Repeats:
        """As the channel behind it."""
        return self._inner.repeats


class WithoutAddress(_Before):
    """Takes away the addresses that a message itself names, so that it goes where the channel is bound to and nowhere else."""

    async def send(self, notification: Notification) -> str:
        """As the port says."""
        return await self._inner.send(replace(notification, address=None, addresses={}))


class Loud(_Before):
    """Stands before a way that is heard, and keeps from it what must be quieter, whatever channel it is bound to."""

    def __init__(self, inner: Notifier, loudness: Loudness) -> None:
        super().__init__(inner)
        self._loudness = loudness

    async def send(self, notification: Notification) -> str:
        """As the port says. Raises ValueError for what must not leave."""
        if notification.loudest < self._loudness:
            raise ValueError(
                f"message {notification.message}: it must wake nobody, and this way of channel {notification.channel} may. Nothing was sent"
            )
        return await self._inner.send(notification)


class NoRoom(_Before):
    """Keeps an exercise out of a room that many read, where its message has no address of one person's own."""

    async def send(self, notification: Notification) -> str:
        """As the port says. Raises ValueError for what must not leave."""
        if notification.exercise and notification.address is None:
            raise ValueError(
                f"message {notification.message}: {notification.recipient} has no address there, and an exercise never reaches a room;"
                " bind the channel with exercise_address. Nothing was sent"
            )
        return await self._inner.send(notification)


class OwnAddress(_Before):
    """Gives a message the recipient's address of the kind that this way takes: a relay gets the mail address, whatever the channel's name.

    `kind`: see `ADDRESS_OF_WAY`; None for a way that has one place for all. What somebody has on a channel whose name says no kind is
    taken as it is.
    """

    def __init__(self, inner: Notifier, kind: str | None) -> None:
        super().__init__(inner)
        self._kind = kind

    async def send(self, notification: Notification) -> str:
        """As the port says."""
        named = ADDRESS_OF_CHANNEL.get(notification.channel)
        if named != self._kind and (named is not None or notification.address is None):
            found = (way for channel, way in notification.addresses.items() if ADDRESS_OF_CHANNEL.get(channel) == self._kind)
            notification = replace(notification, address=None if self._kind is None else next(found, None))
        return await self._inner.send(notification)


class Mailbox(_Before):
    """Gives a message whose recipient has no address on this way one to go to; `{recipient}` in it stands for who it is meant for."""

    def __init__(self, inner: Notifier, address: str) -> None:
        super().__init__(inner)
        self._address = address

    async def send(self, notification: Notification) -> str:
        """As the port says."""
        if notification.address is None:
            named = re.sub(r"[^A-Za-z0-9.-]+", "-", notification.recipient)
            notification = replace(notification, address=self._address.replace("{recipient}", named))
        return await self._inner.send(notification)


class BothUnknownError(TimeoutError):
    """Each of the two ways may have delivered it."""


class SecondWay:
    """Tries `first`, and when it fails, refuses or takes longer than its share of `deadline_seconds`, `second`.

    A message that is due sooner than that gets its share of the time that is left. One that is for one of the ways goes that way alone.
    The reference says which way it went (see `decision.references`). ValueError (it must not be sent) never moves on: the second way is no
    way around a rule.
    """

    def __init__(self, first: Notifier, second: Notifier, deadline_seconds: float = 8.0) -> None:
        self._first = first
        self._second = second
        self._first_seconds = deadline_seconds * FIRST_SHARE
        self._second_seconds = deadline_seconds - self._first_seconds

    @property
    def repeats(self) -> Repeats:
        """Two ways know nothing of each other: what one dropped, the other delivers."""
        return Repeats.POSSIBLE

    async def send(self, notification: Notification) -> str:
        """As the port says; what is raised when both fail names both reasons."""
        if notification.way is Way.FIRST:
            async with asyncio.timeout(self._first_seconds + self._second_seconds):
                return await self._first.send(notification)
        if notification.way is Way.SECOND:
            async with asyncio.timeout(self._second_seconds):
                return f"{SECOND}{await self._second.send(notification)}"
        first_seconds = self._first_seconds
        if notification.within_seconds is not None:
            first_seconds = min(first_seconds, max(SHORTEST_SECONDS, notification.within_seconds * FIRST_SHARE))
        try:
            async with asyncio.timeout(first_seconds):
                return await self._first.send(notification)
        except TimeoutError as error:
            known, why = False, str(error) or f"no answer within {first_seconds:g} s"
        except ConnectionError as error:
            known, why = True, str(error)
        try:
            async with asyncio.timeout(self._second_seconds):
                reference = await self._second.send(notification)
        except TimeoutError as error:
            said = str(error) or f"no answer within {self._second_seconds:g} s"
            raise (TimeoutError if known else BothUnknownError)(f"first way: {why}; second way: {said}") from None
        except ConnectionError as error:
            raised = f"first way: {why}; second way: {error}"
            raise (ConnectionError(raised) if known else TimeoutError(raised)) from None
        except ValueError as error:
            if known:
                raise
            raise TimeoutError(f"first way: {why}; second way: {error}") from None  # the first may have delivered it
        return f"{SECOND}{reference}" + ("" if known else FIRST_UNKNOWN)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one hand-over. Exactly one of `reference` and `reason` is set. `unknown`: it may have arrived all the same."""

    notification: Notification
    reference: str | None
    reason: str | None
    unknown: bool
    repeats: Repeats
    """What the channel does with the same message again."""
    seconds: float
    final: bool | None = None
    """Of what was not handed over: whether trying again is of no use; None where nobody said."""
    retry_after_seconds: float | None = None
    """When the channel takes it, where it said so."""
    unknown_ways: int = 0
    """Of what is unknown: how many of the channel's ways may have delivered it."""

    @property
    def repeat_possible(self) -> bool:
        """Whether it may arrive twice when it is handed over again, or has."""
        unsure = self.unknown or (self.reference or "").endswith(FIRST_UNKNOWN)
        return unsure and self.repeats is Repeats.POSSIBLE


async def handed_over(notifiers: Mapping[str, Notifier], notification: Notification, clock: Clock, bound_seconds: float) -> Outcome:
    """One message to its channel, bounded in time. Never raises for what a channel does."""
    begun = clock.steady_seconds()
    notifier = notifiers.get(notification.channel)
    if notifier is None:
        missing = f"this controller has no channel {notification.channel}; the bindings must name one"
        return Outcome(notification, None, missing, False, Repeats.DROPPED, 0.0)
    reference, reason, ways, final, later = None, None, 0, None, None
    try:
        async with asyncio.timeout(bound_seconds):
            reference = await notifier.send(notification)
    except TimeoutError as error:
        reason = f"no answer: {error}" if str(error) else f"no answer within {bound_seconds:g} s"
        ways = 2 if isinstance(error, BothUnknownError) else 1
    except RefusedNotificationError as error:
        reason, later = f"refused: {error}", error.retry_after_seconds
        final = later is None
    except ValueError as error:  # it must not be sent, now or later
        reason, final = f"not sent: {error}", True
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
    took = clock.steady_seconds() - begun
    return Outcome(notification, reference, reason, ways > 0, notifier.repeats, took, final, later, ways)
