"""Changing a plan's file as a person would: one value at a time, with comments, order and the rest of the text as they were.

Rules: the file that holds the place is changed, also an included one; the whole plan is loaded with the change before anything is
replaced, and a change with which it doesn't load is refused with the loader's own problems. Only a plan that didn't load before is mended
step by step: there a change that takes problems away and adds none is made. The replacement is atomic.
"""

import io
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast.plan.document import read
from holdfast.plan.loader import LoadedPlan, PlanError, files_of, load, load_changed
from holdfast.plan.places import place_of, written
from holdfast.plan.problems import Place, Positions, Problem
from holdfast.plan.wordlists import MESSAGE_FIELDS
from holdfast.providers.file.writing import replaced


class PlaceError(ValueError):
    """A place that the plan doesn't have, or that can't take a value; its text says which and what to do."""


@dataclass(frozen=True, slots=True)
class StillBroken:
    """A plan that was changed and still doesn't load, as it didn't before. `problems`: those that are left, fewer than there were."""

    problems: tuple[Problem, ...]


def set_value(path: Path, place: str, text: str) -> LoadedPlan | StillBroken:
    """Write a value, given as YAML text such as `20m` or `[a, b]`, at a place. Its last key may be new; after the last item, a list grows.

    Raises PlaceError for a place that isn't there, PlanError when the plan wouldn't load (then nothing is changed), OSError.
    """
    return _changed(path, [(place, text)], remove=None)


def answered(path: Path, about: str, text: str) -> LoadedPlan | StillBroken:
    """Write the answer to one of the plan's questions where it belongs, and remove the question. Raises as `set_value` does.

    A question about words in a text, such as `[Timestamp]`, is answered with the message field that takes their place.
    """
    loaded = load(path)
    plan = loaded.plan
    number = next((index for index, question in enumerate(plan.questions) if question.about == about), None)
    if number is None:
        open_ones = ", ".join(question.about for question in plan.questions)
        raise PlaceError(f"the plan asks nothing about '{about}'; it asks about: {open_ones}" if open_ones else "the plan asks nothing")
    choices = plan.questions[number].choices
    if choices and text not in choices:
        raise PlaceError(f"'{text}' is no answer to it; the choices are: {', '.join(choices)}")
    worded = _worded(loaded, about, plan.questions[number].words, text) if text in MESSAGE_FIELDS else []
    return _changed(path, worded or [(about, text)], remove=("questions", number))


def _worded(loaded: LoadedPlan, about: str, words: str, field: str) -> list[tuple[str, str]]:
    """The texts below a place that hold the words in question, with a field instead; none where the question isn't about words."""
    holder = loaded.tree
    for part in place_of(about, loaded.tree) or ():
        holder = holder[part]
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


def _changed(path: Path, values: list[tuple[str, str]], remove: Place | None) -> LoadedPlan | StillBroken:
    loaded = _written(path)
    contents: dict[Path, str] = {}

    def change(place: Place, what: Callable[[Any, Place], None]) -> None:
        file, inside = _where(loaded, place)
        before = contents.get(file) or file.read_text(encoding="utf-8-sig")
        contents[file] = _edited(before, lambda document: what(document, inside))

    for place_text, text in values:
        place = place_of(place_text, loaded.tree)
        if place is None:
            hint = "write it as in 'functions.voice.rto', items of lists as numbers from 0"
            raise PlaceError(f"the plan has no place '{place_text}'; {hint}")
        value = _value(text)
        change(place, lambda document, inside, value=value: _put(document, inside, value))  # type: ignore[misc]
    if remove is not None:
        change(remove, _remove)
    after = _after(path, contents, loaded.problems)
    for file, content in contents.items():
        replaced(file, content.encode())
    return after


def _after(path: Path, contents: dict[Path, str], before: tuple[Problem, ...]) -> LoadedPlan | StillBroken:
    """The plan with these contents. Raises PlanError when it doesn't load, unless it didn't before either and comes closer to it."""
    try:
        return load_changed(path, {file: content.encode() for file, content in contents.items()})
    except PlanError as error:
        left, had = (Counter((one.message, one.value, one.hint) for one in problems) for problems in (error.problems, before))
        if not left < had:
            raise
        return StillBroken(error.problems)


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


def _value(text: str) -> Any:
    """A value as the plan's own reader takes it, so that `on` stays a word and `20m` a duration."""
    found = read(b"value: " + text.encode(), "the value")
    if found.problems:
        raise PlanError(found.problems)
    if set(found.data) != {"value"}:
        raise PlaceError("a place takes one value, and these are several; set one after the other")
    return found.data["value"]


def _put(document: Any, place: Place, value: Any) -> None:
    holder = document
    for part in place[:-1]:
        holder = holder[part]
    last: Any = place[-1]
    if isinstance(holder, list) and last == len(holder):
        holder.append(value)
        return
    if not isinstance(holder, dict | list):
        raise PlaceError(f"'{written(place[:-1])}' is a single value; nothing can stand in it")
    holder[last] = value


def _remove(document: Any, place: Place) -> None:
    holder = document
    for part in place[:-1]:
        holder = holder[part]
    del holder[place[-1]]
    if not holder and len(place) > 1:
        del document[place[0]]


def _text(document: Any) -> list[str]:
    """The document's lines as ruamel writes them."""
    stream = io.StringIO()
    _editor().dump(document, stream)
    return stream.getvalue().splitlines(keepends=True)
