"""`holdfast diff` says what a change means, not which lines differ."""

import json
from datetime import date
from pathlib import Path

import pytest

from holdfast.checks import check
from holdfast.cli.main import run
from holdfast.document.difference import Drilled, difference, uncovered
from holdfast.plan.loader import LoadedPlan, load, load_bytes
from holdfast.report.build import build
from holdfast.report.write import write
from unit.report_facts import ReportStory

REFERENCE = Path("examples/voicehive/plan.yaml")
TEXT = REFERENCE.read_text()


def changed(*replacements: tuple[str, str]) -> LoadedPlan:
    text = TEXT
    for old, new in replacements:
        assert old in text, old
        text = text.replace(old, new, 1)
    return load_bytes(text.encode(), Path("next.yaml"))


def sentences(*replacements: tuple[str, str]) -> list[str]:
    before, after = load(REFERENCE), changed(*replacements)
    today = date(2027, 1, 1)
    return [change.sentence for change in difference(before.plan, after.plan, check(before.plan, today), check(after.plan, today))]


def test_a_later_promise_is_said_in_words_with_the_finding_that_it_removes() -> None:
    said = sentences(("rto: 15m\n    rpo: 5m\n    impact: Calls", "rto: 30m\n    rpo: 5m\n    impact: Calls"))
    assert said[0] == "Voice Call Processing RTO: 15 min → 30 min"
    assert "2 findings fewer" in said  # the phases of the outage, and the components that it stands on
    assert any(sentence.startswith("no longer warning HF101: Voice Call Processing") for sentence in said)


def test_a_backup_that_changes_is_a_matter_of_people() -> None:
    assert "Incident Commander backup: matteo-ricci → ines-carvalho" in sentences(("backup: matteo-ricci", "backup: ines-carvalho"))


def test_a_step_that_goes_and_a_window_that_moves_are_named_with_their_scenario() -> None:
    line = next(line for line in TEXT.split("\n") if "id: tell-stakeholders" in line)
    assert "Regional outage: step 'tell-stakeholders' is gone" in sentences((line + "\n", ""))
    said = sentences(("window: [0s, 5m]", "window: [0s, 4m]"))
    assert any("0 s to 5 min → 0 s to 4 min" in sentence for sentence in said)


def test_a_new_person_is_one_sentence_and_not_one_a_field() -> None:
    line = next(line for line in TEXT.split("\n") if line.startswith("  henrik-dahl:"))
    new = line.replace("henrik-dahl", "ann-other").replace("Henrik Dahl", "Ann Other")
    assert [sentence for sentence in sentences((line, f"{line}\n{new}")) if "Ann" in sentence] == ["people: Ann Other is new"]


def test_comments_and_ways_of_writing_change_nothing() -> None:
    after = changed(("rto: 15m", "rto: 900s # the same"))
    assert after.digest == load(REFERENCE).digest


def test_a_drill_of_the_old_plan_no_longer_covers_the_new_one() -> None:
    drills = (Drilled("2027-05-03", "Regional outage", "a" * 64, "var/x/report.json"), Drilled("2027-05-04", "Other", "c" * 64, "y"))
    (change,) = uncovered(drills, "a" * 64, "b" * 64)
    assert change.sentence.startswith("drill of 2027-05-03 (Regional outage) no longer covers this plan")
    assert uncovered(drills, "a" * 64, "a" * 64) == ()


def test_the_command_exits_0_for_the_same_plan_and_1_for_another(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "next.yaml"
    other.write_text(TEXT.replace("backup: matteo-ricci", "backup: ines-carvalho", 1))
    assert run(["diff", str(REFERENCE), str(REFERENCE), "--reports", str(tmp_path)]) == 0
    capsys.readouterr()
    assert run(["diff", str(REFERENCE), str(other), "--reports", str(tmp_path), "-o", "json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert not answer["same"]
    assert {"about", "sentence", "place"} <= set(answer["changes"][0])


def test_a_report_that_is_none_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text("{}")
    assert run(["diff", str(REFERENCE), str(REFERENCE), "--reports", str(tmp_path)]) == 0


def test_a_plan_that_does_not_load_exits_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["diff", str(REFERENCE), str(tmp_path / "missing.yaml")]) == 2
    assert "there is no such file" in capsys.readouterr().err


def test_a_recorded_drill_of_the_plan_as_it_was_is_found_below_the_directory(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = build(ReportStory().facts())
    of_this_plan = report.model_copy(update={"plan": report.plan.model_copy(update={"digest": load(REFERENCE).digest})})
    (tmp_path / "deep").mkdir()
    write(of_this_plan, tmp_path / "deep")
    other = tmp_path / "next.yaml"
    other.write_text(TEXT.replace("backup: matteo-ricci", "backup: ines-carvalho", 1))
    assert run(["diff", str(REFERENCE), str(other), "--reports", str(tmp_path)]) == 1
    out = " ".join(capsys.readouterr().out.split())
    assert f"drill of {report.started_at[:10]}" in out
    assert "no longer covers this plan" in out
