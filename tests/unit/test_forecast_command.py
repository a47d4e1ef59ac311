"""`holdfast forecast` as a person and a script use it."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from holdfast.cli.main import run
from holdfast.providers.sqlite.journal import SqliteJournal
from holdfast.report.build import build
from holdfast.report.write import write
from unit.chains import chained, lines_of
from unit.conduct_on_paper import Paper
from unit.plan_texts import REFERENCE
from unit.report_facts import ReportStory

PLAN = str(REFERENCE)


def _json(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert run(["forecast", PLAN, *arguments, "--runs", "500", "-o", "json"]) == 0
    read: dict[str, Any] = json.loads(capsys.readouterr().out)
    return read


def test_the_first_line_says_the_worst_and_the_last_what_to_do_next(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["forecast", PLAN, "regional-outage", "--runs", "500"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "is back within 15 min in" in lines[0]
    assert "no real run stands behind it" in lines[0]
    assert any(line.startswith("critical path of") for line in lines)
    assert any(line.startswith("helps most:") for line in lines)
    assert lines[-1].startswith("next: holdfast forecast ")


def test_of_several_scenarios_each_stands_once_above_its_functions(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    assert run(["forecast", PLAN, "--runs", "100"]) == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert [lines.count(name) for name in ("Regional outage", "Database corruption", "Security breach")] == [1, 1, 1]
    assert lines[lines.index("Security breach") + 1].startswith("voice ")


def test_the_same_command_twice_gives_the_same_bytes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outputs = []
    for name in ("first.svg", "again.svg"):
        assert run(["forecast", PLAN, "--runs", "500", "--seed", "3", "--svg", str(tmp_path / name), "-o", "json"]) == 0
        outputs.append(capsys.readouterr().out)
    assert outputs[0] == outputs[1]
    assert (tmp_path / "first.svg").read_bytes() == (tmp_path / "again.svg").read_bytes()


def test_the_picture_is_well_formed_and_says_in_words_what_it_shows(tmp_path: Path) -> None:
    file = tmp_path / "a picture.svg"
    assert run(["forecast", PLAN, "regional-outage", "--runs", "500", "--svg", str(file)]) == 0
    drawn = ElementTree.fromstring(file.read_text(encoding="utf-8"))
    texts = {element.tag.rpartition("}")[2]: element.text or "" for element in drawn if element.text}
    assert drawn.attrib["role"] == "img"
    assert "Voice Call Processing within 15 min in" in texts["desc"]
    assert "Critical path: detection" in texts["desc"]
    assert "http" not in file.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")


def test_runs_of_a_journal_replace_ranges_and_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = _journal(tmp_path)
    found = _json(capsys, "regional-outage", "--journal", str(file))
    (scenario,) = found["scenarios"]
    assert scenario["runs_behind"] == {"all": 1, "exercises": 1, "incidents": 0, "unsuccessful": 0}
    measured = {node["id"]: node["measured_runs"] for node in scenario["nodes"]}
    assert measured["fence"] == 1
    assert measured["approve"] == 0  # stand-ins decided


def test_a_journal_that_somebody_changed_counts_for_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "journal.db"
    file.write_bytes(b"no journal")
    assert run(["forecast", PLAN, "--journal", str(file)]) == 2
    assert str(file) in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["outage"], "has no scenario 'outage'; it has: regional-outage"),
        (["--profile", "slow"], "has no profile 'slow'; it has: default"),
        (["--runs", "0"], "--runs is a number from 1 to"),
        (["--seed", "-1"], "--seed is 0 or more"),
        (["--reports", "nowhere"], "nowhere is no directory"),
        (["--reports", ".", "--journal", "x"], "give either --journal or --reports"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_to_write(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["forecast", PLAN, *arguments]) == 2
    assert says in capsys.readouterr().err


def test_runs_of_reports_count_like_those_of_a_journal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("first", "second"):
        write(build(ReportStory().facts()), tmp_path / name)
    found = _json(capsys, "regional-outage", "--reports", str(tmp_path), "--occasion", "exercise")
    (scenario,) = found["scenarios"]
    assert scenario["runs_behind"]["exercises"] == 2
    measured = {node["id"]: node["measured_runs"] for node in scenario["nodes"]}
    assert measured["approve"] == measured["switch-dns"] == 2
    assert scenario["functions"][0]["observed_runs"] == 2


def test_a_report_that_is_none_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "report.json").write_text("{}", encoding="utf-8")
    assert run(["forecast", PLAN, "--reports", str(tmp_path)]) == 2
    assert "is not a report of the format holdfast/report/v1" in capsys.readouterr().err


def test_a_directory_without_reports_says_how_to_make_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["forecast", PLAN, "--reports", str(tmp_path)]) == 2
    assert "holdfast drill run" in capsys.readouterr().err


def _journal(directory: Path) -> Path:
    """A journal file with one exercise in it."""
    paper = Paper(exercise="exercise-7")
    paper.lose_region()
    paper.wait(4.0)
    paper.approve("exercise-one", "exercise-two")
    paper.region_answers()
    file = directory / "journal.db"
    with SqliteJournal(file) as journal:
        journal.append(chained(lines_of(paper.incident.records)))
    return file
