"""One length of time from a text, in the plan's form, or why it isn't one."""

import re
from dataclasses import dataclass
from fractions import Fraction

from holdfast.document.reading.quantities.beside import LONG_UNITS, SIGNS, beside
from holdfast.document.reading.quantities.lengths import (
    IN_FIGURES,
    IN_WORDS,
    LONGEST,
    UNIT,
    UNIT_SECONDS,
    UNITS,
    Length,
    in_plan,
    lengths,
    number_in,
    written,
)
from holdfast.document.reading.quantities.readings import NOTHING, Reading, absent
from holdfast.plan.values import LONGEST_YEARS

_ZERO = re.compile(r"^(?:0|zero|no data loss|no loss|none tolerated)$", re.I)
_INEXACT = re.compile(
    rf"(?<![\w.,])(?:(?:{IN_FIGURES}|{IN_WORDS}|an?|half an?|the next|next|the same|same|(?:a )?few|several|(?:a )?couple of) )?(?:full )?"
    r"(?:business|working|banking|office|trading)[ -](?:days?|hours?|weeks?|mornings?)\b",
    re.I,
)
_VAGUE = re.compile(r"\bnear[- ]zero\b|\bimmediate(?:ly)?\b|\bbest effort\b|\basap\b|\b24\s*[/x]\s*7\b", re.I)
_BARE = re.compile(rf"^(?:(?P<sign>[<>≤≥]=?|up to|within|max(?:imum)?)\s*)?(?P<number>{IN_FIGURES})$", re.I)
_TO = r"\s*(?:-|–|—|\bto\b|\bthrough\b|\bor\b|\band\b)(?: up to)?\s*"
_JOINT = rf"(?:{_TO}|\s*/\s*)"
_FIRST_END = re.compile(rf"(?<![\w.,])({IN_FIGURES}|{IN_WORDS}){_JOINT}$", re.I)
"""What stands before a length that is the end of a range whose beginning has no unit: `two to four hours`."""
_BARE_RANGE = re.compile(rf"({IN_FIGURES}|{IN_WORDS}){_TO}({IN_FIGURES}|{IN_WORDS})", re.I)
_POINT = re.compile(r"(?<![\d.,])[1-9]\d{0,2}\.\d{3}(?![\d])")
_STARTS_ABSENT = re.compile(r"(?:n/?a|not applicable|none)\b", re.I)


def unit_of_heading(heading: str) -> str:
    """The unit that a column's name gives for its numbers, as in `RTO (hours)`; empty without one."""
    found = re.search(rf"[(\[]\s*(?:in\s+)?({UNIT})\s*[)\]]|\bin ({UNIT})\b", heading, re.I)
    return UNITS[(found[1] or found[2]).lower()] if found else ""


@dataclass(frozen=True, slots=True)
class Sum:
    """Lengths that follow each other and are one, such as `1 h 30 min`, and where they stand."""

    parts: tuple[Length, ...]

    @property
    def seconds(self) -> Fraction:
        return sum((part.seconds for part in self.parts), Fraction(0))

    @property
    def written(self) -> str:
        """In the plan's form; empty where the plan can't write it."""
        return self.parts[0].written if len(self.parts) == 1 else in_plan(self.seconds)

    @property
    def start(self) -> int:
        return self.parts[0].start

    @property
    def end(self) -> int:
        return self.parts[-1].end


def sums(text: str) -> list[Sum]:
    """The lengths of a text, those that follow each other from large to small put together."""
    found: list[Sum] = []
    for length in lengths(text):
        last = found[-1].parts[-1] if found else None
        joint = text[last.end : length.start].strip().lower() if last is not None else ""
        smaller = last is not None and length.seconds < UNIT_SECONDS[last.unit]
        if last is not None and smaller and (joint == "and" or (not joint and not length.said.lower().startswith("a"))):
            found[-1] = Sum((*found[-1].parts, length))
        else:
            found.append(Sum((length,)))
    return found


def duration(text: str, unit: str = "") -> Reading:
    """A length of time such as `4 hours`, `1 h 30 min`, `< 15 min`. `unit`: for numbers that have none, from the column's name."""
    text = " ".join(text.split()).rstrip(".")
    if absent(text) and text.lower() != "none":
        return NOTHING
    if _ZERO.match(text):
        return Reading("0s")
    found = sums(text)
    doubt = _doubt(text, found)
    if doubt is not None:
        return doubt
    if not found:
        return _bare(text, unit)
    if len({one.seconds for one in found}) > 1:
        return _several(text, found)
    return _one(text, found)


def inexact(text: str) -> list[Length]:
    """Words such as `one working day`, where they stand: who reads them gets no length of time, and a question."""
    return [Length(found.start(), found.end(), Fraction(0), "d", "", found[0]) for found in _INEXACT.finditer(text)]


def _doubt(text: str, found: list[Sum]) -> Reading | None:
    """Why a text is not read as a length of time, whatever lengths stand in it; None where nothing is in the way."""
    days = _INEXACT.search(text)
    if days is not None:
        return Reading(None, f"'{days[0]}' is no fixed number of hours")
    vague = _VAGUE.search(text)
    if vague is not None:
        return Reading(None, f"'{vague[0]}' is no length of time")
    if text.lower() == "none":
        return Reading(None, "it can mean no time at all, or that there is nothing to say")
    if found and _STARTS_ABSENT.match(text):
        return Reading(
            None, "it says that there is none, and a length of time as well", tuple(one.written for one in found[:4] if one.written)
        )
    if re.search(r"\d,\d", text):
        return Reading(None, "a comma in a number can mean two things")
    if _POINT.search(text):
        return Reading(None, "a point before three digits can mean two things")
    either = next((part for one in found for part in one.parts if part.said.rstrip(".").endswith("M")), None)
    if either is not None:
        count = either.seconds / UNIT_SECONDS["m"]
        return Reading(None, "'M' can mean minutes or months", (written(count, "m"), written(count, "month")))
    return None


def _bare(text: str, unit: str) -> Reading:
    """A number without a unit, which the column may give."""
    ends = _BARE_RANGE.fullmatch(text)
    if ends is not None:
        choices = tuple(written(number_in(end), unit) for end in ends.groups()) if unit else ()
        return Reading(None, "it gives a range", tuple(choice for choice in choices if choice))
    found = _BARE.match(text)
    if found is None or not unit:
        return Reading(None, "the number has no unit" if found is not None else "no length of time stands in it")
    value = written(number_in(found["number"]), unit)
    if not value:
        return Reading(None, "it is finer than a plan can write")
    beyond = found["sign"] if found["sign"] and found["sign"][0] in ">≥" else ""
    return Reading(value, concluded=f"'{beyond}' is left out" if beyond else "")


def _several(text: str, found: list[Sum]) -> Reading:
    """Lengths that aren't the same: a range, or more than one."""
    choices = tuple(dict.fromkeys(one.written for one in found if one.written))[:4]
    is_range = len(found) == 2 and re.fullmatch(_JOINT, text[found[0].end : found[1].start], re.I)
    return Reading(None, "it gives a range" if is_range else "it names more than one length of time", choices)


def _one(text: str, found: list[Sum]) -> Reading:
    """The one length that a text names, perhaps again and again, as what stands beside it lets it be read."""
    length, again = found[0], found[1:]
    first_end = _FIRST_END.search(text[: length.start])
    if first_end is not None:
        ends = (written(number_in(first_end[1]), length.parts[0].unit), length.written)
        return Reading(None, "it gives a range", tuple(end for end in ends if end))
    after, at = "", length.end
    for one in again:
        if re.fullmatch(_JOINT, text[at : one.start], re.I):
            return Reading(None, "it names a length of time twice", (length.written,) if length.written else ())
        after, at = after + text[at : one.start], one.end
    words = beside(text[: length.start], after + text[at:], LONG_UNITS)
    choices = (length.written,) if length.written else ()
    if words.doubt:
        return Reading(None, words.doubt, choices)
    if not length.written:
        return Reading(None, "it is finer than a plan can write")
    if length.seconds > LONGEST:
        return Reading(None, f"it is longer than {LONGEST_YEARS} years")
    parts = (
        f"'{words.about}' is left out" if words.about else "",
        f"'{words.bound_words}' is left out" if SIGNS.get(words.bound, "") in (">", ">=") else "",
        "a month is counted as 30 days" if any(part.unit == "month" for part in length.parts) else "",
    )
    return Reading(length.written, concluded="; ".join(part for part in parts if part), left_out=words.left_out)
