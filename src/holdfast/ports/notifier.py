"""Telling people: the port behind every channel."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Protocol


class Purpose(StrEnum):
    """What a message is for: channels with a state of their own (pages, alerts, threads) follow it."""

    ALERT = "alert"
    UPDATE = "update"
    ACKNOWLEDGED = "acknowledged"
    """Somebody has it: who is still being alerted for it need not be."""
    RESOLVED = "resolved"


class Repeats(StrEnum):
    """What a channel does with a message that is handed over again because nobody knows whether it arrived."""

    DROPPED = "dropped"
    POSSIBLE = "possible"
    """It may arrive twice, and a report must say so."""


class Loudness(IntEnum):
    """How loud a way is where its message arrives."""

    QUIET = 0
    """It wakes nobody: a mail, a message in a chat."""
    TEXT = 1
    """A text message."""
    CALL = 2
    """It rings or pages, or nobody knows whether it does."""


class Way(StrEnum):
    """Which of a channel's ways a message may go."""

    ANY = "any"
    """The first, and where that fails the second."""
    FIRST = "first"
    """It is for what stands behind the first alone."""
    SECOND = "second"
    """It is for what stands behind the second alone, or the first took it, and nothing came of that."""


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
    purpose: Purpose = Purpose.UPDATE
    severity: str | None = None
    """P1 to P4."""
    short: str = ""
    """One sentence for channels with room for no more; the subject serves where it is empty."""
    address: str | None = None
    """Where the recipient is reached on this channel (mail address, number, chat name); None: the channel has one place for all."""
    addresses: Mapping[str, str] = field(default_factory=dict)
    """Channel → where the recipient is reached on it: a way of another kind than its channel's takes its own from here."""
    enrolled: bool = False
    """In an exercise: whether this recipient was enrolled in it. Nobody else is reached."""
    acknowledge_url: str | None = None
    """Where the recipient says that it was read, where that is asked. It is this recipient's own: it never stands where others read."""
    approve_hash: str | None = None
    """Hash of the proposal that waits for this recipient's approval; channels with buttons offer one for exactly that proposal."""
    approve_url: str | None = None
    """Where the recipient approves it. Its own, as the link above."""
    code: str | None = None
    """The digits that this recipient answers with to approve it, for channels without links. Its own, as the link is."""
    again: bool = False
    """An earlier hand-over may have arrived: a channel that can't drop a repeat says so in the message."""
    attempt: int = 1
    """Which hand-over under this key it is, from 1 on: what is reported of it later names it too."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """Fields of the message by name, for channels that carry more than text."""
    way: Way = Way.ANY
    """Over which of a channel's ways it goes."""
    within_seconds: float | None = None
    """How much time was left when it was handed over until it must be there; None: no moment is named."""
    loudest: Loudness = Loudness.CALL
    """The loudest way that it may go. Of a quiet test no louder than somebody asked for."""


class RefusedNotificationError(ConnectionError):
    """The channel answered that it won't: nothing was delivered, and the same again won't be either.

    `retry_after_seconds`: unless it said that it will take it later.
    """

    def __init__(self, message: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class Notifier(Protocol):
    """One channel."""

    @property
    def repeats(self) -> Repeats:
        """Whether the same key twice can reach somebody twice."""

    async def send(self, notification: Notification) -> str:
        """Hand it over; returns the channel's own reference. Handed over is not delivered, and delivered is not acknowledged.

        Raises RefusedNotificationError or ConnectionError when it surely was not handed over, TimeoutError when that isn't known,
        ValueError when it must not be sent (an exercise that reaches somebody who isn't enrolled).
        """
