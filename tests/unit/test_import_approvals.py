"""Whose consent a step asks for: the plan's rule where its words are sure, and else a question; never silently nobody's."""

from pathlib import Path

import pytest

from holdfast.document.reading import import_document
from holdfast.document.reading.importing import Imported
from holdfast.plan.loader import load_bytes

ROLES = "The Plant Manager, Bob Ray, activates the plan. The IT Manager, Ann Lee, leads recovery. The Press Officer is Cy Dahl."
REFERENCE = Path(__file__).parent / "documents" / "reference.md"


def imported(*steps: str) -> Imported:
    numbered = "\n".join(f"{number}. {step}" for number, step in enumerate(steps, 1))
    scenario = f"## Scenario: Loss of power\n\n### Response\n\n{numbered}\n"
    return import_document(f"# Acme BCP\n\n## Roles\n\n{ROLES}\n\n{scenario}".encode(), "doc.md")


BOTH = {"count": 2, "of": ["it-manager", "plant-manager"]}
SURE = {
    "IT Manager and Plant Manager approve the failover.": BOTH,
    "Both the IT Manager and the Plant Manager must approve the failover.": BOTH,
    "Ann Lee and the Plant Manager approve the failover.": BOTH,
    "The IT Manager, Ann Lee, and the Plant Manager approve the failover.": BOTH,
    "Approve the failover (IT Manager and Plant Manager).": BOTH,
    "Decision to activate the plan by the IT Manager and the Plant Manager": BOTH,
    "IT Manager or Plant Manager approves the failover.": BOTH | {"count": 1},
    "Either the IT Manager or the Plant Manager approves the failover.": BOTH | {"count": 1},
    "The IT Manager approves the failover.": {"count": 1, "of": ["it-manager"]},
    "Two of IT Manager, Plant Manager and Press Officer approve the failover.": {
        "count": 2,
        "of": ["it-manager", "plant-manager", "press-officer"],
    },
}


@pytest.mark.parametrize("step", SURE)
def test_roles_that_approve_are_the_plans_rule_and_how_soon_they_answer_is_missed(step: str) -> None:
    got = imported(step)
    assert got.value["approval"] == {"activation": SURE[step]}
    assert "approval.activation.answer_within" in got.missing and not got.questions
    assert "count: " in got.text and "# line 11" in got.text


def test_how_soon_they_answer_is_read_where_it_stands() -> None:
    got = imported("IT Manager and Plant Manager approve the failover within 30 minutes.")
    assert got.value["approval"] == {"activation": BOTH | {"answer_within": "30m"}}
    assert not any(key.startswith("approval") for key in got.missing)


@pytest.mark.parametrize(
    "step",
    [
        "The board approves the failover.",
        "IT Manager and the board approve the failover.",
        "IT Manager approves the failover if it takes longer.",
        "IT Manager approves the failover above 10,000 users.",
        "IT Manager or Plant Manager and Press Officer approve the failover.",
        "Three of IT Manager and Plant Manager approve the failover.",
        "The IT Manager and Ann Lee approve the failover.",
        "IT Manager approves the failover within minutes.",
        "Decision to activate the plan after 2 hours",
        "Approve the failover (board).",
    ],
)
def test_a_consent_that_is_not_sure_is_asked_about_with_its_words(step: str) -> None:
    got = imported(step)
    assert "approval" not in got.value
    (asked,) = got.questions
    assert asked.about == "approval" and asked.line == 11 and step in asked.says


def test_a_second_rule_that_differs_is_asked_about_and_one_that_agrees_is_not() -> None:
    got = imported("IT Manager approves the failover.", "Ann Lee approves the failover.", "Plant Manager approves the failover.")
    assert got.value["approval"]["activation"]["of"] == ["it-manager"]
    (asked,) = got.questions
    assert asked.about == "approval.activation" and "line 11 says another rule" in asked.says


def test_what_is_approved_stays_in_a_note_where_the_rule_does_not_say_it() -> None:
    got = imported("IT Manager approves the failover to the yard in Cork.")
    assert got.value["approval"]["activation"]["of"] == ["it-manager"]
    assert "IT Manager approves the failover to the yard in Cork." in [note.text for note in got.notes]


def test_a_decision_of_which_nobody_is_said_to_take_it_asks_nothing() -> None:
    got = imported("Decision to activate the plan")
    assert "approval" not in got.value and not got.questions


@pytest.mark.parametrize(("who", "of"), [("(Incident commander)", ["incident-commander"]), ("by the board of the harbour", None)])
def test_a_plan_with_a_rule_or_a_question_about_one_loads_when_bound_to_the_lab(who: str, of: list[str] | None) -> None:
    text = REFERENCE.read_text()
    assert "   - Decision to activate the standby\n" in text
    said = text.replace("Decision to activate the standby", f"Decision to activate the standby {who}")
    got = import_document(f"{said}\n## Roles\n\nThe Incident Commander is Ann Lee.\n".encode(), "doc.md", "lab")
    plan = load_bytes(got.text.encode(), Path("plan.yaml")).plan
    assert list(plan.approval.activation.of) == of if of else any(asked.about == "approval" for asked in plan.questions)
