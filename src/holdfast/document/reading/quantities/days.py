"""Days of the calendar."""

import re
from datetime import date

from holdfast.document.reading.quantities.readings import NOTHING, Reading, absent

_MONTHS = {
    name: number for number, name in enumerate(("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1)
}
_FIGURES = re.compile(r"\b(?P<year>[0-9]{4})-(?P<month>[0-9]{1,2})-(?P<day>[0-9]{1,2})\b")
_DAY_FIRST = re.compile(r"\b(?P<day>[0-9]{1,2})(?:st|nd|rd|th)?\.?\s+(?P<month>[A-Za-z]{3})[a-z]*\.?,?\s+(?P<year>[0-9]{4})\b")
_MONTH_FIRST = re.compile(r"\b(?P<month>[A-Za-z]{3})[a-z]*\.?\s+(?P<day>[0-9]{1,2})(?:st|nd|rd|th)?,?\s+(?P<year>[0-9]{4})\b")
_HOUR = re.compile(r"\b[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?\b")
_NEVER = re.compile(r"\b(?:not|no|never|before|after|between)\b", re.I)


def day(text: str) -> Reading:
    """A day of the calendar: `2027-04-01`, `1 April 2027`, `April 1, 2027`. All in figures with slashes is unclear, for its order isn't said."""
    if absent(text):
        return NOTHING
    found = next((match for pattern in (_FIGURES, _DAY_FIRST, _MONTH_FIRST) for match in pattern.finditer(text) if _month(match)), None)
    if found is None:
        return Reading(None, "no day stands in it; day and month may be in either order" if "/" in text else "no day stands in it")
    try:
        value = date(int(found["year"]), _month(found), int(found["day"])).isoformat()
    except ValueError:
        return Reading(None, "this day does not exist")
    rest = _HOUR.sub(" ", text[: found.start()] + " " + text[found.end() :])
    changing = _NEVER.search(rest)
    if changing is not None:
        return Reading(None, f"'{changing[0]}' stands beside the day", (value,))
    return Reading(None, "more numbers than a day's stand in it", (value,)) if re.search(r"\d", rest) else Reading(value)


def _month(found: re.Match[str]) -> int:
    """The number of the month; 0 for a word that is none."""
    return int(found["month"]) if found["month"].isdecimal() else _MONTHS.get(found["month"].lower(), 0)
