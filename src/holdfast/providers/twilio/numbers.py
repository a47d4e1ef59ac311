"""Telephone numbers and the length of short messages. Pure.

A short message has 160 characters of the GSM alphabet or 70 of UCS-2; several joined have 153 or 67 each. One character outside the GSM
alphabet makes the whole message UCS-2.
"""

import re

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("^{}\\[~]|€\f")


def checked_number(number: str | None, recipient: str) -> str:
    """The number in E.164 (`+`, country, subscriber; 8 to 15 digits). Raises ValueError for anything else."""
    given = number or ""
    if not re.fullmatch(r"\+[1-9][0-9]{7,14}", given):
        raise ValueError(f"{recipient} has no telephone number in the form +<country><number>; correct it in the plan. Nothing was sent")
    return given


def segments(text: str) -> int:
    """How many short messages a text takes."""
    if all(character in _BASIC or character in _EXTENDED for character in text):
        units, single, joined = sum(2 if character in _EXTENDED else 1 for character in text), 160, 153
    else:
        units, single, joined = len(text.encode("utf-16-be")) // 2, 70, 67
    return 1 if units <= single else -(-units // joined)


def within(text: str, most_segments: int) -> str:
    """The text, or its beginning and an ellipsis, in at most that many segments."""
    if segments(text) <= most_segments:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if segments(text[:middle].rstrip() + "...") <= most_segments else (low, middle - 1)
    return text[:low].rstrip() + "..."
