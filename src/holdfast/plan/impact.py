"""What the company promises, and what an outage means to it: objectives, functions, tiers (the business impact analysis of ISO 22301)."""

from typing import Literal

from pydantic import Field, field_validator

from holdfast.plan.part import Part, Priority
from holdfast.plan.values import Duration, Identifier, duration_text


class Objectives(Part):
    """What the company promises as a whole."""

    rto: Duration | None = None
    rpo: Duration | None = None
    availability_percent: float | None = Field(default=None, gt=0, le=100)
    data_loss_tolerance: Duration | None = None


class FinancialTier(Part):
    """What an outage costs from `from` until `to` (open-ended without it)."""

    start: Duration = Field(alias="from")
    end: Duration | None = Field(default=None, alias="to")
    revenue_loss_usd: float = Field(ge=0)
    revenue_loss: Literal["estimate", "at-least"] = "estimate"
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
    stands_on: tuple[Identifier, ...] = ()
    workaround: str = ""
    """What customers can do meanwhile."""
    minimum: str = ""
    """The least that must go on (minimum business continuity objective)."""
    degraded: Degraded = Degraded()
    canary: Canary | None = None
    """Without one, nobody measures the function outside of drills."""
    size: Size | None = None
    """Told, so that what is left after the loss of a zone can be judged."""


class Credit(Part):
    """What customers are given back, as a percentage of the period's fee, when less than `below_percent` of it was available."""

    below_percent: float = Field(gt=0, le=100)
    percent: float = Field(gt=0, le=100)


class ServiceLevel(Part):
    """An availability promised to customers over `period`."""

    name: str
    availability_percent: float = Field(gt=0, le=100)
    period: Duration = 2592000.0
    credits: tuple[Credit, ...] = ()
