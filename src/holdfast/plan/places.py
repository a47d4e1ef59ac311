"""How a person writes a place of the plan: `functions.voice.rto`, `scenarios.regional-outage.phases.2.window.1`; lists count from 0.

Identifiers may hold dots themselves, so a written place is read along the plan's values: the longest key that is there wins.
"""

from typing import Any

from holdfast.plan.problems import Place


def place_of(text: str, data: Any) -> Place | None:
    """The place that a text means. Its last key need not be there yet; None where anything before it is not."""
    parts = text.split(".")
    if not all(parts):
        return None
    place: list[str | int] = []
    current = data
    while parts:
        if isinstance(current, list):
            if not parts[0].isdecimal() or int(parts[0]) > len(current):
                return None
            key: str | int = int(parts.pop(0))
            there = isinstance(key, int) and key < len(current)
        elif isinstance(current, dict):
            taken = next((count for count in range(len(parts), 0, -1) if ".".join(parts[:count]) in current), 0)
            there = taken > 0
            taken = taken or 1
            key, parts = ".".join(parts[:taken]), parts[taken:]
        else:
            return None
        place.append(key)
        if not there:
            return tuple(place) if not parts else None
        current = current[key]
    return tuple(place)


def value_at(place: Place, data: Any) -> Any:
    """What stands at a place; None where nothing does."""
    for key in place:
        try:
            data = data[key]
        except (KeyError, IndexError):
            return None
    return data


def written(place: Place) -> str:
    """A place as a person writes it."""
    return ".".join(str(part) for part in place)
