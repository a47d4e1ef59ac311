"""`python -m bench.demos [TIMES]`: the demo so many times in a row (ten), then the outage that clients saw and where the time went.

Each demo is what `make demo` runs, in a directory of its own below `var/prove`. Every one must pass, and end within the four minutes
that are promised once everything is installed: exit code 1 otherwise, and the directories of those that did not keep their logs and
journal. The figures stand in `var/prove/figures.json`, too.
"""

import json
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast.report.terminal import PARTS

PLACE = Path("var/prove")
PLAN = Path("examples/voicehive/plan.yaml")
LIMIT_SECONDS = 240.0
"""A demo ends in under four minutes; here nothing is left to install."""


@dataclass(frozen=True)
class Demo:
    """One demo that is over. `report` is None when it wrote none."""

    number: int
    exit_code: int
    seconds: float
    report: dict[str, Any] | None

    @property
    def too_slow(self) -> bool:
        return self.seconds >= LIMIT_SECONDS

    @property
    def passed(self) -> bool:
        return self.exit_code == 0 and self.report is not None and self.report["verdict"] == "pass" and not self.too_slow


def run(number: int, place: Path = PLACE, plan: Path = PLAN) -> Demo:
    """One demo, its lines in a file."""
    directory = place / f"demo-{number:02}"
    begun = time.monotonic()
    command = [sys.executable, "-m", "holdfast", "drill", "run", "regional-outage", "--plan", str(plan), "--directory", str(directory)]
    with (place / f"demo-{number:02}.log").open("wb") as log:
        ended = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, check=False)
    seconds = time.monotonic() - begun
    written = directory / "report.json"
    report = json.loads(written.read_text(encoding="utf-8")) if written.exists() else None
    demo = Demo(number, ended.returncode, seconds, report)
    if demo.passed:
        shutil.rmtree(directory / "lab")
    return demo


def line(demo: Demo) -> str:
    """One demo in a line."""
    if demo.report is None:
        return f"demo {demo.number:2}  no report, exit {demo.exit_code}, after {demo.seconds:.0f} s{_slow(demo)}"
    report, back = demo.report, demo.report["failback"]
    outages = f"outage {_seconds(report['outage_seconds'])}, on the way back {_seconds(back['outage_seconds'])}"
    lost = sum(function["lost_acknowledged_writes"] or 0 for function in report["functions"])
    reason = "" if report["verdict"] == "pass" else f"  {report['reasons'][0]}"
    if report["verdict"] == "pass" and demo.exit_code:
        reason = f"  not passed: exit {demo.exit_code}"
    return f"demo {demo.number:2}  {report['verdict']:7}  {outages}  lost {lost} writes  took {demo.seconds:.0f} s{_slow(demo)}{reason}"


def _slow(demo: Demo) -> str:
    return f"  not passed: over the limit of {LIMIT_SECONDS:.0f} s" if demo.too_slow else ""


def _seconds(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.2f} s"


def figures(demos: Sequence[Demo]) -> dict[str, dict[str, float]]:
    """Minimum, median and maximum in seconds of everything that was measured, over the demos that have it."""
    reports = [demo.report for demo in demos if demo.report is not None]
    series: dict[str, list[float | None]] = {"outage": [report["outage_seconds"] for report in reports]}
    for part, words in PARTS.items():
        series[words] = [found["seconds"] for report in reports for found in report["time_spent"] if found["part"] == part]
    series["outage on the way back"] = [report["failback"]["outage_seconds"] for report in reports]
    series["whole demo"] = [demo.seconds for demo in demos]
    known = {words: [value for value in values if value is not None] for words, values in series.items()}
    return {
        words: {"minimum": min(values), "median": statistics.median(values), "maximum": max(values), "demos": len(values)}
        for words, values in known.items()
        if values
    }


def main() -> int:
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    shutil.rmtree(PLACE, ignore_errors=True)
    PLACE.mkdir(parents=True)
    demos = []
    for number in range(1, times + 1):
        demos.append(run(number))
        print(line(demos[-1]), flush=True)
    found = figures(demos)
    (PLACE / "figures.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(f"\n{'seconds':24}{'minimum':>9}{'median':>9}{'maximum':>9}")
    for words, values in found.items():
        print(f"{words:24}{values['minimum']:9.2f}{values['median']:9.2f}{values['maximum']:9.2f}")
    passed = sum(demo.passed for demo in demos)
    print(f"\n{passed} of {times} demos in a row passed; reports and logs below {PLACE}")
    return 0 if passed == times else 1


if __name__ == "__main__":
    sys.exit(main())
