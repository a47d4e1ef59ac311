"""YAML text → plain values with the place of each: the only reader of plan files.

It takes events from the C parser and builds the values itself, without recursion, so that size and depth are bounded *before*
anything is built (the C composer crashes on very deep nesting) and every key and value keeps its line and column.
A plan is a plain tree: duplicate keys, anchors, aliases and tags are problems. Plain words are read as in YAML 1.2: only
`true` and `false` are truth values, and dates and versions such as `1.2.3` stay text.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml import events

from holdfast.plan.problems import Place, PlanError, Position, Positions, Problem, shown

MOST_BYTES = 16 * 1024 * 1024
DEEPEST = 64
MOST_VALUES = 250_000
"""Each value keeps its place, so that their number bounds the memory that a file can take."""
MOST_PROBLEMS = 2000
"""Whoever reads so many has seen what is wrong."""

HIDDEN = re.compile("[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
"""Characters that turn the direction of what stands around them, or take no room: a name or a number with one isn't what it seems."""
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_LONG_INTEGER = re.compile(r"[-+]?[0-9]{19,}")
_FLOAT = re.compile(r"[-+]?(?:[0-9]{1,40}\.[0-9]{0,40}|\.[0-9]{1,40}|[0-9]{1,40}(?=[eE]))(?:[eE][-+]?[0-9]{1,2})?")
_WORDS = {
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
    "null": None,
    "Null": None,
    "NULL": None,
    "~": None,
    "": None,
}


@dataclass(frozen=True, slots=True)
class Document:
    """A plan's file as plain values. `problems` are those that let the rest be read.

    `has_holes`: one of them stands where values would be (an alias, a tag, a file that isn't there): what is missing may be behind it.
    """

    data: Any
    positions: Positions
    problems: tuple[Problem, ...]
    has_holes: bool = False


@dataclass(slots=True)
class _Open:
    """A list or mapping that is being read; `key` is the one whose value comes next."""

    value: dict[str, Any] | list[Any]
    place: Place
    key: str | None = None
    awaits_value: bool = False
    drop: bool = False


@dataclass(slots=True)
class _Builder:
    path: str
    data: Any = None
    stack: list[_Open] = field(default_factory=list)
    values: dict[Place, Position] = field(default_factory=dict)
    keys: dict[Place, Position] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    documents: int = 0
    has_holes: bool = False

    def problem(self, mark: Position, message: str, value: str | None = None, hint: str | None = None) -> None:
        self.problems.append(Problem(self.path, mark.line, mark.column, message, value, hint))

    def take(self, event: Any) -> None:
        mark = Position(event.start_mark.line + 1, event.start_mark.column + 1)
        if isinstance(event, events.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                self.problem(mark, "a second document starts here", "'---'", "a plan is one document; remove the line")
                raise PlanError(self.problems)
        elif isinstance(event, events.AliasEvent):
            self.problem(mark, "an alias stands here", f"'*{event.anchor}'", "a plan repeats what it means; write the value out")
            self.has_holes = True
            self._put(mark, None)
        elif isinstance(event, events.ScalarEvent):
            self._refuse_anchor_and_tag(event, mark)
            self._scalar(event, mark)
        elif isinstance(event, events.MappingStartEvent | events.SequenceStartEvent):
            self._refuse_anchor_and_tag(event, mark)
            self._open({} if isinstance(event, events.MappingStartEvent) else [], mark)
        elif isinstance(event, events.MappingEndEvent | events.SequenceEndEvent):
            self.stack.pop()

    def _refuse_anchor_and_tag(self, event: Any, mark: Position) -> None:
        if event.anchor is not None:
            self.problem(
                mark,
                "an anchor stands here",
                f"'&{event.anchor}'",
                "a plan is a plain tree; remove it and write the value out where it is needed",
            )
        if event.tag is not None and event.tag != "!":
            self.problem(mark, "a tag stands here", shown(event.tag), "a plan holds plain values only; remove the tag")
            self.has_holes = True

    def _scalar(self, event: Any, mark: Position) -> None:
        parent = self.stack[-1] if self.stack else None
        if parent is not None and isinstance(parent.value, dict) and not parent.awaits_value:
            self._key(parent, event.value, mark)
            return
        hidden = HIDDEN.search(event.value)  # written as an escape: the text itself holds none
        if hidden is not None:
            self.problems.append(_hidden_problem(self.path, mark, hidden[0]))
        value: Any = event.value
        if event.implicit[0] and not event.style:
            if _LONG_INTEGER.fullmatch(value):
                self.problem(mark, "this number is too long to mean anything", shown(value), "put it in quotes if it is text")
            value = plain(value)
        self._put(mark, value)

    def _key(self, parent: _Open, key: str, mark: Position) -> None:
        assert isinstance(parent.value, dict)
        place = (*parent.place, key)
        parent.drop = key in parent.value
        if parent.drop:
            first = self.keys[place]
            self.problem(mark, f"this key stands here a second time, after line {first.line}", shown(key), "keep one of the two")
        else:
            self.keys[place] = mark
            parent.value[key] = None
        parent.key, parent.awaits_value = key, True

    def _open(self, value: dict[str, Any] | list[Any], mark: Position) -> None:
        if len(self.stack) >= DEEPEST:
            self.problem(
                mark, f"values are nested deeper than {DEEPEST} levels", None, "no plan needs that; look for an unclosed bracket above"
            )
            raise PlanError(self.problems)
        parent = self.stack[-1] if self.stack else None
        if parent is not None and isinstance(parent.value, dict) and not parent.awaits_value:
            self.problem(mark, "a key is a list or a mapping", None, "keys are plain words; put braces that are text in quotes")
            raise PlanError(self.problems)
        place = self._put(mark, value)
        self.stack.append(_Open(value, place))

    def _put(self, mark: Position, value: Any) -> Place:
        """Store a value where it belongs. The second value of a repeated key goes nowhere, but is still read for problems."""
        if len(self.values) >= MOST_VALUES:
            self.problem(mark, f"the file holds more than {MOST_VALUES} values", None, "no plan does; is it the right file?")
            raise PlanError(self.problems)
        if len(self.problems) >= MOST_PROBLEMS:
            raise PlanError(self.problems)
        if not self.stack:
            self.data = value
            self.values[()] = mark
            return ()
        parent = self.stack[-1]
        if isinstance(parent.value, list):
            place: Place = (*parent.place, len(parent.value))
            parent.value.append(value)
        else:
            if not parent.awaits_value:
                self.problem(mark, "a key is an alias", None, "keys are plain words")
                raise PlanError(self.problems)
            assert parent.key is not None
            parent.awaits_value = False
            if parent.drop:
                return (*parent.place, parent.key, "")
            place = (*parent.place, parent.key)
            parent.value[parent.key] = value
        self.values[place] = mark
        return place


def plain(text: str) -> Any:
    """The value of an unquoted word."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def read(content: bytes, path: str) -> Document:
    """The values of a plan's file. Raises PlanError when the text can't be read to its end."""
    text = _decoded(content, path)
    builder = _Builder(path)
    try:
        for event in _events(text):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        position = Position(mark.line + 1, mark.column + 1) if mark is not None else Position(1, 1)
        what = " ".join(part for part in (error.context, error.problem) if part)
        builder.problem(position, f"this is not YAML: {what}", None, _syntax_hint(text, position))
        raise PlanError(builder.problems) from None
    except yaml.reader.ReaderError as error:
        raise PlanError([_character_problem(text, path, error)]) from None
    if builder.data is None and not builder.problems:
        builder.problem(Position(1, 1), "the file holds no plan", None, "start from examples/voicehive/plan.yaml")
        raise PlanError(builder.problems)
    return Document(builder.data, Positions(builder.values, builder.keys), tuple(builder.problems), builder.has_holes)


def _events(text: str) -> Iterator[Any]:
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    yield from yaml.parse(text, Loader=loader)


def _decoded(content: bytes, path: str) -> str:
    if len(content) > MOST_BYTES:
        message = f"the file is larger than {MOST_BYTES // 1024 // 1024} MiB"
        raise PlanError([Problem(path, 1, 1, message, f"{len(content)} bytes", "this is hardly a plan; is it the right file?")])
    if content.startswith((b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")):
        raise PlanError([Problem(path, 1, 1, "the file is written in UTF-32", None, "save it as UTF-8")])
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise PlanError([Problem(path, 1, 1, "the file is written in UTF-16", None, "save it as UTF-8")])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line_start = before.rfind(b"\n") + 1
        column = len(before[line_start:].decode("utf-8", "replace")) + 1
        byte = f"byte 0x{content[error.start]:02x}"
        raise PlanError([Problem(path, before.count(b"\n") + 1, column, "this is not UTF-8", byte, "save the file as UTF-8")]) from None
    strange = re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", text)
    if strange:
        place = _position_of(text, strange.start())
        character = f"\\x{ord(strange.group()):02x}"
        raise PlanError([Problem(path, place.line, place.column, "a control character stands here", character, "remove it")])
    hidden = HIDDEN.search(text)
    if hidden:
        place = _position_of(text, hidden.start())
        raise PlanError([_hidden_problem(path, place, hidden[0])])
    return text


def _hidden_problem(path: str, place: Position, character: str) -> Problem:
    code = f"U+{ord(character):04X}"
    return Problem(
        path, place.line, place.column, "a character stands here that isn't seen, and can make text look like another", code, "remove it"
    )


def _position_of(text: str, index: int) -> Position:
    return Position(text.count("\n", 0, index) + 1, index - (text.rfind("\n", 0, index) + 1) + 1)


def _character_problem(text: str, path: str, error: Any) -> Problem:
    index = next((place for place, character in enumerate(text) if yaml.reader.Reader.NON_PRINTABLE.match(character)), 0)
    place = _position_of(text, index)
    return Problem(path, place.line, place.column, "a character stands here that YAML does not allow", None, f"remove it ({error.reason})")


def _syntax_hint(text: str, position: Position) -> str:
    lines = text.splitlines()
    line = lines[position.line - 1] if position.line <= len(lines) else ""
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return "the line is indented with a tab; YAML wants spaces"
    return "look at this line and the one before: indentation, a missing colon, or a quote or bracket that isn't closed"
