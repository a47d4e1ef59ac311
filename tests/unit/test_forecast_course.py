"""What brings a function back: the same as the rule about functions that come back too late understands it."""

import math

import pytest

from holdfast.forecast.course import EVERYTHING, Course, course
from holdfast.forecast.forecast import forecast
from holdfast.forecast.results import Settings
from holdfast.plan.model import Plan
from unit.plan_texts import REFERENCE, loaded

PLAN = loaded(REFERENCE.read_text(encoding="utf-8")).plan


def _course(scenario: str, plan: Plan = PLAN) -> Course:
    return course(plan, scenario, plan.profiles["default"])


def _waits(graph: Course, moment: str) -> set[str]:
    """Every step that a moment waits for, directly or not."""
    after = {node.id: node.after for node in graph.nodes}
    waiting = [moment]
    for name in waiting:
        waiting += [before for before in after[name] if before not in waiting]
    return {name for name in waiting if not name.startswith("(")}


def test_a_function_is_back_when_traffic_has_moved_to_components_that_are_back() -> None:
    graph = _course("regional-outage")
    waits = _waits(graph, graph.functions["voice"])
    assert {"switch-dns", "switch-load-balancer", "promote-database", "promote-cache", "activate-bucket", "scale-up"} <= waits
    assert waits.isdisjoint({"smoke-test", "confirm", "alert", "tell-stakeholders"})


def test_what_stops_traffic_brings_no_component_back() -> None:
    scenario = PLAN.scenarios["regional-outage"]
    first = scenario.phases[0]
    switch = next(step for phase in scenario.phases for step in phase.steps if step.block == "loadbalancer.switch")
    drain = switch.model_copy(update={"id": "drain", "block": "loadbalancer.drain", "after": ()})
    phases = (first.model_copy(update={"steps": (*first.steps, drain)}), *scenario.phases[1:])
    plan = PLAN.model_copy(update={"scenarios": {"regional-outage": scenario.model_copy(update={"phases": phases})}})
    drawn = next(node for node in _course("regional-outage", plan).nodes if node.id == "(component) loadbalancer")
    assert "switch-load-balancer" in drawn.after
    assert "drain" not in drawn.after


def test_where_nothing_moves_traffic_a_real_transaction_proves_it() -> None:
    graph = _course("database-failover")
    assert {"promote-database", "point-application", "smoke-test"} <= _waits(graph, graph.functions["voice"])
    assert "confirm" not in _waits(graph, graph.functions["voice"])


def test_what_only_watches_in_a_phase_without_an_end_keeps_no_function_away() -> None:
    breach = PLAN.scenarios["security-breach"]
    watching = {step.id for phase in breach.phases if math.isinf(phase.window[1]) for step in phase.steps}
    planned = {step.id for phase in breach.phases if not math.isinf(phase.window[1]) for step in phase.steps if step.block != "notify"}
    drawn = course(PLAN, "security-breach", PLAN.profiles["default"])
    nodes = {node.id: node for node in drawn.nodes}
    for moment in drawn.functions.values():
        assert watching and set(nodes[moment].after) == planned


def test_where_all_that_is_planned_tells_people_the_function_is_back_with_what_is_done_without_an_end() -> None:
    breach = PLAN.scenarios["security-breach"]
    told = breach.phases[0].model_copy(
        update={
            "name": "Tell",
            "window": (0.0, 60.0),
            "steps": tuple(step for phase in breach.phases for step in phase.steps if step.block == "notify"),
        }
    )
    done = next(step for phase in breach.phases for step in phase.steps if step.block != "notify").model_copy(update={"after": ()})
    watched = breach.phases[-1].model_copy(update={"window": (60.0, math.inf), "steps": (done,)})
    assert told.steps
    plan = PLAN.model_copy(update={"scenarios": {"security-breach": breach.model_copy(update={"phases": (told, watched)})}})
    graph = _course("security-breach", plan)
    assert {_waits(graph, moment) == {done.id} for moment in graph.functions.values()} == {True}, "nobody is back by being told of it"
    found = forecast(plan, "security-breach", Settings(runs=100))
    assert found.nodes


def test_only_functions_that_stand_on_the_lost_component_are_hit() -> None:
    graph = _course("storage-failover")
    assert set(graph.functions) == {"voice"}
    assert set(graph.not_hit) == {"pms", "authentication", "analytics", "configuration"}


def test_resolvers_go_on_with_the_old_address_for_as_long_as_the_names_live() -> None:
    dns = PLAN.components["dns"].model_copy(update={"ttl": 300.0})
    plan = PLAN.model_copy(update={"components": {**PLAN.components, "dns": dns}})
    graph = _course("regional-outage", plan)
    resolvers = next(node for node in graph.nodes if node.kind == "resolvers")
    assert resolvers.span is not None
    assert (resolvers.after, resolvers.span.longest) == (("switch-dns",), 300.0)
    assert resolvers.id in next(node for node in graph.nodes if node.id == "(component) dns").after


@pytest.mark.parametrize("scenario", PLAN.scenarios)
def test_every_node_comes_after_all_that_it_waits_for(scenario: str) -> None:
    known: set[str] = set()
    for node in _course(scenario).nodes:
        assert known >= set(node.after)
        known.add(node.id)
    assert EVERYTHING in known


@pytest.mark.parametrize("scenario", PLAN.scenarios)
def test_every_run_has_one_critical_path_so_that_what_is_first_on_it_is_always(scenario: str) -> None:
    found = forecast(PLAN, scenario, Settings(runs=500))
    assert found.nodes[0].critical == 1.0
    share = {node.id: node.critical for node in found.nodes}
    assert all(share[name] > 0 for name in found.critical_path)
    assert all(function.back.p10_seconds <= function.back.p50_seconds <= function.back.p90_seconds for function in found.functions)


def test_a_scenario_without_a_step_is_over_when_it_is_detected() -> None:
    scenario = PLAN.scenarios["regional-outage"]
    empty = scenario.model_copy(update={"phases": (scenario.phases[0].model_copy(update={"steps": ()}),)})
    found = forecast(PLAN.model_copy(update={"scenarios": {"empty": empty}}), "empty", Settings(runs=100))
    assert found.functions[0].back_step == "(detection)"
    assert found.functions[0].back.first_seconds >= 60.0
