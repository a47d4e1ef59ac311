"""Telling people: the port behind every channel."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Notification:
    """One message to one person over one channel. `key` is stable over restarts, so that a channel can drop a repeat."""

    key: str
    incident: str
    message: str
    channel: str
    recipient: str
    subject: str
    body: str
    exercise: bool


class Notifier(Protocol):
    """One channel."""

    async def send(self, notification: Notification) -> str:
        """Hand it over; returns the channel's own reference. Raises ConnectionError or TimeoutError when it could not."""
