"""Typst source → PDF/A-2b: for archives, whole in itself, and byte for byte the same for the same source and fonts.

Rules: the fonts that the typesetter carries are used, and those of the machine only for a letter that they lack; a letter that no font
has, such as an emoji, is written as its name in brackets, since an archive's page shows no empty boxes. The time in the file is a fixed
one; the source can read no file but itself.
"""

import re
import tempfile
import unicodedata
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

_STANDARD: Literal["a-2b"] = "a-2b"
_MOMENT = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp())
"""When the file says it was made: the plan's digest says which plan it is, so the hour of printing changes nothing."""
_LACKED = re.compile(r'the text `"(.+?)"` could not be displayed', re.DOTALL)
_MOST_LETTERS = 60
"""So many different letters are written by name, one more try each; a plan in a script that no font here has is refused instead."""
_JOINERS = re.compile(r"\\u\{(?:200d|fe0e|fe0f)\}|[\u200d\ufe0e\ufe0f]")
"""What joins the parts of an emoji, as itself or as typst escapes it; between names it means nothing."""


class NotTypeset(Exception):
    """The source can't be made into a PDF; the text says why."""


def pdf(source: str) -> bytes:
    """The PDF of a source. Raises NotTypeset."""
    lacked = _attempt(source, without_fonts_of_the_machine=True)
    for _ in range(_MOST_LETTERS):
        if isinstance(lacked, bytes):
            return lacked
        made = _attempt(source, without_fonts_of_the_machine=False)
        if isinstance(made, bytes):
            return made
        source, lacked = _named(source, made), made
    raise NotTypeset(f"no font here has the letters of this plan, such as {lacked!r}")


def _attempt(source: str, *, without_fonts_of_the_machine: bool) -> bytes | str:
    """The PDF, or the letters that no font has."""
    import typst

    with tempfile.TemporaryDirectory(prefix="holdfast-typst-") as root:
        file = Path(root) / "plan.typ"
        file.write_text(source)
        try:
            made = typst.compile(
                file,
                root=file.parent,
                ignore_system_fonts=without_fonts_of_the_machine,
                format="pdf",
                pdf_standards=[_STANDARD],
                timestamp=_MOMENT,
            )
        except (typst.TypstError, ValueError, RuntimeError) as error:
            lacked = _LACKED.search(str(error))
            if lacked is None:
                raise NotTypeset(str(error)) from error
            return lacked[1]
    assert isinstance(made, bytes)
    return made


def _named(source: str, letters: str) -> str:
    """The source with these letters written by name. A name holds nothing that could end a string."""
    source = _JOINERS.sub("", source)
    for letter in set(letters):
        if not letter.isascii():
            source = source.replace(letter, f"[{unicodedata.name(letter, f'letter {ord(letter):x}').lower()}]")
    return source
