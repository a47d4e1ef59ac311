"""`holdfast report` as a person and a script use it."""

import json
from functools import cache
from pathlib import Path

import pytest

from holdfast.cli.main import run
from holdfast.report.build import build
from holdfast.report.model import Report
from holdfast.report.write import write
from unit.report_facts import ReportStory


@cache
def _report() -> Report:
    return build(ReportStory().facts())


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    write(_report(), tmp_path)
    return tmp_path


def test_a_report_is_shown_again_from_its_file(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["report", str(directory)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("EXERCISE ✓ PASS")
    assert "next: " in lines[-1]


def test_the_file_itself_may_be_named(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["report", str(directory / "report.json")]) == 0
    assert "PASS" in capsys.readouterr().out


def test_json_is_the_report_and_nothing_else(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["report", str(directory), "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["verdict"] == "pass"


def test_the_page_is_made_anew(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = directory / "report.html"
    before = page.read_text(encoding="utf-8")
    page.unlink()
    assert run(["report", str(directory), "-o", "html"]) == 0
    assert page.read_text(encoding="utf-8") == before
    assert str(page) in capsys.readouterr().out


@pytest.mark.parametrize(("story", "code"), [(ReportStory(second_writer=True), 1), (ReportStory(way_back=False), 3)])
def test_the_exit_says_the_verdict(tmp_path: Path, story: ReportStory, code: int) -> None:
    write(build(story.facts()), tmp_path)
    assert run(["report", str(tmp_path)]) == code


def test_a_directory_without_a_report_says_what_writes_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["report", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert str(tmp_path / "report.json") in error
    assert "holdfast drill run" in error


@pytest.mark.parametrize("content", [b"", b"{", b'{"schema": "holdfast/report/v1"}', b"\xff\xfe", b"[]"])
def test_a_file_that_is_no_report_names_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes) -> None:
    (tmp_path / "report.json").write_bytes(content)
    assert run(["report", str(tmp_path)]) == 2
    assert "is not a report of the format holdfast/report/v1" in capsys.readouterr().err
