"""What is wrong with a plan's file, with its place: the words that a person gets when a plan doesn't load.

Never here: what is wrong with a plan that does load (see `checks`).
"""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from holdfast.plan.comments import Ignore
    from holdfast.plan.document import Document

Place = tuple[str | int, ...]
"""Where a value stands in the plan: keys and list indexes from the top."""

_LONGEST_VALUE = 60
UNSEEN = "the rest of the plan wasn't looked at: what seems to be missing in it may stand behind this"
"""What is said with problems that leave holes in what a plan says."""
_MOST_SHOWN = 40
"""One mistake can bring many with it; whoever wants every one asks for JSON."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where something is written, counted from 1; the column in characters."""

    line: int
    column: int
    path: str = ""
    """File of a plan over several files; empty where the plan is one file."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that keeps a plan from loading. `value`: the offending one as it may be shown, or None.

    `key`: the missing key, or the one whose value has the wrong form, as a person writes its place; empty where more than one is meant.
    """

    path: str
    line: int
    column: int
    message: str
    value: str | None = None
    hint: str | None = None
    key: str = ""

    def __str__(self) -> str:
        value = "" if self.value is None else f" ({self.value})"
        hint = f" — {self.hint}" if self.hint else ""
        return f"{self.path}:{self.line}:{self.column}: {self.message}{value}{hint}"


class PlanError(Exception):
    """A plan that doesn't load: every problem that was found in one reading, in the file's order.

    `unseen`: a sentence on what wasn't looked at because of them; empty where all was. `document`: what the plan's files say, and `ignores`
    what their comments ask to ignore, where nothing but a key or the form of a value may be wrong; None where more is.
    """

    def __init__(
        self, problems: Iterable[Problem], unseen: str = "", document: "Document | None" = None, ignores: "tuple[Ignore, ...]" = ()
    ) -> None:
        self.unseen, self.document, self.ignores = unseen, document, ignores
        found = list(dict.fromkeys(problems))
        files = list(dict.fromkeys(problem.path for problem in found))
        self.problems: tuple[Problem, ...] = tuple(
            sorted(found, key=lambda problem: (files.index(problem.path), problem.line, problem.column, problem.message))
        )
        super().__init__("\n".join(self.lines()))

    def lines(self) -> list[str]:
        """A problem a line, as far as anybody reads them."""
        more = len(self.problems) - _MOST_SHOWN
        shown = [str(problem) for problem in self.problems[:_MOST_SHOWN]]
        if more > 0:
            shown.append(f"… and {more} more; `holdfast check {self.problems[0].path} -o json` lists them all")
        return [*shown, self.unseen] if self.unseen else shown


class Positions(Mapping[Place, Position]):
    """Where each value of the plan is written, and where the key before it is."""

    def __init__(self, values: Mapping[Place, Position], keys: Mapping[Place, Position]) -> None:
        self._values, self._keys = values, keys
        self._inside: dict[Place, list[tuple[Place, Position, Any]]] | None = None

    def __getitem__(self, place: Place) -> Position:
        return self._values[place]

    def __iter__(self) -> Any:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def nearest(self, place: Place) -> Position:
        """Where the value is written, or else the closest thing around it that is written."""
        for length in range(len(place), 0, -1):
            if place[:length] in self._values:
                return self._values[place[:length]]
        return self._values.get((), Position(1, 1))

    def below(self, place: Place) -> Iterator[tuple[Place, Position, Literal["value", "key"]]]:
        """Every place of the value and of all in it, with whether the position is the value's or its key's."""
        if self._inside is None:
            self._inside = {}
            for found, kept in ((self._values, "value"), (self._keys, "key")):
                for one, position in found.items():
                    for length in (1, 2):
                        if len(one) >= length:
                            self._inside.setdefault(one[:length], []).append((one, position, kept))
        yield from self._inside.get(place, ())

    def key(self, place: Place) -> Position:
        """Where the key of the value is written; for an item of a list, the value itself."""
        return self._keys.get(place) or self.nearest(place)


def shown(value: Any) -> str:
    """A value as it may be printed on a terminal: short, quoted, and without control characters."""
    if isinstance(value, dict | list):
        return "a list" if isinstance(value, list) else "a mapping"
    if value is None:
        return "nothing"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    safe = "".join(character if character.isprintable() else f"\\x{ord(character):02x}" for character in text[: _LONGEST_VALUE + 1])
    cut = safe[:_LONGEST_VALUE] + "…" if len(safe) > _LONGEST_VALUE else safe
    return f"'{cut}'" if isinstance(value, str) else cut


def did_you_mean(word: Any, known: Iterable[str]) -> str:
    """A hint with the closest known word, or else with the known ones when they are few."""
    words = sorted(set(known))
    close = difflib.get_close_matches(word[:_LONGEST_VALUE], words, n=1, cutoff=0.6) if isinstance(word, str) else []
    if close:
        return f"did you mean '{close[0]}'?"
    if not words:
        return "the plan has none"
    listed = ", ".join(words[:12]) + (", …" if len(words) > 12 else "")
    return f"known here: {listed}"


def shortened(text: str, most: int = 120) -> str:
    """A text for a sentence about it: whole, or its beginning with `…`. The whole stands at the place that the sentence names."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"
