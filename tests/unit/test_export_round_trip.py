"""What is exported as Markdown is the plan: read back it is the same, and it follows what a person changes in it."""

from functools import cache
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from holdfast.document.difference import difference
from holdfast.document.exact.reading import is_exported, read_exported
from holdfast.document.writing.booklet import booklet, fields_without_section
from holdfast.document.writing.html import html
from holdfast.document.writing.markdown import markdown
from holdfast.document.writing.typst import typst
from holdfast.plan.contacts import Contacts
from holdfast.plan.impact import Degraded
from holdfast.plan.loader import digest_of, load
from holdfast.plan.model import Plan
from holdfast.plan.part import Part
from holdfast.plan.values import Day, Duration, Frequency, Identifier, Moment, Target, WindowEnd

REFERENCE = Path("examples/voicehive/plan.yaml")


@cache
def reference() -> Plan:
    return load(REFERENCE).plan


def exported(plan: Plan) -> str:
    return markdown(booklet(plan, digest_of(plan), ()))


def read_back(text: str) -> Plan:
    document = read_exported(text)
    assert document.problems == ()
    return Plan.model_validate(document.data)


TRICKY = st.sampled_from(
    [
        "a | b",
        "`code`",
        "<b>bold</b> & <br>",
        " leading",
        "trailing ",
        "two  spaces",
        "one\ntwo\n",
        "one\ntwo",
        "\n```\nfence\n````\n",
        "\\| \\\\",
        "*stars* _and_ [links](x)",
        "👩‍💻 Inês ❤️",
        "",
        "null",
        "true",
        "12",
        '"quoted"',
        "`plan`",
        "a › b",
        "\u200b",
        "- [ ] x",
        "# heading",
        "---",
        "{name} #{incident}",
        "&nbsp;\xa0",
        "\x85\u2028",
        "a, b",
        "[]",
        "{}",
    ]
)
TEXTS = TRICKY | st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
NAMES = st.from_regex(r"[a-z][a-z0-9]{0,5}(?:[-.][a-z0-9]{1,3}){0,2}", fullmatch=True)
DURATIONS = st.sampled_from(["0s", "250ms", "15s", "1h30m", "90m", "30d", "7y", "1.5h", "0.001s", "123456.789s"])
MARKED: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (Duration, DURATIONS),
    (Frequency, DURATIONS | st.sampled_from(["daily", "quarterly"])),
    (WindowEnd, DURATIONS | st.just("open")),
    (Identifier, NAMES),
    (Day, st.dates().map(str)),
    (Moment, st.just("2027-04-01 09:00")),
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-5, 5) | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)
PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXTS,
    int: st.integers(1, 20),
    float: st.floats(0, 100, allow_nan=False),
    bool: st.booleans(),
    Any: JSON,
    Target: st.sampled_from(["< 5m", ">= 95%", "100%", "3", "<= 1h30m"]),
}


def values(annotation: Any) -> st.SearchStrategy[Any]:  # noqa: PLR0911 — one answer a kind of type
    """Plan values of a type, as a file would hold them."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        found = next((made for kind, made in MARKED if get_args(kind)[1] in arguments[1:]), None)
        if found is not None:
            return found
        if get_origin(arguments[0]) is tuple:
            return st.lists(values(get_args(arguments[0])[0]), min_size=2, max_size=3)
        return values(arguments[0])
    if origin in (Union, UnionType):
        return st.one_of([values(argument) for argument in arguments if argument is not type(None)])
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is tuple:
        if arguments[-1] is Ellipsis:
            return st.lists(values(arguments[0]), min_size=1, max_size=2)
        return st.tuples(*(values(argument) for argument in arguments)).map(list)
    if origin is dict:
        return st.dictionaries(values(arguments[0]), values(arguments[1]), max_size=2)
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return part(annotation)
    return PLAIN[annotation]


def later(annotation: Any) -> st.SearchStrategy[Any]:
    """As `values`, made when it is first drawn from, since a part may hold parts."""
    return st.deferred(lambda: values(annotation))


@cache
def part(kind: type[Part]) -> st.SearchStrategy[dict[str, Any]]:
    hints = get_type_hints(kind, include_extras=True)
    required: dict[str, st.SearchStrategy[Any]] = {}
    optional: dict[str, st.SearchStrategy[Any]] = {}
    for name, field in kind.model_fields.items():
        (required if field.is_required() else optional)[field.alias or name] = later(hints[name])
    return st.fixed_dictionaries(required, optional=optional)


SECTIONS = sorted(field.alias or name for name, field in Plan.model_fields.items() if name not in ("schema_", "observers", "contacts"))


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """The reference plan with a few of its sections made anew; what its types refuse is left out."""
    data = read_exported(exported(reference())).data
    hints = get_type_hints(Plan, include_extras=True)
    names = {field.alias or name: name for name, field in Plan.model_fields.items()}
    for section in draw(st.lists(st.sampled_from(SECTIONS), min_size=1, max_size=3, unique=True)):
        changed = {**data, section: draw(values(hints[names[section]]))}
        try:
            Plan.model_validate(changed)
        except ValidationError:
            continue
        data = changed
    return Plan.model_validate(data)


def test_the_reference_plan_comes_back_the_same() -> None:
    plan = reference()
    again = read_back(exported(plan))
    assert again == plan
    assert digest_of(again) == digest_of(plan)
    assert is_exported(exported(plan))


@given(plans())
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_plan_comes_back_the_same(plan: Plan) -> None:
    again = read_back(exported(plan))
    assert again == plan
    assert digest_of(again) == digest_of(plan)


@given(plans())
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_plan_can_be_written_as_a_page_and_as_source(plan: Plan) -> None:
    made = booklet(plan, digest_of(plan), ())
    assert "<script" not in html(made)
    assert typst(made)


def written(value: Any, place: tuple[str | int, ...] = ()) -> dict[tuple[str | int, ...], Any]:
    """Everything that somebody wrote in a plan, by its place, whether or not it equals a default."""
    found: dict[tuple[str | int, ...], Any] = {}
    below: list[tuple[str | int, Any]]
    if isinstance(value, Part):
        below = [(name, getattr(value, name)) for name in type(value).model_fields if name in value.model_fields_set]
    elif isinstance(value, dict) and value:
        below = list(value.items())
    elif isinstance(value, tuple) and value:
        below = list(enumerate(value))
    else:
        return {place: value} if value is not None else {}
    for key, inner in below:
        found |= written(inner, (*place, key))
    return found


def test_what_the_reference_plan_states_stands_in_the_book_though_it_be_the_default() -> None:
    plan = reference()
    assert plan.functions["voice"].degraded == Degraded(), "the plan writes out what is the default"
    book = booklet(plan, digest_of(plan), ())
    for page in (markdown(book), html(book), typst(book)):
        assert page.count("Success percent below") + page.count("success_percent_below") >= 1
    again = read_back(markdown(book))
    assert written(again) == written(plan)
    assert again.functions["voice"].degraded.model_fields_set == {"success_percent_below", "p95_latency_above"}


@given(plans())
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_a_plan_states_is_stated_by_the_plan_that_is_read_back(plan: Plan) -> None:
    lost = written(plan).keys() - written(read_back(exported(plan))).keys()
    assert not lost


def test_a_default_that_nobody_wrote_is_not_put_into_their_mouth() -> None:
    data = read_exported(exported(reference())).data
    del data["functions"]["voice"]["degraded"]
    plan = Plan.model_validate(data)
    assert digest_of(plan) == digest_of(reference())
    assert "degraded" not in read_back(exported(plan)).functions["voice"].model_fields_set
    assert difference(reference(), plan, (), ()) == ()


def test_contacts_that_are_kept_apart_are_shown_and_stay_apart() -> None:
    plan = reference().model_copy(update={"contacts": Contacts(file="contacts.yaml")})
    text = exported(plan)
    person = next(one for one in plan.people.values() if one.phone)
    assert str(person.phone) in text, "the phone tree is for the night"
    again = read_back(text)
    assert again.contacts == plan.contacts
    assert not any(one.phone for one in again.people.values())
    assert digest_of(again) == digest_of(plan)


def test_texts_of_several_lines_survive_in_steps_phases_and_messages() -> None:
    data = read_exported(exported(reference())).data
    phase = data["scenarios"]["regional-outage"]["phases"][0]
    phase["name"] = "one\n| two |\n"
    phase["steps"][0]["block"] = "manual"
    phase["steps"][0]["parameters"] = {"text": "first\n| `1` | second |\n```\n"}
    data["messages"]["status"]["body"] = "```\nfenced\n````\n\nwithout an end"
    plan = Plan.model_validate(data)
    assert read_back(exported(plan)) == plan


def test_line_ends_of_another_system_and_tables_that_an_editor_aligned_change_nothing() -> None:
    text = exported(reference())
    aligned = "\n".join(line.replace(" | ", "   |  ") if line.startswith("|") else line for line in text.split("\n"))
    assert read_back(aligned.replace("\n", "\r\n")) == reference()


def test_a_number_that_a_person_edits_is_followed() -> None:
    text = exported(reference())
    before = "| `voice` | Voice Call Processing | P1 | 15m | 5m |"
    assert before in text
    again = read_back(text.replace(before, before.replace("15m", "30m")))
    assert again.functions["voice"].rto == 1800.0
    assert again.functions["pms"] == reference().functions["pms"]


def test_every_number_in_a_table_of_values_is_followed() -> None:
    """Each duration of each table is changed by itself; each time the plan that is read differs."""
    lines = exported(reference()).split("\n")
    same = digest_of(reference())
    changed = 0
    for number, line in enumerate(lines):
        if line.startswith("| `") and " | 5m |" in line:
            edited = [*lines[:number], line.replace(" | 5m |", " | 6m |"), *lines[number + 1 :]]
            assert digest_of(read_back("\n".join(edited))) != same, line
            changed += 1
    assert changed > 5


def test_a_row_that_a_person_adds_is_read() -> None:
    text = exported(reference())
    line = next(line for line in text.split("\n") if line.startswith("| `katalin-szabo`"))
    again = read_back(text.replace(line, line + "\n" + line.replace("katalin-szabo", "ann-other").replace("Katalin Szabó", "Ann Other")))
    assert again.people["ann-other"].name == "Ann Other"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("| `functions` | Name |", "| `functions` | Nom |", "no such column"),
        ("| `functions` | Name |", "| `funktions` | Name |", "no such place"),
        ("| `voice` | Voice Call", "| voice | Voice Call", "does not say what it is about"),
    ],
)
def test_what_is_not_understood_is_said_with_its_line(old: str, new: str, message: str) -> None:
    text = exported(reference())
    assert old in text
    edited = text.replace(old, new, 1)
    (problem, *_) = read_exported(edited, "edited.md").problems
    assert message in problem.message
    assert problem.path == "edited.md"
    assert new[2:9].strip("`") in edited.split("\n")[problem.line - 1]


def test_a_value_written_twice_is_a_problem_and_names_both_lines() -> None:
    text = exported(reference())
    line = next(line for line in text.split("\n") if line.startswith("| `objectives` |"))
    doubled = text + f"\n{line}\n| --- | --- |\n| `rto` | 99m |\n"
    (problem,) = read_exported(doubled).problems
    assert "second time" in problem.message


LINES = st.sampled_from(["| `functions` |", "| `a` › 1 | x |", "```", "---", "`plan`:", "| `voice` | `{` |", "\n"])


@given(st.text(max_size=300) | st.lists(LINES).map("\n".join))
@settings(max_examples=200, deadline=None)
def test_any_text_at_all_is_read_without_an_error(text: str) -> None:
    read_exported(text)


def test_every_field_of_the_plan_has_a_section_of_its_own() -> None:
    assert fields_without_section() <= {"timezone", "summary"}
