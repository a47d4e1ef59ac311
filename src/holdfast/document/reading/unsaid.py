"""What a document leaves unsaid although plans of its kind say it. The plan loads without; nobody should think that it stood there. Pure."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

_KEEPS_DATA = frozenset({"postgres", "redis", "bucket"})
_OF_EACH = {
    "roles": ("backup",),
    "exercises": ("every",),
    "messages": ("audience", "channels"),
    "escalation": ("answer_within", "channels"),
}
_OF_ALL = {"objectives": ("rto", "rpo"), "document": ("owner", "next_review", "retention")}


def unsaid(value: Mapping[str, Any], settled: Collection[str]) -> tuple[str, ...]:
    """Places of the plan that hold nothing. `settled`: those that a question is about, or of which the document says that there is none."""
    return tuple(place for place in _usual(value) if place not in settled and _at(value, place.split(".")) in (None, [], ""))


def _usual(value: Mapping[str, Any]) -> Iterator[str]:
    for section, keys in _OF_ALL.items():
        yield from (f"{section}.{key}" for key in keys)
    for section, keys in _OF_EACH.items():
        yield from (f"{section}.{name}.{key}" for name in value.get(section, {}) for key in keys)
    components = value.get("components", {}).items()
    yield from (f"components.{name}.rpo" for name, component in components if component.get("kind") in _KEEPS_DATA)


def _at(value: Any, keys: list[str]) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
