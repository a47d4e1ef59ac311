"""What only this region held, as files that people can review: written before a store is made a replica, kept, and handed out in pieces.

One directory an export, `<state_directory>/exports/<store>-<era>-<epoch>/`, with `summary.json` and, for each table or kind of key,
a file with one JSON object a line:

    {"id": "calls/4711", "change": "only-here", "key": [...], "here": {...}, "there": null}

`change`: `only-here` (the writer has nothing under that key), `differs` (it has something else), `deleted-here` (it still has what was
deleted here). Rules: an export appears whole or not at all, and one that is there is never made again or overwritten: after a rewind there
would be nothing left to find. Room on the disk is asked for before anything is started. Never here: comparing (see `postgres_export`,
`redis_export`).
"""

import base64
import hashlib
import json
import os
import re
import shutil
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from holdfast.agent.server_process import make_durable
from holdfast.agent.store import Facts, StoreFailure

SUMMARY = "summary.json"
PIECE_BYTES = 36_000
"""Of one answer: in base64, with everything around it, below the 64 KiB that a message may have."""
_SPARE_BYTES = 16 << 20
_EXPORT_NAME = re.compile(r"[a-z]+-\d+-\d+")
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,150}")


class Part:
    """One file of an export: entries of one table, or of all keys."""

    def __init__(self, directory: Path, number: int, name: str) -> None:
        self.name = name
        self.counts: Counter[str] = Counter()
        self._file_name = f"{number:03d}-{re.sub(r'[^A-Za-z0-9._-]', '_', name)[:100]}.jsonl"
        self._path = directory / self._file_name
        self._digest = hashlib.sha256()
        self._file: IO[bytes] = self._path.open("wb")

    def add(self, change: str, entry: str) -> None:
        """One difference, as JSON in one line."""
        line = entry.encode() + b"\n"
        self._file.write(line)
        self._digest.update(line)
        self.counts[change] += 1

    def same(self, count: int) -> None:
        """So many that the writer has alike."""
        self.counts.update(same=count)

    def remove_if_empty(self) -> None:
        """A table that was touched and in which nothing came of it is no part of the export."""
        if not self.counts:
            self._path.unlink()

    def close(self) -> dict[str, Any]:
        """Durable; what the summary says of it."""
        self._file.flush()
        os.fsync(self._file.fileno())
        size = self._file.tell()
        self._file.close()
        counts = {change: self.counts.get(change, 0) for change in ("only-here", "differs", "deleted-here", "same")}
        return {"name": self.name, "file": self._file_name, "bytes": size, "sha256": self._digest.hexdigest(), "counts": counts}


class Export:
    """An export while it is made. `finish` makes it appear; left without that, nothing stays."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._making = directory.with_name(directory.name + ".making")
        self._parts: list[Part] = []
        self.unexamined: list[str] = []
        """Sentences: what could not be looked at, so that something may be missing here. A person looks before anything is overwritten."""
        self.notes: list[str] = []
        """Sentences: how what was looked at is told, where that isn't plain. Nothing is missing because of these."""

    def begin(self, needed_bytes: int) -> None:
        """Raises StoreFailure when there is not so much room."""
        self.directory.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        free = shutil.disk_usage(self.directory.parent).free
        if free < needed_bytes + _SPARE_BYTES:
            place, needed = self.directory.parent, _mebibytes(needed_bytes + _SPARE_BYTES)
            raise StoreFailure(
                f"the export may need {needed} below {place} and {_mebibytes(free)} are free: "
                "make room and try again, or skip the export with a reason (what only this region held is then lost)"
            )
        shutil.rmtree(self._making, ignore_errors=True)
        self._making.mkdir(mode=0o700)

    def part(self, name: str) -> Part:
        """A new file."""
        part = Part(self._making, len(self._parts) + 1, name)
        self._parts.append(part)
        return part

    def finish(self, facts: Mapping[str, Any]) -> Facts:
        """Make it durable and let it appear; returns what an order's answer says of it."""
        closed = [(part, part.close()) for part in self._parts]
        for part, _ in closed:
            part.remove_if_empty()
        parts = [said for part, said in closed if part.counts]
        summary = {**facts, "parts": parts, "unexamined": self.unexamined, "notes": self.notes}
        path = self._making / SUMMARY
        path.write_text(json.dumps(summary, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        make_durable(path)
        self._making.rename(self.directory)
        make_durable(self.directory)
        return said_of(self.directory)


def said_of(directory: Path) -> Facts:
    """What an order's answer says of an export that is there: small, whatever its size."""
    content = (directory / SUMMARY).read_bytes()
    summary = json.loads(content)
    totals: Counter[str] = Counter()
    for part in summary["parts"]:
        totals.update(part["counts"])
    return {
        "export": directory.name,
        "summary_sha256": hashlib.sha256(content).hexdigest(),
        "how": summary.get("how"),
        "counts": dict(totals),
        "unexamined": len(summary["unexamined"]),
    }


def piece(root: Path, export: str, file: str, offset: str) -> dict[str, Any]:
    """Bytes of one file from an offset. Raises ValueError for what is no such place."""
    if not _EXPORT_NAME.fullmatch(export) or not _FILE_NAME.fullmatch(file) or not offset.isdecimal():
        raise ValueError("export, file and offset must name a place in an export of this agent")
    path = root / export / file
    try:
        with path.open("rb") as opened:
            size = os.fstat(opened.fileno()).st_size
            opened.seek(int(offset))
            content = opened.read(PIECE_BYTES)
    except OSError as error:
        raise ValueError(f"{export}/{file} can't be read: {error.strerror}") from error
    return {"content": base64.b64encode(content).decode(), "bytes": size}


def _mebibytes(count: int) -> str:
    return f"{count / (1 << 20):.0f} MiB"
