"""A forecast against what can be worked out by hand, and what must hold for every plan."""

import json
from dataclasses import asdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.forecast.forecast import forecast
from holdfast.forecast.results import FunctionForecast, NodeForecast, ScenarioForecast, Settings
from holdfast.plan.model import Plan
from unit.forecast_plans import plan_of, step

CLOSE = 0.015
"""Three standard deviations of a share of 10,000 runs."""


def _of(plan: Plan, **changed: object) -> ScenarioForecast:
    return forecast(plan, "outage", Settings(**changed))  # type: ignore[arg-type]


def _shop(found: ScenarioForecast) -> FunctionForecast:
    return found.functions[0]


def _node(found: ScenarioForecast, name: str) -> NodeForecast:
    return next(node for node in found.nodes if node.id == name)


def test_two_steps_side_by_side_are_done_with_the_chance_that_both_are() -> None:
    found = _of(plan_of(step("a", "0s, 60s"), step("b", "0s, 60s"), rto="30s"))
    assert _shop(found).chance == pytest.approx(0.25, abs=CLOSE)
    assert _node(found, "a").critical == pytest.approx(0.5, abs=CLOSE)
    assert _node(found, "a").critical + _node(found, "b").critical == pytest.approx(1.0)


def test_two_steps_after_each_other_take_the_sum_of_both() -> None:
    found = _of(plan_of(step("a", "0s, 60s"), step("b", "0s, 60s", after="a"), rto="30s"))
    assert _shop(found).chance == pytest.approx(0.125, abs=CLOSE)
    assert _shop(found).back.mean_seconds == pytest.approx(60.0, abs=1.0)
    assert found.critical_path == ("(detection)", "a", "b")
    assert found.critical_path_chance == 1.0


def test_a_usual_length_makes_the_distribution_a_triangle() -> None:
    found = _of(plan_of(step("a", "0s, 30s, 120s"), rto="30s"))
    assert _shop(found).chance == pytest.approx(0.25, abs=CLOSE)  # the left part of the triangle
    assert _shop(found).back.mean_seconds == pytest.approx(50.0, abs=1.0)


def test_a_function_waits_for_the_approval_and_an_approval_may_take_as_long_as_its_rule() -> None:
    found = _of(plan_of(step("approve", block="approve"), step("work", "1m, 1m", after="approve"), rto="6m"))
    assert _node(found, "approve").source == "approval"
    assert _shop(found).chance == pytest.approx(0.5, abs=CLOSE)


def test_detection_takes_the_hold_and_the_time_that_probes_need() -> None:
    plan = plan_of(step("a", "1s, 1s"))
    slow = plan.profiles["default"].model_copy(update={"hold": 60.0, "probe_every": 10.0, "probe_timeout": 5.0})
    found = _of(plan.model_copy(update={"profiles": {"default": slow}}))
    detection = _node(found, "(detection)")
    assert (detection.shortest_seconds, detection.longest_seconds, detection.source) == (60.0, 85.0, "profile")
    assert _shop(found).back.p50_seconds == pytest.approx(73.5, abs=1.0)


def test_steps_without_a_range_share_their_phases_window_along_the_longest_chain() -> None:
    found = _of(plan_of(step("a"), step("b", after="a"), step("c", after="b"), step("beside", after="a"), window="30m"))
    longest = {node.id: node.longest_seconds for node in found.nodes if node.source == "window"}
    assert longest == {"a": 600.0, "b": 600.0, "c": 600.0, "beside": 900.0}
    assert _shop(found).back.last_seconds <= 1800.1


def test_a_phase_without_an_end_gives_no_range_so_the_blocks_own_limit_does() -> None:
    found = _of(plan_of(step("a", block="smoke.test"), window="open"))
    assert (_node(found, "a").source, _node(found, "a").longest_seconds) == ("limit", 720.0)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_ones() -> None:
    plan = plan_of(step("a", "0s, 60s"), step("b", "5s, 10s, 60s", after="a"))
    first, again, other = (json.dumps(asdict(_of(plan, seed=seed))) for seed in (7, 7, 8))
    assert first == again
    assert first != other


def test_a_step_that_is_added_changes_no_draw_of_another_one() -> None:
    alone = _of(plan_of(step("a", "0s, 60s"), rto="30s"))
    beside = _of(plan_of(step("unrelated", "0s, 0s"), step("a", "0s, 60s"), rto="30s"))
    assert _shop(alone).back == _shop(beside).back


_seconds = st.integers(min_value=0, max_value=300)


@settings(max_examples=40, deadline=None)
@given(first=st.lists(_seconds, min_size=2, max_size=2), other=st.lists(_seconds, min_size=2, max_size=3), more=_seconds)
def test_a_step_that_takes_longer_never_makes_anybody_be_back_sooner(first: list[int], other: list[int], more: int) -> None:
    def chance(added: int) -> float:
        longer = ", ".join(f"{length + added}s" for length in sorted(other))
        shorter = ", ".join(f"{length}s" for length in sorted(first))
        plan = plan_of(step("a", shorter), step("b", longer), step("c", "1s, 2s", after="a, b"), rto="4m")
        return _shop(_of(plan, runs=300)).chance

    assert chance(more) <= chance(0)


@settings(max_examples=40, deadline=None)
@given(order=st.permutations(["a", "b", "c"]), lengths=st.lists(_seconds, min_size=3, max_size=3))
def test_no_run_is_shorter_than_its_longest_step_or_longer_than_all_of_them(order: list[str], lengths: list[int]) -> None:
    after = {name: ", ".join(order[:place][:1]) for place, name in enumerate(order)}  # the first, and two that wait for it
    steps = [step(name, f"{length}s, {length}s", after=after[name]) for name, length in zip(order, lengths, strict=True)]
    back = _shop(_of(plan_of(*steps), runs=50)).back
    assert max(lengths) - 0.01 <= back.first_seconds <= back.last_seconds <= sum(lengths) + 0.01


def test_the_change_that_helps_most_is_the_one_that_the_time_is_spent_on() -> None:
    found = _of(plan_of(step("long", "60s, 120s"), step("short", "5s, 10s", after="long"), rto="75s"))
    assert (found.changes[0].kind, found.changes[0].about) == ("step", "long")
    assert found.changes[0].chance_gain > 0.5
    assert found.changes[0].time_gain_seconds == pytest.approx(45.0, abs=1.0)


def test_what_nobody_waits_for_is_not_worth_a_change() -> None:
    found = _of(plan_of(step("long", "60s, 120s"), step("beside", "1s, 2s"), rto="75s"))
    assert "beside" not in {change.about for change in found.changes}


def test_half_a_window_is_half_of_all_that_rests_on_it() -> None:
    found = _of(plan_of(step("a"), step("b", after="a"), window="10m", rto="5m"))
    window = next(change for change in found.changes if change.kind == "window")
    assert window.about == "All of it"
    assert window.time_gain_seconds == pytest.approx(150.0, abs=5.0)
    assert found.changes[0] == window
