"""Numbers with units, as people write them, read by exact rules. What the rules don't cover is *unclear*, never guessed.

A reading is a value in the plan's own form (`15m`, `weekly`, `< 5m`), or nothing (`N/A`), or unclear with what it could mean. Ranges,
business days, numbers without a unit and words that mean two things are unclear. What is taken for granted on the way is said with the
value: a month is 30 days, as in the plan's frequencies; `about` and `at least` are left out; `$` means US dollars.
"""

import re
from dataclasses import dataclass, replace
from itertools import pairwise

from holdfast.plan.values import duration_seconds, duration_text


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says: `value` in the plan's form, None for nothing. `unclear` says why it is neither; `choices` what it could mean.

    `concluded`: what was taken for granted to get from the words to the value.
    """

    value: str | None = None
    unclear: str = ""
    choices: tuple[str, ...] = ()
    concluded: str = ""

    @property
    def clear(self) -> bool:
        """Whether it says one thing."""
        return not self.unclear


NOTHING = Reading()
_ABSENT = re.compile(r"^(?:n/?a|not applicable|none|-+|–|—|stateless|)(?:\s*\(.*\))?\.?$", re.I)
_UNITS = {
    "ms": "ms",
    "millisecond": "ms",
    "milliseconds": "ms",
    "s": "s",
    "sec": "s",
    "secs": "s",
    "second": "s",
    "seconds": "s",
    "m": "m",
    "min": "m",
    "mins": "m",
    "minute": "m",
    "minutes": "m",
    "h": "h",
    "hr": "h",
    "hrs": "h",
    "hour": "h",
    "hours": "h",
    "d": "d",
    "day": "d",
    "days": "d",
    "w": "w",
    "wk": "w",
    "wks": "w",
    "week": "w",
    "weeks": "w",
    "month": "month",
    "months": "month",
    "y": "y",
    "yr": "y",
    "yrs": "y",
    "year": "y",
    "years": "y",
}
_UNIT = "|".join(sorted(_UNITS, key=len, reverse=True))
_WORDS = {
    "a": "1",
    "an": "1",
    "one": "1",
    "two": "2",
    "three": "3",
    "four": "4",
    "five": "5",
    "six": "6",
    "seven": "7",
    "eight": "8",
    "nine": "9",
    "ten": "10",
    "twelve": "12",
    "fifteen": "15",
    "twenty": "20",
    "thirty": "30",
    "forty five": "45",
    "sixty": "60",
    "ninety": "90",
    "forty": "40",
    "twenty four": "24",
    "forty eight": "48",
    "seventy two": "72",
    "half an": "0.5",
}
_WORD = re.compile(rf"\b({'|'.join(sorted(_WORDS, key=len, reverse=True))})[ -](?=(?:{_UNIT})\b)", re.I)
_QUANTITY = re.compile(rf"(?<![\w.,])(\d{{1,9}}(?:\.\d{{1,6}})?)[ \u00a0-]?({_UNIT})\b\.?", re.I)
_RANGE = re.compile(rf"\d\s*(?:{_UNIT})?\s*(?:-|–|—|\bto\b|\bor\b)\s*\d", re.I)
_ZERO = re.compile(r"^(?:0|zero|no data loss|no loss|none tolerated)$", re.I)
_VAGUE = re.compile(
    r"\b(?:business|working) (?:days?|hours?)\b|\bnear[- ]zero\b|\bimmediate(?:ly)?\b|\bbest effort\b|\basap\b|\b24\s*[/x]\s*7\b", re.I
)
_ABOUT = re.compile(r"\b(?:about|approx(?:imately)?|around|roughly|circa|ca|nearly|almost)\b|[~≈]", re.I)
_AT_LEAST = re.compile(r">|≥|\b(?:more than|over|at least|minimum|no less than|longer than)\b", re.I)
_BARE = re.compile(r"^\s*(?:[<>≤≥]=?|up to|within|max(?:imum)?)?\s*(\d{1,9}(?:\.\d{1,6})?)\s*$", re.I)


def absent(text: str) -> bool:
    """Whether a text says that there is nothing."""
    return bool(_ABSENT.match(text.strip()))


def unit_of_heading(heading: str) -> str:
    """The unit that a column's name gives for its numbers, as in `RTO (hours)`; empty without one."""
    found = re.search(rf"[(\[]\s*(?:in\s+)?({_UNIT})\s*[)\]]|\bin ({_UNIT})\b", heading, re.I)
    return _UNITS[(found[1] or found[2]).lower()] if found else ""


def _written(number: str, unit: str) -> str:
    """One number with its unit, in the plan's form."""
    if unit == "month":
        number, unit = f"{float(number) * 30:g}", "d"
    number = number.lstrip("0") or "0"
    whole = re.fullmatch(r"\d+(?:\.0+)?", number)
    return f"{number.split('.')[0]}{unit}" if whole else duration_text(duration_seconds(f"0{number}{unit}"))


def duration(text: str, unit: str = "") -> Reading:
    """A length of time such as `4 hours`, `1 h 30 min`, `< 15 min`. `unit`: for numbers that have none, from the column's name."""
    text = text.strip().rstrip(".")
    if absent(text) and text.lower() != "none":
        return NOTHING
    if _ZERO.match(text):
        return Reading("0s")
    text = _WORD.sub(lambda found: _WORDS[found[1].lower().replace("-", " ")] + " ", text)
    found = list(_QUANTITY.finditer(text))
    doubt = _doubt(text, found)
    if doubt is not None:
        return doubt
    if not found:
        bare = _BARE.match(text)
        if bare is not None and unit:
            return Reading(_written(bare[1], unit))
        return Reading(None, "the number has no unit" if bare is not None else "no length of time stands in it")
    reading = _summed(text, found)
    return reading if reading.value is None else replace(reading, concluded=_concluded(text, found))


def _doubt(text: str, found: list[re.Match[str]]) -> Reading | None:
    """Why a text is not read as a length of time, whatever quantities stand in it; None where nothing is in the way."""
    vague = _VAGUE.search(text)
    if vague is not None:
        return Reading(None, f"'{vague[0]}' is no length of time")
    if text.lower() == "none":
        return Reading(None, "it can mean no time at all, or that there is nothing to say")
    if re.search(r"\d,\d", text):
        return Reading(None, "a comma in a number can mean two things")
    if _RANGE.search(text):
        ends = dict.fromkeys(_written(match[1], _UNITS[match[2].lower()]) for match in found)
        return Reading(None, "it gives a range", tuple(ends)[:4])
    either = next((match[1] for match in found if match[2] == "M"), None)
    if either is not None:
        return Reading(None, "'M' can mean minutes or months", (_written(either, "m"), _written(either, "month")))
    return None


def _concluded(text: str, found: list[re.Match[str]]) -> str:
    """What is taken for granted when a text is read as exactly so long."""
    about, at_least = _ABOUT.search(text), _AT_LEAST.search(text)
    return "; ".join(
        reason
        for reason in (
            f"'{about[0]}' is left out" if about is not None else "",
            f"'{at_least[0]}' is left out" if at_least is not None else "",
            "a month is counted as 30 days" if any(_UNITS[match[2].lower()] == "month" for match in found) else "",
        )
        if reason
    )


def _summed(text: str, found: list[re.Match[str]]) -> Reading:
    """One quantity, or several that follow each other (`1 h 30 min`). Two apart from each other are unclear."""
    parts = [_written(match[1], _UNITS[match[2].lower()]) for match in found]
    if len(parts) == 1:
        return Reading(parts[0])
    between = [text[first.end() : second.start()].strip(" ,") for first, second in pairwise(found)]
    lengths = [duration_seconds(_written("1", _UNITS[match[2].lower()])) for match in found]
    if all(word in ("", "and") for word in between) and all(first > second for first, second in pairwise(lengths)):
        return Reading(duration_text(sum(duration_seconds(part) for part in parts)))
    if len({duration_seconds(part) for part in parts}) == 1:
        return Reading(parts[0])
    return Reading(None, "it names more than one length of time", tuple(dict.fromkeys(parts))[:4])


_OPEN_END = re.compile(
    rf"(?:^|\b|[>≥(])\s*(?:(?:more than|over|from|after)\s+)?(\d{{1,9}}(?:\.\d{{1,6}})?)\s*({_UNIT})?\s*\+\s*({_UNIT})?\b", re.I
)
_BEYOND = re.compile(rf"^\s*(?:>=?|≥|more than|over|beyond|longer than)\s*(\d{{1,9}}(?:\.\d{{1,6}})?)\s*({_UNIT})\b", re.I)
_UP_TO = re.compile(
    rf"^\s*(?:<=?|≤|less than|under|up to|first|within(?: the first)?|the first)\s*(\d{{1,9}}(?:\.\d{{1,6}})?)\s*({_UNIT})\b", re.I
)
_FROM_TO = re.compile(
    rf"(?:\bT\s*\+\s*)?(\d{{1,9}}(?:\.\d{{1,6}})?)\s*({_UNIT})?\s*(?:-|–|—|\bto\b|\bthrough\b)\s*(?:T\s*\+\s*)?(\d{{1,9}}(?:\.\d{{1,6}})?)\s*({_UNIT})\b",
    re.I,
)


def window(text: str) -> tuple[str, str] | None:
    """From and to of `0-5 minutes`, `T+5 to T+10 min`, `120+ minutes` (`open`), `< 15 min`; None where no window stands in it."""
    found = _FROM_TO.search(text)
    if found is not None:
        end = _UNITS[found[4].lower()]
        start = _UNITS[found[2].lower()] if found[2] else end
        if not found[2] and float(found[1]) >= float(found[3]):
            return None  # `30-1 h`: the first number has another unit, and nobody says which
        return _started(found[1], start), _written(found[3], end)
    found = _OPEN_END.search(text)
    if found is not None and (found[2] or found[3]):
        return _started(found[1], _UNITS[(found[2] or found[3]).lower()]), "open"
    found = _BEYOND.search(text)
    if found is not None:
        return _started(found[1], _UNITS[found[2].lower()]), "open"
    found = _UP_TO.search(text)
    return ("0s", _written(found[1], _UNITS[found[2].lower()])) if found is not None else None


def _started(number: str, unit: str) -> str:
    return "0s" if float(number) == 0 else _written(number, unit)


_FREQUENCIES = (
    ("daily", r"daily|every day|each day|once a day|nightly"),
    ("weekly", r"weekly|every week|each week|once a week"),
    ("monthly", r"monthly|every month|each month|once a month"),
    ("quarterly", r"quarterly|every quarter|each quarter|once a quarter|every (?:three|3) months|four times (?:a|per) year"),
    ("half-yearly", r"half[- ]yearly|semi[- ]?annual(?:ly)?|twice (?:a|per) year|every (?:six|6) months|twice yearly"),
    ("yearly", r"yearly|annual(?:ly)?|every year|each year|once a year|every (?:twelve|12) months"),
    ("continuous", r"continuous(?:ly)?|real[- ]time|ongoing"),
)
_TWO_MEANINGS = (
    (r"bi[- ]?annual(?:ly)?|biennial(?:ly)?", ("half-yearly", "730d")),
    (r"bi[- ]?weekly", ("84h", "14d")),
    (r"bi[- ]?month(?:ly)?", ("15d", "60d")),
    (r"bi[- ]?yearly", ("half-yearly", "730d")),
)


def frequency(text: str) -> Reading:
    """How often: a word such as `weekly`, or `every 15 minutes`. Words that can mean twice in or once in two are unclear."""
    low = text.strip().lower()
    if absent(low):
        return NOTHING
    for pattern, choices in _TWO_MEANINGS:
        if re.search(rf"\b(?:{pattern})\b", low):
            return Reading(None, "the word can mean twice in that time, or once in two of them", choices)
    hits = [word for word, pattern in _FREQUENCIES if re.search(rf"(?<!-)\b(?:{pattern})\b", low)]
    if "half-yearly" in hits:
        hits = [hit for hit in hits if hit != "yearly"]
    if len(hits) == 1:
        return Reading(hits[0])
    if len(hits) > 1:
        return Reading(None, "it names more than one", tuple(hits))
    found = re.search(r"\b(?:every|each)\s+(.*)", low)
    return duration(found[1]) if found is not None else Reading(None, "it does not say how often")


_PERCENT = re.compile(r"(\d{1,4}(?:\.\d{1,6})?)\s*(?:%|percent\b|per cent\b)", re.I)


def percent(text: str) -> Reading:
    """The one percentage in a text."""
    found = {f"{float(number):.15g}" for number in _PERCENT.findall(text)}
    if len(found) == 1:
        return Reading(found.pop())
    return NOTHING if absent(text) else Reading(None, "it names more than one percentage" if found else "no percentage stands in it")


_SIGN = re.compile(r"(<=|>=|<|>|≤|≥)")
_SIGN_WORDS = (
    ("<=", r"within|at most|no more than|up to|maximum|not exceed"),
    ("<", r"less than|under|below|fewer than"),
    (">=", r"at least|minimum|or more|no less than"),
    (">", r"more than|above|over|exceeds?"),
)


def target(text: str, usual_sign: str = "") -> Reading:
    """A sign and a number: `< 5m`, `>= 95%`. `usual_sign` where the text has none, such as `>=` for shares of tests that succeed."""
    low = text.lower()
    share = percent(text)
    number = f"{share.value}%" if share.value is not None else duration(text).value
    if number is None:
        return Reading(None, "no number with a unit stands in it")
    found = _SIGN.search(text)
    sign = {"≤": "<=", "≥": ">="}.get(found[1], found[1]) if found else ""
    if not sign:
        sign = next((sign for sign, words in _SIGN_WORDS if re.search(rf"\b(?:{words})\b", low)), "")
    concluded = ""
    if not sign and usual_sign and share.value is not None and float(share.value) < 100:
        sign, concluded = usual_sign, f"the text has no sign, and '{usual_sign}' is usual for a share"
    return Reading(f"{sign} {number}" if sign else number, concluded=concluded)


_MONEY = re.compile(
    r"(?P<sign>[$€£]|USD|EUR|GBP|US\$)?\s*(?P<number>\d{1,3}(?:[, ]\d{3}){1,5}(?:\.\d{1,2})?|\d{1,15}(?:\.\d{1,4})?)\s*(?P<size>k|thousand|m|million|bn|billion)?\b\s*(?P<after>USD|EUR|GBP|dollars|euros?)?(?P<more>\s*\+)?",
    re.I,
)
_SIZES = {"k": 1e3, "thousand": 1e3, "m": 1e6, "million": 1e6, "bn": 1e9, "billion": 1e9}
_DOLLARS = {"$", "usd", "us$", "dollars"}


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of US dollars; `at_least` where the text says that it may be more. `concluded` as in a reading."""

    usd: float
    at_least: bool
    concluded: str = ""


def money(text: str) -> Money | Reading:
    """An amount such as `$200,000+` or `USD 5k`. Other currencies, ranges and amounts without a currency are unclear."""
    found = list(_MONEY.finditer(text))
    if not found:
        return NOTHING if absent(text) else Reading(None, "no amount stands in it")
    if len(found) > 1:
        return Reading(None, "it names more than one amount", tuple(match[0].strip() for match in found[:4]))
    match = found[0]
    currency = (match["sign"] or match["after"] or "").lower()
    if currency not in _DOLLARS:
        return Reading(None, "the plan counts US dollars, and this is " + ("in another currency" if currency else "without a currency"))
    amount = float(match["number"].replace(",", "").replace(" ", "")) * _SIZES.get((match["size"] or "").lower(), 1.0)
    at_least = bool(match["more"]) or bool(re.search(r">|≥|\b(?:more than|over|at least)\b", text.lower()))
    return Money(amount, at_least, "'$' is taken for US dollars" if currency == "$" else "")


_MONTHS = {
    name: number for number, name in enumerate(("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1)
}


def day(text: str) -> Reading:
    """A day of the calendar: `2027-04-01`, `1 April 2027`, `April 1, 2027`. All in figures with slashes is unclear, for its order isn't said."""
    from datetime import date

    if absent(text):
        return NOTHING
    found = re.search(r"\b(\d{4})-(\d{1,2})-(\d{1,2})\b", text)
    numbers = (int(found[1]), int(found[2]), int(found[3])) if found else None
    spoken = re.search(r"\b(\d{1,2})(?:st|nd|rd|th)?\.?\s+([A-Za-z]{3})[a-z]*\.?,?\s+(\d{4})\b", text)
    if numbers is None and spoken and spoken[2].lower() in _MONTHS:
        numbers = (int(spoken[3]), _MONTHS[spoken[2].lower()], int(spoken[1]))
    american = re.search(r"\b([A-Za-z]{3})[a-z]*\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})\b", text)
    if numbers is None and american and american[1].lower() in _MONTHS:
        numbers = (int(american[3]), _MONTHS[american[1].lower()], int(american[2]))
    if numbers is None:
        return Reading(None, "no day stands in it; day and month may be in either order" if "/" in text else "no day stands in it")
    try:
        return Reading(date(*numbers).isoformat())
    except ValueError:
        return Reading(None, "this day does not exist")
