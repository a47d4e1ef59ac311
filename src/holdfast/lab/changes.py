"""Hearing what was written to a region's storage, in order: what its copier goes by, as a cloud's own copying goes by events.

moto tells it by HTTP (see `storage`); the real server notes every request in its access log before it answers, so what was acknowledged
stands there before anything that was begun later. Never here: copying.
"""

import json
import re
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from holdfast.lab.bucket import Bucket
from holdfast.lab.storage_paths import CHANGES_PATH

_MOST_BYTES = 1024 * 1024
_WRITTEN = re.compile(r" s3_(?:PutObject|CopyObject|CompleteMultipartUpload|PostObject) .* (/\S+) 200 - ")
"""Keys may hold spaces in the log's field of that name; the request's path behind it is always quoted."""


class Changes(Protocol):
    """Keys of the bucket that were written since the last time, oldest first; the same key may come more than once."""

    def since_last(self) -> list[str]:
        """Raises OSError when the storage, or its log, can't be read."""
        ...


class ToldByStorage:
    """moto's list."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._seen = 0

    def since_last(self) -> list[str]:
        """Ask the storage."""
        answer = json.loads(self._bucket.changes(CHANGES_PATH, self._seen))
        self._seen = int(answer["last"])
        prefix = f"{self._bucket.name}/"
        return [key.removeprefix(prefix) for key in answer["keys"] if key.startswith(prefix)]


class ReadInLog:
    """The real server's access log, from its beginning."""

    def __init__(self, log: Path, bucket: str) -> None:
        self._log = log
        self._prefix = f"/{bucket}/"
        self._offset = 0

    def since_last(self) -> list[str]:
        """Read on to the end of the last whole line."""
        found: list[str] = []
        with self._log.open("rb") as file:
            while True:
                file.seek(self._offset)
                read = file.read(_MOST_BYTES)
                whole = read[: read.rfind(b"\n") + 1]
                self._offset += len(whole)
                found += (key for line in whole.decode("utf-8", "replace").splitlines() if (key := self._key(line)))
                if len(read) < _MOST_BYTES or not whole:
                    return found

    def _key(self, line: str) -> str | None:
        found = _WRITTEN.search(line)
        if found is None:
            return None
        path = unquote(urlsplit(found[1]).path)
        return path.removeprefix(self._prefix) if path.startswith(self._prefix) else None
