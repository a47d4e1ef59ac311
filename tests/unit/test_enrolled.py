"""Whom an exercise may reach: who stands in for a role that takes part in that very exercise."""

import pytest

from holdfast.plan.governance import Exercise
from holdfast.plan.people import enrolled
from unit.conduct_on_paper import LOADED, Paper

PLAN = LOADED.plan
ONE, TWO, CONDUCTS, FOUR = "exercise-one", "exercise-two", "exercise-three", "exercise-four"


def test_in_a_real_incident_nobody_is() -> None:
    assert enrolled(PLAN, None, "regional-outage") == frozenset()


@pytest.mark.parametrize(
    ("exercise", "scenario", "people"),
    [
        ("exercise-20270101T031200", "regional-outage", {ONE, TWO, FOUR}),  # all roles have somebody among engineering and management
        ("exercise-20270101T031200", "database-failover", {ONE}),  # its audience is one role
        ("exercise-20270101T031200", "application-failover", {ONE}),  # an audience, through those who fill roles
        ("exercise-20270101T031200", "storage-failover", {ONE, TWO, FOUR}),  # it names no audience
        ("exercise-20270101T031200", "security-breach", {ONE, TWO, FOUR}),  # the plan schedules none of it
        ("database-failover", "regional-outage", {ONE}),  # by the plan's own name, whatever the scenario is
    ],
)
def test_who_stands_in_for_a_role_that_takes_part_in_it_is_and_nobody_else(exercise: str, scenario: str, people: set[str]) -> None:
    assert enrolled(PLAN, exercise, scenario) == people
    assert CONDUCTS not in people, "who only conducts fills no role"


def test_where_the_plan_has_two_of_a_scenario_and_the_day_names_neither_only_those_of_both_are() -> None:
    again = Exercise.model_validate({"name": "Again", "scenario": "storage-failover", "audience": ["communication-lead"]})
    plan = PLAN.model_copy(update={"exercises": {**PLAN.exercises, "again": again}})
    assert enrolled(plan, "exercise-7", "storage-failover") == {TWO}


def test_what_is_handed_over_says_who_of_them_the_very_exercise_may_reach() -> None:
    drill = PLAN.exercises["regional-outage"].model_copy(update={"audience": ("communication-lead",)})
    paper = Paper(plan=PLAN.model_copy(update={"exercises": {**PLAN.exercises, "regional-outage": drill}}))
    paper.lose_region()
    paper.wait(600.0)
    assert {tell.recipient for tell in paper.told if tell.enrolled} == {TWO}
    assert {ONE, FOUR, "exercise:executives"} <= {tell.recipient for tell in paper.told if not tell.enrolled}
