"""What is known at one moment, and what can be done about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from holdfast.communications.recipients import NO_DIRECTORY, Directory
from holdfast.conduct.pagers import Pager
from holdfast.decision.replay import Installation
from holdfast.fencing.order import Order
from holdfast.health.loss import ComponentLoss
from holdfast.health.zones import ZoneState
from holdfast.journal.kinds import Kind
from holdfast.plan.model import Plan, Profile
from holdfast.runbook.graph import PlannedStep


@dataclass(frozen=True, slots=True)
class Alarm:
    """One trigger of the plan about one region, now. `firing`: its condition has held for the profile's hold."""

    region: str
    trigger: str
    firing: bool
    since_seconds: float
    reason: str
    score: float | None = None


@dataclass(frozen=True, slots=True)
class FunctionHit:
    """A function that clients don't get as promised, since when, and whether it answers at all."""

    function: str
    since_seconds: float
    down: bool


@dataclass(frozen=True, slots=True)
class LossBound:
    """What a failover now may lose, at most: seconds of acknowledged writes (None: can't be bounded), and an estimated count."""

    bound_seconds: float | None
    estimated_writes: int | None
    components: tuple[ComponentLoss, ...] = ()
    """What each component that would move adds to it; the bound is the worst of them."""


@dataclass(frozen=True, slots=True)
class Command:
    """What a person asked for; `identifier` makes a repeat harmless."""

    identifier: str
    verb: str
    by: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything that the next moves depend on."""

    plan: Plan
    plan_digest: str
    scenario: str
    profile: Profile
    installation: Installation
    now: float
    alarms: tuple[Alarm, ...] = ()
    functions_hit: tuple[FunctionHit, ...] = ()
    functions_unknown: frozenset[str] = frozenset()
    """Functions of which no majority says anything: neither served as promised nor hit."""
    functions_up_since: Mapping[str, float] = field(default_factory=dict)
    """Function that clients get as promised → since when; only those."""
    loss: LossBound = LossBound(None, None)
    lags: Mapping[str, float | None] = field(default_factory=dict)
    """Component that keeps data → how many seconds its copy in the region that doesn't serve is behind; None, or missing: unknown."""
    promise_ends_seconds: float | None = None
    """When the controller's own last promise ends."""
    stray: tuple[int, int] | None = None
    """(era, epoch) of an activation that is under way with the controller's grantor."""
    in_flight: frozenset[tuple[str, str]] = frozenset()
    """(run, step) of what this controller has begun and not finished."""
    zones: tuple[ZoneState, ...] = ()
    """How each zone of the plan is."""
    observers_heard: frozenset[str] | None = None
    """Observers that answered lately; None while the controller has only just begun to listen."""
    telling: frozenset[tuple[str, str, str]] = frozenset()
    """(key, channel, recipient) of what is being handed over."""
    exercise: str | None = None
    scale: float = 1.0
    """How fast the plan's clock runs in incidents that are opened now; 1 but in an exercise."""
    directory: Directory = NO_DIRECTORY
    """Who is in the audiences whose members stand outside the plan."""
    pagers: frozenset[Pager] = frozenset()
    """Ways of channels that are bound to a pager."""
    beside: frozenset[str] = frozenset()
    """Identifiers of people's wishes that are being carried out beside the loop: to give something back, and about protection."""
    replication: Literal["asynchronous", "synchronous"] = "asynchronous"
    """How databases and caches of this installation replicate."""
    protected: Mapping[str, bool | None] = field(default_factory=dict)
    """Component → whether each write in the region that serves waits for its replica, as its agent says; None, or missing: unknown."""


@dataclass(frozen=True, slots=True)
class Write:
    """Put a record into the journal."""

    kind: Kind
    incident: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Begin:
    """Record the intent of a step and carry it out. `look_only`: settle it by its check. `prove_only`: another way was gone instead."""

    incident: str
    run: str
    step: PlannedStep
    attempt: int
    look_only: bool
    prove_only: bool = False


TellPurpose = Literal["alert", "update", "acknowledged", "resolved"]
"""What a message is for: channels with a state of their own follow it."""


WayOfChannel = Literal["any", "first", "second"]
"""Which of its channel's ways a message goes: the first and else the second, or one of them alone."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a message asks of the person that it goes to: to say that it is theirs, and to approve what is proposed. Moments on the wall."""

    person: str | None
    """None: whoever reads at the one place for all, and proves by itself who it is; it gets no link and no digits of anybody's own."""
    until_seconds: float
    """How long its answer counts."""
    approve_hash: str | None = None
    """Hash of the proposal that this person may approve now; None where there is none."""
    approve_until_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Tell:
    """Hand a message to one channel for one person."""

    incident: str
    key: str
    message: str
    channel: str
    recipient: str
    subject: str
    body: str
    short: str = ""
    purpose: TellPurpose = "update"
    severity: str | None = None
    address: str | None = None
    """Where the recipient is reached on this channel; never recorded."""
    addresses: Mapping[str, str] = field(default_factory=dict)
    """Channel → where the recipient is reached on it, for ways of another kind; never recorded."""
    over: str | None = None
    """The plan's second channel, where it goes over that instead of `channel`."""
    enrolled: bool = False
    """Whether this very exercise may reach everybody whom it goes to."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """Fields of the message, filled."""
    priority: int = 1
    """Handed over first where it is lower: 0 is somebody who is called."""
    asked: Asked | None = None
    """What the recipient is asked for; None where it is only told."""
    due_seconds: float | None = None
    """By when it must be handed over, on the wall; None where no moment is named."""
    again: bool = False
    """An earlier hand-over may have arrived."""
    about: str = ""
    """Where it is about no incident: what a channel holds its messages together by."""
    way: WayOfChannel = "any"
    attempt: int = 1
    """Which of its hand-overs it is, from 1 on, so that a later receipt can name it."""
    test: str | None = None
    """The quiet test that it belongs to: practice, also where nothing else is."""
    loudest: Literal["quiet", "text", "call"] = "call"
    """The loudest way that it may go: `quiet` wakes nobody, `text` is a text message, `call` rings or pages."""


@dataclass(frozen=True, slots=True)
class GiveBack:
    """Give chosen rows and keys of the export that a run made to the region that serves under this (era, epoch).

    `objections`: what to do where one can't be taken: `stop` (nothing is given back) or `leave` (that one out).
    """

    incident: str
    identifier: str
    run: str
    only: tuple[str, ...]
    objections: Literal["stop", "leave"]
    region: str
    era: int
    epoch: int


@dataclass(frozen=True, slots=True)
class SetMode:
    """Let what a component's writer acknowledges wait for its replica (`synchronous`), or not (`asynchronous`), under this order."""

    ask: str
    component: str
    kind: str
    region: str
    mode: Literal["asynchronous", "synchronous"]
    order: Order


Move = Write | Begin | Tell | GiveBack | SetMode
