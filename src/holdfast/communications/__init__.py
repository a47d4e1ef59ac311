"""Pure: who is owed which message by when, and why. Never sends."""

from holdfast.communications.duty import DueMessage, Recipient, addressed, due, recipients
from holdfast.communications.facts import IncidentFacts
from holdfast.communications.rendering import rendered

__all__ = ["DueMessage", "IncidentFacts", "Recipient", "addressed", "due", "recipients", "rendered"]
