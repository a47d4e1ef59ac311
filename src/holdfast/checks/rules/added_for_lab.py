"""HF140: something was added so that the plan runs in the lab."""

from collections.abc import Iterator

from holdfast.checks.facts import Facts
from holdfast.checks.finding import Explanation, Finding, Rule, Severity
from holdfast.checks.rules.note_left import BOUND_TO_LAB
from holdfast.plan.problems import shortened

CODE = "HF140"


def _apply(facts: Facts) -> Iterator[Finding]:
    for number, note in enumerate(facts.plan.notes):
        if note.section.casefold() == BOUND_TO_LAB:
            sentence = f"added so that the plan runs in the lab, and not the company's own: {shortened(note.text, 160)}"
            yield Finding(CODE, Severity.NOTE, sentence, (("notes", number),), "decide it, write it yourself, then remove the note")


RULE = Rule(
    CODE,
    "nothing stands in for the plan's own",
    _apply,
    Explanation(
        means="What the document leaves open was filled in by the binding to the lab.",
        why="A drill that passes with it says nothing about who decides in earnest.",
        computed="Every note whose section is `added by --bind lab`.",
        mend="Decide what shall stand there, and remove the note.",
        example="a fence and an approval rule added by --bind lab",
    ),
)
