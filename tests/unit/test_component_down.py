"""The trigger of one component: what is down, what is only unknown, and what is somebody else's fault."""

import pytest

from holdfast.health.observation import Seen, Subject
from holdfast.health.triggers import trigger_name
from holdfast.plan.model import ComponentDownTrigger
from unit.health_world import PRIMARY, World
from unit.plan_texts import only_problem

DATABASE, STORAGE, APPLICATION = (
    ComponentDownTrigger(kind="component-down", component=name) for name in ("database", "storage", "application")
)


def seen(down: frozenset[Subject], word: Seen = Seen.DOWN) -> World:
    def look(_observer: str, at: float, region: str, subject: Subject) -> Seen:
        return word if at >= 5 and region == PRIMARY and subject in down else Seen.UP

    world = World(look, triggers=(DATABASE, STORAGE, APPLICATION))
    world.run(0, 12)
    return world


@pytest.mark.parametrize(("subject", "trigger"), [(Subject.POSTGRES, DATABASE), (Subject.BUCKET, STORAGE)])
def test_a_component_that_a_majority_sees_down_fires_its_own_trigger_and_no_other(subject: Subject, trigger: ComponentDownTrigger) -> None:
    assert seen(frozenset({subject})).firing() == {(PRIMARY, trigger_name(trigger))}


def test_silence_of_one_component_where_others_answer_is_a_lost_component() -> None:
    assert seen(frozenset({Subject.BUCKET}), Seen.SILENT).firing() == {(PRIMARY, trigger_name(STORAGE))}


def test_an_application_is_down_only_while_its_stores_are_up() -> None:
    assert seen(frozenset({Subject.TRANSACTION})).firing() == {(PRIMARY, trigger_name(APPLICATION))}
    both = seen(frozenset({Subject.TRANSACTION, Subject.POSTGRES}))
    assert both.firing() == {(PRIMARY, trigger_name(DATABASE))}
    assert both.states[PRIMARY, trigger_name(APPLICATION)].condition is None


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (("kind: component-down, component: database", "kind: component-down, component: databse"), "did you mean 'database'"),
        (("    scenario: database-failover\n", "    scenario: database-failure\n"), "did you mean 'database-failover'"),
        (("components: [database, cache]", "components: [database, cash]"), "did you mean 'cache'"),
        (("parameters: { stores: source }", "parameters: { stores: elsewhere }"), "it is 'source' or 'target'"),
        (("storage: source }", "storge: source }"), "the plan has no component 'storge'"),
        (("components: [storage] }", "components: [] }"), "it is a list of components"),
    ],
)
def test_what_a_scenario_or_exercise_of_one_component_names_must_exist(edit: tuple[str, str], says: str) -> None:
    assert says in only_problem(edit)
