"""How often: a word such as `weekly`, or `every 15 minutes`."""

import re

from holdfast.document.reading.quantities.beside import LONG_UNITS, beside
from holdfast.document.reading.quantities.durations import duration
from holdfast.document.reading.quantities.lengths import IN_WORDS, UNIT_SECONDS, UNITS, in_plan, number_in
from holdfast.document.reading.quantities.readings import NOTHING, Reading, absent

_WORDS = (
    ("1h", r"hourly"),
    ("daily", r"daily|every day|each day|once a day|nightly|every night|each night"),
    ("weekly", r"weekly|every week|each week|once a week"),
    ("monthly", r"monthly|every month|each month|once a month"),
    (
        "quarterly",
        r"quarterly|every quarter(?! (?:of|hour|day|year))|each quarter|once a quarter|every (?:three|3) months|four times (?:a|per) year",
    ),
    ("half-yearly", r"half[- ]yearly|every half year|semi[- ]?annual(?:ly)?|twice (?:a|per) year|every (?:six|6) months|twice yearly"),
    ("yearly", r"yearly|annual(?:ly)?|every year|each year|once a year|every (?:twelve|12) months"),
    ("continuous", r"continuous(?:ly)?|real[- ]time|ongoing"),
)
_TWO_MEANINGS = (
    (r"bi[- ]?annual(?:ly)?|biennial(?:ly)?", ("half-yearly", "730d")),
    (r"bi[- ]?weekly", ("84h", "14d")),
    (r"bi[- ]?month(?:ly)?", ("15d", "60d")),
    (r"bi[- ]?yearly", ("half-yearly", "730d")),
)
_SO_OFTEN = re.compile(
    rf"\b(?:(?P<twice>twice)|(?P<count>[2-9]|[1-9]\d|{IN_WORDS})(?: times|x| x))\s+(?:an? |per |each |every |/ ?)?"
    r"(?P<unit>hour|day|week|month|quarter|year|hourly|daily|weekly|monthly|quarterly|yearly|annually)\b"
)
_ONE = {
    "hourly": "hour",
    "daily": "day",
    "weekly": "week",
    "monthly": "month",
    "quarterly": "quarter",
    "yearly": "year",
    "annually": "year",
}
_PATTERNS = {word: re.compile(rf"(?<!-)\b(?:{pattern})\b") for word, pattern in _WORDS}
_EVERY = re.compile(r"\b(?:every|each)\s+(.*)")
_UNIT_ALONE = re.compile(rf"(?:{'|'.join(sorted(LONG_UNITS & UNITS.keys()))})\b")
_ONCE = re.compile(r"\bonce\s*$")
_TIMES = LONG_UNITS | {"other"}
_HERE = "\n"
_QUARTER = 3 * UNIT_SECONDS["month"]


def frequency(text: str) -> Reading:
    """The plan's word for it, or the time between two. Words that can mean twice in or once in two are unclear, and so is so many times in."""
    low = " ".join(text.split()).lower()
    if absent(low):
        return NOTHING
    for pattern, choices in _TWO_MEANINGS:
        if re.search(rf"\b(?:{pattern})\b", low):
            return Reading(None, "the word can mean twice in that time, or once in two of them", choices)
    hits = {word: pattern for word, pattern in _PATTERNS.items() if pattern.search(low)}
    if "half-yearly" in hits:
        hits.pop("yearly", None)
    often = _SO_OFTEN.search(low)
    if often is not None and not hits.keys() & {"quarterly", "half-yearly"}:
        return _so_often(often)
    if len(hits) > 1:
        return Reading(None, "it names more than one", tuple(hits))
    if hits:
        ((word, words),) = hits.items()
        before, _, after = words.sub(_HERE, low).partition(_HERE)
        return _beside(Reading(word), before, after.replace(_HERE, " "))
    every = _EVERY.search(low)
    if every is None:
        return Reading(None, "it does not say how often")
    said = duration(f"one {every[1]}" if _UNIT_ALONE.match(every[1]) else every[1])
    return said if said.value is None else _beside(said, low[: every.start()], "")


def _so_often(found: re.Match[str]) -> Reading:
    """So many times in a time: a plan holds the time between two, and nobody says that they are evenly apart."""
    count = 2 if found["twice"] else number_in(found["count"])
    unit = _ONE.get(found["unit"], found["unit"])
    between = in_plan((_QUARTER if unit == "quarter" else UNIT_SECONDS[UNITS[unit]]) / count)
    return Reading(None, "it says how many times, and a plan holds the longest time between two", (between,) if between else ())


def _beside(reading: Reading, before: str, after: str) -> Reading:
    """The reading, as what stands beside its words lets it be."""
    words = beside(_ONCE.sub("", before), after, _TIMES)
    if words.doubt:
        return Reading(None, words.doubt, (reading.value,) if reading.value else ())
    parts = (reading.concluded, *(f"'{left}' is left out" for left in (words.about, words.bound_words) if left))
    left_out = " … ".join(part for part in (reading.left_out, words.left_out) if part)
    return Reading(reading.value, concluded="; ".join(part for part in parts if part), left_out=left_out)
