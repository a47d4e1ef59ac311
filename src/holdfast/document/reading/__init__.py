"""Markdown → plan values: what a document says, by what its headings, columns and labels say, never by their position.

The way through: bytes → lines with damaged encoding repaired (`damage`) → sections, items, rows and fences with their lines
(`markdown`, `html_tables`, `tree`) → recognisers that claim what they understand (`things/`) → a draft of the plan in which every value
knows its line (`draft`) → YAML (`writing`). What nobody claims becomes a note with its place; what can mean two things becomes a
question; what the plan needs and the document lacks is listed, never made up.
Never here: files, and judging what was read (see `checks`).
"""

from holdfast.document.reading.importing import Imported, import_document
from holdfast.document.reading.problems import DocumentError

__all__ = ["DocumentError", "Imported", "import_document"]
