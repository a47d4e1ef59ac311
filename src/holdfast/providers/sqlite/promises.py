"""The controller's promises to agents, durable before they are given, in the journal's file.

A promise is renewed several times a second and matters only until it has run out: it is state, not history, so it is overwritten
instead of appended. Values are plain JSON. It never decides what may be promised: that is `fencing`.
"""

import json
from collections.abc import Mapping
from typing import Any

from holdfast.providers.sqlite.database import SqliteDatabase


class SqlitePromises:
    """Durable values by key. When `put` returns, they survive a power cut. JournalFull: they could not be made durable."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    def get(self, key: str) -> Any | None:
        """The value last put, or None."""
        rows = self._database.rows("SELECT value FROM promises WHERE key = ?", [key])
        return json.loads(rows[0][0]) if rows else None

    def all(self) -> dict[str, Any]:
        """Every value by its key."""
        return {key: json.loads(value) for key, value in self._database.rows("SELECT key, value FROM promises ORDER BY key")}

    def put(self, key: str, value: Any) -> None:
        """Keep one value."""
        self.put_all({key: value})

    def put_all(self, values: Mapping[str, Any]) -> None:
        """Keep several, all or none."""
        rows = [(key, json.dumps(value, sort_keys=True, allow_nan=False)) for key, value in values.items()]
        with self._database.transaction() as connection:
            connection.executemany(
                "INSERT INTO promises (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", rows
            )
