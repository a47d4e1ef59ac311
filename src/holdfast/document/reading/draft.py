"""The plan as it grows while a document is read: values with their lines, and what is left for people.

Rules: a value that is there is never written over by a later one that says something else; that becomes a question. Nothing gets in that
the document doesn't say, except what `--bind lab` adds, which is marked as such.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from holdfast.document.reading.quantities import Reading
from holdfast.document.reading.tree import Leaf, Section

LONGEST_IDENTIFIER = 48


@dataclass(frozen=True, slots=True)
class Said:
    """A value and the line that says it; `line` 0 for what was added and stands in no document."""

    value: Any
    line: int


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to a person, with its line."""

    about: str
    says: str
    choices: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Left:
    """What could not be typed, and where it stands."""

    text: str
    section: str
    line: int


@dataclass(slots=True)
class StepWish:
    """A step that a block would carry out if the document gave what the block needs."""

    step: dict[str, Any]
    block: str
    scenario: str


Entry = dict[str, Any]


@dataclass(slots=True)
class Draft:
    """What was read so far. `data` has the plan's own form, with `Said` where values stand."""

    data: Entry = field(default_factory=dict)
    questions: list[Asked] = field(default_factory=list)
    notes: list[Left] = field(default_factory=list)
    empty_appendices: list[Left] = field(default_factory=list)
    wishes: list[StepWish] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    """What `--bind` added, in words."""

    def section(self, name: str) -> Entry:
        """A section of the plan that holds entries by identifier."""
        found: Entry = self.data.setdefault(name, {})
        return found

    def entry(self, section: str, name: str) -> tuple[str, Entry]:
        """A new entry under an identifier made from its name, unique in the section."""
        entries = self.section(section)
        identifier = unique(slug(name), entries)
        entries[identifier] = {}
        return identifier, entries[identifier]

    def named(self, section: str, name: str) -> str | None:
        """The identifier of the entry whose name says the same, or None."""
        wanted = slug(name)
        for identifier, entry in self.section(section).items():
            said = entry.get("name")
            if identifier == wanted or (isinstance(said, Said) and slug(str(said.value)) == wanted):
                return str(identifier)
        return None

    def ask(self, about: str, text: str, reading: Reading, line: int) -> None:
        """Put what a text could mean to a person."""
        self.questions.append(Asked(about, f"'{text[:120]}': {reading.unclear}", reading.choices, line))

    def put(self, entry: Entry, key: str, value: Any, line: int, about: str = "") -> None:
        """Write a value. Where another stands already, ask instead."""
        before = entry.get(key)
        if isinstance(before, Said) and before.value != value:
            choices = (str(before.value), str(value))
            says = f"line {before.line} says '{before.value}' and line {line} says '{value}'"
            self.questions.append(Asked(about or key, says[:200], choices, line))
        elif before is None:
            entry[key] = Said(value, line)

    def read(self, entry: Entry, key: str, reading: Reading, text: str, line: int, about: str) -> None:
        """Write what a reading says: nothing for nothing, a question where it is unclear."""
        if not reading.clear:
            self.ask(f"{about}.{key}", text, reading, line)
        elif reading.value is not None:
            self.put(entry, key, reading.value, line, f"{about}.{key}")


@lru_cache(maxsize=65536)  # every entry of a section is asked for its name again for each row that may speak of it
def slug(name: str) -> str:
    """An identifier made from a name: lower case, `-` between words, beginning with a letter."""
    flat = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", flat).strip("-")[:LONGEST_IDENTIFIER].strip("-")
    if not words:
        return "unnamed"
    return words if words[0].isalpha() else f"n-{words}"


def unique(wanted: str, taken: Any) -> str:
    """The identifier, with a number behind it where it is taken."""
    if wanted not in taken:
        return wanted
    number = 2
    while f"{wanted}-{number}" in taken:
        number += 1
    return f"{wanted}-{number}"


def parts_of(text: str) -> list[str]:
    """Items of a list in one line: split at commas, semicolons, `+`, `/` between words, and `and`."""
    pieces = re.split(r"\s*[,;+]\s*(?:and\s+)?|\s+(?:and|&)\s+|\s+/\s+", text.strip().rstrip("."))
    return [piece.strip() for piece in pieces if piece.strip()]


def said_list(texts: Sequence[str], line: int) -> list[Said]:
    """Each text with the same line."""
    return [Said(text, line) for text in texts]


def leaf_list(leaves: Sequence[Leaf]) -> list[Said]:
    """The texts of leaves, claimed, each with its own line."""
    return [Said(leaf.claim_all().text, leaf.line) for leaf in leaves]


def note_of(section: Section, leaf: Leaf) -> Left:
    """A leaf that nobody understood."""
    return Left(leaf.text.strip()[:500], section.path, leaf.line)
