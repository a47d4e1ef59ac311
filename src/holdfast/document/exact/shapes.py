"""What sort of value stands where in a plan, read off the plan's types once.

A shape says how a value is written in a cell, and what lies below it. It knows nothing of Markdown.
"""

import types
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from holdfast.plan.model import Plan
from holdfast.plan.part import Part
from holdfast.plan.problems import Place
from holdfast.plan.values import Duration, Frequency, Identifier, Target, WindowEnd


class Kind(StrEnum):
    """The sorts of values."""

    TEXT = "text"
    NAME = "name"
    DURATION = "duration"
    FREQUENCY = "frequency"
    WINDOW_END = "window end"
    TARGET = "target"
    NUMBER = "number"
    TRUTH = "truth"
    ANY = "any"
    PART = "part"
    LIST = "list"
    MAPPING = "mapping"


@dataclass(frozen=True, slots=True)
class Shape:
    """`parts`: of a part, the types that it can have.

    `below`: of a list or mapping, what its items are; a list of fixed length has one each.
    """

    kind: Kind
    parts: tuple[type[Part], ...] = ()
    below: tuple["Shape", ...] = ()

    def item(self, index: int = 0) -> "Shape":
        """Shape of an item of a list, or of any value of a mapping."""
        return self.below[min(index, len(self.below) - 1)]

    @property
    def is_leaf(self) -> bool:
        """Whether a value of it fits one cell: a scalar, or a list of scalars."""
        if self.kind is Kind.LIST:
            return all(shape.kind not in (Kind.PART, Kind.LIST, Kind.MAPPING, Kind.ANY) for shape in self.below)
        return self.kind not in (Kind.PART, Kind.MAPPING, Kind.ANY)

    @property
    def is_collection(self) -> bool:
        """Whether it holds parts, each with a key or a number."""
        return self.kind in (Kind.LIST, Kind.MAPPING) and self.item().kind is Kind.PART


ANYTHING = Shape(Kind.ANY)
_MARKED = {
    get_args(Duration)[1]: Kind.DURATION,
    get_args(Frequency)[1]: Kind.FREQUENCY,
    get_args(WindowEnd)[1]: Kind.WINDOW_END,
    get_args(Identifier)[1]: Kind.NAME,
}
"""What marks a type of `plan.values` → its kind."""
_PLAIN = {str: Kind.TEXT, int: Kind.NUMBER, float: Kind.NUMBER, bool: Kind.TRUTH, Target: Kind.TARGET}


def shape_of(annotation: Any) -> Shape:
    """Shape of a type."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        marked = next((kind for mark, kind in _MARKED.items() for given in arguments[1:] if given == mark), None)
        return Shape(marked) if marked is not None else shape_of(arguments[0])
    if origin in (Union, types.UnionType):
        return _of_union([shape_of(argument) for argument in arguments if argument is not type(None)])
    if origin is Literal:
        return Shape(Kind.TEXT)
    if origin is tuple:
        return Shape(Kind.LIST, below=tuple(shape_of(argument) for argument in arguments if argument is not Ellipsis))
    if origin is dict:
        return Shape(Kind.MAPPING, below=(shape_of(arguments[1]),))
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return Shape(Kind.PART, parts=(annotation,))
    return Shape(_PLAIN.get(annotation, Kind.ANY))


def _of_union(shapes: list[Shape]) -> Shape:
    if all(shape.kind is Kind.PART for shape in shapes):
        return Shape(Kind.PART, parts=tuple(part for shape in shapes for part in shape.parts))
    kinds = {shape.kind for shape in shapes}
    if len(kinds) == 1 or kinds == {Kind.FREQUENCY, Kind.TEXT}:
        return shapes[0]
    return ANYTHING


@cache
def fields_of(part: type[Part]) -> dict[str, Shape]:
    """The keys of a part in the plan's file, in order, with their shapes."""
    hints = get_type_hints(part, include_extras=True)
    return {field.alias or name: shape_of(hints[name]) for name, field in part.model_fields.items()}


PLAN = Shape(Kind.PART, parts=(Plan,))


def below(shape: Shape, key: str | int) -> Shape | None:
    """Shape of what stands below a value under a key or number, or None where the plan knows no such place."""
    if shape.kind is Kind.PART:
        return next((fields_of(part)[key] for part in shape.parts if isinstance(key, str) and key in fields_of(part)), None)
    if shape.kind is Kind.MAPPING:
        return shape.item() if isinstance(key, str) else None
    if shape.kind is Kind.LIST:
        return shape.item(key) if isinstance(key, int) else None
    return ANYTHING if shape.kind is Kind.ANY and isinstance(key, str) else None


def shape_at(place: Place) -> Shape | None:
    """Shape of the value at a place of the plan."""
    shape: Shape | None = PLAN
    for key in place:
        shape = below(shape, key) if shape is not None else None
    return shape


_NAMES = {"rto": "RTO", "rpo": "RPO", "mtpd": "MTPD", "ttl": "TTL", "id": "Step", "usd": "USD"}


@cache
def title_of(key: str) -> str:
    """How a key of the plan stands above a column: `revenue_loss_usd` is `Revenue loss USD`."""
    words = " ".join(_NAMES.get(word, word) for word in key.split("_"))
    return words[:1].upper() + words[1:]
