"""What `check` says about the loss of a zone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.checks import Finding, Severity
from holdfast.checks.facts import Facts
from holdfast.checks.rules import zone_lost
from holdfast.plan.model import Plan, Size, ZonesDownTrigger
from unit.health_world import DR, PLAN, PRIMARY


def plan_of(size: Size | None, zones: int = 2) -> Plan:
    functions = {name: function.model_copy(update={"size": size}) for name, function in PLAN.functions.items()}
    named = tuple(f"zone-{number}" for number in range(zones))
    regions = {name: region.model_copy(update={"zones": named}) for name, region in PLAN.regions.items()}
    return PLAN.model_copy(update={"functions": functions, "regions": regions})


def found(plan: Plan) -> list[Finding]:
    return list(zone_lost.RULE.apply(Facts(plan, None)))


def triggered(*triggers: ZonesDownTrigger) -> Plan:
    scenario = PLAN.scenarios["regional-outage"].model_copy(update={"triggers": triggers})
    return PLAN.model_copy(update={"scenarios": {**PLAN.scenarios, "regional-outage": scenario}})


def test_the_reference_plan_carries_its_load_in_one_zone() -> None:
    assert found(PLAN) == []


def test_a_size_that_one_zone_cannot_carry_is_noted_for_each_region_with_what_would_do() -> None:
    notes = [finding for finding in found(plan_of(Size(run=4, needed=3))) if "Voice" in finding.sentence]
    assert [(note.severity, note.hint) for note in notes] == [(Severity.NOTE, "run 6, or accept less until it is back")] * 2
    assert f"one of the 2 zones of {PRIMARY} is lost, 2 of 4 instances of Voice Call Processing are left, and 3 carry" in notes[0].sentence


def test_an_odd_instance_is_counted_in_the_lost_zone() -> None:
    assert found(plan_of(Size(run=3, needed=2)))
    assert not found(plan_of(Size(run=4, needed=2)))


def test_zones_without_sizes_are_noted_once_a_region() -> None:
    assert [finding.places[0] for finding in found(plan_of(None))] == [("regions", PRIMARY, "zones"), ("regions", DR, "zones")]


def test_a_size_that_never_carries_the_load_is_a_warning_and_so_is_scaling_to_less() -> None:
    sentences = [finding.sentence for finding in found(plan_of(Size(run=4, needed=5))) if finding.severity is Severity.WARNING]
    assert any(sentence.startswith("4 instances of Voice Call Processing run and 5 carry") for sentence in sentences)
    assert any("scales Voice Call Processing to 4, and 5 carry its full load" in sentence for sentence in sentences)


@pytest.mark.parametrize(("count", "severities"), [(1, {Severity.NOTE}), (2, set()), (3, {Severity.WARNING})])
def test_triggers_for_too_many_zones_or_for_one_are_named(count: int, severities: set[Severity]) -> None:
    assert {finding.severity for finding in found(triggered(ZonesDownTrigger(kind="zones-down", count=count)))} == severities


@given(st.integers(1, 40), st.integers(1, 40), st.integers(2, 5))
def test_what_the_hint_names_is_enough_and_one_less_is_not(run: int, needed: int, zones: int) -> None:
    hints = {finding.hint for finding in found(plan_of(Size(run=run, needed=needed), zones)) if finding.hint.startswith("run ")}
    for hint in hints:
        enough = int(hint.split()[1].rstrip(","))
        quiet = [finding for finding in found(plan_of(Size(run=enough, needed=needed), zones)) if finding.severity is Severity.NOTE]
        assert quiet == []
        smaller = Size(run=enough - 1, needed=needed)
        assert any(finding.severity is not Severity.WARNING or "run and" in finding.sentence for finding in found(plan_of(smaller, zones)))
