"""What messages are made from: the facts of one incident, as the caller knows them at one moment."""

from dataclasses import dataclass

from holdfast.plan.plan_clock import AS_ON_THE_WALL, PlanClock


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
    actions_taken: tuple[str, ...] = ()
    next_steps: tuple[str, ...] = ()
    expected_back_seconds: float | None = None
    cost_usd: float | None = None
    restored_seconds: float | None = None
    cause: str | None = None
    report: str | None = None
    aware_seconds: float | None = None
    """When the company knew: notices to authorities count from here."""
    needs: tuple[str, ...] = ()
    """What people must do now."""
    clock: PlanClock = AS_ON_THE_WALL
