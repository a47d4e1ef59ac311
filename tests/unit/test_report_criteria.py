"""The criteria that only the exercise of one component has."""

import pytest

from holdfast.report.build import build
from holdfast.report.criteria import criteria_of
from holdfast.report.model import Criteria, Report
from holdfast.report.verdict import judge
from unit.report_facts import ReportStory, voicehive

REPORT = build(ReportStory().facts())


def held(report: Report, name: str) -> set[str]:
    return {rule.result for rule in judge(report).rules if rule.name == name}


def with_criteria(**changes: object) -> Report:
    given = Criteria(exercise="some", name="Some failover", components=("database",), within_seconds=60.0, spared=("configuration",))
    return REPORT.model_copy(update={"criteria": given.model_copy(update=changes)})


def with_function(report: Report, identifier: str, rto_seconds: float | None) -> Report:
    functions = tuple(
        one.model_copy(update={"rto_actual_seconds": rto_seconds if one.id == identifier else 0.0}) for one in report.functions
    )
    return report.model_copy(update={"functions": functions})


def test_a_whole_regions_exercise_is_judged_as_before() -> None:
    assert REPORT.criteria is not None and (REPORT.criteria.components, REPORT.criteria.within_seconds) == ((), None)
    assert held(REPORT, "criterion") == held(REPORT, "spared") == set()


@pytest.mark.parametrize(("seconds", "result"), [(59.0, "pass"), (61.0, "fail"), (None, "unknown")])
def test_everything_is_back_within_the_schedules_own_time(seconds: float | None, result: str) -> None:
    assert held(with_function(with_criteria(), "voice", seconds), "criterion") == {result}


@pytest.mark.parametrize(("seconds", "result"), [(0.0, "pass"), (0.5, "fail"), (None, "unknown")])
def test_who_stands_on_nothing_that_was_lost_must_notice_nothing(seconds: float | None, result: str) -> None:
    assert held(with_function(with_criteria(), "configuration", seconds), "spared") == {result}


def test_who_is_spared_follows_from_what_functions_stand_on() -> None:
    plan = voicehive().plan
    storage, database = criteria_of(plan, "storage-failover"), criteria_of(plan, "database-failover")
    assert storage is not None and storage.spared == ("pms", "authentication", "analytics", "configuration")
    assert database is not None and database.spared == ()
    assert criteria_of(plan, "no-such-scenario") is None
