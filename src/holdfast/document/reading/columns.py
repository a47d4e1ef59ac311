"""Which column of a table holds what, by what its name says, and its rows one by one: what no column's field reads is told."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from holdfast.document.reading.draft import Absent, Draft, Entry, Left
from holdfast.document.reading.quantities import Reading, absent, duration, unit_of_heading
from holdfast.document.reading.tree import Leaf, Section, Table, normal, says

Words = Mapping[str, Sequence[str]]
"""Field → phrases that a column's name may hold, the field that is to choose first standing first."""

MOST_COLUMNS = 64
"""A wider table is no table of a plan's things: its rows are told as not understood."""
_NUMBERING = re.compile(r"#|no\.?|id|ref\.?|nr\.?", re.I)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table whose columns are known, with the name of the thing that it describes."""

    leaf: Leaf
    table: Table
    places: Mapping[str, int]
    name: str

    @property
    def line(self) -> int:
        """Where it stands."""
        return self.leaf.line

    def cell(self, field: str) -> str:
        """The text of a field; empty where the table has no such column."""
        return cell(self.leaf, self.places, field)

    def say(self, draft: Draft, entry: Entry, key: str, about: str, field: str = "") -> None:
        """Write a field's text as it stands; where it says that there is none, that is kept."""
        text = self.cell(field or key)
        if not absent(text):
            draft.put(entry, key, text, self.line, f"{about}.{key}")
        elif re.search(r"\w", text):
            draft.absent.append(Absent(f"{about}.{key}", text, self.line))

    def read(self, draft: Draft, entry: Entry, key: str, how: Callable[[str], Reading], about: str, field: str = "") -> None:
        """Write what a field's text says, or ask."""
        text = self.cell(field or key)
        if text:
            draft.read(entry, key, how(text), text, self.line, about)

    def last(self, draft: Draft, entry: Entry, key: str, about: str, field: str = "") -> None:
        """Write a length of time, its unit perhaps given by the column's name."""
        at = self.places.get(field or key)
        if at is not None:
            unit = unit_of_heading(self.table.headers[at])
            self.read(draft, entry, key, lambda text: duration(text, unit), about, field)


def named_rows(table: Table, places: Mapping[str, int], section: Section, draft: Draft, *fields: str) -> Iterator[Row]:
    """Rows that nobody has claimed and that name something in the first of the fields that is filled (`name` without any).

    When the next one is taken, a row is claimed, and those of its cells that no field reads become notes.
    """
    for leaf in table.rows:
        name = next((text for field in fields or ("name",) if (text := cell(leaf, places, field))), "")
        if leaf.claimed or not name:
            continue
        yield Row(leaf, table, places, name)
        draft.notes += [
            Left(f"{name}: {head}: {text}" if head else f"{name}: {text}", section.path, leaf.line)
            for head, text in unread(table, leaf, places)
            if not _NUMBERING.fullmatch(head.strip())
        ]
        leaf.claim()


def columns(table: Table, words: Words) -> dict[str, int]:
    """Field → index of its column. A phrase that stands earlier in a field's list is preferred; a column serves one field."""
    found: dict[str, int] = {}
    if len(table.headers) > MOST_COLUMNS:
        return found
    all_heads = " ".join(map(normal, table.headers))
    for name, phrases in words.items():
        if not says(all_heads, *phrases):  # most fields have no column, which is seen at one look
            continue
        for phrase in phrases:
            index = next((at for at, head in enumerate(table.headers) if at not in found.values() and says(head, phrase)), None)
            if index is not None:
                found[name] = index
                break
    return found


def cell(row: Leaf, places: Mapping[str, int], name: str) -> str:
    """The text of a field in a row; empty where the table has no such column."""
    index = places.get(name)
    return row.cells[index].strip() if index is not None and index < len(row.cells) else ""


def unread(table: Table, row: Leaf, places: Mapping[str, int]) -> list[tuple[str, str]]:
    """Names and texts of those cells of a row that no field reads."""
    used = set(places.values())
    return [
        (table.headers[at] if at < len(table.headers) else "", text) for at, text in enumerate(row.cells) if at not in used and text.strip()
    ]


def row_text(table: Table, row: Leaf) -> str:
    """A row as it stands; where it holds numbers, with the names of their columns, which say what they are.

    The first row of a table of two columns is seldom a head, so it counts as one only where it gives a unit.
    """
    heads = table.headers
    is_head = len(heads) > 2 or any(unit_of_heading(head) or says(head, "rto", "rpo", "mtpd", "mtd") for head in heads)
    if not is_head or len(heads) > MOST_COLUMNS or not any(character.isdecimal() for character in row.text):
        return row.text.strip()
    return " | ".join(
        f"{heads[at]}: {text}" if at < len(heads) and heads[at].strip() else text for at, text in enumerate(row.cells) if text.strip()
    )


def labelled(section: Section) -> list[Leaf]:
    """Leaves of a section that say `Key: value`, rows of its two-column tables included (their header too), unclaimed."""
    leaves = [leaf for leaf in section.leaves if leaf.label and not leaf.claimed]
    for table in section.tables:
        if len(table.headers) != 2:
            continue
        head = Leaf("row", " | ".join(table.headers), table.line, cells=table.headers)
        for row in (head, *table.rows):
            if len(row.cells) == 2 and not row.claimed:
                row.label, row.value = row.cells[0].rstrip(": "), row.cells[1]
                leaves.append(row)
    return leaves
