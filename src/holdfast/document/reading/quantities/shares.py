"""Percentages, and targets: a sign and a number, such as `>= 95%` or `< 5m`."""

import re
from dataclasses import replace

from holdfast.document.reading.quantities.beside import LONG_UNITS, SIGNS, beside
from holdfast.document.reading.quantities.durations import duration, sums
from holdfast.document.reading.quantities.readings import NOTHING, Reading, absent

_PERCENT = re.compile(r"(?<![\w.,/:½¼¾])(?P<number>[0-9]{1,4}(?:\.[0-9]{1,9})?) ?(?:%|(?:percent|per cent)\b)", re.I)
_COMMA = re.compile(r"(?<![\w.,])([0-9]{1,3}),([0-9]{1,4}) ?(?:%|(?:percent|per cent)\b)", re.I)

_FIRST_END = re.compile(r"(?<![\w.,])([0-9]{1,4}(?:\.[0-9]{1,9})?)\s*(?:-|–|—|\bto\b|\bor\b|\band\b)\s*$", re.I)


def percent(text: str) -> Reading:
    """The one percentage in a text."""
    text = " ".join(text.split())
    found = list(_PERCENT.finditer(text))
    numbers = tuple(dict.fromkeys(_short(match["number"]) for match in found))
    comma = _COMMA.search(text)
    if comma is not None:
        return Reading(None, "a comma in a number can mean two things", (_short(f"{comma[1]}.{comma[2]}"),))
    if len(numbers) != 1:
        if numbers:
            return Reading(None, "it names more than one percentage", numbers[:4])
        return NOTHING if absent(text) else Reading(None, "no percentage stands in it")
    first_end = _FIRST_END.search(text[: found[0].start()])
    if first_end is not None:
        return Reading(None, "it gives a range", (_short(first_end[1]), *numbers))
    words = beside(*_around(text, found))
    if words.doubt:
        return Reading(None, words.doubt, numbers)
    upper = f"'{words.bound_words}' is left out" if SIGNS.get(words.bound, "") in ("<", "<=") else ""
    about = f"'{words.about}' is left out" if words.about else ""
    return Reading(numbers[0], concluded="; ".join(part for part in (about, upper) if part), left_out=words.left_out)


def _short(number: str) -> str:
    return f"{float(number):.15g}"


def _around(text: str, found: list[re.Match[str]]) -> tuple[str, str]:
    """What stands before a percentage, and what stands behind it where it isn't the same percentage again."""
    return text[: found[0].start()], _PERCENT.sub(" ", text[found[0].end() :])


def target(text: str, usual_sign: str = "") -> Reading:
    """A sign and a number: `< 5m`, `>= 95%`. `usual_sign` where the text has none, such as `>=` for shares of tests that succeed."""
    text = " ".join(text.split())
    shares = list(_PERCENT.finditer(text))
    share = percent(text) if shares or _COMMA.search(text) else duration(text)
    if share.value is None:
        per_cent = "%" if shares or _COMMA.search(text) else ""
        return replace(share, choices=tuple(f"{choice}{per_cent}" for choice in share.choices))
    if shares:
        words, number = beside(*_around(text, shares)), f"{share.value}%"
    else:
        length = sums(text)[0] if sums(text) else None
        words = beside(text[: length.start], text[length.end :], LONG_UNITS) if length is not None else beside("", "")
        number = share.value
    sign = SIGNS.get(words.bound, "")
    parts = [f"'{words.about}' is left out"] if words.about else []
    parts += ["a month is counted as 30 days"] if "month is counted" in share.concluded else []
    if not sign and usual_sign and shares and float(share.value) < 100:
        sign = usual_sign
        parts.append(f"the text has no sign, and '{usual_sign}' is usual for a share")
    return Reading(f"{sign} {number}" if sign else number, concluded="; ".join(parts), left_out=share.left_out)
