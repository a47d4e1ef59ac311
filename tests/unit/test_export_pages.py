"""The printed plan: every section, every step with a box, name, version, digest and page number on every page."""

import json
from pathlib import Path

import pytest

from holdfast.checks import check
from holdfast.cli.main import run
from holdfast.document.writing.blocks import Heading, Table, TickTable
from holdfast.document.writing.booklet import SECTIONS, booklet
from holdfast.document.writing.html import html
from holdfast.document.writing.typst import typst
from holdfast.plan.loader import load
from holdfast.plan.model import Plan
from holdfast.providers.typst.pdf import pdf

REFERENCE = Path("examples/voicehive/plan.yaml")


def reference() -> tuple[Plan, str]:
    loaded = load(REFERENCE)
    return loaded.plan, loaded.digest


def test_every_section_of_the_reference_plan_says_something_and_the_findings_come_last() -> None:
    plan, digest = reference()
    made = booklet(plan, digest, check(plan))
    headings = [block.text for block in made.blocks if isinstance(block, Heading) and block.level == 2]
    assert headings == [section.title for section in SECTIONS] + ["Findings of holdfast check"]
    page = html(made)
    assert "The plan says nothing here." not in page
    assert all(finding.code in page for finding in check(plan))


def test_every_step_of_every_run_has_a_box_words_and_a_person() -> None:
    plan, digest = reference()
    ticks = {tick.name: tick for block in booklet(plan, digest, ()).blocks if isinstance(block, TickTable) for tick in block.ticks}
    for scenario in plan.scenarios.values():
        for phases in (scenario.phases, scenario.reprotect, scenario.way_back):
            for step in (step for phase in phases for step in phase.steps):
                assert ticks[step.id].words
                assert ticks[step.id].facts[0][0] == "Who"
    assert "holdfast approve" in ticks["approve"].facts[1][1].text


def test_the_phone_tree_names_whom_to_call_first_with_a_number_to_dial() -> None:
    plan, digest = reference()
    page = html(booklet(plan, digest, ()))
    tree = page[page.index("Phone tree") :]
    commander = plan.roles["incident-commander"]
    first, second = plan.people[commander.primary], plan.people[str(commander.backup)]
    assert tree.index(first.name) < tree.index(str(first.phone)) < tree.index(second.name)
    others = tree[tree.index("Others to call") : tree.index("When nobody answers")]
    for audience in plan.audiences.values():
        assert all(plan.people[who].name in tree for who in audience.people), audience.name
    assert all(vendor.phone in others for vendor in plan.vendors.values() if vendor.phone)
    messages = tree[tree.index("The order of messages") :]
    assert messages.index("after the start") < messages.index("after service is back")


def test_an_address_has_the_room_that_it_needs_and_no_row_is_torn() -> None:
    plan, digest = reference()
    source = typst(booklet(plan, digest, ()))
    people = next(line for line in source.splitlines() if "#table(" in line and "aoife.brennan@" in line and "Phone" in line)
    assert "auto" in people.split("table.header")[0]
    assert "#set table.cell(breakable: false)" in source


def test_the_page_needs_nothing_else_and_no_text_of_a_plan_is_markup() -> None:
    plan, digest = reference()
    evil = plan.model_copy(update={"name": "</style><script>alert(1)</script>", "summary": "<img src=x onerror=alert(1)>"})
    page = html(booklet(evil, digest, ()))
    assert "<script" not in page
    assert "<img" not in page
    assert page.count("</style>") == 1
    assert "src=" not in page.replace("&lt;img src=x", "")


def test_no_text_of_a_plan_commands_the_typesetter() -> None:
    plan, digest = reference()
    evil = plan.model_copy(update={"name": '"] #panic("no") \\', "summary": '#read("/etc/passwd") $ * _ ` @ <x> //'})
    made = pdf(typst(booklet(evil, digest, ())))
    assert made.startswith(b"%PDF-1.7")


def test_a_letter_that_no_font_has_is_written_by_its_name() -> None:
    plan, digest = reference()
    made = pdf(typst(booklet(plan.model_copy(update={"summary": "🚨 alarm 👩‍💻"}), digest, ())))
    assert made.startswith(b"%PDF")


def test_the_pdf_is_the_same_each_time_and_says_that_it_is_for_archives() -> None:
    plan, digest = reference()
    source = typst(booklet(plan, digest, ()))
    first = pdf(source)
    assert first == pdf(source)
    assert b"pdfaid" in first
    assert source.count(digest) == 1
    assert "footer: context" in source
    assert digest[:16] in source


def test_the_command_writes_each_form_and_says_what_comes_next(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for form, first in (("md", b"---\n"), ("html", b"<!doctype html>"), ("pdf", b"%PDF")):
        file = tmp_path / f"plan.{form}"
        assert run(["export", str(REFERENCE), "--format", form, "-o", str(file)]) == 0
        assert file.read_bytes().startswith(first)
        assert str(file) in capsys.readouterr().out


def test_a_dash_is_standard_output_and_an_option_is_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["export", str(REFERENCE), "--format", "md", "-o", "-"]) == 0
    assert capsys.readouterr().out.startswith("---\nholdfast: plan/v1\n")
    assert run(["graph", str(REFERENCE), "-o", "-"]) == 0
    assert "Voice Call Processing" in capsys.readouterr().out
    assert run(["export", str(REFERENCE), "-o", "--format", "md"]) == 2
    assert "--format looks like an option" in capsys.readouterr().err


def test_a_name_that_does_not_fit_the_format_is_refused_and_nothing_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "plan.html"
    assert run(["export", str(REFERENCE), "--format", "pdf", "-o", str(file)]) == 2
    assert "add `--format html`" in capsys.readouterr().err
    assert not file.exists()


def test_json_names_the_file_and_the_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    plan = REFERENCE.resolve()
    monkeypatch.chdir(tmp_path)
    assert run(["export", str(plan), "--format", "md", "-o", "json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["path"] == "plan.md"
    assert answer["digest"] == load(plan).digest


def test_no_table_of_values_stands_twice() -> None:
    plan, digest = reference()
    places = [
        (block.place, tuple(row[0] for row in block.rows))
        for block in booklet(plan, digest, ()).blocks
        if isinstance(block, Table) and block.place
    ]
    assert len(places) == len(set(places))


def test_a_plan_is_never_written_over_by_its_own_export(tmp_path: Path) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_bytes(REFERENCE.read_bytes())
    assert run(["export", str(plan), "--format", "md", "-o", str(plan)]) == 2
    assert plan.read_bytes() == REFERENCE.read_bytes()
