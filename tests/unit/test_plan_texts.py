"""Words of messages: plain fields and a closed part of Jinja that can't loop, call or grow."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.plan.loader import PlanError
from holdfast.plan.model import Words
from holdfast.plan.texts import MOST_CHARACTERS, NotKnown, faults, fill
from holdfast.plan.wordlists import MESSAGE_FIELDS
from unit.plan_texts import only_problem, plan_with
from unit.sound_plan import REMOVED, with_mistake

VALUES = {name: f"<{name}>" for name in MESSAGE_FIELDS}


def test_plain_fields_go_on_working_beside_templates() -> None:
    assert fill("{incident}: {state} {other}", VALUES) == "<incident>: <state> {other}"
    assert fill("{{ incident }}: {{ state|upper }}", VALUES) == "<incident>: <STATE>"


def test_a_template_chooses_by_what_is_known() -> None:
    text = "{% if cause %}Cause: {{ cause }}{% else %}We look for the cause{% endif %}."
    assert fill(text, VALUES) == "Cause: <cause>."
    assert fill(text, {**VALUES, "cause": NotKnown("not known yet")}) == "We look for the cause."
    assert fill("{{ cause }}", {**VALUES, "cause": NotKnown("not known yet")}) == "not known yet"


def test_characters_survive() -> None:
    text = "🚨 {{ functions }} — „Störung“ & <b>1 < 2</b> 🏨"
    assert fill(text, {**VALUES, "functions": "Zażółć 漢字 {{ state }}"}) == "🚨 Zażółć 漢字 {{ state }} — „Störung“ & <b>1 < 2</b> 🏨"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{{ severty }}", "unknown field"),
        ("{% for x in state %}{{ x }}{% endfor %}", "loops"),
        ("{{ state.__class__ }}", "looking into a value"),
        ("{{ state[0] }}", "looking into a value"),
        ("{{ range(10) }}", "calls"),
        ("{{ state.upper() }}", "calls"),
        ("{{ 'x' * 1000000000 }}", "mul"),
        ("{{ state|replace('e', 'eeee') }}", "unknown filter"),
        ("{{ state|center(1000000000) }}", "unknown filter"),
        ("{% set x = state %}", "setting names"),
        ("{% include 'secrets' %}", "including"),
        ("{% macro x() %}{% endmacro %}", "macros"),
        ("{{ state", "not a template"),
        ("{% if state %}", "not a template"),
    ],
)
def test_what_a_template_must_not_hold_is_said_and_never_rendered(text: str, says: str) -> None:
    assert any(says in said for said, _ in faults(text)), faults(text)
    with pytest.raises(ValueError, match=r".+"):
        fill(text, VALUES)


def test_what_comes_out_is_bounded() -> None:
    out = fill("{{ state }}", {**VALUES, "state": "x" * 10 * MOST_CHARACTERS})
    assert len(out) == MOST_CHARACTERS
    assert out.endswith("(shortened)")


@given(text=st.text(alphabet="{}%| ()[].'*+stae\n", max_size=60))
def test_any_text_is_filled_or_refused_at_once(text: str) -> None:
    begun = time.perf_counter()
    try:
        assert len(fill(text, VALUES)) <= MOST_CHARACTERS
    except ValueError:
        assert faults(text)
    assert time.perf_counter() - begun < 2.0


def test_a_plan_with_a_wrong_template_does_not_load_and_says_where() -> None:
    said = only_problem(('subject: "{severity}: VoiceHive', 'subject: "{{ severty }}: VoiceHive'))
    assert "unknown field in the text ('{severty}') — did you mean 'severity'" in said
    assert said.startswith("plan.yaml:")
    looping = only_problem(('subject: "{severity}: VoiceHive', 'subject: "{% for x in state %}{% endfor %}: VoiceHive'))
    assert "loops" in looping


def test_a_message_takes_its_words_from_a_template_where_it_has_none() -> None:
    templates = "templates:\n  alert: { name: Alert, subject: '{{ severity }}!', body: 'x', short: 's' }\n"
    own = "    template: alert\n    short: mine\n"
    plan = plan_with(("templates:\n", templates), ("    template: initial\n", own))
    assert plan.words_of("incident-alert", plan.messages["incident-alert"]) == Words("{{ severity }}!", "x", "mine")


def test_a_name_of_a_war_room_holds_nothing_but_when_and_which() -> None:
    assert "did you mean 'timestamp'" in only_problem(("incident-{timestamp}", "inc-{timestmp}"))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("Since {startd}", "unknown field in the text ('{startd}')"),
        ("Since {{ startd }}", "unknown field"),
        ("{% for x in state %}", "template"),
    ],
)
def test_what_a_message_must_contain_is_held_to_the_same_rules_where_it_is_what_is_sent(content: str, says: str) -> None:
    alone = {"messages.partners.subject": REMOVED, "messages.partners.body": REMOVED, "messages.partners.content": content}
    with pytest.raises(PlanError) as refused:
        with_mistake(alone)
    assert [says in str(problem) for problem in refused.value.problems] == [True]
    assert with_mistake({"messages.partners.content": content}).plan.messages["partners"].body, "its own words are sent, and not these"
