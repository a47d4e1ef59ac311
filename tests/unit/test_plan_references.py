"""Whatever a plan names in any of its sections must be there, and what belongs together must agree."""

import copy
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from holdfast.plan.consistency import check_consistency
from holdfast.plan.document import Document, read
from holdfast.plan.findings import Findings, values_at
from holdfast.plan.places import place_of, written
from holdfast.plan.references import REFERENCES, check_references
from holdfast.plan.steps import check_steps
from unit.plan_texts import TEXT, changed, problems


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("to: eu-central-1, how: continuous", "to: eu-centrl-1, how: continuous", "no region of this name ('eu-centrl-1')"),
        ("to: eu-central-1, how: continuous", "to: eu-west-1, how: continuous", "leads back to where it starts"),
        ("how: asynchronous }", "how: periodic }", "doesn't say how often ('cache-copy') — add 'every'"),
        ("feeds: [dns-management]", "feeds: [dns-managment]", "did you mean 'dns-management'"),
        ("runs_in: [outside]", "runs_in: [otside]", "no region or observer of this name"),
        ("needed_by: [voice]\n    vendor: carrier", "needed_by: [vioce]\n    vendor: carrier", "no function or component of this name"),
        ("vendor: carrier", "vendor: carier", "did you mean 'carrier'"),
        ("stored_in: [storage]", "stored_in: [storag]", "did you mean 'storage'"),
        ("regions: [eu-west-1] # pinned", "regions: [eu-west-9] # pinned", "no region of this name ('eu-west-9')"),
        ("people: [piotr-zielinski, tom-okafor", "people: [piotr-zielinski, tom-okafr", "did you mean 'tom-okafor'"),
        ("rotations: [engineers]", "rotations: [engineer]", "no rotation of this name"),
        ("to: 2024-12-27 09:00", "to: 2024-12-24 09:00", "ends not after its start at 2024-12-24 09:00"),
        ("every: weekly\n    overrides", "every: 0s\n    overrides", "nobody takes turns in no time"),
        ("every: weekly\n    overrides", "every: weekly\n    timezone: Europe/Dubln\n    overrides", "did you mean 'Europe/Dublin'"),
        ("audience: [executives], channels: [phone, sms", "audience: [executive], channels: [phone, sms", "did you mean 'executives'"),
        ("channels: [phone, sms, email]", "channels: [phone, smoke, email]", "unknown channel ('smoke')"),
        ("  slack: { name", "  slak: { name", "unknown channel ('slak') — did you mean 'slack'"),
        ("second: A second webhook }", "second_channel: slack }", "can't stand in for itself"),
        ("second: A second webhook }", "second_channel: status-page }", "can't stand in for a channel of the company's own people"),
        ("template: initial", "template: inital", "no template of this name ('inital') — did you mean 'initial'"),
        ("    subject: VoiceHive service is impaired\n", "", "no subject, and no template"),
        ("Done so far: {actions_taken}", "Done so far: {actions_take}", "did you mean 'actions_taken'"),
        ("scenarios: [database-corruption]\n    content", "scenarios: [flood]\n    content", "no scenario of this name ('flood')"),
        ("window: [0s, 10m]", "window: [0s, 0s]", "this window ends at 0s, not after its start at 0s"),
        ("window: [120m, open]", "window: [120m, 119m]", "not after its start at 120m"),
        ("from: 15m, to: 1h", "from: 15m, to: 10m", "this tier ends at 10m"),
        ("takes: [1s, 20s, 2m]", "takes: [1s, 3m, 2m]", "[shortest, usual, longest]"),
        ("by: database-administrator", "by: database-admin", "no role of this name ('database-admin')"),
        ("    takes_away: region\n", "", "'takes_away' is missing ('regional-outage')"),
        ("    scenario: database-failover\n    takes_away", "    takes_away", "'scenario' is missing"),
        ("kind: tabletop\n", "kind: tabletop\n    takes_away: region\n", "takes nothing away"),
        ("audience: [executives, management]\n    criteria", "audience: [execs]\n    criteria", "no role or audience"),
        ("about: exercises.tabletop.every", "about: exercise.tabletop.every", "the plan has no such place"),
        ("by: incident-commander\n  - name: In depth", "by: commander\n  - name: In depth", "no role of this name ('commander')"),
        (
            "zone_notice: {",
            "access_notice: { audience: [pres], channels: [slack] }\nzone_notice: {",
            "no role or audience of this name ('pres')",
        ),
        ("notify_by: communication-lead", "notify_by: press", "no role of this name ('press')"),
        ("component: loadbalancer\n    steps", "component: lb\n    steps", "no component of this name ('lb')"),
        ("scenarios: [regional-outage]\n    treatment", "scenarios: [flood]\n    treatment", "no scenario of this name ('flood')"),
    ],
)
def test_each_section_is_held_to_what_it_names(old: str, new: str, says: str) -> None:
    found = [str(problem) for problem in problems(changed((old, new)))]
    assert any(says in problem for problem in found), "\n".join(found)


def test_mistakes_in_every_section_come_out_in_one_run_each_on_its_line() -> None:
    edits = (
        ("vendor: carrier", "vendor: carier"),
        ("template: initial", "template: inital"),
        ("notify_by: communication-lead", "notify_by: press"),
        ("window: [120m, open]", "window: [120m, 1m]"),
    )
    text = changed(*edits)
    lines = [text[: text.index(new)].count("\n") + 1 for _, new in edits]
    assert sorted(problem.line for problem in problems(text)) == sorted(lines)


def test_what_the_table_of_references_leads_to_is_in_the_reference_plan_save_for_these() -> None:
    data = read(TEXT.encode(), "plan.yaml").data
    unused = {pattern for pattern, _ in REFERENCES if not any(True for _ in values_at(data, tuple(pattern.split("."))))}
    assert unused == {
        "components.*.only_in",
        "people.*.reach.channels.*",
        "roles.*.rotation",
        "audiences.*.roles.*",
        "access_notice.audience.*",
        "access_notice.channels.*",
        "routes.*.second_channel",
        "routes.*.regions.*",
        "scenarios.*.phases.*.steps.*.other_way.steps.*.by",
        "scenarios.*.reprotect.*.steps.*.by",
        "scenarios.*.reprotect.*.steps.*.other_way.steps.*.by",
        "scenarios.*.way_back.*.steps.*.by",
        "scenarios.*.way_back.*.steps.*.other_way.steps.*.by",
        "exercise_process.*.by",
    }


def test_a_written_place_is_read_along_the_plan_so_that_names_may_hold_dots() -> None:
    data = {"people": {"a.b": {"name": "A"}}, "list": [{"x": 1}]}
    assert place_of("people.a.b.name", data) == ("people", "a.b", "name")
    assert place_of("people.c", data) == ("people", "c")
    assert place_of("list.0.x", data) == ("list", 0, "x")
    assert place_of("list.1", data) == ("list", 1)
    assert place_of("people.c.name", data) is None
    assert place_of("list.2", data) is None
    assert place_of("people..name", data) is None
    assert written(("people", "a.b", "name")) == "people.a.b.name"


DOCUMENT = read(TEXT.encode(), "plan.yaml")
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["5m", "open", "voice", "a.b", "{state}", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["every", "from", "to", "steps", "id"]), inner, max_size=3),
    max_leaves=6,
)
_PLACES = sorted((place for place in DOCUMENT.positions if place), key=str)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(_PLACES), _VALUES)
@example(("scenarios", "regional-outage", "phases", 2, "steps", 1, "other_way", "steps", 0, "block"), [])
@example(("scenarios", "storage-failover", "reprotect", 0, "steps", 0, "parameters", "components", 0), [])
def test_a_wrong_value_at_any_place_is_passed_over_or_told_and_never_ends_in_anything_else(place: tuple[Any, ...], value: object) -> None:
    data = copy.deepcopy(DOCUMENT.data)
    holder = data
    for part in place[:-1]:
        holder = holder[part]
    holder[place[-1]] = value
    findings = Findings(Document(data, DOCUMENT.positions, ()), "plan.yaml")
    for look in (check_references, check_consistency, check_steps):
        look(findings)
    assert all(problem.line >= 1 and problem.message for problem in findings.problems)
