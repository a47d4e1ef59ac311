"""How the report says figures: units with every number, two significant digits, one way everywhere.

Lengths of time are never bare seconds above 120. What was not measured is the word `unknown`.
"""

import math
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

UNKNOWN = "unknown"
_STEPS = ((120.0, 1.0, "s"), (7200.0, 60.0, "min"), (172800.0, 3600.0, "h"), (math.inf, 86400.0, "d"))


def significant(value: float, digits: int = 2) -> str:
    """A number with that many significant digits, never in the E notation; whole numbers stay whole."""
    if value == 0:
        return "0"
    places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text and float(text) == round(value) and value == round(value) else text


def duration(seconds: float | None, digits: int = 2) -> str:
    """A length of time as people say it: `0.27 s`, `18 s`, `2.4 min`, `15 min`, `4 h`."""
    if seconds is None:
        return UNKNOWN
    if seconds < 0:
        return "−" + duration(-seconds, digits)
    if 0 < seconds < 0.0005:
        return "under 1 ms"
    if seconds < 0.0995:
        return f"{significant(seconds * 1000, digits)} ms" if seconds else "0 s"
    for limit, divisor, unit in _STEPS:
        if seconds < limit:
            return f"{significant(seconds / divisor, digits)} {unit}"
    raise AssertionError("the last step has no limit")


def duration_pair(actual: float | None, target: float | None) -> tuple[str, str]:
    """Two lengths of time with as many digits as it takes to tell them apart, up to six."""
    for digits in range(2, 7):
        left, right = duration(actual, digits), duration(target, digits)
        if actual == target or _bare(left) != _bare(right):
            break
    return left, right


def count(number: float | None, thing: str = "", plural: str | None = None) -> str:
    """A count with thin groups of three and its noun: `1 write`, `4 312 writes`."""
    if number is None:
        return UNKNOWN if not thing else f"an unknown number of {plural or thing + 's'}"
    figure = f"{number:,.0f}".replace(",", "\u202f") if float(number).is_integer() else significant(number)
    if not thing:
        return figure
    return f"{figure} {thing if number == 1 else plural or thing + 's'}"


def moment(at_seconds: float, zone: str) -> str:
    """A moment of the calendar in a zone, to the millisecond, with the offset (ISO 8601)."""
    return datetime.fromtimestamp(at_seconds, _zone(zone)).isoformat(timespec="milliseconds")


def time_of_day(at_seconds: float, zone: str) -> str:
    """`14:03:22`, in the plan's zone; whoever shows it says the offset once (`offset_of`)."""
    return datetime.fromtimestamp(at_seconds, _zone(zone)).strftime("%H:%M:%S")


def offset_of(at_seconds: float, zone: str) -> str:
    """`+01:00`: how far the zone is from UTC at that moment."""
    return datetime.fromtimestamp(at_seconds, _zone(zone)).isoformat()[-6:]


def moment_text(iso: str) -> str:
    """The same moment for a person: `2026-11-23 20:06:43 +00:00`."""
    at = datetime.fromisoformat(iso).isoformat(sep=" ", timespec="seconds")
    return f"{at[:19]} {at[19:]}"


def listing(words: tuple[str, ...] | list[str], none: str = "nobody") -> str:
    """`a`, `a and b`, `a, b and c`."""
    if not words:
        return none
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _bare(text: str) -> tuple[float, str] | str:
    number, _, unit = text.rpartition(" ")
    try:
        return float(number), unit
    except ValueError:
        return text


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
