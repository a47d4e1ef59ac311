"""Each function's availability over a window, held against everything that the plan promises.

The plan's objective counts over 30 days and each service level over its own period, both ending where the window ends. Reads only.
"""

from dataclasses import dataclass

from holdfast.canary.archive import measured
from holdfast.canary.files import CanaryFiles
from holdfast.ledger.availability import Availability, Budget, Kept, Span, availability, budget
from holdfast.plan.model import Plan

MONTH_SECONDS = 30 * 86400.0
OBJECTIVE = "objective"


@dataclass(frozen=True, slots=True)
class Promise:
    """An availability that the plan promises."""

    name: str
    title: str
    target_percent: float
    period_seconds: float


@dataclass(frozen=True, slots=True)
class Held:
    """A promise held against what was measured over its period."""

    promise: Promise
    measured: Availability
    budget: Budget


@dataclass(frozen=True, slots=True)
class Appraisal:
    """One function over one window."""

    function: str
    window: Availability
    row: tuple[Span, ...]
    """The window in a row, piece by piece."""
    held: tuple[Held, ...]

    @property
    def kept(self) -> Kept:
        """Whether every promise was kept: broken if one is, unknown if one is."""
        found = {held.budget.kept for held in self.held}
        return next((word for word in (Kept.BROKEN, Kept.UNKNOWN) if word in found), Kept.KEPT)


def promises(plan: Plan) -> tuple[Promise, ...]:
    """The plan's own objective first, then its service levels."""
    objective = plan.objectives.availability_percent
    return (
        *([] if objective is None else [Promise(OBJECTIVE, "The plan's objective", objective, MONTH_SECONDS)]),
        *(Promise(name, level.name, level.availability_percent, level.period) for name, level in plan.service_levels.items()),
    )


def appraise(plan: Plan, files: CanaryFiles, function: str, from_seconds: float, until_seconds: float) -> Appraisal:
    """What the ledgers say of a function. Raises LedgerError and OSError; ValueError for a function without a canary."""
    canary = plan.functions[function].canary
    if canary is None:
        raise ValueError(f"the plan gives {function} no canary")
    wanted = promises(plan)
    earliest = min(from_seconds, *(until_seconds - promise.period_seconds for promise in wanted))
    whole = measured(files, function, canary, earliest, until_seconds)
    row = cut(whole, from_seconds, until_seconds)
    held = []
    for promise in wanted:
        over = availability(cut(whole, until_seconds - promise.period_seconds, until_seconds))
        held.append(Held(promise, over, budget(promise.target_percent, promise.period_seconds, over)))
    return Appraisal(function, availability(row), row, tuple(held))


def cut(row: tuple[Span, ...], from_seconds: float, until_seconds: float) -> tuple[Span, ...]:
    """The part of a row that lies in a window; a piece's transactions are shared out by time."""
    return tuple(
        span.within(from_seconds, until_seconds) for span in row if span.until_seconds > from_seconds and span.from_seconds < until_seconds
    )
