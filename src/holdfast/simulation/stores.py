"""Simulated stores: a log of writes in each region, one writer, one copy that follows late; and buckets, which are copied and not fenced.

Simplified but honest: what a copy has is a prefix of what its writer had; a promoted copy goes its own way from there, and a former
writer that went on alone holds writes that nobody else has until it is made a replica again, which throws them away.
"""

from dataclasses import dataclass, field
from enum import StrEnum


class StoreRole(StrEnum):
    """What a store does now."""

    WRITER = "writer"
    STANDBY = "standby"
    FENCED = "fenced"


@dataclass(frozen=True, slots=True)
class Write:
    """One write, or a heartbeat (then `key` is empty)."""

    key: str
    region: str
    epoch: int
    at_seconds: float


@dataclass
class LogStore:
    """A PostgreSQL or a Redis of one region."""

    region: str
    role: StoreRole
    epoch: int
    follows: str | None = None
    log: list[Write] = field(default_factory=list)
    lag_seconds: float = 0.1
    applied_until_seconds: float = 0.0
    """Everything that the writer wrote before this moment is here."""
    kept: list[Write] = field(default_factory=list)
    """What was here before the last restore."""

    def append(self, key: str, now_seconds: float) -> Write:
        """Take a write. Raises PermissionError on anything but the writer."""
        if self.role is not StoreRole.WRITER:
            raise PermissionError(f"{self.region} is {self.role.value}, not the writer")
        write = Write(key, self.region, self.epoch, now_seconds)
        self.log.append(write)
        return write

    def heartbeat_seconds(self) -> float | None:
        """Time of the newest write that is here."""
        return self.log[-1].at_seconds if self.log else None

    def pull(self, writer: "LogStore", now_seconds: float, lag_seconds: float | None = None) -> None:
        """Take over what the writer had `lag_seconds` ago. Does nothing unless this store is a copy of that one."""
        if not self.follows_truly(writer):
            return
        until = now_seconds - (self.lag_seconds if lag_seconds is None else lag_seconds)
        position = len(self.log)
        while position < len(writer.log) and writer.log[position].at_seconds <= until:
            self.log.append(writer.log[position])
            position += 1
        self.applied_until_seconds = max(self.applied_until_seconds, until)
        self.epoch = writer.epoch

    def follows_truly(self, writer: "LogStore") -> bool:
        """Whether this is a standby of that store and has nothing that the other lacks."""
        if self.role is not StoreRole.STANDBY or self.follows != writer.region or len(self.log) > len(writer.log):
            return False
        return not self.log or self.log[-1] == writer.log[len(self.log) - 1]

    def promote(self, epoch: int) -> None:
        """Become the writer under a new epoch."""
        self.role, self.epoch, self.follows = StoreRole.WRITER, epoch, None

    def restore(self, archive: "LogStore") -> None:
        """Hold what the archive holds, and keep aside what was here."""
        self.kept, self.log = self.log, list(archive.log)

    def fence(self) -> None:
        """Take no more writes."""
        if self.role is StoreRole.WRITER:
            self.role = StoreRole.FENCED

    def unfence(self) -> None:
        """Write again under the same epoch: nobody else was promoted."""
        if self.role is StoreRole.FENCED:
            self.role = StoreRole.WRITER

    def become_replica(self, writer: "LogStore") -> None:
        """Throw away what the writer never had, and follow it."""
        common = 0
        while common < min(len(self.log), len(writer.log)) and self.log[common] == writer.log[common]:
            common += 1
        del self.log[common:]
        self.role, self.follows, self.epoch = StoreRole.STANDBY, writer.region, writer.epoch


@dataclass
class BucketStore:
    """A bucket of one region. `writer` and `source` are its own marks: (epoch, region)."""

    region: str
    writer: tuple[int, str]
    source: tuple[int, str]
    objects: dict[str, Write] = field(default_factory=dict)
    superseded: dict[str, Write] = field(default_factory=dict)
    deleted: dict[str, Write] = field(default_factory=dict)
    """What a deletion hides: the newest real version of it."""
    lag_seconds: float = 0.3
    arrived_until_seconds: float = 0.0
    _came: list[str] = field(default_factory=list)
    _copied: int = 0
    """How many of `_came` the copying out of this bucket has seen."""

    def put(self, key: str, now_seconds: float) -> Write:
        """Take an object, under the epoch of the bucket's own mark: a bucket has no fence."""
        write = Write(key, self.writer[1], self.writer[0], now_seconds)
        self._keep(key, write)
        return write

    def delete(self, key: str) -> None:
        """Hide an object, as in a bucket that keeps versions."""
        self.deleted[key] = self.objects.pop(key)
        self._came.remove(key)
        self._copied = min(self._copied, len(self._came))

    def restore(self) -> int:
        """Bring back everything that a deletion hides. Returns how many objects."""
        count = len(self.deleted)
        for key, write in self.deleted.items():
            self._keep(key, write)
        self.deleted.clear()
        return count

    def _keep(self, key: str, write: Write) -> None:
        self.objects[key] = write
        self._came.append(key)

    def copy_to(self, other: "BucketStore", now_seconds: float) -> None:
        """What the storage's own copying has brought over by now."""
        until = now_seconds - self.lag_seconds
        while self._copied < len(self._came) and self.objects[self._came[self._copied]].at_seconds <= until:
            key = self._came[self._copied]
            if key not in other.objects:
                other._keep(key, self.objects[key])
            self._copied += 1
        other.arrived_until_seconds = max(other.arrived_until_seconds, until)

    def differences(self, other: "BucketStore") -> set[str]:
        """Keys that are not on both sides alike."""
        return {key for key in self.objects.keys() | other.objects.keys() if self.objects.get(key) != other.objects.get(key)}

    def reconcile(self, other: "BucketStore") -> int:
        """Both get everything; the newer epoch wins and the loser is kept aside. Returns how many objects were copied."""
        keys = self.differences(other)
        for key in sorted(keys):
            mine, theirs = self.objects.get(key), other.objects.get(key)
            if theirs is None or (mine is not None and (mine.epoch, mine.at_seconds) >= (theirs.epoch, theirs.at_seconds)):
                winner, loser, place = mine, theirs, other
            else:
                winner, loser, place = theirs, mine, self
            assert winner is not None
            if loser is not None:
                place.superseded[f"{key}/{loser.epoch}"] = loser
            place._keep(key, winner)
        return len(keys)
