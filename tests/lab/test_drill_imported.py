"""The plan that people wrote as a document runs the same day: imported, bound to the lab, drilled, its manual steps ticked off."""

from pathlib import Path

import pytest

from holdfast.cli.main import run
from lab.drill_rig import drilled, place

pytestmark = [pytest.mark.alone, pytest.mark.shared, pytest.mark.prove, pytest.mark.timeout(600)]
DOCUMENT = Path(__file__).resolve().parents[3] / "shared" / "plan" / "voicehive-bcp.md"


def test_the_companys_own_document_runs_the_drill_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    with place() as aside, place() as directory:
        plan = aside / "plan.yaml"
        assert run(["import", str(DOCUMENT), "-o", str(plan), "--bind", "lab"]) == 0
        over = drilled(directory, monkeypatch, plan=plan)
        assert over.report.verdict == "pass", over.said()
        ticked = {step.step: step.by for step in over.report.steps if step.block == "manual"}
        assert ticked
        assert all(by for by in ticked.values()), f"nobody is named for {ticked}"
