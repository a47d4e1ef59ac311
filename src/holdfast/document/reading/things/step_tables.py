"""Steps as rows of a table: what is done, who does it, how long it takes; a cell of another column becomes a note.

Rules: who does a step is written where the cell names a role of the plan, or the holder of one; else the words are a note, and nobody is
put in their place. One length of time is the shortest and the longest of its step, and marked as concluded.
"""

import re
from collections.abc import Iterator

from holdfast.document.reading.columns import Row, columns, named_rows
from holdfast.document.reading.draft import Draft, Entry, Left, Said
from holdfast.document.reading.quantities import absent, duration, unit_of_heading, window
from holdfast.document.reading.things.cast import Cast, Doer, bare
from holdfast.document.reading.things.steps import steps_of
from holdfast.document.reading.tree import Leaf, Section, Table, normal

_COLUMNS = {
    "name": ("action*", "activity", "activities", "task*", "what", "instruction*", "procedure", "description", "step*"),
    "by": ("who", "responsible", "responsibility", "owner", "assigned to", "performed by", "done by", "role", "by"),
    "takes": ("duration", "takes", "how long", "expected time", "estimated time", "time needed", "time required", "effort"),
}
_NUMBER = re.compile(r"[A-Za-z]{0,2}[\d.]{1,6}|[A-Za-z]\.?")
"""What may number a step, and is no words of it."""
_COUNTING = re.compile(r"(?:step|order|sequence|seq|nr|no|number|id|ref|item|task)?")
"""The names of a column, in normal words, whose numbers only count."""


def steps_of_table(table: Table, section: Section, draft: Draft, cast: Cast, taken: set[str]) -> list[Entry]:
    """The steps that a table's open rows say, each after the one before."""
    steps: list[Entry] = []
    for row in _rows(table, section, draft):
        who = None if absent(row.cell("by")) else _said_beside
        made = steps_of([Leaf("item", row.name, row.line)], draft, cast, taken, section.path, who)
        if steps and made:
            made[0]["after"] = [Said(steps[-1]["id"].value, row.line)]
        for step in made:
            _who(row, step, section, draft, cast)
        if len(made) == 1:
            _takes(row, made[0], section, draft)
        elif row.cell("takes"):
            draft.notes.append(Left(f"{row.name}: {_heading(row, 'takes')}: {row.cell('takes')}", section.path, row.line))
        steps += made
    return steps


def _said_beside(_: str) -> Doer:
    """Nobody: another cell of the row says who does the step."""
    return Doer()


def _rows(table: Table, section: Section, draft: Draft) -> Iterator[Row]:
    """Its rows with what is done. A table whose columns nobody knows has its words joined, and its bare numbers noted."""
    places = columns(table, _COLUMNS)
    numbers = [at for at in range(len(table.headers)) if all(_NUMBER.fullmatch(row.cells[at]) for row in table.rows if at < len(row.cells))]
    counts = {"number": 0} if 0 in numbers and _COUNTING.fullmatch(normal(table.headers[0])) else {}
    if "name" in places and places["name"] not in numbers:
        yield from named_rows(table, places if 0 in places.values() else places | counts, section, draft)
        return
    for leaf in table.rows:
        words = [cell for at, cell in enumerate(leaf.cells) if cell and at not in numbers]
        if leaf.claimed or not words:
            continue
        name = ", ".join(words)
        bare = [(table.headers[at], leaf.cells[at]) for at in numbers if at < len(leaf.cells) and at not in counts.values()]
        draft.notes += [Left(f"{name}: {head}: {cell}", section.path, leaf.line) for head, cell in bare if cell.strip()]
        yield Row(leaf.claim(), table, {}, name)


def _heading(row: Row, field: str) -> str:
    return row.table.headers[row.places[field]]


def _who(row: Row, step: Entry, section: Section, draft: Draft, cast: Cast) -> None:
    """The role that the row names: its words are nearer than any that were concluded."""
    said = row.cell("by")
    if absent(said):
        return
    role = _role(said, draft, cast)
    if role is not None:
        step["by"] = Said(role, row.line)
        return
    step.pop("by", None)
    draft.notes.append(Left(f"{row.name}: {_heading(row, 'by')}: {said}", section.path, row.line))


def _role(said: str, draft: Draft, cast: Cast) -> str | None:
    """A role of this name, or the only one that somebody of this name holds."""
    named = cast.called.get(bare(said).removeprefix("the ").strip())
    if named is not None:
        return named
    someone = draft.named("people", said)
    return cast.held.get(someone) if someone is not None else None


def _takes(row: Row, step: Entry, section: Section, draft: Draft) -> None:
    """How long a step takes: a range as it stands, one length as both its ends; what is neither is a note."""
    said = row.cell("takes")
    if absent(said):
        return
    unit = unit_of_heading(_heading(row, "takes"))
    span = window(said if re.search(r"[A-Za-z]", said) else f"{said} {unit}")
    length = duration(said, unit)
    if length.value is not None:
        why = "the document gives one length, which is its shortest and its longest time"
        step["takes"] = [Said(length.value, row.line, why), Said(length.value, row.line, why)]
    elif span is not None and span[1] != "open" and span[0] != "0s":
        step["takes"] = [Said(span[0], row.line), Said(span[1], row.line)]
    else:
        draft.notes.append(Left(f"{row.name}: {_heading(row, 'takes')}: {said}", section.path, row.line))
