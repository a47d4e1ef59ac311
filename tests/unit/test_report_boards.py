"""The boards: regions, clocks, steps and who must act, in words that were measured or recorded."""

from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from holdfast.report.boards import MOST_CLOCKS, Board, Clock, boards, clock_words
from holdfast.report.build import build
from holdfast.report.clock import verdict
from holdfast.report.model import Report
from holdfast.report.page import page
from holdfast.report.seen import Asked, StandingStep
from unit.report_facts import DR, HOME, ReportStory


@cache
def whole() -> Report:
    return build(ReportStory().facts())


def board(report: Report, moment: str = "asked") -> Board:
    return next(one for one in boards(report) if one.moment == moment)


def changed(**stand: Any) -> Report:
    """The report with its first stand changed."""
    first, *rest = whole().stands
    return whole().model_copy(update={"stands": (first.model_copy(update=stand), *rest)})


def clock(report: Report, function: str = "voice") -> Clock:
    return next(one for one in board(report).clocks if one.function.id == function)


def test_the_board_shows_what_the_live_view_showed() -> None:
    asked = board(whole())
    assert (asked.title, asked.at) == ("People are asked", "2.2 s")
    assert (asked.regions.left.text, asked.regions.right.text, asked.regions.link) == ("failing", "stands by", "lag unknown")
    assert clock_words(clock(whole())) == "out 2.2 s of 15 min, at risk, forecast 30 min by plan, was out 13 s"
    assert [said.text for said in asked.acting] == [
        "2 of Ada Exercise (Platform Lead), Ben Exercise (Engineering Manager), Dana Exercise (Incident Commander): "
        f"approve the failover {HOME} → {DR}, within 30 min"
    ]
    decided = board(whole(), "decided")
    assert "fence begins, at most 2 min" in [said.text for said in decided.doing]
    assert [said.text for said in decided.acting] == ["Nobody had to act"]


def test_every_word_of_the_picture_is_said_to_who_hears_it() -> None:
    asked = board(whole())
    assert asked.words.startswith(f"{HOME} failing, {DR} stands by, lag unknown. Voice Call Processing out 2.2 s of 15 min, at risk")
    for said in (*asked.doing, *asked.acting):
        assert said.text in asked.words
        assert " ".join(text for _, text in said.lines) == said.text


def test_a_forecast_within_the_promise_is_in_time_and_stands_on_the_bar() -> None:
    found = clock(changed(expected_back_seconds=90.0, expected_by="earlier runs"))
    assert (found.state, found.verdict, found.forecast) == ("running", "in time", "forecast 90 s by earlier runs")
    assert found.forecast_percent == 10.0


def test_a_forecast_that_nobody_could_make_is_unknown_or_not_before() -> None:
    assert clock(changed(expected_back_seconds=None, expected_by=None)).forecast == "forecast unknown"
    assert clock(changed(expected_back_seconds=None, expected_by=None)).forecast_percent is None
    assert clock(changed(expected_back_seconds=90.0, expected_not_before=True)).forecast == "forecast: not before 90 s"


def test_what_was_back_or_never_away_or_not_measured_is_called_so() -> None:
    late = changed(seconds=60.0)
    assert clock_words(clock(late)) == "was out 13 s of 15 min, in time, was out 13 s"
    never = {"rto_actual_seconds": 0.0, "first_failed_seconds": None, "recovered_seconds": None}
    unmeasured = never | {"rto_actual_seconds": None}
    functions = [function.model_copy(update=never) for function in whole().functions]
    assert clock_words(clock(whole().model_copy(update={"functions": tuple(functions)}))) == "served; promised 15 min, never away"
    functions = [function.model_copy(update=unmeasured) for function in whole().functions]
    assert clock_words(clock(whole().model_copy(update={"functions": tuple(functions)}))) == "not measured"


def test_an_outage_that_did_not_end_says_so() -> None:
    gone = {"rto_actual_seconds": None, "recovered_seconds": None}
    functions = tuple(function.model_copy(update=gone) for function in whole().functions)
    assert clock(whole().model_copy(update={"functions": functions})).came == "had not ended when watching ended"


@pytest.mark.parametrize(
    ("out", "back", "expected", "words"),
    [
        (61.0, False, None, ("over by 1 s", "failed")),
        (61.0, True, None, ("over by 1 s", "failed")),
        (36.0, False, None, ("at risk", "needs-person")),
        (35.9, False, None, ("in time", "running")),
        (1.0, False, 60.1, ("at risk", "needs-person")),
        (1.0, False, 60.0, ("in time", "running")),
        (59.0, True, None, ("in time", "done")),
    ],
)
def test_a_clock_is_at_risk_from_sixty_percent_or_when_the_forecast_breaks_it(
    out: float, back: bool, expected: float | None, words: tuple[str, str]
) -> None:
    assert verdict(out, 60.0, back=back, expected_seconds=expected) == words


def test_every_state_of_a_step_has_its_word() -> None:
    step = StandingStep(step="fence", block="fence", state="running", for_seconds=4.0, limit_seconds=120.0)
    doing = tuple(step.model_copy(update={"state": state}) for state in ("running", "waits", "unsettled", "needs-person"))
    assert [(said.state, said.text) for said in board(changed(doing=doing)).doing] == [
        ("running", "fence runs for 4 s, at most 2 min"),
        ("running", "fence is tried again for 4 s"),
        ("unknown", "fence: its outcome is unknown"),
        ("needs-person", "fence waits for a person"),
    ]
    assert [said.text for said in board(changed(doing=())).doing] == ["No step was under way"]


def test_a_question_without_anybody_who_could_answer_names_nobody() -> None:
    (said,) = board(changed(acting=(Asked(what="say how fence goes on", people=()),))).acting
    assert said.text == "nobody of the plan: say how fence goes on"


def test_of_many_functions_those_with_the_least_time_left_are_drawn_and_all_are_in_the_table() -> None:
    one = whole().functions[0]
    many = [
        one.model_copy(update={"id": f"f-{number}", "name": f"F {number}", "rto_target_seconds": 60.0 + number}) for number in range(40)
    ]
    report = whole().model_copy(update={"functions": tuple(reversed(many))})
    asked = board(report)
    assert {clock.function.id for clock in asked.drawn} == {f"f-{number}" for number in range(MOST_CLOCKS)}
    assert len(asked.clocks) == 40
    assert asked.left_out == "and 28 functions more: see the table"
    assert "and 28 functions more" in page(report)


def test_lines_lie_below_each_other_and_inside() -> None:
    for one in boards(whole()):
        tops = [clock.top for clock in one.drawn] + [top for said in (*one.doing, *one.acting) for top, _ in said.lines]
        assert tops == sorted(set(tops))
        assert tops[-1] < one.height


def test_a_report_without_stands_has_no_board_and_a_whole_page() -> None:
    older = whole().model_copy(update={"stands": ()})
    assert boards(older) == ()
    assert 'id="stands"' not in page(older)
    assert 'id="stands"' in page(whole())


def test_names_from_outside_stay_words() -> None:
    evil = "<script>alert(1)</script>"
    report = changed(acting=(Asked(what=evil, people=(evil,)),), doing=(StandingStep(step=evil, block="fence", state="running"),))
    assert "<script>" not in page(report)
    assert replace(board(report)).acting[0].text == f"{evil}: {evil}"
