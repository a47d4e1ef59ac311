"""How the forecast of 10,000 runs grows with the plan: from 50 components to 5,000, on one core.

Run: python -m bench.forecast_size [COMPONENTS ...] (50, 500, 5000; a tenth as many functions). Two plans of each size: one whose steps
stand side by side, as loading and checks are measured on, and one with a step for every component, each after the steps of what it needs.
Exit code 1 when a forecast took longer than its aim.
"""

import os
import resource
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench.plan_size import plan_text
from bench.plan_steps import steps_text

from holdfast.forecast.forecast import forecast
from holdfast.forecast.results import ScenarioForecast, Settings
from holdfast.plan.loader import load

AIM_SECONDS = 10.0
RUNS = 10_000


@dataclass(frozen=True)
class Measured:
    """One plan. Seconds of one core."""

    shape: str
    functions: int
    components: int
    steps: int
    load_seconds: float
    forecast_seconds: float
    chance: float
    """Of the worst function."""


SHAPES = {"side by side": plan_text, "after its needs": steps_text}


def measured(shape: str, components: int, runs: int = RUNS) -> Measured:
    """The forecast of a plan of so many components."""
    functions = max(components // 10, 1)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "plan.yaml"
        path.write_text(SHAPES[shape](functions, components), encoding="utf-8")
        begun = time.process_time()
        plan = load(path).plan
        loaded = time.process_time()
    found: ScenarioForecast = forecast(plan, "outage", Settings(runs=runs))
    took = time.process_time() - loaded
    chance = min(one.chance for one in found.functions)
    return Measured(shape, functions, components, len(found.nodes), loaded - begun, took, chance)


def main() -> int:
    counts = [int(word) for word in sys.argv[1:]] or [50, 500, 5000]
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    print(
        f"{'steps stand':<16}{'functions':>10}{'components':>12}{'steps':>8}{'load':>10}{'forecast':>12}{'most memory':>14}   ({RUNS} runs)"
    )
    longest = 0.0
    for count in counts:
        for shape in SHAPES:
            one = measured(shape, count)
            longest = max(longest, one.forecast_seconds)
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            row = f"{shape:<16}{one.functions:10}{one.components:12}{one.steps:8}{one.load_seconds:8.2f} s{one.forecast_seconds:10.2f} s"
            print(f"{row}{memory:10.0f} MB", flush=True)
    print(f"aim: under {AIM_SECONDS:g} s")
    return int(longest > AIM_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
