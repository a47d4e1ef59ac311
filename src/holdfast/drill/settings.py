"""What a drill is asked to do, and what it says while it does it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from holdfast.console.narration import Line

Say = Callable[[Line], None]


@dataclass(frozen=True, slots=True)
class DrillSettings:
    """One drill. Bounds in seconds; they end a drill that hangs, and are far above what it takes."""

    plan_file: Path
    scenario: str
    directory: Path
    profile: str = "fast"
    replication: Literal["asynchronous", "synchronous"] = "asynchronous"
    takes_away: str = "region"
    """What is done to the primary region: a word of `injection.INJECTIONS`, from the plan's exercise."""
    storage: str | None = None
    """The lab's S3 server; None: the real one if it is installed."""
    warm_up_seconds: float = 4.0
    settle_seconds: float = 3.0
    """Load after each run; longer, up to `well_bound_seconds`, until every function's clients have ten successes in a row."""
    well_bound_seconds: float = 30.0
    ready_bound_seconds: float = 90.0
    failover_bound_seconds: float = 120.0
    return_bound_seconds: float = 180.0
    controller_module: Sequence[str] = field(default=("holdfast", "run"))
    """`python -m …` that runs the controller: tests put one with a broken block here."""
