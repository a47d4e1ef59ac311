"""What `holdfast drill list` says: which drills there are, what each must show, when it ran last and when it is due."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from holdfast.cli.main import run
from holdfast.drill.schedule import due_drills
from holdfast.report.build import build
from holdfast.report.format import report_json
from holdfast.report.model import Report
from unit.plan_texts import REFERENCE, changed
from unit.report_facts import ReportStory, voicehive

DAY_SECONDS = 86400.0
PLAN = voicehive().plan


def reported(directory: Path, ended_seconds: float, name: str = "one", **changes: object) -> Report:
    report = build(replace(ReportStory().facts(), ended_seconds=ended_seconds)).model_copy(update=changes)
    place = directory / name
    place.mkdir(parents=True)
    (place / "report.json").write_text(report_json(report), encoding="utf-8")
    return report


def test_every_drill_of_the_schedule_is_due_until_it_ran(tmp_path: Path) -> None:
    drills = due_drills(PLAN, tmp_path, 1.0)
    assert [drill.name for drill in drills] == ["regional-outage", "database-failover", "application-failover", "storage-failover"]
    assert {(drill.due, drill.last_at, drill.verdict) for drill in drills} == {(True, None, None)}
    assert drills[1].criteria == "database, cache back within 15 min; RPOs kept"
    assert drills[3].criteria.endswith("nothing noticed by pms, authentication, analytics, configuration")


def test_a_drill_that_passed_is_due_again_after_its_interval(tmp_path: Path) -> None:
    story = ReportStory().facts()
    report = reported(tmp_path, story.ended_seconds)
    assert report.verdict == "pass"
    whole = due_drills(PLAN, tmp_path, story.ended_seconds + 90 * DAY_SECONDS)[0]
    assert (whole.due, whole.verdict, whole.last_at, whole.report) == (False, "pass", report.ended_at, str(tmp_path / "one/report.json"))
    assert due_drills(PLAN, tmp_path, story.ended_seconds + 92 * DAY_SECONDS)[0].due


def test_a_drill_that_did_not_pass_is_due_at_once_and_only_the_last_run_counts(tmp_path: Path) -> None:
    ended = ReportStory().facts().ended_seconds
    reported(tmp_path, ended, "earlier")
    reported(tmp_path, ended + 60.0, "later", verdict="unknown")
    whole = due_drills(PLAN, tmp_path, ended + 120.0)[0]
    assert (whole.due, whole.verdict) == (True, "unknown")


def test_a_real_incident_another_plan_and_what_is_no_report_are_no_drill(tmp_path: Path) -> None:
    ended = ReportStory().facts().ended_seconds
    reported(tmp_path, ended, "real", exercise=False)
    reported(tmp_path, ended, "other", plan=build(ReportStory().facts()).plan.model_copy(update={"name": "Another company"}))
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/report.json").write_text("{}", encoding="utf-8")
    whole = due_drills(PLAN, tmp_path, ended + 1.0)[0]
    assert whole.last_at is None
    assert [problem.split(" can't")[0] for problem in whole.unreadable] == [str(tmp_path / "broken/report.json")]


def test_the_command_says_it_in_text_and_json_and_ends_with_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["drill", "list", "--plan", str(REFERENCE), "--directory", str(tmp_path)]) == 1
    text = capsys.readouterr().out
    assert text.startswith("4 of 4 drills are due")
    assert "storage-failover" in text and text.rstrip().endswith(f"next: holdfast drill run regional-outage --plan {REFERENCE}")
    assert run(["drill", "list", "--plan", str(REFERENCE), "--directory", str(tmp_path), "-o", "json"]) == 1
    drills = json.loads(capsys.readouterr().out)["drills"]
    assert [(drill["takes_away"], drill["every"]) for drill in drills] == [
        ("region", "91 d"),
        ("database-host", "7 d"),
        ("application", "30 d"),
        ("bucket", "30 d"),
    ]


def test_a_drill_that_is_none_and_a_plan_without_a_schedule_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["drill", "run", "network-failover", "--plan", str(REFERENCE)]) == 2
    assert "there is one for: regional-outage, database-failover, application-failover, storage-failover" in capsys.readouterr().err
    text = changed()
    without = tmp_path / "plan.yaml"
    without.write_text(text[: text.index("# The tests of the schedule")], encoding="utf-8")
    assert run(["drill", "list", "--plan", str(without)]) == 2
    assert "schedules no drill" in capsys.readouterr().err
