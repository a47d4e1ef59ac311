"""What functions stand on: regions, components with their copies and backups, links between them, and what others provide."""

from typing import Any, Literal

from pydantic import Field

from holdfast.plan.part import Part
from holdfast.plan.values import Day, Duration, Frequency, Identifier


class NodeGroup(Part):
    """Machines of one sort in a region. `usual` run in normal times; at most `largest` can be had."""

    name: str = ""
    smallest: int = Field(default=0, ge=0)
    usual: int = Field(ge=0)
    largest: int = Field(ge=0)


class Region(Part):
    """A place that can be lost whole."""

    role: Literal["primary", "dr"]
    name: str = ""
    zones: tuple[str, ...] = ()
    """Its parts that can be lost one by one; instances are spread over them evenly."""
    area: str | None = None
    """Legal area that its data is in, such as `EU`."""
    node_groups: dict[Identifier, NodeGroup] = Field(default_factory=dict)
    """The capacity that the application can grow into."""


class Backup(Part):
    """One way in which a component is backed up. What it can bring back is as old as `every` at the worst."""

    name: str
    every: Duration
    """How often one is made; `0s` for a log that is archived all the time."""
    kept_for: Duration | None = None
    regions: tuple[Identifier, ...] = ()
    """Where it is kept."""
    restored_every: Frequency | None = None
    """How often a restore of it is to be proved. A backup that is never restored proves nothing."""
    last_restored: Day | None = None


class Component(Part):
    """A technical thing that functions stand on. `rpo` is absent for what keeps no data."""

    kind: Literal["network", "dns", "loadbalancer", "postgres", "redis", "bucket", "application"]
    name: str
    primary_strategy: str
    backup_strategy: str | None = None
    rto: Duration
    rpo: Duration | None = None
    needs: tuple[Identifier, ...] = ()
    backups: dict[Identifier, Backup] = Field(default_factory=dict)
    only_in: Identifier | None = None
    """Region outside of which it does not exist."""
    ttl: Duration | None = None
    """Of names in DNS: how long a resolver may go on giving the old address."""
    settings: dict[str, Any] = Field(default_factory=dict)


class ReplicationLink(Part):
    """A component's data on its way from one region to the other."""

    component: Identifier
    source: Identifier = Field(alias="from")
    target: Identifier = Field(alias="to")
    how: Literal["continuous", "asynchronous", "synchronous", "cross-region", "periodic"]
    every: Duration | None = None
    """Of a periodic copy: how often."""
    lag_within: Duration | None = None
    """How far the target may be behind before it counts as trouble."""


class Monitor(Part):
    """A piece of monitoring and control, and what it hands its findings to."""

    name: str
    feeds: tuple[Identifier, ...] = ()
    runs_in: tuple[str, ...] = ()
    """Regions, or the witness."""


class Dependency(Part):
    """Something that functions or components need and another provides (appendix of dependencies)."""

    name: str
    needed_by: tuple[Identifier, ...] = ()
    """Functions or components."""
    vendor: Identifier | None = None
    availability_percent: float | None = Field(default=None, gt=0, le=100)
    rto: Duration | None = None
    regions: tuple[Identifier, ...] = ()
    """Regions of the plan that it lives in; empty where it stands outside of them."""
    area: str | None = None
    """Legal area that data goes to there."""
    fallback: str | None = None
    """What is done without it."""


class Vendor(Part):
    """Somebody outside who is called in an emergency."""

    name: str
    supplies: str = ""
    contact: str | None = None
    email: str | None = None
    phone: str | None = None
    hours: str | None = None
    """When they answer, such as `24/7`."""
    answers_within: Duration | None = None


class DataKind(Part):
    """A kind of data with rules of its own."""

    name: str
    kept_for: Duration
    stored_in: tuple[Identifier, ...] = ()
    """Components."""
    areas: tuple[str, ...] = ()
    """Legal areas that it may be in; anywhere when empty."""
    personal: bool = False
