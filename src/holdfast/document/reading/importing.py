"""A document's bytes → an imported plan: every recogniser in its turn, then what nobody claimed, and what the plan still lacks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from holdfast.document.reading.binding import bind_lab
from holdfast.document.reading.columns import row_text
from holdfast.document.reading.damage import Repair, text_of
from holdfast.document.reading.draft import Absent, Asked, Draft, Left, Said, note_of
from holdfast.document.reading.formats import refuse_other_formats
from holdfast.document.reading.markdown import read_tree
from holdfast.document.reading.things import (
    appendices,
    control,
    governance,
    impact,
    messages,
    organisation,
    scenarios,
    spoken,
    spoken_roles,
    systems,
)
from holdfast.document.reading.tree import Tree
from holdfast.document.reading.unsaid import unsaid
from holdfast.document.reading.writing import plain_value, yaml_text
from holdfast.plan.loader import load_bytes, problems_of
from holdfast.plan.places import place_of
from holdfast.plan.problems import PlanError, Problem

_RECOGNISERS = (
    systems.read,
    organisation.read,
    spoken_roles.read,
    impact.read,
    spoken.read,
    control.read,
    messages.read,
    governance.read,
    scenarios.read,
    appendices.read,
)
"""In this order: what has a form of its own first, sentences later, what is left over last."""


@dataclass(frozen=True, slots=True)
class Concluded:
    """A value that the document's words don't say themselves: its place in the plan, why it was taken, and their line."""

    about: str
    value: Any
    because: str
    line: int


@dataclass(frozen=True, slots=True)
class Imported:
    """What was read. `text`: the plan's YAML. `missing`: what keeps the plan from loading: keys that the document doesn't give, mostly."""

    text: str
    value: dict[str, Any]
    counts: dict[str, int]
    repairs: tuple[Repair, ...]
    questions: tuple[Asked, ...]
    concluded: tuple[Concluded, ...]
    absent: tuple[Absent, ...]
    notes: tuple[Left, ...]
    empty_appendices: tuple[Left, ...]
    missing: tuple[str, ...]
    added: tuple[str, ...]
    manual_steps: int
    unsaid: tuple[str, ...] = ()
    """Places that a plan of this kind usually fills, and the document says nothing for; the plan loads without."""

    @property
    def complete(self) -> bool:
        """Whether the plan holds all that it needs to load."""
        return not self.missing


def import_document(content: bytes, source: str, bind: str = "") -> Imported:
    """Read a document. `source` is its name, as notes and questions give it; `bind`: `lab` adds what the lab's drill needs.

    Raises DocumentError for what can't be read at all.
    """
    refuse_other_formats(content, source)
    document = text_of(content)
    tree = read_tree(document.lines)
    draft = Draft()
    draft.data["schema"] = Said("holdfast/plan/v1", 0)
    for recognise in _RECOGNISERS:
        recognise(tree, draft)
    draft.data.setdefault("objectives", {})
    _leftovers(tree, draft)
    if bind == "lab":
        bind_lab(draft)
    _asked_where_something_is(draft)
    _people_last(draft, source)
    value = plain_value(draft.data)
    keys = tuple(problem.key for problem in problems_of(value))
    text = yaml_text(draft.data, source, keys if all(keys) else ())
    missing = keys if keys and all(keys) else _refused(text)
    if missing != keys:
        text = yaml_text(draft.data, source, missing)
    return Imported(
        text,
        value,
        _counts(draft),
        document.repairs,
        tuple(draft.questions),
        tuple(_concluded(draft.data, "")),
        tuple(draft.absent),
        tuple(draft.notes),
        tuple(draft.empty_appendices),
        missing,
        tuple(draft.added),
        sum(step["block"].value == "manual" for scenario in draft.section("scenarios").values() for step in _steps(scenario)),
        _unsaid(value, draft, missing),
    )


def _unsaid(value: dict[str, Any], draft: Draft, missing: tuple[str, ...]) -> tuple[str, ...]:
    settled = {asked.about for asked in draft.questions} | {absent.about for absent in draft.absent} | set(missing)
    return unsaid(value, settled)


def _steps(scenario: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for phase in scenario.get("phases", ()) for step in phase["steps"]]


def _leftovers(tree: Tree, draft: Draft) -> None:
    """What nobody claimed, and never a word of it lost."""
    for section in tree.sections:
        for leaf in section.leaves:
            for one in leaf.deep():
                if not one.claimed and one.text.strip():
                    draft.notes.append(note_of(section, one))
        for table in section.tables:
            draft.notes += [
                Left(row_text(table, row), section.path, row.line) for row in table.rows if not row.claimed and row.text.strip()
            ]
    draft.notes.sort(key=lambda note: note.line)


def _asked_where_something_is(draft: Draft) -> None:
    """A question whose place never came to be is asked about the nearest place above it that did: it must not be lost, nor stop the plan."""
    if not (draft.questions or draft.absent):
        return
    value = plain_value(draft.data)
    draft.questions = [replace(asked, about=_nearest(asked.about, value)) for asked in draft.questions]
    draft.absent = [replace(absent, about=_nearest(absent.about, value)) for absent in draft.absent]


def _nearest(about: str, value: Any) -> str:
    while place_of(about, value) is None and "." in about:
        about = about.rpartition(".")[0]
    return about


def _concluded(value: Any, place: str) -> Iterator[Concluded]:
    """Everything in a draft that was concluded, in the plan's order."""
    if isinstance(value, Said):
        if value.concluded:
            yield Concluded(place, value.value, value.concluded, value.line)
    elif isinstance(value, dict | list):
        for key, one in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _concluded(one, f"{place}.{key}" if place else str(key))


def _people_last(draft: Draft, source: str) -> None:
    """Questions and notes as the plan keeps them, with the place in the document."""
    if draft.questions:
        draft.data["questions"] = [
            {"about": Said(asked.about, 0), "says": Said(asked.says, 0)}
            | ({"words": Said(asked.words, 0)} if asked.words else {})
            | ({"choices": [Said(choice, 0) for choice in asked.choices]} if asked.choices else {})
            | {"source": Said(f"{source}:{asked.line}", 0)}
            for asked in draft.questions
        ]
    if draft.absent:
        draft.data["not_applicable"] = [
            {"about": Said(absent.about, 0), "says": Said(absent.says, 0), "source": Said(f"{source}:{absent.line}", 0)}
            for absent in draft.absent
        ]
    notes = [
        {"text": Said(note.text, 0), "section": Said(note.section, 0), "source": Said(f"{source}:{note.line}", 0)} for note in draft.notes
    ] + [{"text": Said(text, 0), "section": Said("added by --bind lab", 0)} for text in draft.added]
    if notes:
        draft.data["notes"] = notes


def _refused(text: str) -> tuple[str, ...]:
    """What keeps the plan from loading, as the loader says it: a key where one is meant, and else what is wrong with its line in the plan."""
    try:
        load_bytes(text.encode(), Path("plan.yaml"))
    except PlanError as error:
        head = len(error.problems) + 1  # lines that the plan gets at its head when these are listed there
        return tuple(problem.key or f"line {problem.line + head} of the plan: {_in_words(problem)}" for problem in error.problems)
    return ()


def _in_words(problem: Problem) -> str:
    return problem.message + (f" ({problem.value})" if problem.value else "") + (f" — {problem.hint}" if problem.hint else "")


_COUNTED: Sequence[tuple[str, str]] = (
    ("functions", "functions"),
    ("financial_tiers", "financial tiers"),
    ("regions", "regions"),
    ("components", "components"),
    ("replication_links", "replication links"),
    ("monitoring", "monitors"),
    ("scenarios", "scenarios"),
    ("people", "people"),
    ("roles", "roles"),
    ("audiences", "audiences"),
    ("escalation", "severities"),
    ("messages", "messages"),
    ("templates", "templates"),
    ("exercises", "exercises"),
    ("exercise_process", "process stages"),
    ("criteria", "criteria"),
    ("reviews", "reviews"),
    ("indicators", "indicators"),
    ("improvement", "improvements"),
    ("vendors", "vendors"),
    ("dependencies", "dependencies"),
    ("regulations", "regulations"),
    ("procedures", "procedures"),
)


def _counts(draft: Draft) -> dict[str, int]:
    """How many of each thing were understood."""
    return {words: len(draft.data[section]) for section, words in _COUNTED if draft.data.get(section)}
