"""What a step's parameters may hold: one reader a parameter, so that the loader can refuse a bad one with its place.

A reader takes the plain value and the plan's identifiers, and returns a sentence about what is wrong, or None.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from holdfast.plan.values import duration_seconds

Known = Mapping[str, frozenset[str]]
"""Identifiers of the plan by what they name: `functions`, `messages`, `components`."""

_MOST_REPLICAS = 10_000


def _message(value: Any, known: Known) -> str | None:
    if not isinstance(value, str):
        return "it names a message of the plan"
    return None if value in known["messages"] else "the plan has no message of this name"


def _text(value: Any, _known: Known) -> str | None:
    return None if isinstance(value, str) and value.strip() else "it is text; put it in quotes"


def _duration(value: Any, _known: Known) -> str | None:
    if not isinstance(value, str):
        return "it is a duration; write a number and a unit, such as 30s or 5m"
    try:
        duration_seconds(value)
    except ValueError as error:
        return str(error)
    return None


def _count(value: Any) -> bool:
    return type(value) is int and 0 <= value <= _MOST_REPLICAS


def _replicas(value: Any, known: Known) -> str | None:
    form = "it is a number of instances, or a number for each function, such as {voice: 3}"
    if isinstance(value, dict):
        strange = [name for name in value if name not in known["functions"]]
        if strange:
            return f"the plan has no function '{strange[0]}'"
        return None if value and all(_count(count) for count in value.values()) else form
    return None if _count(value) else form


def _region(value: Any, _known: Known) -> str | None:
    return None if value in ("source", "target") else "it is 'source' or 'target', as the run has them"


def _stores(value: Any, known: Known) -> str | None:
    form = "it is 'source' or 'target', or one of them for each store, such as {database: target, storage: source}"
    if not isinstance(value, dict):
        return None if value in ("source", "target") else form
    strange = [name for name in value if name not in known["components"]]
    if strange:
        return f"the plan has no component '{strange[0]}'"
    return None if value and all(side in ("source", "target") for side in value.values()) else form


def _components(value: Any, known: Known) -> str | None:
    if not isinstance(value, list) or not value:
        return "it is a list of components, such as [storage]"
    strange = [name for name in value if not isinstance(name, str) or name not in known["components"]]
    return f"the plan has no component '{strange[0]}'" if strange else None


def side_of(parameters: Mapping[str, Any], store: str) -> str:
    """Whose store the parameter `stores` means for one store: `source` or `target`, the default."""
    stores = parameters.get("stores", "target")
    return str(stores.get(store, "target")) if isinstance(stores, Mapping) else str(stores)


def replicas_of(parameters: Mapping[str, Any], functions: Iterable[str]) -> dict[str, int]:
    """Function → how many instances the parameter `replicas` wants: one number for all functions, or one for each that it names."""
    wanted = parameters["replicas"]
    return dict(wanted) if isinstance(wanted, Mapping) else dict.fromkeys(functions, int(wanted))


def region_of(parameters: Mapping[str, Any], source: str, target: str) -> str:
    """The region that the parameter `region` means: the run's target unless it says `source`."""
    return source if parameters.get("region", "target") == "source" else target


READERS: dict[str, Callable[[Any, Known], str | None]] = {
    "message": _message,
    "text": _text,
    "version": _text,
    "for": _duration,
    "replicas": _replicas,
    "region": _region,
    "stores": _stores,
    "components": _components,
}
