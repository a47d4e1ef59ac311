"""HF139: something that the import could not type is left as a note."""

from collections.abc import Iterator

from holdfast.checks.facts import Facts
from holdfast.checks.finding import Explanation, Finding, Rule, Severity
from holdfast.plan.problems import shortened

CODE = "HF139"

BOUND_TO_LAB = "added by --bind lab"
"""The section of notes that say what a binding to the lab added."""


def _apply(facts: Facts) -> Iterator[Finding]:
    for number, note in enumerate(facts.plan.notes):
        if note.section.casefold() != BOUND_TO_LAB:
            source = f" ({note.source})" if note.source else ""
            sentence = f"this could not be typed and is not checked{source}: {shortened(note.text)}"
            yield Finding(CODE, Severity.NOTE, sentence, (("notes", number),), "write it where it belongs, then remove the note")


RULE = Rule(
    CODE,
    "nothing is left as loose text",
    _apply,
    Explanation(
        means="Text of the document that has no place in the plan.",
        why="What is only text is neither checked nor carried out.",
        computed="Every entry of `notes` but those of the binding to the lab.",
        mend="Write it as typed plan, and remove the note.",
        example="notes: [{ text: Ask Ann first }]",
    ),
)
