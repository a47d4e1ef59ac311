"""What a document doesn't say itself is never a plain value: it is asked about, or it is marked as concluded where a person sees it."""

import json
from pathlib import Path

import pytest

from holdfast.checks import check
from holdfast.cli.main import run
from holdfast.document.reading import Imported, import_document
from holdfast.document.reading.quantities import duration, money, target, window
from holdfast.plan.loader import load_bytes

DOCUMENTS = Path(__file__).parent / "documents"


def imported(text: str) -> Imported:
    return import_document(text.encode(), "plan.md")


def because(got: Imported) -> dict[str, str]:
    return {one.about: one.because for one in got.concluded}


def triggers_of(*texts: str) -> Imported:
    return imported("## Scenario 1: Loss\n\n**Trigger Conditions:**\n\n" + "".join(f"- {text}\n" for text in texts))


def test_how_many_zones_are_several_is_concluded_and_how_many_are_two_is_said() -> None:
    got = triggers_of("Multiple AZ failures", "Loss of two availability zones", "3 or more zones down")
    triggers = got.value["scenarios"]["loss"]["triggers"]

    assert [trigger["count"] for trigger in triggers] == [2, 2, 3]
    assert because(got) == {"scenarios.loss.triggers.0.count": "'multiple' is at least 2"}
    assert "count: 2 # line 5, concluded: 'multiple' is at least 2" in got.text


@pytest.mark.parametrize("text", ["AZ failures for 5 minutes", "Zone unreachable for two minutes"])
def test_a_number_that_counts_something_else_is_no_number_of_zones(text: str) -> None:
    (trigger,) = triggers_of(text).value["scenarios"]["loss"]["triggers"]
    assert trigger["kind"] == "signal" and trigger["says"] == text


def test_a_score_below_so_many_minutes_is_no_score() -> None:
    (first, second) = triggers_of("Region health score < 50%", "Health check older than below 5 minutes").value["scenarios"]["loss"][
        "triggers"
    ]
    assert first["below"] == 50 and second["kind"] == "signal"


def test_who_does_a_step_is_concluded_from_its_words() -> None:
    roles = (
        "# Roles\n\n| Role | Primary | Backup |\n| --- | --- | --- |\n| Technical lead | Ann | Bob |\n| Communication lead | Cy | Di |\n\n"
    )
    got = imported(roles + "## Scenario 1: Loss\n\n### Response\n\n- Ring the harbour\n- Tell customers by hand\n")
    steps = got.value["scenarios"]["loss"]["phases"][0]["steps"]

    assert [step["by"] for step in steps] == ["technical-lead", "communication-lead"]
    marks = because(got)
    assert marks["scenarios.loss.phases.0.steps.0.by"] == "the step's words don't say who does it, and this role leads by its name"
    assert marks["scenarios.loss.phases.0.steps.1.by"] == "by the step's words"


@pytest.mark.parametrize(
    ("text", "value", "concluded"),
    [
        ("about 4 hours", "4h", "'about' is left out"),
        ("~15 min", "15m", "'~' is left out"),
        ("at least 7 years", "7y", "'at least' is left out"),
        ("> 30 min", "30m", "'>' is left out"),
        ("1 month", "30d", "a month is counted as 30 days"),
        ("4 hours", "4h", ""),
        ("< 15 min", "15m", ""),
    ],
)
def test_what_is_left_out_of_a_length_of_time_is_said(text: str, value: str, concluded: str) -> None:
    assert (duration(text).value, duration(text).concluded) == (value, concluded)


@pytest.mark.parametrize("text", ["6M", "None", "TBD", "to be determined"])
def test_a_length_of_time_that_can_mean_two_things_or_is_not_decided_is_asked_about(text: str) -> None:
    assert duration(text).unclear and duration(text).value is None


def test_a_window_whose_first_number_cannot_have_the_seconds_unit_is_none() -> None:
    assert window("30-1 h") is None and window("0-1 h") == ("0s", "1h")


def test_a_sign_and_a_currency_that_are_usual_are_concluded() -> None:
    assert target("95% of tests", ">=").concluded and target("> 95%", ">=").concluded == ""
    dollars, named = money("$1,000"), money("USD 1,000")
    assert dollars.concluded == "'$' is taken for US dollars" and named.concluded == ""


def test_a_word_for_a_priority_is_concluded_and_its_name_is_said() -> None:
    got = imported(
        "| Function | Priority | RTO | RPO |\n| --- | --- | --- | --- |\n| A | High | 4 h | 1 h |\n| B | P1 (high) | 4 h | 1 h |\n"
    )
    assert because(got) == {"functions.a.priority": "'High' is taken for P2"}


def test_a_line_without_an_arrow_goes_from_the_primary_region_and_says_that_nobody_said_so() -> None:
    drawing = (
        '```mermaid\ngraph TB\nsubgraph "DR (eu-north-1)"\nb[Database replica]\nend\n'
        'subgraph "Primary (eu-west-1)"\na[Database]\nend\nb ---|Async| a\n```\n'
    )
    got = imported(drawing)
    (link,) = got.value["replication_links"].values()
    assert (link["from"], link["to"]) == ("eu-west-1", "eu-north-1")
    assert sum("no arrow" in why for why in because(got).values()) == 2
    (drawn,) = imported(drawing.replace("---|", "-->|")).value["replication_links"].values()
    assert (drawn["from"], drawn["to"]) == ("eu-north-1", "eu-west-1")


def test_two_nodes_of_one_kind_in_one_region_are_two_components() -> None:
    got = imported('```mermaid\ngraph TB\nsubgraph "Primary (eu-west-1)"\na[Orders database]\nb[Stock database]\nend\n```\n')
    assert [entry["name"] for entry in got.value["components"].values()] == ["Orders database", "Stock database"]


def test_an_exercise_of_a_kind_that_several_components_have_is_asked_about() -> None:
    drawing = '```mermaid\ngraph TB\nsubgraph "Primary (eu-west-1)"\na[Orders database]\nb[Stock database]\nend\n```\n\n'
    test = "# T\n\n| Test | Frequency | Success criteria |\n| --- | --- | --- |\n| Database failover | Weekly | RTO < 1 h |\n"
    (asked,) = imported(drawing + test).questions
    assert asked.about == "exercises.database-failover.components" and asked.choices == ("orders-database", "stock-database")


def test_two_systems_in_a_table_are_two_components_of_one_kind_though_they_be() -> None:
    heads = "| Component | Recovery strategy | RTO | RPO |\n| --- | --- | --- | --- |\n"
    got = imported(heads + "| Orders database | Promote | 1 h | 1 min |\n| Stock database | Restore | 4 h | 1 h |\n")
    assert {name: entry["rto"] for name, entry in got.value["components"].items()} == {"orders-database": "1h", "stock-database": "4h"}


def test_what_the_document_says_there_is_none_of_stays_with_its_reason() -> None:
    got = import_document(
        (DOCUMENTS / "reference.md").read_text().replace("- **RPO**: 5 min", "- **RPO**: N/A (stateless)", 1).encode(), "plan.md"
    )

    assert [(one.about, one.says) for one in got.absent] == [("components.postgresql.rpo", "N/A (stateless)")]
    (said,) = load_bytes(got.text.encode(), Path("plan.yaml")).plan.not_applicable
    assert (said.about, said.says) == ("components.postgresql.rpo", "N/A (stateless)") and said.source.startswith("plan.md:")


def test_cells_of_columns_that_nobody_reads_are_told_in_every_kind_of_table() -> None:
    got = imported(
        "# T\n\n| Test | Frequency | Success criteria | Budget |\n| --- | --- | --- | --- |\n| Move | Weekly | RTO < 1 h | 300 |\n"
    )
    assert [note.text for note in got.notes] == ["Move: Budget: 300"]


def test_a_cell_for_which_the_table_has_no_column_is_told() -> None:
    got = imported("| Function | RTO |\n| --- | --- |\n| Booking | 4 h | on \\| off | by hand |\n| Till | 1 h |\n")
    assert [(note.text, note.line) for note in got.notes] == [("Booking: on | off", 3), ("Booking: by hand", 3)]


def test_a_finding_about_a_note_holds_it_whole_or_ends_with_an_ellipsis() -> None:
    got = import_document((DOCUMENTS / "reference.md").read_bytes() + b"\n## Odd\n\n" + b"Some 5 min of words " * 20, "plan.md", "lab")
    plan = load_bytes(got.text.encode(), Path("plan.yaml")).plan
    about = {finding.places[0][1]: finding.sentence for finding in check(plan) if finding.code in ("HF139", "HF140")}
    assert any(len(note.text) > 160 for note in plan.notes) and len(about) == len(plan.notes)
    assert all(about[number].endswith((note.text, "…")) for number, note in enumerate(plan.notes))


def test_a_person_sees_what_was_concluded_in_the_table_and_a_program_each_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = tmp_path / "plan.md"
    document.write_text("## Scenario 1: Loss\n\n**Trigger Conditions:**\n\n- Multiple AZ failures\n- Several zones down\n- RPO\n")
    assert run(["import", str(document), "-o", str(tmp_path / "plan.yaml")]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "concluded" in said and "'multiple' is at least 2" in said and "'several' is at least 2" in said

    assert run(["import", str(document), "--format", "json"]) == 1
    listed = json.loads(capsys.readouterr().out)["concluded"]
    assert [(one["about"], one["value"], one["line"]) for one in listed] == [
        ("scenarios.loss.triggers.0.count", 2, 5),
        ("scenarios.loss.triggers.1.count", 2, 6),
    ]


def test_what_was_concluded_stays_marked_and_what_names_it_follows_when_a_component_or_function_takes_the_labs_name() -> None:
    text = (DOCUMENTS / "reference.md").read_text()
    plain, bound = imported(text), import_document(text.encode(), "plan.md", "lab")

    assert {(one.line, one.because) for one in plain.concluded} <= {(one.line, one.because) for one in bound.concluded}
    marked = next(one for one in bound.concluded if one.about == "exercises.database-move.components.0")
    assert (marked.value, marked.because) == ("database", "the one component of the kind that the name says")


def test_a_dependency_follows_a_function_that_takes_the_name_of_the_labs_service() -> None:
    text = (
        "# Business functions\n\n| Function | Priority | RTO | RPO |\n| --- | --- | --- | --- |\n"
        "| Call processing | P1 | 15 min | 5 min |\n\n"
        "# Dependencies on outside services\n\n| External service | Needed by |\n| --- | --- |\n| Carrier | Call processing |\n"
    )
    (plain,) = imported(text).value["dependencies"].values()
    (bound,) = import_document(text.encode(), "plan.md", "lab").value["dependencies"].values()
    assert (plain["needed_by"], bound["needed_by"]) == (["call-processing"], ["voice"])
