"""Handing one message to one channel, bounded in time. A channel's own fault is a failed delivery, which the policy tries again."""

import asyncio
from collections.abc import Mapping

from holdfast.conduct.situation import Tell, Write
from holdfast.journal.kinds import Kind
from holdfast.ports.notifier import Notification, Notifier

TELL_SECONDS = 10.0
"""Bound of one hand-over to a channel."""


async def told(notifiers: Mapping[str, Notifier], move: Tell, exercise: str | None) -> Write:
    """The record of what became of it. `exercise`: which one it is about, None when it is real."""
    named = {"key": move.key, "message": move.message, "channel": move.channel, "recipient": move.recipient}
    notification = Notification(
        key=f"{move.key}/{move.channel}/{move.recipient}",
        incident=move.incident,
        message=move.message,
        channel=move.channel,
        recipient=move.recipient,
        subject=move.subject,
        body=move.body,
        exercise=exercise is not None,
    )
    try:
        async with asyncio.timeout(TELL_SECONDS):
            reference = await notifiers[move.channel].send(notification)
    except Exception as error:
        return Write(Kind.NOTIFICATION_FAILED, move.incident, {**named, "reason": f"{type(error).__name__}: {error}"})
    return Write(Kind.NOTIFICATION_SENT, move.incident, {**named, "reference": reference})
