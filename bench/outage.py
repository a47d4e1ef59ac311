"""How long clients are without service, beside the raw floor, and where the time goes: five regional-outage drills in one run.

Run: python -m bench.outage [TIMES] [--plan PLAN]. Each drill is what `make demo` runs (fast profile, all five functions, fenced), in a
directory of its own below `var/bench`; between the drills the floor is measured (see floor.py). Exit code 1 when a drill did not pass, or
the median is above the aim. Another plan than the reference one shows what other settings of its profile would give.
"""

import argparse
import shutil
import statistics
import sys
from pathlib import Path

from bench.demos import PLAN, figures, line, run
from bench.floor import floor

PLACE = Path("var/bench")
AIM_SECONDS = 5.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.outage")
    parser.add_argument("times", type=int, nargs="?", default=5)
    parser.add_argument("--plan", type=Path, default=PLAN)
    options = parser.parse_args()
    shutil.rmtree(PLACE, ignore_errors=True)
    PLACE.mkdir(parents=True)
    demos, floors = [], []
    for number in range(1, options.times + 1):
        floors.append(floor())
        demos.append(run(number, PLACE, options.plan))
        print(f"{line(demos[-1])}  floor {floors[-1]:.2f} s", flush=True)
    found = figures(demos)
    floors_of = {"minimum": min(floors), "median": statistics.median(floors), "maximum": max(floors), "demos": len(floors)}
    print(f"\n{'seconds':34}{'minimum':>9}{'median':>9}{'maximum':>9}{'share':>8}")
    whole = found["outage"]["median"]
    for words, values in {"raw floor (nothing detected)": floors_of, **found}.items():
        share = f"{100 * values['median'] / whole:6.0f} %" if words not in ("outage on the way back", "whole demo") else ""
        print(f"{words:34}{values['minimum']:9.2f}{values['median']:9.2f}{values['maximum']:9.2f}{share:>8}")
    reached = whole <= AIM_SECONDS
    print(f"\noutage {whole / floors_of['median']:.1f} times the floor; the aim is {AIM_SECONDS:g} s: {'reached' if reached else 'missed'}")
    return 0 if reached and all(demo.passed for demo in demos) else 1


if __name__ == "__main__":
    sys.exit(main())
