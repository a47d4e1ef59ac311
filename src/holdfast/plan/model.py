"""The plan as types: frozen, complete, and the only thing that the rest of the house knows of the document.

Never here: reading files (see `loader`), judging whether a promise can be kept (see `checks`).
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from holdfast.plan.values import Duration, Identifier, duration_text


class Part(BaseModel):
    """A piece of the plan: frozen, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


Priority = Literal["P1", "P2", "P3", "P4"]


class Objectives(Part):
    """What the company promises as a whole."""

    rto: Duration
    rpo: Duration
    availability_percent: float = Field(gt=0, le=100)
    data_loss_tolerance: Duration


class FinancialTier(Part):
    """What an outage costs from `from` until `to` (open-ended without it)."""

    start: Duration = Field(alias="from")
    end: Duration | None = Field(default=None, alias="to")
    revenue_loss_usd: float = Field(ge=0)
    customer_impact: str
    regulatory_risk: str


class Degraded(Part):
    """When a function counts as degraded, over the plan's probe window."""

    success_percent_below: float = Field(default=95.0, ge=0, le=100)
    p95_latency_above: Duration = 5.0


SHORTEST_CANARY_SECONDS = 0.1
"""Ten transactions a second of one function are the most that a canary sends."""


class Canary(Part):
    """The synthetic transaction that says, in production too, whether a function serves and what it loses."""

    transaction: str
    """What is done, in words: on whose account, and which records it leaves behind."""
    every: Duration = 1.0
    within: Duration = 1.0
    """Acknowledged later than this is not in time."""
    values: dict[str, str | int | float | bool] = Field(default_factory=dict)
    """Sent beside the request's identifier: the test customer's own, never a real one's."""

    @field_validator("every", "within")
    @classmethod
    def _at_least(cls, seconds: float) -> float:
        if seconds < SHORTEST_CANARY_SECONDS:
            raise ValueError(f"{duration_text(seconds)} is too short; a canary measures and must not load: at least 100ms")
        return seconds


class Size(Part):
    """How many instances of a function run in the region that serves, and how many of them carry its full load."""

    run: int = Field(ge=1)
    needed: int = Field(ge=1)


class Function(Part):
    """A business function of the impact analysis (ISO 22301 prioritised activity)."""

    name: str
    priority: Priority
    rto: Duration
    rpo: Duration
    mtpd: Duration | None = None
    impact: str
    stands_on: tuple[Identifier, ...]
    degraded: Degraded = Degraded()
    canary: Canary | None = None
    """Without one, nobody measures the function outside of drills."""
    size: Size | None = None
    """Told, so that what is left after the loss of a zone can be judged."""


class Region(Part):
    """A place that can be lost whole."""

    role: Literal["primary", "dr"]
    zones: tuple[str, ...] = ()
    """Its parts that can be lost one by one; instances are spread over them evenly."""


class Component(Part):
    """A technical thing that functions stand on. `rpo` is absent for what keeps no data."""

    kind: Literal["network", "dns", "loadbalancer", "postgres", "redis", "bucket", "application"]
    name: str
    primary_strategy: str
    backup_strategy: str | None = None
    rto: Duration
    rpo: Duration | None = None
    needs: tuple[Identifier, ...] = ()
    settings: dict[str, Any] = Field(default_factory=dict)


class Person(Part):
    """Somebody who can be called. `exercise` people exist only in the lab."""

    name: str
    title: str
    email: str | None = None
    phone: str | None = None
    exercise: bool = False


class Role(Part):
    """An incident role and who fills it."""

    name: str
    primary: Identifier
    backup: Identifier | None = None
    stand_ins: tuple[Identifier, ...] = ()
    """Who fills the role in an exercise, so that a drill reaches nobody who isn't enrolled."""
    responsibilities: tuple[str, ...] = ()


class Audience(Part):
    """People who are told things without filling a role, or a circle outside the company reached under one address."""

    name: str
    people: tuple[Identifier, ...] = ()
    roles: tuple[Identifier, ...] = ()
    address: str | None = None
    """Mailing list, webhook or page of an outside circle (customers, partners), one recipient."""


class ApprovalRule(Part):
    """`count` distinct people out of the roles `of` must approve within `answer_within`."""

    count: int = Field(ge=1)
    of: tuple[Identifier, ...] = Field(min_length=1)
    answer_within: Duration
    if_unanswered: Literal["escalate", "stand-down"] = "escalate"


class Profile(Part):
    """Timing of lease and decision. `drift` is the clock rate error allowed for, as a fraction."""

    lease: Duration
    hold: Duration
    drift: float = Field(default=0.01, ge=0, le=0.2)
    margin: Duration = 0.25
    probe_every: Duration = 1.0
    probe_timeout: Duration = 1.0


class ScoreTrigger(Part):
    """The region's health score stays below `below` for the profile's hold."""

    kind: Literal["region-score"]
    below: float = Field(ge=0, le=100)


class NetworkLostTrigger(Part):
    """A majority of the configured observers gets no answer from anything in the region."""

    kind: Literal["network-lost"]


class ZonesDownTrigger(Part):
    """At least `count` zones of the region are down."""

    kind: Literal["zones-down"]
    count: int = Field(ge=1)


class ComponentDownTrigger(Part):
    """One component of the region is down, whatever the region's score says. An application is when none of its functions is served
    though the region's stores are up."""

    kind: Literal["component-down"]
    component: Identifier


Trigger = Annotated[ScoreTrigger | NetworkLostTrigger | ZonesDownTrigger | ComponentDownTrigger, Field(discriminator="kind")]


class WayStep(Part):
    """One thing to do on another way: the steps of a way follow each other."""

    id: Identifier
    block: str
    component: Identifier | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)
    time_limit: Duration | None = None
    attempts: int | None = Field(default=None, ge=1, le=20)


class OtherWay(Part):
    """The backup strategy of a step: what is done instead when it does not succeed. The step itself is then proved by its own block."""

    when: Literal["automatic", "ask"] | None = None
    """`automatic`: Holdfast goes there by itself, once; `ask`: a named person says so. Without it: `ask` where the way may lose data."""
    steps: tuple[WayStep, ...] = Field(min_length=1)


class Step(WayStep):
    """One thing to do. Without `after` it waits for every step of the phase before."""

    after: tuple[Identifier, ...] | None = None
    other_way: OtherWay | None = None


class Phase(Part):
    """A part of a scenario with the window that the plan gives it, counted from the incident's start."""

    name: str
    window: tuple[Duration, Duration]
    steps: tuple[Step, ...]


class Scenario(Part):
    """What can happen, how it is noticed, and what is done: there, and the way back."""

    name: str
    triggers: tuple[Trigger, ...]
    phases: tuple[Phase, ...] = Field(min_length=1)
    rollback: tuple[str, ...] = ()
    """The document's way back in words, shown beside `reprotect` and `way_back`."""
    reprotect: tuple[Phase, ...] = ()
    """Run after the failover with the same source (the lost region) and target: the source becomes a replica of the target."""
    way_back: tuple[Phase, ...] = ()
    """The planned return, a run of its own: source is the region that serves now, target is home. It ends with reprotecting the source."""


class Exercise(Part):
    """A test of the plan's schedule that a drill runs: what is taken away, what must hold then, and how often it is due."""

    name: str
    scenario: Identifier
    """The scenario whose steps are practised."""
    takes_away: Literal["region", "database-host", "application", "bucket"]
    """What the drill does to the primary region: see docs/drills.md."""
    components: tuple[Identifier, ...] = ()
    """What must be back, each within its own RTO; all components when empty."""
    within: Duration | None = None
    """The schedule's own criterion: these components, and every function that is hit, are back within it."""
    every: Duration
    lasts: Duration | None = None
    """Time that the schedule keeps free for it."""
    participants: str = ""


class Message(Part):
    """Something that an audience must be told: `due` after the incident's start, or after service is back."""

    audience: tuple[Identifier, ...] = Field(min_length=1)
    """Roles or audiences of the plan."""
    channels: tuple[str, ...] = Field(min_length=1)
    due: Duration
    counts_from: Literal["start", "restored"] = "start"
    every: Duration | None = None
    """Told again and again at this interval until service is back; `due` is then the first time."""
    lasting: Duration = 0.0
    """Told only when the outage lasts longer than this."""
    severities: tuple[Priority, ...] = ()
    """Told only at these severities; at all of them when empty."""
    functions: tuple[Identifier, ...] = ()
    """Told only when one of these functions is hit; whichever is hit when empty."""
    subject: str
    body: str


class ZoneNotice(Part):
    """Who is told at once that one zone is lost, and that it is back. Nothing is failed over for it, so the words are Holdfast's own."""

    audience: tuple[Identifier, ...] = Field(min_length=1)
    """Roles or audiences of the plan."""
    channels: tuple[str, ...] = Field(min_length=1)


class Approval(Part):
    """Approval rules of the plan: `activation` for failover, `way_back` for the planned return."""

    activation: ApprovalRule
    way_back: ApprovalRule | None = None


class ServiceLevel(Part):
    """An availability promised to customers over `period`."""

    name: str
    availability_percent: float = Field(gt=0, le=100)
    period: Duration = 2592000.0


class DocumentControl(Part):
    """Whose plan this is and how old it is."""

    owner: str
    approved_by: tuple[str, ...] = ()
    last_updated: str
    next_review: str | None = None
    classification: str | None = None
    retention: Duration | None = None


class Plan(Part):
    """A whole business continuity plan, format holdfast/plan/v1."""

    schema_: Literal["holdfast/plan/v1"] = Field(alias="schema")
    name: str
    version: str
    timezone: str = "UTC"
    document: DocumentControl
    objectives: Objectives
    financial_tiers: tuple[FinancialTier, ...] = ()
    functions: dict[Identifier, Function] = Field(min_length=1)
    regions: dict[Identifier, Region]
    witness: str = "witness"
    observers: tuple[str, ...] = Field(min_length=1)
    """Vantage points by site name; each has one vote."""
    components: dict[Identifier, Component]
    people: dict[Identifier, Person]
    roles: dict[Identifier, Role]
    audiences: dict[Identifier, Audience] = Field(default_factory=dict)
    service_levels: dict[Identifier, ServiceLevel] = Field(default_factory=dict)
    approval: Approval
    replication: Literal["asynchronous", "synchronous"] = "asynchronous"
    profiles: dict[Identifier, Profile]
    messages: dict[Identifier, Message] = Field(default_factory=dict)
    zone_notice: ZoneNotice | None = None
    scenarios: dict[Identifier, Scenario]
    exercises: dict[Identifier, Exercise] = Field(default_factory=dict)
    """The schedule's tests that a drill can run, by the drill's name."""

    def primary_region(self) -> str:
        """Identifier of the region that serves in normal times."""
        return next(name for name, region in self.regions.items() if region.role == "primary")

    def dr_region(self) -> str:
        """Identifier of the region that serves when the primary is lost."""
        return next(name for name, region in self.regions.items() if region.role == "dr")

    def channels(self) -> frozenset[str]:
        """Every channel that the plan tells somebody over."""
        used = {channel for message in self.messages.values() for channel in message.channels}
        return frozenset(used | set(self.zone_notice.channels if self.zone_notice is not None else ()))

    def components_of(self, kind: str) -> tuple[str, ...]:
        """Identifiers of the components of a kind, in the plan's order."""
        return tuple(name for name, component in self.components.items() if component.kind == kind)
