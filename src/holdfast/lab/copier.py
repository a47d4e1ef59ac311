"""Cross-region copying out of one region's bucket: the small part of a cloud's own that the lab needs.

Run as `python -m holdfast.lab.copier --config FILE`, one for each region; the configuration is a JSON object with `region`, `bucket`,
`access_key`, `secret_key_file`, `here` and `there` (each [host, port, region]; `there` is the other region's storage over the link), and
`access_log`, the file in which a real server notes what was written (without it the storage is asked). It copies what is written here
to the other side, late and in order, as long as its direction stands:

    object `holdfast/replication.json` = {"from": region, "epoch": n}

is written by whoever activates a bucket into that bucket. Both sides' objects are read; the one with the highest epoch says which
side is copied from, and a copier of the other side rests. When a direction begins, everything that the other side lacks is copied
first, and the probes' time marks last: whoever sees one arrive may count on everything before it. So a mark is read before what stands
ahead of it is heard of, and copied as it was then: read when its turn comes, behind a backlog, it would vouch for what still waits.
Marks of the bucket itself (who writes, the direction) and deletions are never copied.
"""

import argparse
import itertools
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast.lab.bucket import Bucket, StoredObject
from holdfast.lab.changes import Changes, ReadInLog, ToldByStorage
from holdfast.lab.storage_paths import DIRECTION_KEY, NEVER_COPIED, TIME_MARK_PREFIX

POLL_SECONDS = 0.2
RETRY_SECONDS = 0.5
LOOK_ACROSS_EVERY_SECONDS = 1.0
_MOST_AT_ONCE = 100


@dataclass(frozen=True, slots=True, order=True)
class Direction:
    """Which side is copied from, and since which epoch."""

    epoch: int
    origin: str


NOWHERE = Direction(-1, "")


def direction_in(bucket: Bucket) -> Direction:
    """What a bucket says about the direction; nowhere when it says nothing that can be read."""
    stored = bucket.get(DIRECTION_KEY)
    if stored is None:
        return NOWHERE
    try:
        value = json.loads(stored.content)
        return Direction(int(value["epoch"]), str(value["from"]))
    except (ValueError, KeyError, TypeError):
        return NOWHERE


def _is_mark(key: str) -> bool:
    return key.startswith(TIME_MARK_PREFIX)


class Copier:
    """The state of the copying out of one bucket."""

    def __init__(self, region: str, here: Bucket, there: Bucket, changes: Changes, most_at_once: int = _MOST_AT_ONCE) -> None:
        """`most_at_once`: objects copied before it looks again what was written, and who is copied from."""
        self._region = region
        self._here = here
        self._there = there
        self._changes = changes
        self._most_at_once = most_at_once
        self._waiting: dict[str, StoredObject | None] = {}  # a time mark as it is to arrive; None: as the object is in its turn
        self._marks_heard: set[str] = set()
        self._own = NOWHERE
        self._direction_is_stale = True
        self._other = NOWHERE
        self._looked_across_at = float("-inf")
        self._compared_for: Direction | None = None

    @property
    def is_behind(self) -> bool:
        """Whether objects wait that were heard of."""
        return bool(self._waiting)

    def turn(self, now_seconds: float) -> None:
        """Look what was written and copy it if this side is the one that is copied from. Raises OSError when a side is silent."""
        self._hear_of_changes()
        if self._own.origin != self._region:
            self._waiting.clear()
            return
        # Before anything is copied, too: a cut may have healed a moment ago, and the other side may have become the written one.
        if self._waiting or now_seconds - self._looked_across_at >= LOOK_ACROSS_EVERY_SECONDS:
            self._other = max(self._other, direction_in(self._there))
            self._looked_across_at = now_seconds
        if self._other.epoch > self._own.epoch:
            self._waiting.clear()
            return
        self._compare_once()
        for key in list(itertools.islice(self._waiting, self._most_at_once)):
            stored = self._waiting[key] or self._here.get(key)
            if stored is not None:
                self._there.put(key, stored)
            del self._waiting[key]

    def _hear_of_changes(self) -> None:
        self._wait_for(self._changes.since_last())
        # One that waits already vouches for less and keeps its place, else none would ever arrive behind a long backlog.
        marks = self._read_marks(self._marks_heard.difference(self._waiting))
        if marks:
            more = self._changes.since_last()
            self._marks_heard.difference_update(marks)
            self._wait_for(more)
            self._waiting |= marks
        if self._direction_is_stale:
            self._own = direction_in(self._here)
            self._direction_is_stale = False

    def _wait_for(self, keys: list[str]) -> None:
        self._marks_heard.update(filter(_is_mark, keys))
        self._direction_is_stale |= DIRECTION_KEY in keys
        for key in keys:
            if key not in NEVER_COPIED and not _is_mark(key):
                self._waiting.setdefault(key, None)

    def _compare_once(self) -> None:
        if self._compared_for == self._own:
            return
        marks = self._read_marks(filter(_is_mark, self._here.all_keys()))
        self._wait_for(self._changes.since_last())
        there = {*self._there.all_keys(), *NEVER_COPIED}
        lacking = [key for key in self._here.all_keys() if key not in there]
        # What was heard of is newer than what was found lacking, and a mark that arrives vouches for everything before it. One that is
        # newer than those that were read waits until it is heard of.
        self._waiting = {**dict.fromkeys(itertools.filterfalse(_is_mark, (*lacking, *self._waiting))), **marks}
        self._compared_for = self._own

    def _read_marks(self, keys: Iterable[str]) -> dict[str, StoredObject]:
        """The time marks as they are now. Read them before what they are to vouch for is listed."""
        read = {key: self._here.get(key) for key in keys}
        return {key: mark for key, mark in read.items() if mark is not None}


def run(copier: Copier) -> None:
    """Copy for ever."""
    silent = ""
    while True:
        try:
            copier.turn(time.monotonic())
            if silent:
                print("copying goes on", flush=True)
            silent = ""
            if not copier.is_behind:
                time.sleep(POLL_SECONDS)
        except OSError as error:
            if not silent:
                print(f"waiting: {error}", flush=True)
            silent = str(error) or "no answer"
            time.sleep(RETRY_SECONDS)


def _bucket(config: dict[str, Any], side: str) -> Bucket:
    host, port, region = config[side]
    secret = Path(config["secret_key_file"]).read_text(encoding="utf-8").strip()
    return Bucket(str(host), int(port), str(config["bucket"]), str(region), str(config["access_key"]), secret)


def main() -> None:
    """Entry of the process."""
    parser = argparse.ArgumentParser(description="Copy what is written to a region's bucket to the other region's.")
    parser.add_argument("--config", type=Path, required=True)
    config: dict[str, Any] = json.loads(parser.parse_args().config.read_text(encoding="utf-8"))
    here = _bucket(config, "here")
    there = _bucket(config, "there")
    log = config.get("access_log")
    run(Copier(config["region"], here, there, ReadInLog(Path(log), here.name) if log else ToldByStorage(here)))


if __name__ == "__main__":
    main()
