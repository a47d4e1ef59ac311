"""Changing a plan's file as a person would: one value at a time, with comments, order and the rest of the text as they were.

Rules: the file that holds the place is changed, also an included one; the whole plan is loaded with the change before anything is
replaced, and a change with which it doesn't load is refused with the loader's own problems. Only a plan that didn't load before is mended
step by step, in whatever order: there a change is refused only for what it writes itself, a key that the plan doesn't know or a value of
the wrong form. What it still lacks, and what it names that isn't there yet, comes later. The replacement is atomic.
"""

import io
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from holdfast.plan.document import read
from holdfast.plan.findings import items
from holdfast.plan.loader import LoadedPlan, PlanError, files_of, load, load_changed, misshapen
from holdfast.plan.places import place_of, value_at, written
from holdfast.plan.problems import Place, Positions, Problem
from holdfast.plan.wordlists import MESSAGE_FIELDS
from holdfast.providers.file.writing import replaced


class PlaceError(ValueError):
    """A place that the plan doesn't have, or that can't take a value; its text says which and what to do."""


class RefusedError(PlanError):
    """A change with which the plan doesn't load. `because`: what the change itself brings; `others`: how many problems it had before."""

    def __init__(self, error: PlanError, because: Sequence[Problem]) -> None:
        super().__init__(error.problems, error.unseen, error.document, error.ignores)
        self.because = tuple(because)
        self.others = len(error.problems) - len(self.because)


@dataclass(frozen=True, slots=True)
class StillBroken:
    """A plan that was changed and still doesn't load, as it didn't before. `problems`: those that are left, new ones first."""

    problems: tuple[Problem, ...]


def set_value(path: Path, place: str, text: str) -> LoadedPlan | StillBroken:
    """Write a value, given as YAML text such as `20m` or `[a, b]`, at a place. Its last key may be new; after the last item, a list grows.

    Raises PlaceError for a place that isn't there, PlanError when the plan wouldn't load (then nothing is changed), OSError.
    """
    return _changed(path, [(place, text)])


def answered(path: Path, about: str, text: str) -> LoadedPlan | StillBroken:
    """Write the answer to one of the plan's questions where it belongs, and remove the question. Raises as `set_value` does.

    A question about words in a text, such as `[Timestamp]`, is answered with the message field that takes their place.
    """
    loaded = _written(path)
    asked = [(index, question) for index, question in _questions(loaded.tree) if question.get("about") == about]
    if not asked:
        open_ones = ", ".join(str(question.get("about")) for _, question in _questions(loaded.tree))
        raise PlaceError(f"the plan asks nothing about '{about}'; it asks about: {open_ones}" if open_ones else "the plan asks nothing")
    fitting = [question for _, question in asked if not _choices(question) or text in _choices(question)]
    if not fitting:
        choices = dict.fromkeys(choice for _, question in asked for choice in _choices(question))
        raise PlaceError(f"'{text}' is no answer to it; the choices are: {', '.join(choices)}")
    words = str(fitting[0].get("words") or "")
    worded = _worded(loaded, about, words, text) if text in MESSAGE_FIELDS else []
    # one value settles every question about its place; of words in a text each is a question of its own
    settled = [index for index, question in asked if (question is fitting[0] if words else not question.get("words"))]
    return _changed(path, worded or [(about, text)], [("questions", index) for index in settled])


def _questions(tree: Any) -> list[tuple[int, dict[str, Any]]]:
    """The plan's questions and their numbers, as far as they have the form of one: the plan need not load."""
    return [(index, one) for index, one in items(tree.get("questions")) if isinstance(one, dict)]


def _choices(question: dict[str, Any]) -> tuple[str, ...]:
    return tuple(str(choice) for _, choice in items(question.get("choices")))


def _worded(loaded: "_Written", about: str, words: str, field: str) -> list[tuple[str, str]]:
    """The texts below a place that hold the words in question, with a field instead; none where the question isn't about words."""
    holder = value_at(place_of(about, loaded.tree) or (), loaded.tree)
    if not words or not isinstance(holder, dict):
        return []
    holding = {key: text for key, text in holder.items() if isinstance(text, str) and words in text}
    return [(f"{about}.{key}", json.dumps(text.replace(words, f"{{{field}}}"), ensure_ascii=False)) for key, text in holding.items()]


Change = Callable[[Any], None]
"""What is done to a file's values as ruamel keeps them."""


@dataclass(frozen=True, slots=True)
class _Written:
    """A plan as its files write it, and what keeps it from loading, if something does."""

    path: Path
    tree: Any
    positions: Positions
    problems: tuple[Problem, ...] = ()


def _written(path: Path) -> _Written:
    try:
        loaded = load(path)
    except PlanError as error:
        document = files_of(path)
        return _Written(path, document.data, document.positions, error.problems)
    return _Written(path, loaded.tree, loaded.positions)


def _changed(path: Path, values: list[tuple[str, str]], remove: Sequence[Place] = ()) -> LoadedPlan | StillBroken:
    """`remove`: items of lists, in the order of their numbers."""
    loaded = _written(path)
    contents: dict[Path, str] = {}
    places: list[Place] = []

    def change(place: Place, what: Callable[[Any, Place], None]) -> None:
        file, inside = _where(loaded, place)
        before = contents.get(file) or file.read_text(encoding="utf-8-sig")
        contents[file] = _edited(before, lambda document: what(document, inside))

    for place_text, text in values:
        place = place_of(place_text, loaded.tree)
        if place is None:
            raise PlaceError(f"the plan has no place '{place_text}'; {_way_to(place_text, loaded.tree)}")
        value = _value(text)
        change(place, lambda document, inside, value=value: _put(document, inside, value))  # type: ignore[misc]
        places.append(place)
    for place in reversed(remove):
        change(place, _remove)
    after = _after(path, contents, loaded.problems, places)
    for file, content in contents.items():
        replaced(file, content.encode())
    return after


def _way_to(place: str, tree: Any) -> str:
    """What to do about a place that isn't there: write first what it would stand in, or spell it as what is there."""
    parts = place.split(".")
    known = next((end for end in range(len(parts) - 1, 0, -1) if place_of(".".join(parts[: end + 1]), tree) is not None), 0)
    around, below = ".".join(parts[: known + 1]), parts[known + 1 :]
    holder = value_at(place_of(".".join(parts[:known]), tree) or (), tree)
    if not all(parts) or not isinstance(holder, dict | list):
        return "write it as in 'functions.voice.rto', items of lists as numbers from 0"
    names: dict[str, Any] = holder if isinstance(holder, dict) else {}
    if parts[known] in names:
        inner = names[parts[known]]
        if isinstance(inner, list):
            return f"'{around}' is a list of {len(inner)}: its items are numbers from 0, and {len(inner)} adds one"
        return f"'{around}' is a single value, and nothing can stand in it"
    near = get_close_matches(parts[known], [*map(str, names)], 1, 0.75)
    meant = f"did you mean '{'.'.join([*parts[:known], near[0]])}'? Else " if near else ""
    inside = "…"
    for key in reversed(below):
        inside = f"{{ {key}: {inside} }}"
    return f"{meant}'{around}' has to be there first: holdfast set PLAN {around} '{inside}'"


def _after(path: Path, contents: dict[Path, str], before: tuple[Problem, ...], places: list[Place]) -> LoadedPlan | StillBroken:
    """The plan with these contents. Raises PlanError when it doesn't load, unless it didn't before and these may stand there."""
    after = {file: content.encode() for file, content in contents.items()}
    try:
        return load_changed(path, after)
    except PlanError as error:
        had = {(problem.message, problem.value, problem.hint) for problem in before}
        new = [problem for problem in error.problems if (problem.message, problem.value, problem.hint) not in had]
        if not before or misshapen(files_of(path, after).data, places):
            raise RefusedError(error, new or error.problems) from None
        return StillBroken((*new, *(problem for problem in error.problems if problem not in new)))


def _where(loaded: _Written, place: Place) -> tuple[Path, Place]:
    """The file that holds a place, and the place within it: an included file's lists count from their own start."""
    around = place if place in loaded.positions else place[:-1]
    position = loaded.positions.nearest(around)
    file = Path(position.path) if position.path else loaded.path
    if len(around) > 1 and isinstance(place[1], int):
        offset = next(
            index for index in range(place[1] + 1) if (loaded.positions.nearest((place[0], index)).path or str(loaded.path)) == str(file)
        )
        return file, (place[0], place[1] - offset, *place[2:])
    return file, place


def _edited(text: str, change: Change) -> str:
    """The text after a change. ruamel writes some lines in another way than they were; only those that the change touches are taken."""
    document = _editor().load(text)
    untouched = _text(document)
    change(document)
    touched = _text(document)
    lines = text.splitlines(keepends=True)
    if len(untouched) != len(lines):
        return "".join(touched)
    same = next(
        (index for index, pair in enumerate(zip(untouched, touched, strict=False)) if pair[0] != pair[1]), min(len(untouched), len(touched))
    )
    most = min(len(untouched), len(touched)) - same
    after = next((index for index in range(most) if untouched[-1 - index] != touched[-1 - index]), most)
    return "".join([*lines[:same], *touched[same : len(touched) - after], *lines[len(lines) - after :]])


def _editor() -> Any:
    from ruamel.yaml import YAML

    editor = YAML()
    editor.preserve_quotes = True
    editor.width = 4096
    editor.indent(mapping=2, sequence=4, offset=2)
    return editor


_SENTENCE = re.compile(r"\w[^\n]*(?:: | #)[^\n]*|\w[^\n]* [^\n]*:")
"""What YAML would take for a key with its value, or for a value with a remark, and nobody means so who types a value."""


def _value(text: str) -> Any:
    """A value as the plan's own reader takes it, so that `on` stays a word and `20m` a duration; a sentence stays whole, colons and all."""
    if _SENTENCE.fullmatch(text):
        return text
    found = read(b"value: " + text.encode(), "the value")
    if found.problems:
        raise PlanError(found.problems)
    if set(found.data) != {"value"}:
        raise PlaceError("a place takes one value, and these are several; set one after the other")
    return found.data["value"]


def _put(document: Any, place: Place, value: Any) -> None:
    holder = value_at(place[:-1], document)
    last: Any = place[-1]
    if isinstance(holder, list) and last == len(holder):
        holder.append(value)
        return
    if not isinstance(holder, dict | list):
        raise PlaceError(f"'{written(place[:-1])}' is a single value; nothing can stand in it")
    holder[last] = value


def _remove(document: Any, place: Place) -> None:
    holder = value_at(place[:-1], document)
    del holder[place[-1]]
    if not holder and len(place) > 1:
        del document[place[0]]


def _text(document: Any) -> list[str]:
    """The document's lines as ruamel writes them."""
    stream = io.StringIO()
    _editor().dump(document, stream)
    return stream.getvalue().splitlines(keepends=True)
