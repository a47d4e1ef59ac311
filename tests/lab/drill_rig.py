"""What the tests of the drill share: a drill with short bounds, perhaps with a broken controller, and a look at what it left."""

import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from holdfast.console.narration import Line
from holdfast.drill.conclusion import conclude
from holdfast.drill.drilling import DrillResult, Interference, RunningDrill, nothing, run_drill
from holdfast.drill.parts import PartFailed
from holdfast.drill.settings import DrillSettings
from holdfast.journal.kinds import Kind
from holdfast.lab.running import Lab
from holdfast.plan.blocks import BLOCKS, Actor
from holdfast.plan.document import read
from holdfast.plan.loader import load
from holdfast.report.model import Report
from lab.lab_rig import PLAN, left_of
from lab.removal import remove

TESTS = Path(__file__).resolve().parents[1]


@dataclass
class Drilled:
    """A drill that is over."""

    directory: Path
    result: DrillResult
    report: Report
    lab: Lab
    told: list[str] = field(default_factory=list)

    def rule(self, name: str) -> bool:
        """Whether a rule of the verdict was kept by everything that it looked at."""
        return {rule.result for rule in self.report.rules if rule.name == name} == {"pass"}

    def said(self) -> str:
        """For an assertion's message: what decided, and what was told."""
        return "\n".join([*self.report.reasons, "", *self.told])


def impatient_plan(directory: Path, block: str, seconds: float) -> Path:
    """The reference plan, but a block is given one attempt of so many seconds, and its step no other way."""
    return _plan_with(directory, frozenset({block}), {"time_limit": f"{seconds:g}s", "attempts": 1, "other_way": None})


def hurried_plan(directory: Path, block: str, seconds: float) -> Path:
    """The reference plan, but a block is given one attempt of so many seconds before the other way is gone."""
    return _plan_with(directory, frozenset({block}), {"time_limit": f"{seconds:g}s", "attempts": 1})


def patient_plan(directory: Path) -> Path:
    """The reference plan, but every provider's step may be tried twenty times: steps side by side are broken off by each other's deaths."""
    acting = frozenset(name for name, block in BLOCKS.items() if block.actor is Actor.PROVIDER)
    return _plan_with(directory, acting, {"attempts": 20})


def automatic_plan(directory: Path) -> Path:
    """The reference plan, but every other way is taken without asking."""
    document = read(PLAN.read_bytes(), str(PLAN)).data
    steps = [step for phase in document["scenarios"]["regional-outage"]["phases"] for step in phase["steps"]]
    for step in steps:
        if "other_way" in step:
            step["other_way"]["when"] = "automatic"
    return _written(directory, document)


def _plan_with(directory: Path, blocks: frozenset[str], changes: Mapping[str, object]) -> Path:
    document = read(PLAN.read_bytes(), str(PLAN)).data
    scenario = document["scenarios"]["regional-outage"]
    for run in ("phases", "reprotect", "way_back"):
        for phase in scenario[run]:
            for step in phase["steps"]:
                if step["block"] in blocks:
                    step.update(changes)
    return _written(directory, document)


def _written(directory: Path, document: Mapping[str, Any]) -> Path:
    plan = directory / "plan.yaml"
    plan.write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return plan


def finished(drill: RunningDrill, block: str, run: str = "failover") -> float | None:
    """When a block of a run had an outcome, as far as the drill has read the journal."""
    about = {"block": block, "run": run}
    ends = (record for record in drill.records if record.kind == Kind.STEP_FINISHED and about.items() <= record.body.items())
    return next((record.at_seconds for record in ends), None)


def over_after(block: str, seconds: float) -> Interference:
    """Ends a drill that would wait long: so many seconds after a block had an outcome."""

    def interfere(drill: RunningDrill) -> None:
        ended = finished(drill, block)
        if ended is not None and time.time() > ended + seconds:
            raise PartFailed(f"the test has seen enough {seconds:g} s after {block}")

    return interfere


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
    remove(made)


def drilled(
    directory: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    plan: Path = PLAN,
    drill: str = "regional-outage",
    broken: str | None = None,
    interfere: Interference = nothing,
    **settings: Any,
) -> Drilled:
    """Run a whole drill, judge it, and hold that nothing of it is left."""
    loaded = load(plan)
    chosen = loaded.plan.drills()[drill]
    wanted = DrillSettings(plan, chosen.scenario, directory, takes_away=chosen.takes_away, **settings)
    if broken is not None:
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep))
        wanted = replace(wanted, controller_module=("lab.broken_controller", broken))
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
