"""Who must be told what by when, and in which words."""

from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from holdfast.plan.part import Part, Priority
from holdfast.plan.values import Duration, Identifier

PageState = Literal["investigating", "identified", "monitoring", "resolved"]
"""States of an incident on the status page, in their order."""


@dataclass(frozen=True, slots=True)
class Words:
    """What a message says, as the plan writes it or filled in. `subject` and `short` are one line each; no `short`: the subject serves."""

    subject: str
    body: str
    short: str = ""


class Template(Part):
    """Words that messages share. `short` is for channels with room for a sentence only."""

    name: str
    subject: str = ""
    body: str
    short: str = ""


class Message(Part):
    """Something that an audience must be told: `due` after the incident's start, or after service is back."""

    audience: tuple[Identifier, ...] = Field(min_length=1)
    """Roles or audiences of the plan."""
    channels: tuple[str, ...] = Field(min_length=1)
    due: Duration
    counts_from: Literal["start", "aware", "restored"] = "start"
    """`aware`: when the company knew of it, which is when the incident was opened."""
    every: Duration | None = None
    """Told again and again at this interval until service is back; `due` is then the first time."""
    lasting: Duration = 0.0
    """Told only when the outage lasts longer than this."""
    severities: tuple[Priority, ...] = ()
    """Told only at these severities; at all of them when empty."""
    functions: tuple[Identifier, ...] = ()
    """Told only when one of these functions is hit; whichever is hit when empty."""
    scenarios: tuple[Identifier, ...] = ()
    """Told only in incidents of these scenarios; in all of them when empty."""
    content: str = ""
    """What it must say, in the plan's words."""
    template: Identifier | None = None
    """Where subject and body come from when they don't stand here."""
    subject: str = ""
    body: str = ""
    short: str = ""
    """One sentence for channels with room for no more."""


class StatusPage(Part):
    """How the plan calls the four states of the status page, for whoever reads it; programs that read it see the states themselves.

    Holdfast's own word stands where the plan says nothing.
    """

    investigating: str = ""
    identified: str = ""
    monitoring: str = ""
    resolved: str = ""

    def words(self) -> dict[PageState, str]:
        """State → the plan's word for it, of those that it names."""
        said: dict[PageState, str] = {
            "investigating": self.investigating,
            "identified": self.identified,
            "monitoring": self.monitoring,
            "resolved": self.resolved,
        }
        return {state: word for state, word in said.items() if word}


class AccessNotice(Part):
    """Who is told at once that two people signed in without single sign-on. Without it, those whom the plan asks to approve an activation
    are told, over the channels of its first alert."""

    audience: tuple[Identifier, ...] = Field(min_length=1)
    """Roles or audiences of the plan."""
    channels: tuple[str, ...] = Field(min_length=1)


class ZoneNotice(Part):
    """Who is told at once that one zone is lost, and that it is back. Nothing is failed over for it, so the words are Holdfast's own."""

    audience: tuple[Identifier, ...] = Field(min_length=1)
    """Roles or audiences of the plan."""
    channels: tuple[str, ...] = Field(min_length=1)
