"""What the journal says about one incident, as moments and bodies that the rest of the room asks for.

Rules: records of other incidents are left out; records of the installation (suspicions, marks of the exercise) count when they
fall into the incident's time. Missing records give None, never a guess.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record

Run = Literal["failover", "reprotect", "way-back", "turn-back"]
RUNS: tuple[Run, ...] = ("failover", "reprotect", "way-back", "turn-back")


def number(value: Any) -> float | None:
    """A number out of a record's body, or None for anything else."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def run_of(record: Record) -> Run:
    """Which run a record belongs to; a record that names none belongs to the failover."""
    named = record.body.get("run")
    return next((run for run in RUNS if run == named), "failover")


@dataclass(frozen=True, slots=True)
class History:
    """Records of one incident, in order."""

    incident: str
    records: Sequence[Record]

    def of(self, *kinds: Kind) -> Iterator[Record]:
        """Records of these kinds that belong to the incident or to the installation."""
        for record in self.records:
            if record.kind in kinds and record.incident in ("", self.incident):
                yield record

    def first(self, *kinds: Kind) -> Record | None:
        """The first of them."""
        return next(self.of(*kinds), None)

    def last(self, *kinds: Kind) -> Record | None:
        """The last of them."""
        return next(reversed(list(self.of(*kinds))), None)

    def opened(self) -> Record | None:
        """The record that opened the incident."""
        return self.first(Kind.INCIDENT_OPENED)

    def of_run(self, kind: Kind, run: Run) -> list[Record]:
        """Records of one kind about one run."""
        return [record for record in self.of(kind) if run_of(record) == run]

    def first_of_run(self, kind: Kind, run: Run) -> Record | None:
        """The first of them."""
        return next(iter(self.of_run(kind, run)), None)

    def last_of_run(self, kind: Kind, run: Run) -> Record | None:
        """The last of them: a run that was taken up again has two starts, and only its last end counts."""
        return next(reversed(self.of_run(kind, run)), None)

    def marked_seconds(self, what: str) -> float | None:
        """When the exercise first did this to the world, as it says itself, or else when that reached the journal."""
        mark = next((record for record in self.of(Kind.EXERCISE_MARK) if record.body.get("what") == what), None)
        if mark is None:
            return None
        said = number(mark.body.get("at_seconds"))
        return mark.at_seconds if said is None else said

    def suspicion(self, not_before_seconds: float, region: str) -> Record | None:
        """The first suspicion of the region at or after a moment."""
        for record in self.of(Kind.SUSPICION_RAISED):
            if record.at_seconds >= not_before_seconds and record.body.get("region") in (None, region):
                return record
        return None

    def fence(self, region: str) -> Record | None:
        """The first confirmation that the region cannot write any more."""
        return next((record for record in self.of(Kind.FENCE_CONFIRMED) if record.body.get("region") in (None, region)), None)
