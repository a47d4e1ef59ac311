"""Who does what: people, roles, audiences, rotations, the escalation matrix, and who must approve."""

from typing import Literal

from pydantic import Field

from holdfast.plan.part import Part
from holdfast.plan.values import Duration, Frequency, Identifier, Moment


class Reach(Part):
    """Over which channels a person is called: all at once, or one after the other with a wait between."""

    channels: tuple[str, ...] = Field(min_length=1)
    how: Literal["together", "in-turn"] = "in-turn"
    wait: Duration = 120.0


class Person(Part):
    """Somebody who can be called. `exercise` people exist only in the lab."""

    name: str
    title: str
    email: str | None = None
    phone: str | None = None
    chat: str | None = None
    """The person's name or identifier in the chat channel."""
    timezone: str | None = None
    reach: Reach | None = None
    """How the person is called; over the channels of each message when absent."""
    exercise: bool = False


class Role(Part):
    """An incident role and who fills it."""

    name: str
    primary: Identifier
    backup: Identifier | None = None
    rotation: Identifier | None = None
    """The on-call rotation whose person of the hour is called before `primary`."""
    stand_ins: tuple[Identifier, ...] = ()
    """Who fills the role in an exercise, so that a drill reaches nobody who isn't enrolled."""
    responsibilities: tuple[str, ...] = ()


class Audience(Part):
    """People who are told things without filling a role, or a circle outside the company reached under one address."""

    name: str
    people: tuple[Identifier, ...] = ()
    roles: tuple[Identifier, ...] = ()
    rotations: tuple[Identifier, ...] = ()
    """Whoever is on call in them."""
    address: str | None = None
    """Mailing list, webhook or page of an outside circle (customers, partners), one recipient."""
    source: str | None = None
    """Where its members stand when they are many: a CSV file beside the plan, or an https address of a directory."""


class Override(Part):
    """Somebody else is on call, `start` inclusive to `end` exclusive. Nobody, on a holiday, when `person` is absent."""

    start: Moment = Field(alias="from")
    end: Moment = Field(alias="to")
    person: Identifier | None = None
    because: str = ""


class Rotation(Part):
    """Who is on call: the people take turns, handing over every `every`, first at `starts`."""

    name: str
    people: tuple[Identifier, ...] = Field(min_length=1)
    starts: Moment
    """First hand-over, local time of `timezone`: the hour of every later one."""
    every: Frequency
    timezone: str | None = None
    """The plan's when absent."""
    overrides: tuple[Override, ...] = ()


class Escalation(Part):
    """What a severity demands: acknowledged within, else the next level is called, over these channels."""

    name: str = ""
    also_called: tuple[str, ...] = ()
    """What the company's other systems call this severity."""
    answer_within: Duration
    level: str
    """Who it is escalated to, in the plan's words."""
    audience: tuple[Identifier, ...] = ()
    """Roles or audiences that the level means."""
    channels: tuple[str, ...] = Field(min_length=1)


class Route(Part):
    """How a channel is reached, and by what instead when it fails."""

    name: str = ""
    second: str | None = None
    """The second way in words, such as a second relay."""
    second_channel: str | None = None
    """Another channel of the plan: it helps from half-way to a delivery's deadline on, or at once where this one refuses for good."""
    regions: tuple[Identifier, ...] = ()
    """Regions that it stands in and is lost with; empty: outside of them."""
    address: str | None = None
    """Where people find it, such as the status page's address."""


class ApprovalRule(Part):
    """`count` distinct people out of the roles `of` must approve within `answer_within`."""

    count: int = Field(ge=1)
    of: tuple[Identifier, ...] = Field(min_length=1)
    answer_within: Duration
    if_unanswered: Literal["escalate", "stand-down"] = "escalate"


class Approval(Part):
    """Approval rules of the plan: `activation` for failover, `way_back` for the planned return."""

    activation: ApprovalRule
    way_back: ApprovalRule | None = None
