"""Bytes → lines of text, with damaged encoding repaired and every repair told.

Text that was written as UTF-8 and read as Windows-1252 looks like `Ã©` or `â€™`. It is turned back only where the bytes behind it are
valid UTF-8 for a character that a plan can hold (Latin letters, punctuation, symbols, emoji); everything else stays as it is.
"""

import re
from dataclasses import dataclass

from holdfast.document.reading.problems import DocumentError
from holdfast.plan.document import HIDDEN

MOST_BYTES = 2 * 1024 * 1024
LONGEST_LINE = 20_000
MOST_LINES = 40_000
"""About 800 printed pages: a hundred times the reference plan. What is longer is no plan that people act on at night."""


@dataclass(frozen=True, slots=True)
class Repair:
    """A line whose text was put right: what stood there, what stands there now, and what was wrong with it."""

    line: int
    was: str
    now: str
    because: str


@dataclass(frozen=True, slots=True)
class Text:
    """A document's lines, repaired."""

    lines: tuple[str, ...]
    repairs: tuple[Repair, ...]


def _byte_behind() -> dict[str, int]:
    """Character → the byte that Windows-1252 reads as it; bytes that it leaves undefined stand for themselves."""
    behind = {chr(number): number for number in range(0x80, 0x100)}
    for number in range(0x80, 0xA0):
        try:
            behind[bytes([number]).decode("cp1252")] = number
        except UnicodeDecodeError:
            continue
    return behind


_BYTE = _byte_behind()
_AS_WINDOWS = {byte: character for character, byte in _BYTE.items() if byte < 0xA0 and ord(character) > 0xFF}
_FOLLOWING = "[" + "".join(re.escape(character) for character, byte in _BYTE.items() if 0x80 <= byte < 0xC0) + "]"
_SEQUENCE = re.compile(f"[\u00c2-\u00c9]{_FOLLOWING}|[\u00e2\u00e3\u00ef]{_FOLLOWING}{{2}}|\u00f0{_FOLLOWING}{{3}}")
_SURE = re.compile(f"[\u00c2\u00c3]{_FOLLOWING}|[\u00e2\u00ef]{_FOLLOWING}{{2}}|\u00f0{_FOLLOWING}{{3}}")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]")
_NOT_UTF_8 = "it isn't UTF-8, and was read as Windows-1252"
READ_WRONGLY = "UTF-8 that was once read as Windows-1252"
_HIDDEN_THERE = "hidden characters were taken out, which make text look like another"
_CONTROLS_THERE = "control characters were taken out"
_UTF_32 = (b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")
_MARKS = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig"))


def _believable(character: str) -> bool:
    number = ord(character)
    return 0xA0 <= number < 0x250 or 0x2000 <= number < 0x2C00 or number == 0xFE0F or 0x1F000 <= number < 0x1FB00


def repaired(line: str) -> str:
    """The line with every damaged sequence turned back. A sequence that could be meant is left where nothing sure stands beside it."""
    if line.isascii() or not _SURE.search(line):
        return line

    def turned(found: re.Match[str]) -> str:
        try:
            text = bytes(_BYTE[character] for character in found[0]).decode("utf-8")
        except UnicodeDecodeError:
            return found[0]
        return text if len(text) == 1 and _believable(text) else found[0]

    return _SEQUENCE.sub(turned, line)


def _decoded(content: bytes) -> tuple[str, bool]:
    """The text, and whether it is what its encoding says; False where it had to be read as Windows-1252."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            try:
                return content.decode(encoding), True
            except UnicodeDecodeError as error:
                raise DocumentError(f"the file begins as {encoding} and isn't, at byte {error.start}", None, "save it as UTF-8") from None
    try:
        return content.decode("utf-8"), True
    except UnicodeDecodeError:
        return content.decode("latin-1").translate(_AS_WINDOWS), False


def _put_right(line: str, *, sound: bool) -> tuple[str, list[str]]:
    """A line as it is read on, and everything that was wrong with it. `sound`: as `_decoded` says of the whole text."""
    because = [] if sound or line.isascii() else [_NOT_UTF_8]
    now = repaired(line)
    if now != line:
        because.append(READ_WRONGLY)
    for pattern, instead, said in ((HIDDEN, "", _HIDDEN_THERE), (_CONTROL, " ", _CONTROLS_THERE)):
        if pattern.search(now) is not None:
            now = pattern.sub(instead, now)
            because.append(said)
    return now, because


def _seen(text: str) -> str:
    """A text with its hidden characters written out."""
    return HIDDEN.sub(lambda found: f"<U+{ord(found[0]):04X}>", text)


def text_of(content: bytes) -> Text:
    """The lines of a document. Raises DocumentError for what is no text, or too large."""
    if len(content) > MOST_BYTES:
        raise DocumentError(
            f"the document is larger than {MOST_BYTES // 1024 // 1024} MiB", None, "import the text, without its attachments"
        )
    if content.startswith(_UTF_32):
        raise DocumentError("the document is written in UTF-32", None, "save it as UTF-8")
    nul = content.find(b"\x00")
    if nul >= 0 and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        at = content.count(b"\n", 0, nul) + 1
        raise DocumentError("this is no text: a byte is zero here", at, "export the document as Markdown first")
    text, sound = _decoded(content)
    if "\x00" in text:
        at = text.count("\n", 0, text.index("\x00")) + 1
        raise DocumentError("this is no text: a character is zero here", at, "export the document as Markdown, in UTF-8, first")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if len(lines) > MOST_LINES:
        raise DocumentError(f"the document has more than {MOST_LINES} lines", MOST_LINES, "import the plan alone")
    kept: list[str] = []
    repairs: list[Repair] = []
    for number, line in enumerate(lines, 1):
        if len(line) > LONGEST_LINE:
            raise DocumentError(f"this line is longer than {LONGEST_LINE} characters", number, "break it into paragraphs")
        now, because = _put_right(line, sound=sound)
        if because:
            repairs.append(Repair(number, _seen(line.strip()), now.strip(), "; ".join(because)))
        kept.append(now)
    return Text(tuple(kept), tuple(repairs))
