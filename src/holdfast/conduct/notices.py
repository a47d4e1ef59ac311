"""Notices that belong to no incident: handed over as messages of an incident are, with an intent that is durable first.

Each is told once over each channel, at the address that the plan has for whom it names; one that fails is tried again like any other.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from holdfast.communications import Recipient
from holdfast.conduct.deliveries import may_try_again
from holdfast.conduct.situation import Move, Situation, Tell, Write
from holdfast.journal.kinds import Kind


@dataclass(frozen=True, slots=True)
class Notice:
    """What is told. `about`: what a channel holds messages on the same matter together by."""

    key: str
    message: str
    subject: str
    body: str
    about: str
    short: str = ""
    purpose: Literal["update", "resolved"] = "update"


def handed_out(situation: Situation, notice: Notice, channels: Iterable[str], recipients: Iterable[Recipient]) -> Iterator[Move]:
    """An intent and a hand-over for everybody who was not told yet and may be now."""
    known, told = situation.installation, tuple(recipients)
    for channel in channels:
        for recipient in told:
            delivery = (notice.key, channel, recipient.identifier)
            if delivery in known.told or delivery in situation.telling or not recipient.is_reached_by(channel):
                continue
            tried, last = known.untold.get(delivery, (0, 0.0))
            if tried and not may_try_again(tried, last, situation.now):
                continue
            named = {"key": notice.key, "message": notice.message, "channel": channel, "recipient": recipient.identifier}
            yield Write(Kind.NOTIFICATION_INTENDED, "", {**named, "attempt": tried + 1})
            yield Tell(
                incident="",
                key=notice.key,
                message=notice.message,
                channel=channel,
                recipient=recipient.identifier,
                subject=notice.subject,
                body=notice.body,
                short=notice.short,
                purpose=notice.purpose,
                address=recipient.address(channel),
                enrolled=recipient.enrolled,
                again=tried > 0,
                about=notice.about,
            )
