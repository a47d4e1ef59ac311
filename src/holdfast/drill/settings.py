"""What a drill is asked to do, and what it says while it does it."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from holdfast.console.narration import Line
from holdfast.drill.warming import Needs

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
    scale: float = 1.0
    """How fast the plan's clock runs for messages, escalation and answers."""
    decide_after_seconds: float = 0.0
    """On the plan's clock, from the impact: stand-ins decide no sooner."""
    open_for_seconds: float = 0.0
    """On the plan's clock, from the impact: the region comes back no sooner."""
    unanswered: frozenset[str] = frozenset()
    """Stand-ins who acknowledge nothing, so that escalation is practised."""
    storage: str | None = None
    """The lab's S3 server; None: the real one if it is installed."""
    copies_cut_seconds: float = 0.0
    """So long before something is taken away, nothing of the primary region reaches the other any more: copies are behind by then."""
    ends: Literal["home", "promoted"] = "home"
    """Where the drill ends: with the way home; or as soon as every store is written in the other region, with what was lost still gone."""
    needs: Needs = "well"
    """What must have been so for `warm_up_seconds` before the cut. Only *bounded*: the drill tells what is lost, nothing of an outage."""
    within_seconds: float = math.inf
    """What the whole drill may take, from the start of its lab to the end of its last wait; it ends early, as not proved, after that."""
    warm_up_seconds: float = 4.0
    settle_seconds: float = 3.0
    """Load after each run; longer, up to `well_bound_seconds`, until every function's clients have ten successes in a row."""
    well_bound_seconds: float = 30.0
    ready_bound_seconds: float = 90.0
    failover_bound_seconds: float = 120.0
    return_bound_seconds: float = 180.0
    controller_module: Sequence[str] = field(default=("holdfast", "run"))
    """`python -m …` that runs the controller: tests put one with a broken block here."""

    @property
    def waits_seconds(self) -> float:
        """How much longer the drill takes because it waits by the plan's clock."""
        return max(self.decide_after_seconds, self.open_for_seconds) / self.scale
