"""What real runs measured takes the place of the plan's ranges, as far as so few runs can."""

import pytest

from holdfast.forecast.draws import weight_of_measured
from holdfast.forecast.forecast import forecast
from holdfast.forecast.interval import standing_behind, wilson
from holdfast.forecast.measured import MeasuredRun, measured_runs
from holdfast.forecast.results import FunctionForecast, ScenarioForecast, Settings
from unit.conduct_on_paper import Paper
from unit.forecast_plans import plan_of, step

PLAN = plan_of(step("work", "0s, 20s", block="smoke.test"), rto="50s")


def _runs(count: int, seconds: float = 100.0, *, exercise: bool = True, scenario: str = "outage") -> list[MeasuredRun]:
    run = MeasuredRun("inc-1", scenario, exercise, "default", True, 0.001, {"work": seconds}, {"work": seconds})
    return [run] * count


def _shop(count: int, **changed: object) -> FunctionForecast:
    return _forecast(count, **changed).functions[0]


def _forecast(count: int, **changed: object) -> ScenarioForecast:
    return forecast(PLAN, "outage", Settings(), _runs(count, **changed))  # type: ignore[arg-type]


def test_a_few_measured_runs_weigh_against_the_range_as_five_runs_and_many_replace_it() -> None:
    assert _shop(0).chance == 1.0
    assert _shop(5).chance == pytest.approx(0.5, abs=0.015)
    assert _shop(20).chance == pytest.approx(0.2, abs=0.015)
    assert _shop(30).chance == 0.0
    assert _shop(30).back.first_seconds == pytest.approx(100.0, abs=0.01)


def test_the_weight_of_what_was_measured_only_grows() -> None:
    weights = [weight_of_measured(count) for count in range(40)]
    assert weights == sorted(weights)
    assert weights[0] == 0.0
    assert weights[30] == 1.0


def test_few_runs_leave_a_chance_wide_open_and_none_says_nothing() -> None:
    widths = [high - low for low, high in (wilson(0.9, runs) for runs in (0, 1, 3, 10, 30, 1000))]
    assert widths[0] == 1.0
    assert widths == sorted(widths, reverse=True)
    assert wilson(1.0, 3)[0] == pytest.approx(0.4385, abs=0.001)  # three of three: less than half is not ruled out
    assert (_shop(0).low, _shop(0).high) == (0.0, 1.0)
    assert _shop(3, seconds=1.0).low == pytest.approx(0.4385, abs=0.001)


def test_how_many_real_runs_stand_behind_it_is_said_in_words() -> None:
    assert standing_behind(0).startswith("no real run stands behind it")
    assert standing_behind(1) == "1 real run stands behind it: too few to trust"
    assert standing_behind(50) == "50 real runs stand behind it"
    assert _forecast(7).says.startswith("7 real runs")


def test_runs_of_another_scenario_say_nothing() -> None:
    assert _shop(30, scenario="another").chance == 1.0


def test_what_really_happened_is_counted_beside_on_the_same_occasion_only() -> None:
    real = _forecast(4, exercise=False, seconds=10.0).functions[0]
    drill = _forecast(4, exercise=True, seconds=10.0).functions[0]
    assert (real.observed_met, real.observed_runs) == (4, 4)
    assert (drill.observed_met, drill.observed_runs) == (0, 0)


def test_how_fast_stand_ins_decide_says_nothing_about_a_real_incident() -> None:
    plan = plan_of(step("approve", block="approve"), rto="2m")
    quick = MeasuredRun("inc-1", "outage", True, "default", True, 0.0, {"approve": 3.0}, {"approve": 3.0})
    incident = forecast(plan, "outage", Settings(), [quick] * 40)
    drill = forecast(plan, "outage", Settings(occasion="exercise"), [quick] * 40)
    assert incident.functions[0].chance == pytest.approx(0.2, abs=0.015)
    assert incident.never_measured == ("approve",)
    assert drill.functions[0].chance == 1.0


def test_detection_under_another_profile_does_not_count() -> None:
    run = MeasuredRun("inc-1", "outage", True, "fast", True, 500.0, {}, {})
    assert forecast(PLAN, "outage", Settings(), [run] * 40).functions[0].chance == 1.0


def test_a_journal_tells_how_long_detection_and_every_step_took() -> None:
    paper = Paper(exercise="exercise-7")
    paper.lose_region()
    paper.wait(4.0)
    paper.approve("exercise-one", "exercise-two")
    paper.region_answers()
    (run,) = measured_runs(paper.plan, paper.incident.records)
    assert (run.scenario, run.exercise, run.succeeded) == ("regional-outage", True, True)
    assert run.took_seconds["approve"] == pytest.approx(4.0)
    assert run.took_seconds["fence"] == pytest.approx(0.1)
    assert run.detection_seconds == paper.incident.opened_seconds - paper.incident.impact_seconds
    assert run.ended_seconds["switch-dns"] > run.ended_seconds["approve"]


def test_a_step_that_a_person_called_done_was_not_measured() -> None:
    paper = Paper()
    paper.outcomes["postgres.promote"] = "refused"
    paper.lose_region()
    paper.approve("exercise-one", "exercise-two")
    assert paper.command("choose", "exercise-one", step="promote-database", choice="done", reason="by hand") == "accepted"
    (run,) = measured_runs(paper.plan, paper.incident.records)
    assert "promote-database" not in run.took_seconds
