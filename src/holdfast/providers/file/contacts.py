"""An audience's members out of a CSV file beside the plan.

Rules: the first line names the columns: `id` (the company's own number for the contact, no address), `name`, and `email`, `phone`, `chat`
where there are such. A file with a line that can't be used is not used at all, and the error says which line: half a list would leave
people out in silence. Whoever must be forgotten is taken out of the file; journals and reports hold only the `id`.
"""

import asyncio
import csv
import io
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from holdfast.communications.recipients import Member, dialled
from holdfast.ports.audience import DirectoryUnreadableError

MOST_BYTES = 64 * 1024 * 1024
MOST_MEMBERS = 200_000
_CHANNELS = {"email": ("email",), "phone": ("phone", "sms"), "chat": ("slack",)}
_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SHAPES = {
    "email": re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+\.[^@\s<>,;]+"),
    "phone": re.compile(r"\+[0-9][0-9 ()-]{4,20}"),
    "chat": re.compile(r"\S{1,80}"),
}


class CsvAudience:
    """One file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def members(self) -> tuple[Member, ...]:
        """Read it. Raises DirectoryUnreadableError with the line."""
        return await asyncio.to_thread(self._read)

    def _read(self) -> tuple[Member, ...]:
        try:
            with self._path.open("rb") as file:
                content = file.read(MOST_BYTES + 1)
            text = content.decode("utf-8-sig")
        except OSError as error:
            raise DirectoryUnreadableError(f"{self._path} can't be read: {error.strerror or error}") from error
        except UnicodeDecodeError as error:
            raise DirectoryUnreadableError(f"{self._path} is not UTF-8 text: {error}; save it as UTF-8") from error
        if len(content) > MOST_BYTES:
            raise DirectoryUnreadableError(f"{self._path} is larger than {MOST_BYTES} bytes")
        try:
            return tuple(_members(text, str(self._path)))
        except csv.Error as error:
            raise DirectoryUnreadableError(f"{self._path} is no CSV file: {error}") from error


def _members(text: str, path: str) -> Iterator[Member]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    columns = [name.strip().lower() for name in reader.fieldnames or ()]
    if "id" not in columns:
        raise DirectoryUnreadableError(f"{path}:1: the first line must name the columns, among them 'id'")
    reader.fieldnames = columns
    seen: dict[str, int] = {}
    for row in reader:
        member = member_of({name: value or "" for name, value in row.items() if isinstance(name, str)}, f"{path}:{reader.line_num}")
        if member.identifier in seen:
            said = f"{path}:{reader.line_num}: the id {member.identifier} stands in line {seen[member.identifier]} already"
            raise DirectoryUnreadableError(said)
        seen[member.identifier] = reader.line_num
        if len(seen) > MOST_MEMBERS:
            raise DirectoryUnreadableError(f"{path} has more than {MOST_MEMBERS} members")
        yield member


def member_of(fields: Mapping[str, str], where: str) -> Member:
    """One contact. Raises DirectoryUnreadableError for an id or an address that is none; the address itself is never repeated."""
    identifier = fields.get("id", "").strip()
    if not _IDENTIFIER.fullmatch(identifier):
        raise DirectoryUnreadableError(f"{where}: the id must be letters, digits, '.', '_' and '-', and no address")
    addresses: dict[str, str] = {}
    for column, channels in _CHANNELS.items():
        value = fields.get(column, "").strip()
        if not value:
            continue
        if not _SHAPES[column].fullmatch(value):
            raise DirectoryUnreadableError(f"{where}: the {column} of {identifier} is none")
        addresses |= dict.fromkeys(channels, dialled(value) if column == "phone" else value)
    if not addresses:
        raise DirectoryUnreadableError(f"{where}: {identifier} has no address at all; give it one or take it out")
    return Member(identifier, fields.get("name", "").strip() or identifier, addresses)
