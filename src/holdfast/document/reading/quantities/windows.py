"""From when to when: `0-5 minutes`, `T+5 to T+10 min`, `120+ minutes`, `< 15 min`."""

import re
from fractions import Fraction

from holdfast.document.reading.quantities.beside import LONG_UNITS, beside
from holdfast.document.reading.quantities.durations import Sum, sums
from holdfast.document.reading.quantities.lengths import IN_FIGURES, LONGEST, UNIT, UNIT_SECONDS, UNITS, number_in, written

_SINCE = r"(?:\bT\s?\+\s?)?"
_TO = r"\s?(?:-|–|—|\bto\b|\bthrough\b)\s?"
_NUMBER = rf"(?<![\w.,/:+-])(?P<number>{IN_FIGURES})"
_NUMBER_TO = re.compile(rf"{_SINCE}(?:(?<=\+)|(?<=\+ )|(?<![\w.,/:+-]))(?P<number>{IN_FIGURES}){_TO}{_SINCE}$", re.I)
_JOINED = re.compile(rf"{_TO}{_SINCE}", re.I)
_SINCE_BEFORE = re.compile(rf"{_SINCE}$", re.I)
_OPEN = re.compile(rf"{_NUMBER}\s?\+\s?(?P<unit>{UNIT})\b", re.I)
_UP_TO = re.compile(r"(?:<=?|≤|less than|under|up to|within(?: the(?: first)?)?|(?:the )?first)\s?$", re.I)
_BEYOND = re.compile(r"(?:>=?|≥|more than|over|beyond|longer than|from|after)\s?$", re.I)


def window(text: str) -> tuple[str, str] | None:
    """From and to, `open` where there is no end. None where no window stands in it, or what stands beside it makes another one of it."""
    text = " ".join(text.split())
    found = sums(text)
    if any(not one.written or one.seconds > LONGEST for one in found):
        return None
    if len(found) == 2 and _JOINED.fullmatch(text[found[0].end : found[1].start]):
        before = text[: found[0].start]
        start = _SINCE_BEFORE.search(before)
        rest = before[: start.start()] if start is not None else before
        return (_started(found[0]), found[1].written) if _quiet(rest, text[found[1].end :]) else None
    if len(found) == 1:
        return _with_one(text[: found[0].start], found[0], text[found[0].end :])
    return _open(text) if not found else None


def _with_one(before: str, length: Sum, after: str) -> tuple[str, str] | None:
    """A window that names one length of time: an end, its beginning without a unit before it or none, or a beginning."""
    first = _NUMBER_TO.search(before)
    if first is not None:
        unit = length.parts[0].unit
        start = number_in(first["number"])
        if start * UNIT_SECONDS[unit] >= length.seconds or not _quiet(before[: first.start()], after):
            return None  # `30-1 h`: the first number has another unit, and nobody says which
        return _zero_or(written(start, unit), start), length.written
    more = re.match(r"\s?\+", after)
    if more is not None:
        return (_started(length), "open") if _quiet(_BEYOND.sub("", before), after[more.end() :]) else None
    beyond = _BEYOND.search(before)
    if beyond is not None:
        return (_started(length), "open") if _quiet(before[: beyond.start()], after) else None
    up_to = _UP_TO.search(before)
    if up_to is not None:
        return ("0s", length.written) if _quiet(before[: up_to.start()], after) else None
    return None


def _open(text: str) -> tuple[str, str] | None:
    """`120+ minutes`."""
    found = _OPEN.search(text)
    if found is None or not _quiet(text[: found.start()], text[found.end() :]):
        return None
    count = number_in(found["number"])
    return _zero_or(written(count, UNITS[found["unit"].lower()]), count), "open"


def _quiet(before: str, after: str) -> bool:
    """Whether nothing beside a window can change it."""
    words = beside(before, after, LONG_UNITS)
    return not words.doubt and not words.bound


def _started(length: Sum) -> str:
    return _zero_or(length.written, length.seconds)


def _zero_or(text: str, count: Fraction) -> str:
    return "0s" if count == 0 else text
