"""Values that a plan is written in: durations, times, identifiers.

Durations are written `250ms`, `15s`, `15m`, `4h`, `30d`, `7y` (a year is 365 days) and are carried as
float seconds everywhere else; a name that carries one ends in `_seconds` outside the plan.
"""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, StringConstraints

_UNIT_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "y": 31536000.0}
_DURATION = re.compile(r"(?:(\d+(?:\.\d+)?)(ms|s|m|h|d|w|y))+")
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w|y)")


def duration_seconds(text: str) -> float:
    """Seconds of a duration such as `15m` or `1h30m`. Raises ValueError, naming the form, for anything else."""
    compact = text.strip()
    if not _DURATION.fullmatch(compact):
        raise ValueError(f"'{text}' is not a duration; write a number and a unit, such as 30s, 15m, 4h, 30d or 7y")
    return sum(float(number) * _UNIT_SECONDS[unit] for number, unit in _PART.findall(compact))


def duration_text(seconds: float) -> str:
    """The shortest way to write a duration so that `duration_seconds` reads the same number back."""
    if seconds == 0:
        return "0s"
    for unit in ("y", "w", "d", "h", "m", "s"):
        count = seconds / _UNIT_SECONDS[unit]
        if count >= 1 and abs(count - round(count)) < 1e-9:
            return f"{round(count)}{unit}"
    milliseconds = seconds * 1000
    return f"{milliseconds:g}ms" if milliseconds < 1e6 else f"{seconds:f}".rstrip("0").rstrip(".") + "s"


def _read_duration(value: Any) -> float:
    if isinstance(value, str):
        return duration_seconds(value)
    raise ValueError(f"'{value}' is not a duration; write a number and a unit, such as 30s, 15m or 4h")


Duration = Annotated[float, BeforeValidator(_read_duration)]
"""A length of time: text with a unit in the plan, float seconds in the program."""

Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(?:[-.][a-z0-9]+)*$", max_length=63)]
"""What other places of the plan refer to: lower case letters, digits, `-` and `.`."""


_SPOKEN = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"))


def spoken_duration(seconds: float) -> str:
    """A length of time of a plan as people say it, exact to the second: `15 min`, `1 h 30 min`, `21 min 36 s`; below a minute `4.5 s`."""
    if seconds < 60:
        return f"{seconds:.3g} s"
    if seconds <= 120 * 60:
        minutes, rest = divmod(round(seconds), 60)
        return f"{minutes} min" + (f" {rest} s" if rest else "")
    parts = []
    left = round(seconds)
    for length, unit in _SPOKEN:
        count, left = divmod(left, int(length))
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts)
