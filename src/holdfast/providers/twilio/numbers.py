"""Telephone numbers and the length of short messages. Pure.

A short message has 160 characters of the GSM alphabet or 70 of UCS-2; several joined have 153 or 67 each. One character outside the GSM
alphabet makes the whole message UCS-2. No character is split between two of them.
"""

import re

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("^{}\\[~]|€\f")
MOST_CHARACTERS = 1600
"""The interface refuses a longer one."""


def checked_number(number: str | None, recipient: str) -> str:
    """The number in E.164 (`+`, country, subscriber; 8 to 15 digits). Raises ValueError for anything else."""
    given = number or ""
    if not re.fullmatch(r"\+[1-9][0-9]{7,14}", given):
        raise ValueError(f"{recipient} has no telephone number in the form +<country><number>; correct it in the plan. Nothing was sent")
    return given


def segments(text: str) -> int:
    """How many short messages a text takes."""
    if all(character in _BASIC or character in _EXTENDED for character in text):
        sizes, single, joined = [2 if character in _EXTENDED else 1 for character in text], 160, 153
    else:
        sizes, single, joined = [2 if ord(character) > 0xFFFF else 1 for character in text], 70, 67
    if sum(sizes) <= single:
        return 1
    count, used = 1, 0
    for size in sizes:
        if used + size > joined:
            count, used = count + 1, 0
        used += size
    return count


def within(text: str, most_segments: int, ending: str = "") -> str:
    """The text, or its beginning and an ellipsis, with the ending whole behind it, in at most that many segments where the ending fits."""
    if _fits(text + ending, most_segments):
        return text + ending
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _fits(text[:middle].rstrip() + "..." + ending, most_segments) else (low, middle - 1)
    return text[:low].rstrip() + "..." + ending


def _fits(text: str, most_segments: int) -> bool:
    return segments(text) <= most_segments and len(text) <= MOST_CHARACTERS
