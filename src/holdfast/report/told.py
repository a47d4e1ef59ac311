"""What the report says about people and messages, as types. All seconds are counted from the impact, on the plan's clock.

Rules: a recipient is named by its identifier, never by an address, so that contacts can be erased and the report stays as it is.
"""

from holdfast.report.part import ReportPart, Seconds


class NotificationResult(ReportPart):
    """One message to one recipient over one channel, or to the channel's one place."""

    message: str
    rule: str = ""
    """The plan's message that it follows from; `call` where somebody was called. The same as `message`."""
    audience: tuple[str, ...]
    """Everybody whom the message is for, by name; of a large mailing only the one whom this row is about."""
    channels: tuple[str, ...]
    channel: str = ""
    recipient_ref: str = ""
    """Identifier of the recipient; of the one that stands for all who look at a place, theirs joined by `+`."""
    due_seconds: Seconds
    """When it had to be sent; of a call, when it had to be answered."""
    sent_seconds: Seconds | None
    delivered_seconds: Seconds | None = None
    """When the channel says that it arrived; null where it says nothing."""
    arrived_seconds: Seconds | None = None
    """When a lab's far end was handed it, as the far end itself wrote down; null where nobody looked, or nothing came."""
    acknowledged_seconds: Seconds | None = None
    """When the recipient first said so after it was sent. Delivered is not acknowledged."""
    second_way: str | None = None
    """What it went by instead of the channel's first way; null where it didn't."""
    met: bool | None
    """True: sent in time. False: too late or not at all. Null: not due yet when this was written."""
    recipients: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    may_be_twice: bool = False
    """It was handed over again after nobody knew whether it had been, over a channel that delivers repeats."""
    reason: str = ""
    """Why it was due."""


class CallResult(ReportPart):
    """One rung of the escalation ladder that was climbed."""

    number: int
    round: int
    level: str
    roles: tuple[str, ...]
    recipients: tuple[str, ...]
    """Identifiers of those who were called."""
    channels: tuple[str, ...]
    called_seconds: Seconds
    answer_by_seconds: Seconds
    answered_seconds: Seconds | None = None
    """When the first of them acknowledged."""
    answered_by: str | None = None
    starts_over: bool = False
    reason: str = ""


class RoleAnswer(ReportPart):
    """Whether somebody answered for a role, and how soon after it was called first."""

    role: str
    person_ref: str | None
    called_seconds: Seconds
    answered_seconds: Seconds | None
    way: str | None = None
    within: bool | None = None


class PersonAnswer(ReportPart):
    """Whether a person who was called answered, and how soon after that.

    Whoever is called first for a role has to answer, also where a backup did instead. Whoever was called because others were silent has
    to answer for as long as none of these did.
    """

    person_ref: str
    name: str
    roles: tuple[str, ...]
    """What it was called for first."""
    level: str
    """`primary`, `backup`, or the plan's name of the level that it was called at first."""
    called_seconds: Seconds
    answered_seconds: Seconds | None
    way: str | None = None
    needed: bool = True
    """False: it was called because others were silent, and one of these answered before it had to."""
    within: bool | None = None
    """Null: it did not have to answer, its time was not over when this was written, or the plan names no time."""


class PeopleResult(ReportPart):
    """How soon people answered and decided, against what the plan asks for."""

    acknowledged_within_sla: bool | None = None
    """Every person who was called and had to answer did, in time. Null: nobody was called, or the plan names no time."""
    acknowledge_target_seconds: Seconds | None = None
    called: tuple[PersonAnswer, ...] = ()
    """Person by person, in the order in which they were called."""
    roles: tuple[RoleAnswer, ...] = ()
    """Role by role, whoever answered for it."""
    roles_within_sla: bool | None = None
    """Every role that was called had somebody answer in time."""
    decision_seconds: Seconds | None = None
    """From the first proposal to the decision."""
    decision_target_seconds: Seconds | None = None
    decided_within_sla: bool | None = None


class SlaResult(ReportPart):
    """One of the plan's own measures of people and messages."""

    name: str
    target: str
    actual: str
    met: bool | None
