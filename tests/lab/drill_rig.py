"""What the tests of the drill share: a drill with short bounds, perhaps with a broken controller, and a look at what it left."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from holdfast.console.narration import Line
from holdfast.drill.conclusion import conclude
from holdfast.drill.regional_outage import DrillResult, Interference, RunningDrill, nothing, run_drill
from holdfast.drill.settings import DrillSettings
from holdfast.lab.running import Lab
from holdfast.plan.loader import load
from holdfast.report.model import Report
from lab.lab_rig import PLAN, left_of

TESTS = Path(__file__).resolve().parents[1]


@dataclass
class Drilled:
    """A drill that is over."""

    directory: Path
    result: DrillResult
    report: Report
    lab: Lab
    told: list[str] = field(default_factory=list)

    def rules(self, verdict: str) -> set[str]:
        """Names of the rules that came out so."""
        return {rule.name for rule in self.report.rules if rule.result == verdict}

    def said(self) -> str:
        """For an assertion's message: what decided, and what was told."""
        return "\n".join([*self.report.reasons, "", *self.told])


@contextmanager
def place() -> Iterator[Path]:
    """A directory for one drill that every user may enter. Kept for a look when the test failed."""
    made = Path(tempfile.mkdtemp(prefix="holdfast-drill-"))
    made.chmod(0o755)
    try:
        yield made
    except BaseException:
        print(f"kept for a look: {made}")
        raise
    shutil.rmtree(made, ignore_errors=True)


def drilled(
    directory: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    broken: str | None = None,
    interfere: Interference = nothing,
    **settings: Any,
) -> Drilled:
    """Run a whole drill, judge it, and hold that nothing of it is left."""
    wanted = DrillSettings(PLAN, "regional-outage", directory, **settings)
    if broken is not None:
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep))
        wanted = replace(wanted, controller_module=("lab.broken_controller", broken))
    loaded = load(PLAN)
    told: list[str] = []
    labs: list[Lab] = []

    def say(line: Line) -> None:
        told.append(f"{line.at_seconds:.1f} {line.state}: {line.text}")

    def look(drill: RunningDrill) -> None:
        if not labs:
            labs.append(drill.lab)
        interfere(drill)

    result = run_drill(wanted, loaded, say, look)
    report = conclude(wanted, loaded, result, directory)
    assert labs, "\n".join(told)
    over = Drilled(directory, result, report, labs[0], told)
    assert left_of(over.lab) == [], over.said()
    return over
