"""Lengths of time in a text: `4 hours`, `1h30m`, `half an hour`, `thirty-five minutes`, `2 1/2 hours`, each with the place where it stands.

Only what can mean one thing is a length: `2/3 days` (two or three, or less than one) isn't, nor are `several hours`.
"""

import re
from dataclasses import dataclass
from fractions import Fraction

from holdfast.plan.values import LONGEST_YEARS, duration_text

_NAMES = {
    "ms": ("ms", "millisecond", "milliseconds"),
    "s": ("s", "sec", "secs", "second", "seconds"),
    "m": ("m", "min", "mins", "minute", "minutes"),
    "h": ("h", "hr", "hrs", "hour", "hours"),
    "d": ("d", "day", "days"),
    "w": ("w", "wk", "wks", "week", "weeks"),
    "month": ("month", "months"),
    "y": ("y", "yr", "yrs", "year", "years"),
}
UNITS = {name: unit for unit, names in _NAMES.items() for name in names}
"""How a unit is written → the unit, in the plan's form; `month` has none there."""
UNIT = "|".join(sorted(UNITS, key=len, reverse=True))
UNIT_SECONDS = {
    "ms": Fraction(1, 1000),
    "s": Fraction(1),
    "m": Fraction(60),
    "h": Fraction(3600),
    "d": Fraction(86400),
    "w": Fraction(7 * 86400),
    "month": Fraction(30 * 86400),
    "y": Fraction(365 * 86400),
}
LONGEST = LONGEST_YEARS * UNIT_SECONDS["y"]

_ONES = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TEENS = ("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SPOKEN = {
    **{word: number for number, word in enumerate((*_ONES, *_TEENS), 1)},
    **{word: number * 10 for number, word in enumerate(_TENS, 2)},
}
IN_WORDS = rf"(?:(?:{'|'.join(_TENS)})(?:[ -](?:{'|'.join(_ONES)}))?|{'|'.join(sorted((*_TEENS, *_ONES), key=len, reverse=True))})"
IN_FIGURES = r"[0-9]{1,9}(?:\.[0-9]{1,6})?"
_PARTS = {
    **{"1/2": Fraction(1, 2), "1/4": Fraction(1, 4), "3/4": Fraction(3, 4)},
    **{"½": Fraction(1, 2), "¼": Fraction(1, 4), "¾": Fraction(3, 4)},
    **{"half": Fraction(1, 2), "a half": Fraction(1, 2), "a third": Fraction(1, 3), "two thirds": Fraction(2, 3)},
    **{"quarter": Fraction(1, 4), "a quarter": Fraction(1, 4), "three quarters": Fraction(3, 4)},
}
_AFTER_AND = r"a[ ]half|a[ ]quarter|three[ -]quarters"
_AMOUNT = rf"""
    (?: (?P<whole>[0-9]{{1,9}}) (?:\ ?(?P<sign_more>[½¼¾]) | \ (?P<figures_more>1/2|1/4|3/4))
      | (?P<whole_said>[0-9]{{1,9}}|{IN_WORDS}) \ and\ (?P<words_more>{_AFTER_AND})
      | (?P<figures>{IN_FIGURES})
      | (?P<words>{IN_WORDS}) (?:\ \((?P<again>[0-9]{{1,3}})\))?
      | (?P<fraction>[½¼¾]|1/2|1/4|3/4)
      | (?P<part_of>half|(?:a\ )?quarter|a\ third|two[ -]thirds|three[ -]quarters) (?:\ of)?\ an?
      | (?P<part>(?:a\ )?(?:half|quarter))
      | (?P<article>an?)
    )"""
_LENGTH = rf"{_AMOUNT} [ ]?-? (?P<unit>{UNIT}) (?![^\W\d]) (?:\.(?!\d))?"
_ANYWHERE = re.compile(rf"(?<![\w.,/:]) (?<![½¼¾]) {_LENGTH}", re.I | re.X)
_RIGHT_BEHIND = re.compile(_LENGTH, re.I | re.X)
_AND_A_PART = re.compile(rf" and ({_AFTER_AND})(?! of\b|[ -]?(?:{UNIT})\b)", re.I)
_AND_MINUTES = re.compile(r" ?([0-5][0-9])(?=$|[,;)])")
"""`1 hour 30`, and nothing behind it that could make the number something else."""


@dataclass(frozen=True, slots=True)
class Length:
    """A length of time that stands in a text from `start` to before `end`. `unit`: of its first number, as in `UNITS`.

    `written`: in the plan's own form, with the unit that the text has where the plan knows it (`120m`, `24h`). Empty where the plan can't
    write it exactly.
    """

    start: int
    end: int
    seconds: Fraction
    unit: str
    written: str
    said: str


def lengths(text: str) -> list[Length]:
    """Every length in a text whose words stand one space apart, from left to right."""
    found: list[Length] = []
    at = 0
    while True:
        behind = _RIGHT_BEHIND.match(text, at) if found and text[at : at + 1].isdecimal() else None
        match = behind or _ANYWHERE.search(text, at)
        if match is None:
            return found
        length = _length(text, match)
        if length is not None:
            found.append(length)
        at = match.end() if length is None else length.end


def written(count: Fraction, unit: str) -> str:
    """So many of a unit in the plan's form; empty where the plan can't write it exactly."""
    if count.denominator == 1:
        return f"{count * 30}d" if unit == "month" else f"{count}{unit}"
    return in_plan(count * UNIT_SECONDS[unit])


def in_plan(seconds: Fraction) -> str:
    """Seconds in the plan's form; empty where the plan can't write them exactly."""
    text = duration_text(float(seconds))
    exact = sum(Fraction(number) * UNIT_SECONDS[unit] for number, unit in re.findall(r"([0-9.]+)([a-z]+)", text)) == seconds
    return text if exact else ""


def number_in(text: str) -> Fraction:
    """The number that `IN_FIGURES` or `IN_WORDS` matched."""
    if text[0].isdecimal():
        return Fraction(text)
    return Fraction(sum(_SPOKEN[word] for word in re.split("[ -]", text.lower())))


def _length(text: str, match: re.Match[str]) -> Length | None:
    """What a match means; None where it can mean two things or is no length at all (`1/2 hours`, `a m`)."""
    name = match["unit"].lower()
    if match["again"] and number_in(match["again"]) != number_in(match["words"]):
        return None  # `four (5) hours`
    spelled = match["article"] or match["part"] or match["part_of"]
    if (spelled and len(name) < 3) or (match["fraction"] and len(name) > 2 and name.endswith("s")):
        return None
    unit, end = UNITS[name], match.end()
    count = _count(match)
    if count.denominator == 1 and (more := _AND_A_PART.match(text, end)) is not None:
        count, end = count + _part(more[1]), more.end()
    seconds = count * UNIT_SECONDS[unit]
    if unit == "h" and count.denominator == 1 and (minutes := _AND_MINUTES.match(text, end)) is not None:
        seconds, end = seconds + int(minutes[1]) * 60, minutes.end()
        return Length(match.start(), end, seconds, unit, in_plan(seconds), text[match.start() : end])
    return Length(match.start(), end, seconds, unit, written(count, unit), text[match.start() : end])


def _count(match: re.Match[str]) -> Fraction:
    more = match["sign_more"] or match["figures_more"] or match["words_more"]
    if more is not None:
        return number_in(match["whole"] or match["whole_said"]) + _part(more)
    if match["figures"] or match["words"]:
        return number_in(match["figures"] or match["words"])
    part = match["fraction"] or match["part_of"] or match["part"]
    return _part(part) if part is not None else Fraction(1)


def _part(words: str) -> Fraction:
    return _PARTS[words.lower().replace("-", " ")]
