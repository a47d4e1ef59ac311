"""Handing one message to one channel, bounded in time. A channel's own fault is a failed delivery, which the policy tries again.

A time-out is neither sent nor failed: it is recorded as unknown, and whether the channel would deliver a repeat again, so that whoever
reads the journal knows what may have arrived twice.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from holdfast.conduct.situation import Tell, Write
from holdfast.journal.kinds import Kind
from holdfast.ports.notifier import Notification, Notifier, Purpose, RefusedNotificationError, Repeats

TELL_SECONDS = 10.0
"""Bound of one hand-over to a channel."""

SECOND = "second:"
"""Before the reference of a message that went by its channel's second way."""


async def told(notifiers: Mapping[str, Notifier], move: Tell, exercise: str | None) -> Write:
    """The record of what became of it, without the recipient's address. `exercise`: which one it is about, None when it is real."""
    outcome = await _handed_over(notifiers, move, exercise)
    if not move.address:
        return outcome
    body = {name: value.replace(move.address, move.recipient) if isinstance(value, str) else value for name, value in outcome.body.items()}
    return Write(outcome.kind, outcome.incident, body)


async def _handed_over(notifiers: Mapping[str, Notifier], move: Tell, exercise: str | None) -> Write:
    named: dict[str, Any] = {"key": move.key, "message": move.message, "channel": move.channel, "recipient": move.recipient}
    notifier = notifiers.get(move.channel)
    if notifier is None:
        reason = f"this controller has no channel {move.channel}; the bindings must name one"
        return Write(Kind.NOTIFICATION_FAILED, move.incident, {**named, "reason": reason})
    repeats = {"repeats": True} if notifier.repeats is Repeats.POSSIBLE else {}
    try:
        async with asyncio.timeout(TELL_SECONDS):
            reference = await notifier.send(notification_of(move, exercise))
    except TimeoutError as error:
        reason = f"no answer: {error}" if str(error) else f"no answer within {TELL_SECONDS:g} s"
        return Write(Kind.NOTIFICATION_UNKNOWN, move.incident, {**named, "reason": reason, **repeats})
    except RefusedNotificationError as error:
        later = error.retry_after_seconds
        refused = {"reason": f"refused: {error}", "final": later is None, "retry_after_seconds": later}
        return Write(Kind.NOTIFICATION_FAILED, move.incident, {**named, **refused})
    except ValueError as error:  # it must not be sent, now or later
        return Write(Kind.NOTIFICATION_FAILED, move.incident, {**named, "reason": f"not sent: {error}", "final": True})
    except Exception as error:
        return Write(Kind.NOTIFICATION_FAILED, move.incident, {**named, "reason": f"{type(error).__name__}: {error}"})
    second = {"second_way": reference.removeprefix(SECOND)} if reference.startswith(SECOND) else {}
    return Write(Kind.NOTIFICATION_SENT, move.incident, {**named, "reference": reference, **repeats, **second})


def notification_of(move: Tell, exercise: str | None) -> Notification:
    """The message as a channel takes it."""
    return Notification(
        key=f"{move.key}/{move.channel}/{move.recipient}",
        incident=move.incident,
        message=move.message,
        channel=move.channel,
        recipient=move.recipient,
        subject=move.subject,
        body=move.body,
        exercise=exercise is not None,
        purpose=Purpose(move.purpose),
        severity=move.severity,
        short=move.short,
        address=move.address,
        enrolled=move.enrolled,
        facts=move.facts,
    )
