"""Pure: who is owed which message by when, and why. Never sends."""

from holdfast.communications.duty import DueMessage, due, next_change_seconds, recipients
from holdfast.communications.facts import ExpectedBack, IncidentFacts
from holdfast.communications.places import HandOver, delivered, places_of
from holdfast.communications.recipients import Directory, Member, Membership, Recipient, addressed
from holdfast.communications.rendering import rendered
from holdfast.plan.model import Words

__all__ = [
    "Directory",
    "DueMessage",
    "ExpectedBack",
    "HandOver",
    "IncidentFacts",
    "Member",
    "Membership",
    "Recipient",
    "Words",
    "addressed",
    "delivered",
    "due",
    "next_change_seconds",
    "places_of",
    "recipients",
    "rendered",
]
