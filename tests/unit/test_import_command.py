"""`holdfast import` writes whole plans, never over a file unasked, and its exit says whether the plan is complete."""

import json
from pathlib import Path

import pytest

from holdfast.cli.main import run

DOCUMENTS = Path(__file__).parent / "documents"


def test_a_complete_document_is_written_and_checked_next(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = tmp_path / "plan.yaml"
    assert run(["import", str(DOCUMENTS / "reference.md"), "-o", str(plan)]) == 0
    assert "2 functions" in (said := capsys.readouterr().out) and said.rstrip().endswith(f"next: holdfast check {plan}")
    before = plan.read_text()

    assert run(["import", str(DOCUMENTS / "prose.md"), "-o", str(plan)]) == 2
    assert plan.read_text() == before and "--force" in capsys.readouterr().err
    assert run(["import", str(DOCUMENTS / "prose.md"), "-o", str(plan), "--force"]) == 1
    assert plan.read_text() != before and [file.name for file in tmp_path.iterdir()] == ["plan.yaml"]


def test_programs_get_one_json_value_with_the_plan_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["import", str(DOCUMENTS / "merged.md"), "-o", "json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["schema"] == "holdfast/import/v1" and report["plan"]["name"] == "Alder Clinics" and not report["complete"]


def test_what_is_no_document_is_refused_with_its_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad.md"
    bad.write_bytes(b"# x\n\x00")
    assert run(["import", str(bad)]) == 2
    assert f"{bad}:2:1: " in capsys.readouterr().err
    assert run(["import", str(tmp_path / "none.md")]) == 2
