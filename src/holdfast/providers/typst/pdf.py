"""Typst source → PDF/A-2b: for archives, whole in itself, and byte for byte the same for the same source.

Rules: the fonts that the typesetter carries are used, and those of the machine only for a letter that they lack; the time in the file
is a fixed one; the source can read no file.
"""

import tempfile
from datetime import UTC, datetime

_STANDARD = "a-2b"
_MOMENT = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp())
"""When the file says it was made: the plan's digest says which plan it is, so the hour of printing changes nothing."""
_LACKS_A_LETTER = "could not be displayed"


class NotTypeset(Exception):
    """The source can't be made into a PDF; the text says why."""


def pdf(source: str) -> bytes:
    """The PDF of a source. Raises NotTypeset."""
    import typst

    with tempfile.TemporaryDirectory(prefix="holdfast-typst-") as root:
        for without_fonts_of_the_system in (True, False):
            try:
                made = typst.compile(
                    source.encode(),
                    root=root,
                    ignore_system_fonts=without_fonts_of_the_system,
                    format="pdf",
                    pdf_standards=[_STANDARD],
                    timestamp=_MOMENT,
                )
            except (typst.TypstError, ValueError, RuntimeError) as error:
                if without_fonts_of_the_system and _LACKS_A_LETTER in str(error):
                    continue
                raise NotTypeset(str(error)) from error
            assert isinstance(made, bytes)
            return made
    raise NotTypeset("no font here has every letter of the plan")
