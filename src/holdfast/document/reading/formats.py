"""What a file is that is no Markdown: told by its first bytes, so that its owner hears what to do instead of how it failed."""

import re

from holdfast.document.reading.problems import DocumentError

_BY_BYTES = (
    (b"%PDF-", "a PDF", "export the document as Markdown where it was written, or copy its text into a .md file"),
    (b"PK\x03\x04", "a zip file, such as a .docx or .odt", "turn it into Markdown first: pandoc plan.docx -t gfm -o plan.md"),
    (b"\xd0\xcf\x11\xe0", "an old Office file, such as a .doc", "save it as .docx, then: pandoc plan.docx -t gfm -o plan.md"),
    (b"{\\rtf", "rich text", "turn it into Markdown first: pandoc plan.rtf -t gfm -o plan.md"),
    (b"\x89PNG", "a picture", "import the text of the plan"),
    (b"\xff\xd8\xff", "a picture", "import the text of the plan"),
    (b"GIF8", "a picture", "import the text of the plan"),
    (b"\x1f\x8b", "a compressed file", "unpack it first"),
)
_SEEN = 4096
"""Bytes at a file's beginning that say what it is."""
_HTML = re.compile(r"\s*<(?:!doctype html|html|head|body)\b", re.I)
_LEAD_IN = re.compile(r"<!--.*?-->|<\?xml[^>]*>", re.S)
_JSON = re.compile(r'\s*(?:\{\s*"[^"\n]{0,200}"\s*:|\[\s*\{\s*")')
_SCHEMA = re.compile(r"schema:\s*[\"']?holdfast/")
_OF_YAML = re.compile(r"\s|#|---|[A-Za-z_][\w-]*:|$")


def refuse_other_formats(content: bytes, source: str) -> None:
    """Raises DocumentError for a file that is plainly something else than Markdown, with what to do instead. `source`: its name."""
    for mark, what, hint in _BY_BYTES:
        if content.startswith(mark):
            raise DocumentError(f"this is {what}, and no Markdown", None, hint)
    head = content[:_SEEN].decode("utf-8", "replace").removeprefix("\ufeff")
    if _HTML.match(_LEAD_IN.sub("", head)):
        raise DocumentError(
            "this is an HTML page, and no Markdown", None, "turn it into Markdown first: pandoc plan.html -t gfm -o plan.md"
        )
    if _JSON.match(head):
        raise DocumentError("this is JSON, and no Markdown", None, "import the document that people wrote")
    if _is_plan(head):
        raise DocumentError("this is a plan of Holdfast already, and needs no import", None, "check it as it is: holdfast check PLAN")
    if source.lower().endswith((".yaml", ".yml")):
        raise DocumentError("this is YAML, and no Markdown", None, "import the document that people wrote")
    if not content.removeprefix(b"\xef\xbb\xbf").strip():
        raise DocumentError("the document is empty", None, "name the file that holds the plan")


def _is_plan(head: str) -> bool:
    """Whether a schema of Holdfast stands among the first keys, and nothing before it that YAML wouldn't have there."""
    for line in head.split("\n"):
        if _SCHEMA.match(line):
            return True
        if not _OF_YAML.match(line):
            return False
    return False
