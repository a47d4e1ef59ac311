"""A document as its sections, and what stands in them: the neutral form that recognisers read, whatever the style of the text.

A *leaf* is a paragraph, a list item, a row of a table or a fenced block, with its line. A leaf is *claimed* when a recogniser has put
what it says into the draft; what stays unclaimed at the end is told to the person.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from holdfast.plan.problems import shortened

_NUMBERING = re.compile(
    r"^\s*(?:(?:appendix|annex|section|chapter|part)\s+[a-z0-9]+\b|[0-9]+(?:\.[0-9]+)*|[ivx]+\.|[a-h]\.)[.):\s-]*", re.I
)
_LABEL = re.compile(
    r"^\*\*(?P<bold>[^*]{1,120}?)\*\*\s*:?\s*(?P<after>.*)$|^(?P<plain>[A-Z][^:|\[\]{}]{0,60}?):(?:\s+(?P<rest>.*))?$", re.S
)
_LINK = re.compile(r"!?\[([^\[\]]{0,400})\]\(([^()\s]{0,400})\)")
_MARKS = re.compile(r"\*\*|__|`|(?<!\w)[*_](?=\w)|(?<=[\w.!?])[*_](?!\w)|\\(?=[\\`*_{}\[\]()#+.!|<>-])")
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,200}>")
_SENTENCE_ENDS = re.compile(r"(?<=[.;])\s+(?=[A-Z])")
_COURTESY = re.compile(r"(?:^|[\s(,])(?:Dr|Prof|Mr|Mrs|Ms|Ing|St)\.$")
_INITIAL = re.compile(r"(?:^|[:,;(&/]\s{0,3}|(?P<before>[\w'’.-]+)\s{1,3})[A-Z]\.$")
_LED_BY = frozenset(["by", "is", "and", "or", "with", "to", "for", "contact", "call", "ask", "mr", "mrs", "ms", "dr", "prof"])
"""Words that a person's name may follow."""
_LETTERED = frozenset(
    [
        "class",
        "zone",
        "plan",
        "version",
        "revision",
        "release",
        "tier",
        "site",
        "building",
        "appendix",
        "annex",
        "section",
        "part",
        "chapter",
        "option",
        "level",
        "phase",
        "team",
        "group",
        "type",
        "room",
        "hall",
        "grade",
        "category",
        "region",
        "scenario",
        "priority",
        "step",
        "table",
        "figure",
        "block",
        "floor",
        "wing",
        "gate",
        "terminal",
        "unit",
        "area",
        "line",
        "shift",
        "list",
        "rack",
        "cluster",
        "procedure",
        "schedule",
        "copy",
        "form",
        "exhibit",
        "attachment",
    ]
)
"""What is told apart by letters: `Zone B.` is a sentence's end and no one's initial."""
_LONGEST_OF_PATH = 60
_LONGEST_AHEAD = 60
"""Characters ahead of a gap that are looked at for an initial."""


def plain(text: str) -> str:
    """Text without the marks of Markdown: bold, code, links and tags."""
    text = _LINK.sub(lambda found: found[1] or found[2], text)
    return " ".join(_MARKS.sub("", _TAG.sub(" ", text)).split())


def normal(text: str) -> str:
    """Words of a heading or label in one form, for comparing: lower case, without numbering, marks and punctuation."""
    return _normal_again(text) if len(text) <= _ASKED_AGAIN else _normal(text)


def _normal(text: str) -> str:
    text = plain(text).lower().replace("&", " and ")
    return re.sub(r"[^a-z0-9%]+", " ", text).strip()


_normal_again = lru_cache(maxsize=4096)(_normal)  # every recogniser asks the same headings and labels what they say
_ASKED_AGAIN = 200
"""Characters of a text that is likely to be asked again what it says: a heading, a label, a cell."""


def sentences(text: str) -> list[str]:
    """The sentences of a text, and what `;` joins before a capital; an initial such as `J. Smith` ends none."""
    found, begins = [], 0
    for gap in _SENTENCE_ENDS.finditer(text):
        if not _ends_in_initial(text[max(begins, gap.start() - _LONGEST_AHEAD) : gap.start()]):
            found.append(text[begins : gap.start()])
            begins = gap.end()
    return [*found, text[begins:]]


def _ends_in_initial(said: str) -> bool:
    """Whether these words break off in a person's name, or a saint's."""
    if _COURTESY.search(said):
        return True
    found = _INITIAL.search(said)
    if found is None:
        return False
    before = (found["before"] or "").rstrip(".")
    return not before or before.lower() in _LED_BY or (before[0].isupper() and before.lower() not in _LETTERED)


def says(text: str, *phrases: str) -> bool:
    """Whether a text holds one of these phrases as whole words; a phrase that ends with `*` may go on within a word."""
    return said_in(f" {normal(text)} ", phrases)


def said_in(words: str, phrases: tuple[str, ...]) -> bool:
    """As `says`, of words that are normal already, with a blank before and after them."""
    return _any_of(phrases).search(words) is not None


@lru_cache(maxsize=512)
def _any_of(phrases: tuple[str, ...]) -> re.Pattern[str]:
    whole = "|".join(re.escape(phrase[:-1]) if phrase.endswith("*") else f"{re.escape(phrase)} " for phrase in phrases)
    return re.compile(f" (?:{whole})" if whole else "(?!)")


@dataclass(slots=True, eq=False)
class Leaf:
    """One thing that stands in the document. `label` and `value`: of `Key: value`."""

    kind: Literal["paragraph", "item", "row", "fence"]
    text: str
    line: int
    label: str = ""
    value: str = ""
    children: "list[Leaf]" = field(default_factory=list)
    cells: tuple[str, ...] = ()
    info: str = ""
    """What a fence says it holds, such as `mermaid`."""
    ordered: bool = False
    claimed: bool = False

    def claim(self) -> "Leaf":
        """Mark as understood; returns itself."""
        self.claimed = True
        return self

    def claim_all(self) -> "Leaf":
        """As `claim`, with everything below it."""
        for leaf in self.deep():
            leaf.claimed = True
        return self

    def deep(self) -> "Iterator[Leaf]":
        """It and everything below it."""
        waiting = [self]
        while waiting:
            leaf = waiting.pop()
            yield leaf
            waiting.extend(reversed(leaf.children))


def leaf_of(kind: Literal["paragraph", "item"], raw: str, line: int, *, ordered: bool = False) -> Leaf:
    """A leaf out of raw Markdown text, with its lead-in taken apart."""
    raw = raw.strip()
    found = _LABEL.match(raw)
    label = value = ""
    if found is not None:
        label = plain(found["bold"] or found["plain"] or "").rstrip(": ")
        value = plain(found["after"] or found["rest"] or "").lstrip(": ")
        if found["bold"] is not None and value and not (raw[: found.end("bold") + 4].rstrip().endswith(":") or found["bold"].endswith(":")):
            value = value.lstrip("–—- ")
        if found["plain"] is not None and re.match(r"https?$", label, re.I):
            label = value = ""
    return Leaf(kind, plain(raw), line, label, value, ordered=ordered)


@dataclass(slots=True, eq=False)
class Table:
    """Header cells and rows. Without a header the first row is taken for one by the readers of Markdown and HTML."""

    headers: tuple[str, ...]
    rows: list[Leaf]
    line: int


@dataclass(slots=True, eq=False)
class Section:
    """A heading and what stands under it, up to the next heading. `level` 7 and more: a lead-in in bold or with a colon."""

    title: str
    level: int
    line: int
    parent: "Section | None" = None
    leaves: list[Leaf] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    children: "list[Section]" = field(default_factory=list)

    name: str = field(init=False)
    """The heading without its numbering."""
    _words: str = field(init=False, repr=False)
    """What the heading says, as `said_in` reads it: every recogniser asks every heading, so it is made once."""

    def __post_init__(self) -> None:
        self.title = plain(self.title)
        self.name = _NUMBERING.sub("", self.title).strip() or self.title
        self._words = f" {normal(self.title)} "

    @property
    def path(self) -> str:
        """Headings from the top, as a person would name the place; a long one with `…`."""
        names = [section.name for section in reversed([*self.upward()]) if section.title]
        return " > ".join(shortened(name, _LONGEST_OF_PATH) for name in names)

    def upward(self) -> "Iterator[Section]":
        """It and the sections that it stands in, innermost first."""
        section: Section | None = self
        while section is not None:
            yield section
            section = section.parent

    def downward(self) -> "Iterator[Section]":
        """It and every section within it, in the document's order."""
        waiting = [self]
        while waiting:
            section = waiting.pop()
            yield section
            waiting.extend(reversed(section.children))

    def says(self, *phrases: str) -> bool:
        """Whether its heading says one of these."""
        return said_in(self._words, phrases)

    def within(self, *phrases: str) -> bool:
        """Whether it, or a section that it stands in, says one of these."""
        return any(section.says(*phrases) for section in self.upward())

    def open_leaves(self) -> list[Leaf]:
        """Leaves of its own that nobody has claimed yet, rows of two-column tables included."""
        return [leaf for leaf in self.leaves if not leaf.claimed]


@dataclass(slots=True, eq=False)
class Tree:
    """A whole document."""

    sections: list[Section]
    front: dict[str, tuple[str, int]]
    """Front matter: key → value and line."""

    def leaves(self) -> Iterator[tuple[Section, Leaf]]:
        """Every top leaf with its section, rows included."""
        for section in self.sections:
            for leaf in section.leaves:
                yield section, leaf
            for table in section.tables:
                for row in table.rows:
                    yield section, row
