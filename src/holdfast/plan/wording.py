"""What pydantic finds wrong with the values, in words for people and with its place in the file.

Rules: a place in pydantic's terms is walked along the values as they were read, because it also names union branches that
stand nowhere in the file. Unknown keys get the closest key that the type knows.
"""

import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from holdfast.plan.document import Document
from holdfast.plan.model import Plan
from holdfast.plan.places import written
from holdfast.plan.problems import Place, Problem, did_you_mean, shown

_EXPECTED = {
    "string_type": ("this must be text", "put it in quotes"),
    "int_type": ("this must be a whole number", None),
    "int_parsing": ("this must be a whole number", None),
    "int_from_float": ("this must be a whole number", None),
    "float_type": ("this must be a number", None),
    "float_parsing": ("this must be a number", None),
    "bool_type": ("this must be true or false", None),
    "bool_parsing": ("this must be true or false", None),
    "tuple_type": ("this must be a list", "write it as [one, two] or as lines that start with '- '"),
    "dict_type": ("this must be a mapping of names to values", "write lines of the form 'name: value'"),
    "model_type": ("this must be a mapping of keys to values", "write lines of the form 'key: value'"),
    "model_attributes_type": ("this must be a mapping of keys to values", "write lines of the form 'key: value'"),
    "too_short": ("this needs more entries", None),
    "too_long": ("this has too many entries", None),
    "union_tag_not_found": ("the key 'kind' is missing", "it says which of the possible things this is"),
}
_BOUNDS = {
    "greater_than": ("more than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
}


def place_of_error(error: Any, data: Any) -> Place:
    """Where one of pydantic's errors stands among the values that it speaks of; of a missing key, what lacks it."""
    return _walk(data, tuple(error["loc"]), error["type"])


def problem_of(error: Any, document: Document, path: str) -> Problem:
    """One of pydantic's errors as a problem with its place."""
    location: tuple[str | int, ...] = tuple(error["loc"])
    names_key = bool(location) and location[-1] == "[key]"
    kind: str = error["type"]
    place = _walk(document.data, location[:-1] if names_key else location, kind)
    about_key = names_key or kind == "extra_forbidden"
    position = document.positions.key(place) if about_key else document.positions.nearest(place)
    message, value, hint = _words(kind, error, location, place, names_key)
    key = written((*place, location[-1]) if kind == "missing" else place)
    return Problem(position.path or path, position.line, position.column, message, value, hint, key)


def told(errors: list[Any]) -> list[Any]:
    """Pydantic's errors without those that only echo another one.

    Who observes follows from the regions, where there are some. A list that has items is too short because each is wrong.
    """
    wrong = {error["loc"] for error in errors}
    return [
        error
        for error in errors
        if not (error["loc"] == ("observers",) and ("regions",) in wrong) and not (error["type"] == "too_short" and error["input"])
    ]


def _words(kind: str, error: Any, location: Place, place: Place, names_key: bool) -> tuple[str, str | None, str | None]:
    """Message, value and hint of an error."""
    if kind == "missing":
        return f"the key '{location[-1]}' is missing", None, f"add it to {_named(place)}"
    if kind == "extra_forbidden":
        return "unknown key", shown(location[-1]), did_you_mean(location[-1], keys_at(place[:-1]))
    value = shown(error["input"])
    context = error.get("ctx", {})
    if kind in ("literal_error", "union_tag_invalid"):
        given = context.get("tag", error["input"])
        known = listed_words(context.get("expected") or context.get("expected_tags", ""))
        return "this is not one of the words that may stand here", shown(given), did_you_mean(given, known)
    if kind in ("string_pattern_mismatch", "string_too_long"):
        what = "this is not an identifier" if not names_key else "this name is not an identifier"
        return what, value, "lower case letters, digits, '-' and '.', starting with a letter, at most 63 characters"
    if kind == "value_error":
        return str(context.get("error", error["msg"])), None, None
    if kind in _BOUNDS:
        words, key = _BOUNDS[kind]
        return f"this must be {words} {context.get(key):g}", value, None
    expected, hint = _EXPECTED.get(kind, (str(error["msg"]), None))
    return expected, value, hint


def listed_words(words: str) -> list[str]:
    """The words of a list as pydantic writes it."""
    return [word.strip().strip("'") for word in words.replace(" or ", ", ").split(",")]


def _named(place: Place) -> str:
    return "the top of the file" if not place else "'" + ".".join(str(part) for part in place) + "'"


def _walk(data: Any, location: tuple[str | int, ...], kind: str) -> Place:
    """The part of a location that stands in the file: names of union branches are left out, and the last key of a `missing` one.

    A branch may be called like one of its keys: where the way goes on from a plain value to a key beside it, that was the branch. Where it
    goes on to a form that the value may have, such as `str`, the value itself is meant.
    """
    place: list[str | int] = []
    current = holder = data
    for part in location:
        if place and not isinstance(current, dict | list) and (kind == "missing" or (isinstance(holder, dict) and part in holder)):
            place.pop()
            current = holder
        in_mapping = isinstance(current, dict) and part in current
        in_list = isinstance(current, list) and isinstance(part, int) and part < len(current)
        if in_mapping or in_list:
            holder, current = current, current[part]
            place.append(part)
    return tuple(place)


def keys_at(place: Place) -> frozenset[str]:
    """Keys that the plan's types know at a place of the file."""
    candidates: list[Any] = [Plan]
    for part in place:
        candidates = [inner for candidate in candidates for inner in _below(candidate, part)]
    return frozenset(
        field.alias or name
        for candidate in candidates
        if isinstance(candidate, type) and issubclass(candidate, BaseModel)
        for name, field in candidate.model_fields.items()
    )


def _below(kind: Any, part: str | int) -> list[Any]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        found = [field.annotation for name, field in kind.model_fields.items() if part in (name, field.alias)]
        return [branch for annotation in found for branch in _branches(annotation)]
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is dict:
        return _branches(arguments[1])
    if origin is tuple and arguments:
        return _branches(arguments[0])
    return []


def _branches(annotation: Any) -> list[Any]:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _branches(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return [branch for argument in get_args(annotation) for branch in _branches(argument)]
    return [] if origin is Literal else [annotation]
