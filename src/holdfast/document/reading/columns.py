"""Which column of a table holds what, by what its name says."""

from collections.abc import Mapping, Sequence

from holdfast.document.reading.tree import Leaf, Section, Table, says

Words = Mapping[str, Sequence[str]]
"""Field → phrases that a column's name may hold, the field that is to choose first standing first."""


def columns(table: Table, words: Words) -> dict[str, int]:
    """Field → index of its column. A phrase that stands earlier in a field's list is preferred; a column serves one field."""
    found: dict[str, int] = {}
    for name, phrases in words.items():
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
