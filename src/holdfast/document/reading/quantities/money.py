"""Amounts of money, in US dollars."""

import re
from dataclasses import dataclass

from holdfast.document.reading.quantities.beside import LONG_UNITS, SIGNS, beside
from holdfast.document.reading.quantities.readings import NOTHING, Reading, absent

_CODE = r"(?:(?-i:[A-Z]{3})|usd|eur|gbp)\b"
_MONEY = re.compile(
    rf"(?<![\w.,])(?:(?P<sign>(?:(?-i:[A-Z]{{1,3}}) ?)?[$€£¥]|{_CODE}) ?)?"
    r"(?P<number>[0-9]{1,3}(?:[, ][0-9]{3}){1,5}(?:\.[0-9]{1,2})?|[0-9]{1,15}(?:\.[0-9]{1,4})?)(?![0-9])"
    rf" ?(?P<size>k|thousand|m|million|bn|billion)?\b ?(?P<after>[$€£¥]|{_CODE}|(?:dollars|euros?|pounds)\b)?(?P<more> ?\+)?",
    re.I,
)
_SIZES = {"k": 1e3, "thousand": 1e3, "m": 1e6, "million": 1e6, "bn": 1e9, "billion": 1e9}
_DOLLARS = {"$", "usd", "us$", "usd$", "dollars"}
_POINT = re.compile(r"[1-9][0-9]{0,2}\.[0-9]{3}")


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of US dollars; `at_least` where the text says that it may be more. `concluded` as in a reading, what is left out with it."""

    usd: float
    at_least: bool
    concluded: str = ""


def money(text: str) -> Money | Reading:
    """An amount such as `$200,000+` or `USD 5k`. Other currencies, ranges, rates and amounts without a currency are unclear."""
    text = " ".join(text.split())
    found = list(_MONEY.finditer(text))
    if not found:
        return NOTHING if absent(text) else Reading(None, "no amount stands in it")
    if len(found) > 1:
        return Reading(None, "it names more than one amount", tuple(match[0].strip() for match in found[:4]))
    match = found[0]
    currencies = {name.lower().replace(" ", "") for name in (match["sign"], match["after"]) if name}
    if not currencies or not currencies <= _DOLLARS:
        return Reading(None, "the plan counts US dollars, and this is " + ("in another currency" if currencies else "without a currency"))
    if _POINT.fullmatch(match["number"]):
        return Reading(None, "a point before three digits can mean two things")
    words = beside(text[: match.start()], text[match.end() :], LONG_UNITS)
    if words.doubt:
        return Reading(None, words.doubt, (match[0].strip(),))
    amount = float(match["number"].replace(",", "").replace(" ", "")) * _SIZES.get((match["size"] or "").lower(), 1.0)
    at_most = SIGNS.get(words.bound, "") in ("<", "<=")
    parts = (
        "'$' is taken for US dollars" if currencies == {"$"} else "",
        *(f"'{left}' is left out" for left in (words.about, words.bound_words if at_most else "", words.left_out) if left),
    )
    at_least = bool(match["more"]) or SIGNS.get(words.bound, "") in (">", ">=")
    return Money(amount, at_least, "; ".join(part for part in parts if part))
