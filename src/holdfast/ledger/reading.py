"""Ledgers as files: one JSON object a line, appended and flushed entry by entry.

Rules: the last line may be torn (its client was killed in the middle), which is tolerated and said; any other line that is
no entry is an error that names its place. Nothing here judges what the entries mean (see `measure`).
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import IO, Any

from holdfast.ledger.entry import LedgerEntry, RequestResult

_FIELDS = tuple(field.name for field in fields(LedgerEntry))
_NUMBERS = {"sent_seconds": False, "answered_seconds": False, "written_seconds": True}
_OPTIONAL = ("detail", "own_fault")
_TEXTS = {"function": False, "request": False, "detail": False, "own_fault": False, "store": True, "key": True, "region": True}


class LedgerError(ValueError):
    """A ledger that cannot be believed as a whole; the message names file and line."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """A ledger as read. `torn` says what was left of a last line that its client could not finish, or is None."""

    entries: tuple[LedgerEntry, ...]
    torn: str | None = None


def entry_line(entry: LedgerEntry) -> str:
    """The entry as one line, with its line end."""
    values = {name: getattr(entry, name) for name in _FIELDS}
    return json.dumps(values, separators=(",", ":"), ensure_ascii=False, allow_nan=False) + "\n"


def parse_ledger(content: bytes, name: str) -> Ledger:
    """Entries of a ledger's content; `name` stands in messages. Raises LedgerError."""
    *whole, rest = content.split(b"\n")
    entries = tuple(_parse_line(line, f"{name}:{number}") for number, line in enumerate(whole, start=1))
    if not rest:
        return Ledger(entries)
    torn = f"{name}:{len(whole) + 1}: the last line was not finished ({len(rest)} bytes); its client was stopped while it wrote"
    return Ledger(entries, torn)


def read_ledger(path: Path) -> Ledger:
    """The ledger in a file. Raises LedgerError, and OSError when it cannot be read."""
    return parse_ledger(path.read_bytes(), str(path))


def read_ledgers(directory: Path) -> dict[str, Ledger]:
    """Function → its ledger, for every `<function>.jsonl` in the directory."""
    return {path.stem: read_ledger(path) for path in sorted(directory.glob("*.jsonl"))}


def _parse_line(line: bytes, place: str) -> LedgerEntry:
    try:
        values = json.loads(line)
    except ValueError as error:
        raise LedgerError(f"{place}: not JSON ({error}); the ledger was changed or damaged after it was written") from None
    if not isinstance(values, dict):
        raise LedgerError(f"{place}: an entry is a JSON object, not {type(values).__name__}")
    missing = [name for name in _FIELDS if name not in values and name not in _OPTIONAL]
    if missing:
        raise LedgerError(f"{place}: the entry lacks {', '.join(missing)}")
    _check_types(values, place)
    try:
        result = RequestResult(values["result"])
    except ValueError:
        allowed = ", ".join(RequestResult)
        raise LedgerError(f"{place}: result is {values['result']!r}; it must be one of {allowed}") from None
    # Later versions may add fields: those that this version does not know are left out.
    known = {name: values[name] for name in _FIELDS if name in values}
    return LedgerEntry(**{**known, "result": result})


def _check_types(values: dict[str, Any], place: str) -> None:
    for name, optional in _NUMBERS.items():
        value = values[name]
        if not (optional and value is None) and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise LedgerError(f"{place}: {name} is {value!r}; it must be a number of seconds")
    for name, optional in _TEXTS.items():
        value = values.get(name, "")
        if not (optional and value is None) and not isinstance(value, str):
            raise LedgerError(f"{place}: {name} is {value!r}; it must be text")
    epoch = values["epoch"]
    if epoch is not None and type(epoch) is not int:
        raise LedgerError(f"{place}: epoch is {epoch!r}; it must be a whole number")


class LedgerWriter:
    """Appends entries to a ledger; what `write` returned from has left the process (a killed client loses at most the line in hand)."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        set_torn_end_aside(path)
        self._file: IO[bytes] = path.open("ab", buffering=0)

    def write(self, entries: Iterable[LedgerEntry]) -> None:
        """Append in one piece, so that entries of one request are not torn apart."""
        self._file.write("".join(map(entry_line, entries)).encode())

    def close(self) -> None:
        """No more entries."""
        self._file.close()


def set_torn_end_aside(path: Path) -> int:
    """A new client must not write behind half a line: what was torn goes to `<name>.torn`, so that nothing is lost. Returns its size."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return 0
    whole, end, torn = content.rpartition(b"\n")
    if not torn:
        return 0
    with path.with_suffix(".torn").open("ab") as aside:
        aside.write(torn + b"\n")
    with path.open("r+b") as ledger:
        ledger.truncate(len(whole) + len(end))
    return len(torn)
