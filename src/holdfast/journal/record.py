"""Journal records and their hash chain: append-only, each record holds the hash of the one before.

The hash of a record is SHA-256 over the previous hash and the record's canonical JSON (sorted keys, no spaces, UTF-8), so
whoever holds the last hash can prove the whole past. Bodies are plain JSON values; their fields by kind are in `kinds`.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class Record:
    """One line of the truth. `at_seconds`: the controller's wall clock. `incident` is empty for records of the installation."""

    sequence: int
    at_seconds: float
    kind: str
    incident: str
    body: Mapping[str, Any]
    previous: str
    hash: str


def record_hash(sequence: int, at_seconds: float, kind: str, incident: str, body: Mapping[str, Any], previous: str) -> str:
    """SHA-256 (hex) that a record with this content must carry."""
    canonical = json.dumps(
        [sequence, at_seconds, kind, incident, body], sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return hashlib.sha256(previous.encode() + canonical.encode()).hexdigest()


def following(head: tuple[int, str], at_seconds: float, kind: str, incident: str, body: Mapping[str, Any]) -> Record:
    """The record that comes after `head` (sequence, hash)."""
    sequence, previous = head[0] + 1, head[1]
    return Record(sequence, at_seconds, kind, incident, body, previous, record_hash(sequence, at_seconds, kind, incident, body, previous))


def first_break(records: Iterable[Record], head: tuple[int, str] = (0, GENESIS)) -> str | None:
    """A sentence about the first record that does not follow from the one before, or None when the chain is whole."""
    return proved(records, head)[1]


def proved(records: Iterable[Record], head: tuple[int, str] = (0, GENESIS)) -> tuple[int, str | None]:
    """How far the chain proves its records (the last sequence), and a sentence about what breaks it there, or None."""
    sequence, previous = head
    for record in records:
        if record.sequence != sequence + 1:
            return sequence, f"record {sequence + 1} is missing: record {record.sequence} comes after {sequence}"
        if record.previous != previous:
            said = f"record {record.sequence} names another predecessor than record {sequence}: something was removed or changed"
            return sequence, said
        if record.hash != record_hash(record.sequence, record.at_seconds, record.kind, record.incident, record.body, record.previous):
            return sequence, f"record {record.sequence} ({record.kind}) was changed after it was written"
        sequence, previous = record.sequence, record.hash
    return sequence, None
