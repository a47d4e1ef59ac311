"""`holdfast check` as a person and a script use it."""

import json
import re
from pathlib import Path

import pytest

from holdfast.cli.main import run
from unit.plan_texts import REFERENCE, changed, line_of


def written(directory: Path, *edits: tuple[str, str]) -> Path:
    path = directory / "a plan.yaml"
    path.write_text(changed(*edits), encoding="utf-8")
    return path


def test_the_reference_plan_loads_says_what_it_cannot_keep_and_what_to_do_next(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", str(REFERENCE)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("⏸ the plan loads, but it can't keep all that it promises: 40 warnings, none of which stops a drill")
    assert lines[-1] == f"next: holdfast lab up && holdfast run {REFERENCE}"
    assert len([line for line in lines if "HF101" in line]) == 9


def test_the_lines_named_are_the_lines_of_the_file(capsys: pytest.CaptureFixture[str]) -> None:
    run(["check", str(REFERENCE)])
    rows = [line for line in capsys.readouterr().out.splitlines() if "HF103" in line]
    assert re.search(rf"\b{line_of('availability_percent: 99.95')}, {line_of('rto: 30m')}\b", rows[-1])


def test_json_is_one_value_with_every_finding_and_both_its_places(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", str(REFERENCE), "-o", "json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["schema"] == "holdfast/check/v1"
    assert report["loads"] is True
    assert re.fullmatch(r"[0-9a-f]{64}", report["plan"]["digest"])
    first = report["findings"][0]
    assert (first["code"], first["severity"]) == ("HF101", "warning")
    assert [place["path"] for place in first["places"]] == [
        ["functions", "voice", "rto"],
        ["scenarios", "regional-outage", "phases", 3, "window"],
    ]
    assert all(place["line"] > 1 and place["column"] > 1 for place in first["places"])


def test_an_unsafe_plan_is_answered_with_1_and_the_line_to_correct(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit = ("component: cache, after: [fence]", "component: cache, after: [approve]")
    path = written(tmp_path, edit)
    assert run(["check", str(path)]) == 1
    out = capsys.readouterr().out
    assert out.startswith("✕ 1 error makes this plan unsafe to carry out")
    line = line_of("id: promote-cache")
    assert out.rstrip().splitlines()[-1] == f"next: correct line {line}, then: holdfast check '{path}'"


def test_a_plan_that_does_not_load_is_answered_with_2_and_all_its_problems(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, ("block: dns.switch", "block: dns.swich"), ("backup: matteo-ricci", "backup: mateo-ricci"))
    assert run(["check", str(path)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    lines = captured.err.splitlines()
    assert lines[0] == "holdfast: the plan doesn't load, 2 problems:"
    assert lines[1].startswith(f"{path}:{line_of('backup: matteo-ricci')}:13: ")
    assert "did you mean 'dns.switch'?" in lines[2]
    assert lines[-1] == f"next: correct them, then: holdfast check '{path}'"


def test_json_of_a_plan_that_does_not_load_holds_the_problems(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, ("block: dns.switch", "block: dns.swich"))
    assert run(["check", str(path), "-o", "json"]) == 2
    report = json.loads(capsys.readouterr().out)
    assert (report["loads"], report["plan"], report["findings"]) == (False, None, [])
    assert report["problems"][0]["value"] == "'dns.swich'"
    assert report["problems"][0]["hint"] == "did you mean 'dns.switch'?"


def test_a_missing_file_says_so_with_its_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", str(tmp_path / "none.yaml")]) == 2
    assert "there is no such file" in capsys.readouterr().err


def test_one_mistake_that_brings_hundreds_is_shown_with_a_bound_and_whole_as_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    many = "".join(f"  other-{number}: {{ kind: mainframe, name: X, primary_strategy: none, rto: 5m }}\n" for number in range(300))
    path = written(tmp_path, ("components:\n", f"components:\n{many}"))
    assert run(["check", str(path)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) < 50
    assert re.search(r"… and \d{3} more; .* -o json. lists them all", lines[-3])
    assert run(["run", str(path)]) == 2
    assert len(capsys.readouterr().err.splitlines()) < 50
    assert run(["check", str(path), "-o", "json"]) == 2
    assert len(json.loads(capsys.readouterr().out)["problems"]) >= 300
