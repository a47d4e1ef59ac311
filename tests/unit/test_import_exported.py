"""A plan goes out as Markdown and comes back as the same plan, also when a person changed a number on the way."""

from pathlib import Path

from holdfast.cli.main import run
from holdfast.plan.loader import load
from unit.plan_texts import REFERENCE


def test_the_reference_plan_comes_back_with_the_same_digest(tmp_path: Path) -> None:
    document, plan = tmp_path / "plan.md", tmp_path / "plan.yaml"
    assert run(["export", str(REFERENCE), "--format", "md", "-o", str(document)]) == 0
    assert run(["import", str(document), "-o", str(plan)]) == 0
    assert load(plan).digest == load(REFERENCE).digest


def test_a_number_that_a_person_changed_in_the_document_is_followed(tmp_path: Path) -> None:
    document, plan = tmp_path / "plan.md", tmp_path / "plan.yaml"
    run(["export", str(REFERENCE), "--format", "md", "-o", str(document)])
    lines = document.read_text(encoding="utf-8").splitlines(keepends=True)
    row = next(n for n, line in enumerate(lines) if line.startswith("|") and "`voice`" in line and "15m" in line)
    lines[row] = lines[row].replace("15m", "20m", 1)
    document.write_text("".join(lines), encoding="utf-8")
    assert run(["import", str(document), "-o", str(plan)]) == 0
    assert load(plan).plan.functions["voice"].rto == 1200.0


def test_what_can_not_be_read_back_is_named_with_its_line_and_nothing_is_written(tmp_path: Path) -> None:
    document, plan = tmp_path / "plan.md", tmp_path / "plan.yaml"
    run(["export", str(REFERENCE), "--format", "md", "-o", str(document)])
    text = document.read_text(encoding="utf-8")
    assert "`functions`" in text
    document.write_text(text.replace("`functions`", "`functoins`", 1), encoding="utf-8")
    assert run(["import", str(document), "-o", str(plan)]) == 2
    assert not plan.exists()
