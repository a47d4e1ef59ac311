"""Values that a plan is written in: durations, times, identifiers.

Durations are written `250ms`, `15s`, `15m`, `4h`, `30d`, `7y` (a year is 365 days) and are carried as
float seconds everywhere else; a name that carries one ends in `_seconds` outside the plan.
"""

import math
import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, GetCoreSchemaHandler, PlainSerializer, StringConstraints, WithJsonSchema
from pydantic_core import CoreSchema, core_schema

LONGEST_YEARS = 100
"""No plan promises or keeps anything for longer: a length beyond it is a slip."""
_UNIT_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "y": 31536000.0}
_DURATION = re.compile(r"(?:(\d+(?:\.\d+)?)(ms|s|m|h|d|w|y))+")
DURATION_PATTERN = r"^([0-9]+([.][0-9]+)?(ms|s|m|h|d|w|y))+$"
"""The same for readers of the JSON Schema."""
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w|y)")


def duration_seconds(text: str) -> float:
    """Seconds of a duration such as `15m` or `1h30m`. Raises ValueError, naming the form, for anything else."""
    compact = text.strip()
    if not _DURATION.fullmatch(compact):
        raise ValueError(f"'{text}' is not a duration; write a number and a unit, such as 30s, 15m, 4h, 30d or 7y")
    seconds = sum(float(number) * _UNIT_SECONDS[unit] for number, unit in _PART.findall(compact))
    if seconds > LONGEST_YEARS * _UNIT_SECONDS["y"]:
        raise ValueError(f"'{_shortened(compact)}' is longer than {LONGEST_YEARS} years; look at its number and its unit")
    return seconds


def _shortened(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:40]}…"


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


_DURATION_SCHEMA = {
    "type": "string",
    "pattern": DURATION_PATTERN,
    "examples": ["30s", "15m", "4h", "30d", "7y"],
    "description": "A length of time: a number and its unit.",
}

Duration = Annotated[float, BeforeValidator(_read_duration), WithJsonSchema(_DURATION_SCHEMA)]
"""A length of time: text with a unit in the plan, float seconds in the program."""

Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(?:[-.][a-z0-9]+)*$", max_length=63)]
"""What other places of the plan refer to: lower case letters, digits, `-` and `.`."""

OPEN = "open"
"""How the end of a window is written that has none."""

WindowEnd = Annotated[
    float,
    BeforeValidator(lambda value: math.inf if value == OPEN else _read_duration(value)),
    PlainSerializer(lambda seconds: OPEN if math.isinf(seconds) else seconds, when_used="json"),
    WithJsonSchema({"anyOf": [_DURATION_SCHEMA, {"const": OPEN}]}),
]
"""End of a phase's window: a duration, or `open`, which is infinity."""

FREQUENCIES = {"daily": "1d", "weekly": "7d", "monthly": "30d", "quarterly": "91d", "half-yearly": "182d", "yearly": "365d"}
"""Words for how often something is done, and the longest time between two of them that still keeps to it."""


def read_frequency(value: Any) -> float:
    """Seconds of a word such as `weekly`, or of a duration. Raises ValueError, naming the words, for anything else."""
    if isinstance(value, str) and value in FREQUENCIES:
        return duration_seconds(FREQUENCIES[value])
    try:
        return _read_duration(value)
    except ValueError:
        raise ValueError(f"'{value}' does not say how often; write {', '.join(FREQUENCIES)}, or a duration such as 14d") from None


_FREQUENCY_SCHEMA = {
    "anyOf": [{"enum": list(FREQUENCIES)}, _DURATION_SCHEMA],
    "description": "How often: a word, or the time between two.",
}

Frequency = Annotated[float, BeforeValidator(read_frequency), WithJsonSchema(_FREQUENCY_SCHEMA)]
"""How often: a word such as `weekly`, or the time between two; float seconds in the program."""


def frequency_text(seconds: float) -> str:
    """The word for it where there is one, else the duration."""
    return next((word for word, text in FREQUENCIES.items() if duration_seconds(text) == seconds), duration_text(seconds))


def _read_day(value: Any) -> str:
    text = str(value)
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise ValueError(f"'{text}' is not a day of the calendar; write year, month and day, such as 2027-04-01") from None


_DAY_PATTERN = "[0-9]{4}-[0-9]{2}-[0-9]{2}"

Day = Annotated[str, BeforeValidator(_read_day), WithJsonSchema({"type": "string", "pattern": f"^{_DAY_PATTERN}$"})]
"""A day that exists, as `2027-04-01`."""


def _read_moment(value: Any) -> str:
    text = str(value)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"'{text}' is not a moment; write day and hour, such as 2027-04-01 09:00") from None
    if moment.tzinfo is not None:
        raise ValueError(f"'{text}' has an offset; write local time, and the zone beside it")
    return moment.isoformat(sep=" ", timespec="minutes")


_MOMENT_SCHEMA = {"type": "string", "pattern": f"^{_DAY_PATTERN}[ T][0-9]{{2}}:[0-9]{{2}}(:[0-9]{{2}})?$", "examples": ["2027-04-01 09:00"]}

Moment = Annotated[str, BeforeValidator(_read_moment), WithJsonSchema(_MOMENT_SCHEMA)]
"""A day and an hour in the local time of the zone beside it, as `2027-04-01 09:00`."""

_TARGET = re.compile(r"\s*(<=|>=|<|>|≤|≥|)\s*(.+?)\s*")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%")
_SIGNS = {"≤": "<=", "≥": ">="}
_TARGET_SCHEMA = {
    "description": "A number to hold a figure against: a sign where it is a limit, and its unit.",
    "anyOf": [
        {
            "type": "string",
            "pattern": r"^ *(<=|>=|<|>|≤|≥)? *([0-9]+([.][0-9]+)? *%?|([0-9]+([.][0-9]+)?(ms|s|m|h|d|w|y))+) *$",
            "examples": ["< 5m", ">= 95%", "100%"],
        },
        {"type": "number"},
    ],
}


@dataclass(frozen=True, slots=True)
class Target:
    """A number to hold a figure against: `< 5m`, `>= 95%`, `100%`. Without a sign it is the number itself.

    `number` is in percent where `unit` is `%`, in seconds where it is `s`, and a count where it is empty.
    """

    sign: str
    number: float
    unit: str

    @classmethod
    def read(cls, value: Any) -> Self:
        """From text of the plan. Raises ValueError, naming the form, for anything else."""
        found = _TARGET.fullmatch(str(value))
        if found is not None:
            sign, text = _SIGNS.get(found[1], found[1]), found[2]
            percent = _PERCENT.fullmatch(text)
            if percent is not None:
                return cls(sign, float(percent[1]), "%")
            if re.fullmatch(r"\d+(?:\.\d+)?", text):
                return cls(sign, float(text), "")
            if _DURATION.fullmatch(text):
                return cls(sign, duration_seconds(text), "s")
        raise ValueError(f"'{value}' is not a target; write a sign and a number with its unit, such as '< 5m' or '>= 95%'")

    def __str__(self) -> str:
        number = duration_text(self.number) if self.unit == "s" else f"{self.number:.15g}{self.unit}"
        return f"{self.sign} {number}" if self.sign else number

    @property
    def most_seconds(self) -> float | None:
        """The time that it allows at most; None where it asks for something else."""
        return self.number if self.unit == "s" and self.sign in ("<", "<=") else None

    def is_met(self, number: float) -> bool:
        """Whether a figure in the same unit holds it."""
        match self.sign:
            case "<":
                return number < self.number
            case "<=":
                return number <= self.number
            case ">":
                return number > self.number
            case ">=":
                return number >= self.number
            case _:
                return number == self.number

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            lambda value: value if isinstance(value, cls) else cls.read(value),
            serialization=core_schema.plain_serializer_function_ser_schema(str),
            metadata={"pydantic_js_functions": [lambda _schema, _handler: dict(_TARGET_SCHEMA)]},
        )


_SPOKEN = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"))


def spoken_duration(seconds: float) -> str:
    """A length of time of a plan as people say it, exact to the second: `15 min`, `1 h 30 min`, `21 min 36 s`; below a minute `4.5 s`."""
    if math.isinf(seconds):
        return "no end"
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
