"""What stands between a message and its channel: the guard of exercises, the second way, and the rate.

The order is guard → rate → first way → second way: nothing gets past the guard by failing over.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace

from holdfast.ports.clock import Clock
from holdfast.ports.notifier import Notification, Notifier, RefusedNotificationError, Repeats
from holdfast.ports.post import EXERCISE_PREFIX

FIRST_SHARE = 0.5
"""How much of a message's deadline the first way may use up."""


class ExerciseGuard:
    """Lets an exercise reach only who is enrolled in it, and a real message carry no mark of an exercise.

    `real` is None where nothing real is bound. `exercise_target` is a far end with nothing real behind it: it takes an exercise's
    messages to everybody. `public` channels (status page, feed, webhooks) have no enrolled readers: an exercise passes only to such a
    target, and to no address that the message itself names.
    """

    def __init__(self, real: Notifier | None, exercise_target: Notifier | None = None, *, public: bool) -> None:
        self._real = real
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
            return await self._bound(notification).send(notification)
        marked = in_exercise_words(notification)
        if self._exercise_target is not None:
            return await self._exercise_target.send(replace(marked, address=None) if self._public else marked)
        if self._public:
            raise ValueError(
                f"message {notification.message}: an exercise never reaches channel {notification.channel}, whose readers are real;"
                " bind it with exercise_only to a receiver of exercises. Nothing was sent"
            )
        if notification.enrolled is not True:
            raise ValueError(f"message {notification.message}: {notification.recipient} is not enrolled in this exercise; nothing was sent")
        return await self._bound(notification).send(marked)

    def _bound(self, notification: Notification) -> Notifier:
        if self._real is None:
            raise RefusedNotificationError(
                f"channel {notification.channel} is bound for exercises only; bind it to something real. Nothing was sent"
            )
        return self._real


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


class SecondWay:
    """Tries `first`, and when it fails, refuses or takes longer than its share of `deadline_seconds`, `second`.

    The reference says which way it went: `second:<reference>`, and `second:<reference> (first unknown)` where the first may have
    delivered it as well. ValueError (it must not be sent) never moves on: the second way is no way around a rule.
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
        try:
            async with asyncio.timeout(self._first_seconds):
                return await self._first.send(notification)
        except TimeoutError as error:
            known, why = False, str(error) or f"no answer within {self._first_seconds:g} s"
        except ConnectionError as error:
            known, why = True, str(error)
        try:
            async with asyncio.timeout(self._second_seconds):
                reference = await self._second.send(notification)
        except TimeoutError as error:
            said = str(error) or f"no answer within {self._second_seconds:g} s"
            raise TimeoutError(f"first way: {why}; second way: {said}") from None
        except ConnectionError as error:
            raised = f"first way: {why}; second way: {error}"
            raise (ConnectionError(raised) if known else TimeoutError(raised)) from None
        return f"second:{reference}" + ("" if known else " (first unknown)")


class RateLimited:
    """Lets through at most `per_second` messages, the others wait their turn."""

    def __init__(self, inner: Notifier, per_second: float, clock: Clock) -> None:
        self._inner = inner
        self._apart_seconds = 1.0 / per_second
        self._clock = clock
        self._next_seconds = 0.0

    @property
    def repeats(self) -> Repeats:
        """As the channel behind it."""
        return self._inner.repeats

    async def send(self, notification: Notification) -> str:
        """As the port says."""
        now = self._clock.steady_seconds()
        turn = max(self._next_seconds, now)
        self._next_seconds = turn + self._apart_seconds
        if turn > now:
            await self._clock.sleep(turn - now)
        return await self._inner.send(notification)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one hand-over. Exactly one of `reference` and `reason` is set. `unknown`: it may have arrived all the same."""

    notification: Notification
    reference: str | None
    reason: str | None
    unknown: bool
    repeat_possible: bool
    seconds: float


async def handed_over(notifiers: Mapping[str, Notifier], notification: Notification, clock: Clock, bound_seconds: float) -> Outcome:
    """One message to its channel, bounded in time. Never raises for what a channel does."""
    begun = clock.steady_seconds()
    reference, reason, unknown, repeats = None, None, False, Repeats.POSSIBLE
    try:
        notifier = notifiers[notification.channel]
        repeats = notifier.repeats
        async with asyncio.timeout(bound_seconds):
            reference = await notifier.send(notification)
    except KeyError:
        reason = f"channel {notification.channel} is not bound"
    except TimeoutError as error:
        reason, unknown = f"TimeoutError: {error}", True
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
    unsure = unknown or (reference or "").endswith("(first unknown)")
    return Outcome(notification, reference, reason, unknown, unsure and repeats is Repeats.POSSIBLE, clock.steady_seconds() - begun)
