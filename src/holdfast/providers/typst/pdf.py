"""Typst source → PDF/A-2b: for archives, whole in itself, and byte for byte the same for the same source.

Rules: only the fonts that the typesetter carries are used; the time in the file is a fixed one; the source can read no file.
"""

import tempfile
from datetime import UTC, datetime

_STANDARD = "a-2b"
_MOMENT = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp())
"""When the file says it was made: the plan's digest says which plan it is, so the hour of printing changes nothing."""


class NotTypeset(Exception):
    """The source can't be made into a PDF; the text says why."""


def pdf(source: str) -> bytes:
    """The PDF of a source. Raises NotTypeset."""
    import typst

    with tempfile.TemporaryDirectory(prefix="holdfast-typst-") as root:
        try:
            made = typst.compile(
                source.encode(), root=root, ignore_system_fonts=True, format="pdf", pdf_standards=[_STANDARD], timestamp=_MOMENT
            )
        except (typst.TypstError, ValueError, RuntimeError) as error:
            raise NotTypeset(str(error)) from error
    assert isinstance(made, bytes)
    return made
