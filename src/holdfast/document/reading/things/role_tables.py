"""Roles in tables: who holds each, who stands in, whose deputy somebody is, and whose number each column gives."""

import re
from collections.abc import Sequence

from holdfast.document.reading.columns import MOST_COLUMNS, Row, Words, cell, columns, named_rows
from holdfast.document.reading.draft import Draft, Entry, Left, Said, parts_of
from holdfast.document.reading.quantities import absent
from holdfast.document.reading.things.addresses import WAYS, is_reachable, without_addresses
from holdfast.document.reading.things.names import FULL_NAME, all_turned, in_order, named
from holdfast.document.reading.things.people import HOLDERS, holder, reach_by_cell, role
from holdfast.document.reading.tree import Section, Table, says

WAY_HEADS = {"email": ("email", "e mail", "mail"), "phone": ("phone", "telephone", "mobile", "cell", "tel")}
"""What a column for addresses or numbers is called."""
_HOLDER = ("primary", "held by", "holder", "assigned to", "filled by", "person", "name", "lead", "who")
PRIMARY = (*_HOLDER, "first")
BACKUP = ("backup", "alternate*", "deputy", "deputies", "secondary", "stand in", "substitute", "second")
TASKS = ("responsibilities", "responsibility", "duties", "tasks", "responsible for")
ROLE_COLUMNS = {
    "deputy of": (
        "deputy of",
        "deputy for",
        "deputises for",
        "deputizes for",
        "stands in for",
        "backup of",
        "backup for",
        "substitute for",
    ),
    "backup": BACKUP,
    "tasks": TASKS,
    "phone": (*WAY_HEADS["phone"], "call"),
    "email": WAY_HEADS["email"],
    "role": ("role", "incident role", "team role", "position", "function"),
    "primary": (*_HOLDER, "assigned"),
}


def role_table(table: Table, places: dict[str, int], section: Section, draft: Draft) -> None:
    """Roles row by row, with who fills them, how those are reached, and what they do. `places`: of `ROLE_COLUMNS`."""
    turned = all_turned([cell(leaf, places, key) for leaf in table.rows for key in HOLDERS])
    deputies: list[tuple[Row, str]] = []
    for row in named_rows(table, places, section, draft, "role"):
        entry = role(draft, row.name, row.line)
        names = {key: in_order(text) if turned else text for key in HOLDERS if (text := row.cell(key))}
        others = {key: [named(text).name for other, text in names.items() if other != key] for key in HOLDERS}
        for key, text in names.items():
            clear = any(WAYS[way].fullmatch(row.cell(field)) for field, way in _fields_of(key).items())
            title = row.name if (key == "primary" and clear) or is_reachable(text) else ""
            holder(draft, entry, key, text, row.line, title, section.path, others[key])
        for key in HOLDERS:
            for field, way in _fields_of(key).items():
                if row.cell(field):
                    _reached_in_row(draft, entry, row, (key, field, way), section, others[key])
        if not absent(row.cell("deputy of")):
            deputies.append((row, str(entry["primary"].value) if isinstance(entry.get("primary"), Said) else ""))
        for task in parts_of(row.cell("tasks")):
            entry.setdefault("responsibilities", []).append(Said(task, row.line))
    _deputies(deputies, section, draft)


def _fields_of(key: str) -> dict[str, str]:
    """Columns for how the holder or the deputy is reached → address or number. A column that names neither is the holder's."""
    return {f"{key} {way}": way for way in WAYS} | ({way: way for way in WAYS} if key == "primary" else {})


def _reached_in_row(draft: Draft, entry: Entry, row: Row, column: tuple[str, str, str], section: Section, others: list[str]) -> None:
    key, field, way = column
    text, someone = row.cell(field), entry.get(key)
    behind = field == way and "backup" in entry and row.places[field] > row.places.get("backup", len(row.table.headers))
    concluded = "the column doesn't say whose it is, and who holds the role is named first" if behind else ""
    if isinstance(someone, Said):
        reach_by_cell(draft, str(someone.value), way, text, row.line, concluded, others)
    elif not absent(text):
        draft.notes.append(Left(f"{row.name}, {field}: {text}", section.path, row.line))


def _deputies(rows: list[tuple[Row, str]], section: Section, draft: Draft) -> None:
    """Rows that say whose deputy somebody is: of a role, or of whoever holds just one."""
    held: dict[str, list[str]] = {}
    for identifier, entry in draft.section("roles").items() if rows else ():
        if isinstance(entry.get("primary"), Said):
            held.setdefault(str(entry["primary"].value), []).append(identifier)
    for row, someone in rows:
        text = row.cell("deputy of")
        called = draft.named("roles", text)
        of = [called] if called is not None else held.get(draft.named("people", named(text).name) or "", [])
        if someone and len(of) == 1 and of[0] not in held.get(someone, ()) and not is_reachable(text):
            draft.put(draft.section("roles")[of[0]], "backup", someone, row.line, f"roles.{of[0]}.backup")
        else:
            draft.notes.append(Left(f"{row.name}: deputy of {text}", section.path, row.line))


def places_of(table: Table, words: Words) -> dict[str, int]:
    """As `columns`, with those for how somebody of a row is reached, that say whose: `Deputy's phone` is `backup phone`.

    Where the words have no field for whose it is, nobody reads such a column: it is no number of who stands in the row.
    """
    whose: dict[str, int] = {}
    heads = list(table.headers)
    for at, head in enumerate(table.headers[:MOST_COLUMNS]):
        way = next((way for way in WAYS if says(head, *_WAY_WORDS[way])), "")
        of = _whose(head, table.headers) if way and _holds_only_ways(table, at) else ""
        if of and (of != "primary" or of in words):
            heads[at] = ""
            if of in words:
                whose.setdefault(f"{of} {way}", at)
    return whose | columns(Table(tuple(heads), table.rows, table.line), words)


_WAY_WORDS = {"email": WAY_HEADS["email"], "phone": (*WAY_HEADS["phone"], "number", "call")}
_SECOND = ("backup", "alternate*", "secondary", "second")
"""Words for somebody's deputy that may as well mean somebody's second number."""


def _whose(head: str, heads: Sequence[str]) -> str:
    """Whom a column for numbers is about by its name: `primary`, `backup`, `another`, or empty where it doesn't say."""
    if says(head, *_SECOND):
        known = any(says(other, word) for word in _SECOND if says(head, word) for other in heads if other != head and not _is_way(other))
        return "backup" if known else "another"
    if says(head, *BACKUP):
        return "backup"
    if says(head, *PRIMARY):
        return "primary"
    return "another" if re.search(r"\w['’]s?\s", head) or says(head, "manager", "supervisor", "assistant", "next of kin") else ""


def _is_way(head: str) -> bool:
    return any(says(head, *words) for words in _WAY_WORDS.values())


def _holds_only_ways(table: Table, at: int) -> bool:
    return not any(re.search(FULL_NAME, without_addresses(row.cells[at])) for row in table.rows if at < len(row.cells))
