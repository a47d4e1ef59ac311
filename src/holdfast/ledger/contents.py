"""What a store was found to hold, as the audit read it: the other half of the truth about lost writes."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from holdfast.ledger.entry import LedgerEntry


def epoch_of(value: object) -> int | None:
    """The epoch that a store's value is, whole as a number or as a text; None where it is none."""
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """One record in a store. Epoch and region are those of the writer at the time; `written_seconds` is the store's own clock."""

    epoch: int | None
    region: str | None
    written_seconds: float | None

    @classmethod
    def of_mark(cls, text: object) -> "StoredRecord":
        """From a value that says who wrote it: a JSON object. Of any other value nobody knows that."""
        try:
            mark = json.loads(text) if isinstance(text, str | bytes) else None
        except ValueError:
            mark = None
        said = mark if isinstance(mark, dict) else {}
        written = said.get("written_seconds")
        at_seconds = float(written) if isinstance(written, int | float) and math.isfinite(written) else None
        return cls(epoch_of(said.get("epoch")), said.get("region"), at_seconds)


@dataclass(frozen=True, slots=True)
class StoreContents:
    """All application records of one store in one region, or the reason why they are not known."""

    store: str
    """Component identifier of the plan (database, cache, storage)."""
    region: str
    """Region whose server was read."""
    read_seconds: float
    """Wall-clock seconds since 1970 just before reading began: what was acknowledged before must be there."""
    records: Mapping[str, StoredRecord] | None
    """Key → record; None when the store could not be read: that is unknown, never empty."""
    problem: str = ""
    since_seconds: float = 0.0
    """Only what was sent from then on was looked for."""

    def covers(self, entry: LedgerEntry) -> bool:
        """Whether an acknowledged write, if it isn't among the records, is missing: it is neither too old nor too new for this reading."""
        return self.since_seconds <= entry.sent_seconds and entry.answered_seconds <= self.read_seconds

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values, with records as lists to keep the file small."""
        records = None if self.records is None else {key: [r.epoch, r.region, r.written_seconds] for key, r in sorted(self.records.items())}
        return {
            "store": self.store,
            "region": self.region,
            "read_seconds": self.read_seconds,
            "records": records,
            "problem": self.problem,
            "since_seconds": self.since_seconds,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "StoreContents":
        """Inverse of `as_json`."""
        records = values["records"]
        parsed = None if records is None else {key: StoredRecord(*record) for key, record in records.items()}
        since = values.get("since_seconds", 0.0)
        return cls(values["store"], values["region"], values["read_seconds"], parsed, values.get("problem", ""), since)
