"""An imported plan is completed key by key and answer by answer: in any order, to the same plan; and import and check count alike."""

import json
import random
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from holdfast.cli.main import run
from holdfast.plan.document import read
from holdfast.plan.loader import load

DOCUMENTS = Path(__file__).parent / "documents"
STYLES = ("prose", "contingency", "merged")
PROSE = """# Plan of a ferry line

Version 1.2. Owner: Harbour office.

## What must come back

Ticket sales must be back within 2 hours or 3 hours in winter, and may lose at most 15 minutes of sales.

## Who does what

Maria Keane is the incident lead.
"""
REGIONS = "{ north: { name: North, role: primary, zones: [n1, n2] }, south: { name: South, role: dr, zones: [s1, s2] } }"


def imported(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> tuple[Path, dict[str, Any]]:
    source, target = tmp_path / "doc.md", tmp_path / "plan.yaml"
    source.write_text(text, encoding="utf-8")
    capsys.readouterr()
    run(["import", str(source), "-o", str(target), "--force"])
    capsys.readouterr()
    run(["import", str(source), "--format", "json"])
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    return target, said


PHASES = """# Plan of a ferry line

## Activation

### The plan is activated when any of the following holds

- the head office cannot be entered

### Loss of the harbour

- The harbour master closes the gates
"""


@pytest.mark.parametrize("text", [PHASES, *((DOCUMENTS / f"{name}.md").read_text(encoding="utf-8") for name in STYLES), PROSE, "# Plan\n"])
def test_import_and_check_count_the_same_things_of_the_same_plan(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan, said = imported(tmp_path, text, capsys)
    run(["check", str(plan), "-o", "json"])
    problems = json.loads(capsys.readouterr().out)["problems"]
    assert len(said["missing"]) == len(problems)
    for key in said["missing"]:
        assert any(problem["message"] == f"the key '{key.rpartition('.')[2]}' is missing" for problem in problems) or key.startswith(
            "line "
        )


def test_a_plan_of_sentences_is_completed_in_any_order_to_the_same_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Also an answer before what is missing, a value before the thing that it names, and the key that a question is about by itself."""
    plan, said = imported(tmp_path, PROSE, capsys)
    assert set(said["missing"]) == {
        "functions.ticket-sales.rto",
        "functions.ticket-sales.priority",
        "functions.ticket-sales.impact",
        "regions",
    }
    assert [question["about"] for question in said["questions"]] == ["functions.ticket-sales.rto"]
    start = plan.read_text(encoding="utf-8")
    changes = [
        ["answer", "functions.ticket-sales.rto", "2h"],
        ["set", "functions.ticket-sales.priority", "P1"],
        ["set", "functions.ticket-sales.impact", "Nobody sails"],
        ["set", "regions", REGIONS],
        ["set", "roles.incident-lead.backup", "jo-lund"],
        ["set", "people", "{ maria-keane: { name: Maria Keane, title: Lead }, jo-lund: { name: Jo Lund, title: Deputy } }"],
    ]
    orders = [*permutations(changes)]
    digests = set()
    for order in random.Random(5).sample(orders, 25):
        # what names somebody is refused by a plan that loads, so the person comes first where the plan is whole already
        if max(order.index(changes[number]) for number in range(4)) < order.index(changes[4]) < order.index(changes[5]):
            continue
        plan.write_text(start, encoding="utf-8")
        for command, place, value in order:
            assert run([command, str(plan), place, value]) == 0, (order, place, capsys.readouterr().err)
        digests.add(load(plan).digest)
    assert len(digests) == 1


WRITTEN = {
    "priority": "P2",
    "revenue_loss_usd": "1000",
    "owner": "Harbour office",
    "version": '"1.2"',
    "window": "[0s, 4h]",
    "regions": REGIONS,
}
"""What a person writes for a missing key; a length of time for every other."""
WORDS = ("impact", "primary_strategy", "name")


@pytest.mark.parametrize("name", STYLES)
def test_a_plan_of_another_style_is_completed_in_any_order_to_the_same_plan(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan, said = imported(tmp_path, (DOCUMENTS / f"{name}.md").read_text(encoding="utf-8"), capsys)
    start = plan.read_text(encoding="utf-8")
    asked = {one["about"]: (one["choices"] or [WRITTEN.get(one["about"].rpartition(".")[2], "4h")])[0] for one in said["questions"]}
    changes = [("answer", about, value) for about, value in asked.items()]
    for key in said["missing"]:
        last = key.rpartition(".")[2]
        value = asked.get(key) or WRITTEN.get(last) or ("As we said" if last in WORDS else "4h")
        changes.append(("set", key, value))
    ends = set()
    for seed in range(5):
        plan.write_text(start, encoding="utf-8")
        for command, place, value in random.Random(seed).sample(changes, len(changes)):
            assert run([command, str(plan), place, value]) == 0, (place, value, capsys.readouterr().err)
        ends.add(load(plan).digest)
    assert len(ends) == 1


@pytest.mark.parametrize("name", STYLES)
def test_each_question_of_an_import_takes_each_of_its_choices_while_the_plan_is_unfinished(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan, said = imported(tmp_path, (DOCUMENTS / f"{name}.md").read_text(encoding="utf-8"), capsys)
    start = plan.read_text(encoding="utf-8")
    for question in said["questions"]:
        for choice in question["choices"]:
            plan.write_text(start, encoding="utf-8")
            assert run(["answer", str(plan), question["about"], choice]) == 0, capsys.readouterr().err
            left = [one["about"] for one in read(plan.read_bytes(), "plan.yaml").data.get("questions", [])]
            assert question["about"] not in left


def test_what_is_of_no_use_in_its_place_is_refused_of_an_unfinished_plan_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan, _ = imported(tmp_path, PROSE, capsys)
    start = plan.read_text(encoding="utf-8")
    for place, value in (("functions.ticket-sales.rto", "soon"), ("functions.ticket-sales.rot", "2h"), ("regions", "north")):
        assert run(["set", str(plan), place, value]) == 2
    assert run(["answer", str(plan), "functions.ticket-sales.rto", "4h"]) == 2
    assert "the choices are: 2h, 3h" in capsys.readouterr().err
    assert plan.read_text(encoding="utf-8") == start
    assert run(["set", str(plan), "regions", "{ north: { role: primary } }"]) == 0, "what it still lacks comes later"


LOSSES = """# Plan of a ferry line

## What an outage costs

| Duration | Loss | Guests |
|----------|------|--------|
| < 4 hours | {} | Few |
"""


@pytest.mark.parametrize(
    ("loss", "choices"),
    [
        ("$20,000 - $120,000", [20_000, 120_000]),
        ("$20k to $1.2m", [20_000, 1_200_000]),
        ("20,000 – 120,000 USD", [20_000, 120_000]),
        ("$10,000 per hour", [10_000]),
        ("$20.50 or $30", [20.5, 30]),
    ],
)
def test_an_amount_that_is_asked_about_is_answered_by_one_of_the_plain_numbers_that_it_offers(
    loss: str, choices: list[float], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan, said = imported(tmp_path, LOSSES.format(loss), capsys)
    (question,) = said["questions"]
    assert question["about"] == "financial_tiers.0.revenue_loss_usd" and question["choices"] == [str(choice) for choice in choices]
    start = plan.read_text(encoding="utf-8")
    for choice in choices:
        plan.write_text(start, encoding="utf-8")
        assert run(["answer", str(plan), question["about"], str(choice)]) == 0, capsys.readouterr().err
        assert read(plan.read_bytes(), "plan.yaml").data["financial_tiers"][0]["revenue_loss_usd"] == choice


@pytest.mark.parametrize("loss", ["€20,000 - €120,000", "$20,000 - €120,000", "$20-120k", "$20,000 in 4 parts"])
def test_an_amount_of_another_currency_or_of_no_certain_size_is_answered_by_any_number(
    loss: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan, said = imported(tmp_path, LOSSES.format(loss), capsys)
    (question,) = said["questions"]
    assert question["choices"] == []
    assert run(["answer", str(plan), question["about"], "25000"]) == 0, capsys.readouterr().err
    assert read(plan.read_bytes(), "plan.yaml").data["financial_tiers"][0]["revenue_loss_usd"] == 25_000


def test_two_questions_about_one_place_are_settled_by_one_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan, _ = imported(tmp_path, PROSE, capsys)
    text = plan.read_text(encoding="utf-8")
    plan.write_text(text.rstrip() + "\n  - about: functions.ticket-sales.rto\n    says: another line says it too\n    choices: [2h, 5h]\n")
    assert run(["answer", str(plan), "functions.ticket-sales.rto", "5h"]) == 0
    assert "questions:" not in plan.read_text(encoding="utf-8")


def test_a_phase_without_a_window_is_one_problem_and_what_activates_the_plan_is_no_step(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan, said = imported(tmp_path, PHASES, capsys)
    scenario = said["plan"]["scenarios"]["disruption"]
    assert [trigger["says"] for trigger in scenario["triggers"]] == ["the head office cannot be entered"]
    assert [phase["name"] for phase in scenario["phases"]] == ["Loss of the harbour"]
    assert [key for key in said["missing"] if key.startswith("scenarios")] == ["scenarios.disruption.phases.0.window"]
    assert run(["check", str(plan)]) == 2
    said_so_far = capsys.readouterr().out
    assert "looked at all the same" in said_so_far, "what needs no window is looked at"
    assert "needs scenarios.disruption.phases.0.window" in " ".join(said_so_far.split())
