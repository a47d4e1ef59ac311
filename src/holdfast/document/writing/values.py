"""Values of a plan → blocks that hold every one of them, by the plan's types alone.

A part's leaves stand in a table of settings, or, in a collection, a column each. What lies deeper follows in a table of details with
its place; collections below get tables of their own. A value that the plan leaves to its default is not written.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from holdfast.document.exact.cells import Cell, Run, encode, key_text
from holdfast.document.exact.shapes import Kind, Shape, fields_of, title_of
from holdfast.document.writing.blocks import Block, Column, Heading, Literal, Restated, Table
from holdfast.document.writing.steps import StepWords, ticks
from holdfast.plan.part import Part
from holdfast.plan.problems import Place
from holdfast.plan.response import WayStep

VALUE = "Value"


@dataclass(slots=True)
class _Contents:
    """What lies below one part: leaves by place, texts of several lines, and collections."""

    leaves: list[tuple[Place, Shape, Any]] = field(default_factory=list)
    literals: list[tuple[Place, str]] = field(default_factory=list)
    collections: list[tuple[Place, Shape, Any]] = field(default_factory=list)


def values_of(part: Part) -> Iterator[tuple[str, Shape, Any]]:
    """Key, shape and value of everything that a part says: what somebody wrote stands there although it be the default."""
    for key, shape, value, written, is_default in _fields_of(part):
        if (written and value is not None) or not is_default:
            yield key, shape, value


def telling_values_of(part: Part) -> Iterator[tuple[str, Shape, Any]]:
    """As `values_of`, without what is the default: what makes one plan another."""
    for key, shape, value, _, is_default in _fields_of(part):
        if not is_default:
            yield key, shape, value


def _fields_of(part: Part) -> Iterator[tuple[str, Shape, Any, bool, bool]]:
    """Key, shape, value, whether somebody wrote it, and whether it is the default."""
    shapes = fields_of(type(part))
    for name, described in type(part).model_fields.items():
        key, value = described.alias or name, getattr(part, name)
        is_default = not described.is_required() and bool(value == described.get_default(call_default_factory=True))
        yield key, shapes[key], value, name in part.model_fields_set, is_default


def place_cell(place: Place) -> Cell:
    """A place, or the rest of one, as it stands in a first column."""
    return Cell(tuple(Run(str(key + 1)) if isinstance(key, int) else Run(key_text(key), code=True) for key in place), "place")


def field_blocks(place: Place, shape: Shape, value: Any, level: int, words: StepWords) -> list[Block]:
    """Everything that one field of the plan holds."""
    contents = _Contents()
    _gather(contents, place, shape, value)
    says_itself = any(at == place for at, _, _ in contents.leaves)
    return _blocks(place if shape.kind is Kind.PART and not says_itself else place[:-1], contents, level, words)


def settings_table(place: Place, leaves: Sequence[tuple[Place, Shape, Any]]) -> Table:
    """A value a row."""
    rows = tuple((place_cell(at[len(place) :]), encode(shape, value)) for at, shape, value in leaves)
    return Table((Column(""), Column(VALUE)), rows, place)


def _blocks(place: Place, contents: _Contents, level: int, words: StepWords) -> list[Block]:
    blocks: list[Block] = []
    if contents.leaves:
        blocks.append(settings_table(place, contents.leaves))
    for at, text in contents.literals:
        blocks.append(_literal(at, text))
    for at, shape, value in contents.collections:
        blocks.extend(collection_blocks(at, shape, value, level, words))
    return blocks


def collection_blocks(place: Place, shape: Shape, value: Any, level: int, words: StepWords) -> list[Block]:
    """A table of a collection's entries, then what lies deeper in each."""
    entries: list[tuple[str | int, Part]] = list(value.items()) if isinstance(value, dict) else list(enumerate(value))
    columns = _columns([part for _, part in entries])
    deeper = _Contents()
    rows = []
    for key, part in entries:
        cells = {}
        for name, inner, found in values_of(part):
            if name in columns and not _is_long(inner, found):
                cells[name] = encode(inner, found)
            else:
                _gather(deeper, (*place, key, name), inner, found)
        rows.append((place_cell((key,)), *(cells.get(name, Cell()) for name in columns)))
    table = Table((Column(""), *(Column(title_of(name)) for name in columns)), tuple(rows), place)
    blocks: list[Block] = [table]
    collections, deeper.collections = deeper.collections, []
    below = _blocks(place, deeper, level, words)
    if entries and isinstance(entries[0][1], WayStep):
        steps = [part for _, part in entries if isinstance(part, WayStep)]
        facts = [_facts(deeper, (*place, key)) for key, _ in entries]
        blocks = [ticks(table, steps, columns, facts, words)]
        below = [Restated(block) if isinstance(block, Table) else block for block in below]
    blocks += below
    for at, inner, found in collections:
        part = dict(entries)[at[len(place)]]
        inner_names = ", ".join(title_of(str(key)).lower() for key in at[len(place) + 1 :])
        blocks.append(Heading(level, f"{_named(at[len(place)], part)}: {inner_names}"))
        blocks += collection_blocks(at, inner, found, level + 1, words)
    return blocks


def _facts(contents: _Contents, place: Place) -> list[tuple[str, Cell]]:
    """What lies deeper in one entry, each with its title."""
    under = [(at[len(place) :], shape, value) for at, shape, value in contents.leaves if at[: len(place)] == place]
    return [
        (" ".join(title_of(str(key)) if not number else str(key) for number, key in enumerate(at)), encode(shape, value))
        for at, shape, value in under
    ]


def _named(key: str | int, part: Part) -> str:
    name = getattr(part, "name", "") or getattr(part, "id", "")
    return str(name or (key + 1 if isinstance(key, int) else key))


def _columns(parts: list[Part]) -> tuple[str, ...]:
    """Keys of the leaves that any of the parts says, in the order of their type."""
    used = {name for part in parts for name, shape, value in values_of(part) if shape.is_leaf and not _is_long(shape, value)}
    ordered = dict.fromkeys(key for part in parts for key in fields_of(type(part)))
    return tuple(key for key in ordered if key in used)


def _gather(contents: _Contents, place: Place, shape: Shape, value: Any) -> None:
    if _is_long(shape, value):
        contents.literals.append((place, value))
    elif value is None or shape.is_leaf:
        contents.leaves.append((place, shape, value))
    elif shape.is_collection and value:
        contents.collections.append((place, shape, value))
    elif isinstance(value, Part):
        found = list(values_of(value))
        if not found:
            contents.leaves.append((place, shape, {}))
        for name, inner, below in found:
            _gather(contents, (*place, name), inner, below)
    elif isinstance(value, dict) and value and all(isinstance(key, str) for key in value):
        for key, below in value.items():
            _gather(contents, (*place, key), shape.item() if shape.kind is Kind.MAPPING else shape, below)
    else:
        contents.leaves.append((place, shape, value))


def _is_long(shape: Shape, value: Any) -> bool:
    """Whether it is text of several lines that can stand as it is."""
    if shape.kind is not Kind.TEXT or not isinstance(value, str) or "\n" not in value:
        return False
    return all(character.isprintable() or character == "\n" for character in value)


def _literal(place: Place, text: str) -> Literal:
    return Literal(place, text.removesuffix("\n"), complete=text.endswith("\n"))
