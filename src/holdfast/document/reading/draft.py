"""The plan as it grows while a document is read: values with their lines, and what is left for people.

Rules: a value that is there is never written over by a later one that says something else; that becomes a question. Nothing gets in that
the document doesn't say, except what `--bind lab` adds and what was concluded from the document's words, both marked as such. What a name
leads to is looked up, never searched for: the time of an import grows with its document, and no faster.
"""

import re
import unicodedata
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from holdfast.document.reading.quantities import Reading
from holdfast.document.reading.tree import Leaf, Section
from holdfast.plan.problems import shortened

LONGEST_IDENTIFIER = 48


@dataclass(frozen=True, slots=True)
class Said:
    """A value and the line that says it; `line` 0 for what was added and stands in no document.

    `concluded`: why the value was taken where the words don't say it themselves. A person sees it, and may say otherwise.
    """

    value: Any
    line: int
    concluded: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to a person, with its line."""

    about: str
    says: str
    choices: tuple[str, ...]
    line: int
    words: str = ""
    """The words of a template that it is about, as they stand there."""


@dataclass(frozen=True, slots=True)
class Left:
    """What could not be typed, and where it stands."""

    text: str
    section: str
    line: int


@dataclass(frozen=True, slots=True)
class Absent:
    """A value that the document says there is none of, in its own words, such as `N/A (stateless)`."""

    about: str
    says: str
    line: int


@dataclass(slots=True)
class StepWish:
    """A step that a block would carry out if the document gave what the block needs."""

    step: dict[str, Any]
    block: str


Entry = dict[str, Any]


@dataclass(slots=True)
class Draft:
    """What was read so far. `data` has the plan's own form, with `Said` where values stand."""

    data: Entry = field(default_factory=dict)
    questions: list[Asked] = field(default_factory=list)
    absent: list[Absent] = field(default_factory=list)
    notes: list[Left] = field(default_factory=list)
    empty_appendices: list[Left] = field(default_factory=list)
    wishes: list[StepWish] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    """What `--bind` added, in words."""
    _called: dict[str, dict[str, str]] = field(default_factory=dict)
    """Section → name as a slug → identifier of the first entry that was made under it."""
    _of_kind: dict[str, list[str]] = field(default_factory=dict)
    """Kind → identifiers of the components that are of it."""

    def section(self, name: str) -> Entry:
        """A section of the plan that holds entries by identifier."""
        found: Entry = self.data.setdefault(name, {})
        return found

    def entry(self, section: str, name: str) -> tuple[str, Entry]:
        """A new entry under an identifier made from its name, unique in the section."""
        entries = self.section(section)
        called = _called(section, name)
        identifier = unique(called, entries)
        entries[identifier] = {}
        self._called.setdefault(section, {}).setdefault(called, identifier)
        return identifier, entries[identifier]

    def named(self, section: str, name: str) -> str | None:
        """The identifier of the entry whose name says the same, or None."""
        wanted = _called(section, name)
        return wanted if wanted in self.section(section) else self._called.get(section, {}).get(wanted)

    def named_or_new(self, section: str, name: str) -> tuple[str, Entry]:
        """The entry whose name says the same, made where there is none."""
        known = self.named(section, name)
        return (known, self.section(section)[known]) if known is not None else self.entry(section, name)

    def component(self, name: str, kind: str | None, line: int) -> tuple[str, Entry]:
        """A new component. Without a kind it has to be asked about."""
        identifier, entry = self.entry("components", name)
        entry["kind"] = Said(kind, line)
        if kind is not None:
            self._of_kind.setdefault(kind, []).append(identifier)
        return identifier, entry

    def of_kind(self, kind: str) -> list[str]:
        """Identifiers of the components of a kind, as they are called now."""
        return self._of_kind.get(kind, [])

    def rename_components(self, names: Mapping[str, str]) -> None:
        """Give components other identifiers, in the section and wherever they are looked up."""
        self.data["components"] = {names.get(key, key): entry for key, entry in self.section("components").items()}
        self._of_kind = {kind: [names.get(one, one) for one in found] for kind, found in self._of_kind.items()}

    def ask(self, about: str, text: str, reading: Reading, line: int, *, words: str = "") -> None:
        """Put what a text could mean to a person. `words`: those of a template that it is about, as they stand there."""
        self.questions.append(Asked(about, f"'{shortened(text)}': {reading.unclear}", reading.choices, line, words))

    def put(self, entry: Entry, key: str, value: Any, line: int, about: str = "", concluded: str = "") -> None:
        """Write a value. Where another stands already, ask instead."""
        before = entry.get(key)
        if isinstance(before, Said) and before.value != value:
            choices = (str(before.value), str(value))
            says = f"line {before.line} says '{shortened(str(before.value))}' and line {line} says '{shortened(str(value))}'"
            self.questions.append(Asked(about or key, says, choices, line))
        elif before is None:
            entry[key] = Said(value, line, concluded)

    def read(self, entry: Entry, key: str, reading: Reading, text: str, line: int, about: str) -> None:
        """Write what a reading says: a question where it is unclear, and a remark where the text says that there is nothing to write."""
        if not reading.clear:
            self.ask(f"{about}.{key}", text, reading, line)
        elif reading.value is not None:
            self.put(entry, key, reading.value, line, f"{about}.{key}", reading.remark)
        elif re.search(r"\w", text):
            self.absent.append(Absent(f"{about}.{key}", " ".join(text.split()), line))


COURTESY = r"(?:(?:Dr|Prof|Professor|Mr|Mrs|Ms|Miss|Mx|Ing|Dipl|Eng|Sir|Dame|Rev|Herr|Frau)\b\.?(?:-Ing\.)?)"
"""A pattern of what stands ahead of a name and is no part of who somebody is."""
_COURTESIES = re.compile(rf"\s*(?:{COURTESY}(?:\s+|(?<=\.)(?=\w)))+(?=\S+\s+\S)", re.I)


def unadorned(name: str) -> str:
    """A full name without `Dr.` and the like ahead of it; `Mr Smith` keeps it, since it tells him from others of his family."""
    found = _COURTESIES.match(name)
    return name[found.end() :] if found is not None else name


def is_courtesy(word: str) -> bool:
    """Whether a word is one of those."""
    return re.fullmatch(COURTESY, word, re.I) is not None


def _called(section: str, name: str) -> str:
    """What is compared of a name. A person is who they are whatever they are called by courtesy."""
    return slug(unadorned(name) if section == "people" else name)


@lru_cache(maxsize=4096)  # the same few names are spoken of all over a plan
def slug(name: str) -> str:
    """An identifier made from a name: lower case, `-` between words, beginning with a letter."""
    flat = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", flat).strip("-")[:LONGEST_IDENTIFIER].strip("-")
    if not words:
        return "unnamed"
    return words if words[0].isalpha() else f"n-{words}"


def unique(wanted: str, taken: Container[str]) -> str:
    """The identifier, with a number behind it where it is taken.

    Numbers are given in turn, so the first free one is found by doubling and halving: ten thousand entries of one name take ten thousand
    times fourteen looks, not fifty million.
    """
    if wanted not in taken:
        return wanted
    last, free = 1, 2
    while f"{wanted}-{free}" in taken:
        last, free = free, free * 2
    while free - last > 1:
        middle = (last + free) // 2
        last, free = (middle, free) if f"{wanted}-{middle}" in taken else (last, middle)
    return f"{wanted}-{free}"


def parts_of(text: str) -> list[str]:
    """Items of a list in one line: split at commas, semicolons, `+`, `/` between words, and `and`."""
    pieces = re.split(r"\s*[,;+]\s*(?:and\s+)?|\s+(?:and|&)\s+|\s+/\s+", text.strip().rstrip("."))
    return [piece.strip() for piece in pieces if piece.strip()]


def said_list(texts: Sequence[str], line: int) -> list[Said]:
    """Each text with the same line."""
    return [Said(text, line) for text in texts]


def leaf_list(leaves: Sequence[Leaf]) -> list[Said]:
    """The texts of leaves and of all below them, claimed, each with its own line."""
    return [Said(one.claim().text, one.line) for leaf in leaves for one in leaf.deep()]


def note_of(section: Section, leaf: Leaf) -> Left:
    """A leaf that nobody understood."""
    return Left(leaf.text.strip(), section.path, leaf.line)
