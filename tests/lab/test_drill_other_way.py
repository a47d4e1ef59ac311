"""A drill whose promotion is refused: PostgreSQL is restored from backup and received log instead, and everything after it is as ever."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast.drill.drilling import RunningDrill
from lab.drill_rig import automatic_plan, drilled, place

pytestmark = pytest.mark.alone


@pytest.mark.prove
def test_a_refused_promotion_goes_the_way_of_the_restore_and_the_drill_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    with place() as aside, place() as directory:
        plan = automatic_plan(aside)
        looks: list[subprocess.Popen[bytes]] = []

        def look_ahead(drill: RunningDrill) -> None:
            if drill.records and not looks:
                looks.append(_foreseen(plan, directory / "lab", aside / "foreseen.json"))

        over = drilled(directory, monkeypatch, plan=plan, broken="refuse:promote-database", interfere=look_ahead)
        assert over.report.verdict == "pass", over.said()
        steps = {step.step: step for step in over.report.steps}
        assert (steps["restore-database"].verified, steps["promote-database"].verified) == ("yes", "yes")
        assert (steps["promote-database"].other_way or "").startswith("by itself, as the plan says: the effector refused")
        assert steps["restore-database"].instead_of == "promote-database"
        assert any("restore-database" in finding.sentence for finding in over.report.findings), over.said()
        looks[0].wait(30)
        made = json.loads((aside / "foreseen.json").read_text())
        assert made["world"]["sizes"]["eu-central-1/database bytes"] > 1_000_000
        assert made["world"]["versions"]["eu-west-1/voice"]


def _foreseen(plan: Path, lab: Path, out: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "holdfast", "plan", "regional-outage", "--file", str(plan), "--lab", str(lab), "--out", str(out)]
    with out.with_suffix(".txt").open("wb") as shown:
        return subprocess.Popen(command, stdout=shown, stderr=subprocess.STDOUT)
