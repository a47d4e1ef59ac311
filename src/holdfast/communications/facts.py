"""What messages are made from: the facts of one incident, as the caller knows them at one moment."""

from dataclasses import dataclass

from holdfast.plan.messages import PageState
from holdfast.plan.plan_clock import AS_ON_THE_WALL, PlanClock


@dataclass(frozen=True, slots=True)
class ExpectedBack:
    """When service is expected back. `not_before`: nobody can say, but not earlier. `by_plan`: the plan's windows went into it."""

    at_seconds: float
    not_before: bool = False
    by_plan: bool = False


@dataclass(frozen=True, slots=True)
class IncidentFacts:
    """One incident. Moments are wall-clock seconds since 1970; None means not known, never zero."""

    incident: str
    started_seconds: float
    """When the first function was hit: every due time counts from here."""
    source: str
    target: str
    severity: str | None = None
    functions: tuple[str, ...] = ()
    """Identifiers of the functions that are or were hit."""
    commander: str | None = None
    """Identifier of the person who commands."""
    exercise: str | None = None
    """Identifier of the exercise; None when it is real."""
    state: str = "under investigation"
    status: PageState = "investigating"
    """What the status page says of it."""
    actions_taken: tuple[str, ...] = ()
    next_steps: tuple[str, ...] = ()
    expected_back: ExpectedBack | None = None
    cost_usd: float | None = None
    restored_seconds: float | None = None
    cause: str | None = None
    """Why it happened, in the words of whoever found out."""
    report: str | None = None
    """Where the review stands, in a person's words."""
    aware_seconds: float | None = None
    """When the company knew: notices to authorities count from here."""
    needs: tuple[str, ...] = ()
    """What people must do now."""
    clock: PlanClock = AS_ON_THE_WALL
