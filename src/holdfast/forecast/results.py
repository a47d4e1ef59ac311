"""A forecast as values. Times in seconds from impact, chances from 0 to 1, money in US dollars. All of it goes into the JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Occasion = Literal["incident", "exercise"]


@dataclass(frozen=True, slots=True)
class Settings:
    """What a forecast is made for. `occasion`: whose answers count, those of people called at night or of a drill's stand-ins."""

    runs: int = 10_000
    seed: int = 1
    profile: str = "default"
    occasion: Occasion = "incident"


@dataclass(frozen=True, slots=True)
class Distribution:
    """Where a length of time lies over all runs drawn. `counts`: runs in equal parts from `first_seconds` to `last_seconds`."""

    mean_seconds: float
    p10_seconds: float
    p50_seconds: float
    p90_seconds: float
    p99_seconds: float
    first_seconds: float
    last_seconds: float
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ExpectedCost:
    """What an outage of the length drawn costs by the financial tiers. `at_least_chance`: share of runs in a tier with no upper end."""

    mean_usd: float
    p90_usd: float
    at_least_chance: float


@dataclass(frozen=True, slots=True)
class FunctionForecast:
    """One function in one scenario."""

    function: str
    name: str
    rto_seconds: float
    chance: float
    """Share of the runs drawn in which it is back within its RTO."""
    low: float
    high: float
    """95 % interval of the chance for as many real runs as stand behind the forecast; 0 to 1 without any."""
    drawn_low: float
    drawn_high: float
    """95 % interval that the number of runs drawn alone leaves: how far another seed would come out."""
    back: Distribution
    back_step: str
    """The step that it is waiting for last in most runs."""
    back_step_chance: float
    mtpd_chance: float | None
    """Share of runs back within its MTPD; None where the plan names none."""
    observed_met: int
    observed_runs: int
    """Real runs of this occasion in which every step that brings it back was measured, and in how many of them it was in time."""
    cost: ExpectedCost | None


@dataclass(frozen=True, slots=True)
class NodeForecast:
    """A step, detection, or what resolvers still remember. Moments are means over all runs."""

    id: str
    kind: str
    phase: str
    block: str
    component: str | None
    after: tuple[str, ...]
    shortest_seconds: float
    usual_seconds: float | None
    longest_seconds: float
    source: str
    """Which sentence of the plan the range comes from."""
    measured_runs: int
    measured_weight: float
    """With which chance a run took a measured length instead of the range."""
    begins_seconds: float
    ends_seconds: float
    takes_seconds: float
    critical: float
    """Criticality index: share of runs in which the whole recovery waited for it."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change, tried on the very same draws: half the time for one thing."""

    what: str
    kind: Literal["step", "approval", "detection", "window", "resolvers"]
    about: str
    chance_gain: float
    """Of the worst function."""
    cost_gain_usd: float | None
    time_gain_seconds: float
    """Mean, until the worst function is back."""


@dataclass(frozen=True, slots=True)
class ScenarioForecast:
    """One scenario: its graph, its functions, its cost, and what would help."""

    scenario: str
    name: str
    nodes: tuple[NodeForecast, ...]
    critical_path: tuple[str, ...]
    """The chain that the recovery waited for most often."""
    critical_path_chance: float
    functions: tuple[FunctionForecast, ...]
    not_hit: tuple[str, ...]
    everything_back: Distribution
    worst: str
    cost: ExpectedCost | None
    changes: tuple[Change, ...]
    changes_runs: int
    """On how many of the runs they were tried."""
    runs_behind: Mapping[str, int]
    """`all`, `exercises`, `incidents`, and `unsuccessful` ones among them."""
    says: str
    never_measured: tuple[str, ...]
    """What is on the critical path of at least one run in twenty and was never measured."""
