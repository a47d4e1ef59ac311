"""What can happen and what is done then: scenarios, phases, steps, triggers, and the timing of lease and decision."""

from typing import Annotated, Any, Literal

from pydantic import Field

from holdfast.plan.part import Part, Priority
from holdfast.plan.values import Duration, Identifier, WindowEnd


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


class SignalTrigger(Part):
    """Something that Holdfast does not measure itself: an alert from outside, or a person, says so.

    It raises a suspicion and opens an incident for people; it never begins anything by itself.
    """

    kind: Literal["signal"]
    signal: Identifier
    says: str
    """What has been seen, in words."""
    more_than: float | None = None
    within: Duration | None = None
    """More than so many in so much time, where the signal counts something."""


Trigger = Annotated[
    ScoreTrigger | NetworkLostTrigger | ZonesDownTrigger | ComponentDownTrigger | SignalTrigger, Field(discriminator="kind")
]


class WayStep(Part):
    """One thing to do on another way: the steps of a way follow each other."""

    id: Identifier
    block: str
    component: Identifier | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)
    time_limit: Duration | None = None
    attempts: int | None = Field(default=None, ge=1, le=20)
    by: Identifier | None = None
    """Role that does it or is asked about it; the technical lead when absent."""
    takes: Annotated[tuple[Duration, ...], Field(min_length=2, max_length=3)] | None = None
    """How long it is expected to take: shortest, perhaps usual, and longest. What real runs measured replaces it."""

    @property
    def usual_seconds(self) -> float | None:
        """How long it usually takes: the middle of three, the longer of two; None where the plan says nothing."""
        return self.takes[len(self.takes) // 2] if self.takes is not None else None


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
    window: tuple[Duration, WindowEnd]
    """Its end may be `open`: infinity."""
    steps: tuple[Step, ...]


class Scenario(Part):
    """What can happen, how it is noticed, and what is done: there, and the way back."""

    name: str
    triggers: tuple[Trigger, ...]
    severity: Priority | None = None
    """Which severity its incidents have at least."""
    phases: tuple[Phase, ...] = Field(min_length=1)
    rollback: tuple[str, ...] = ()
    """The document's way back in words, shown beside `reprotect` and `way_back`."""
    reprotect: tuple[Phase, ...] = ()
    """Run after the failover with the same source (the lost region) and target: the source becomes a replica of the target."""
    way_back: tuple[Phase, ...] = ()
    """The planned return, a run of its own: source is the region that serves now, target is home. It ends with reprotecting the source."""
