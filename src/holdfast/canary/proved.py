"""What the export of a run proves of the writer that the run overwrites: only what the journal says of that very export.

Rules: an export that is not the one that the journal has (its digest), that is of an earlier epoch of the run, or that was made when the
store had been ordered to follow already, proves nothing: that is *unknown*, never one writer.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from holdfast.canary.exported import exported_contents
from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record
from holdfast.ledger.contents import StoreContents
from holdfast.plan.bindings import Bindings
from holdfast.plan.blocks import BLOCKS
from holdfast.providers.file.divergence import digest_of, directory_of, last_export

_EXPORT = "divergence.export"


def proved(root: Path, records: Sequence[Record], run: str, bindings: Bindings) -> tuple[StoreContents, ...]:
    """What the source of a run held alone, one value a database or cache; none without an export of it.

    `root`: the directory of all exports; `records`: of one incident. Raises OSError.
    """
    incident = next((record.incident for record in records), "")
    divergence, entries = last_export(root, [incident], run)
    if divergence is None or _journalled(records, run) != digest_of(directory_of(root, incident, run)):
        return ()
    ordered = {record.body["component"]: record.at_seconds for record in reversed([*_overwriting(records, run)])}
    found = exported_contents(divergence, entries, bindings)
    return tuple(_late(one) if ordered.get(one.store, one.read_seconds + 1.0) <= one.read_seconds else one for one in found)


def _journalled(records: Sequence[Record], run: str) -> str | None:
    """The digest of the run's last export since its epoch was opened; None where the journal has none."""
    opened = max((record.sequence for record in records if _is_of(record, Kind.EPOCH_OPENED, run)), default=0)
    ends = (record for record in records if _is_of(record, Kind.STEP_FINISHED, run) and record.body["block"] == _EXPORT)
    digests = [record.body["facts"].get("sha256") for record in ends if record.sequence > opened]
    return next((str(digest) for digest in reversed(digests) if digest is not None), None)


def _overwriting(records: Sequence[Record], run: str) -> Iterator[Record]:
    """Orders of steps that make the source a replica, the first of each component first."""
    return (record for record in records if _is_of(record, Kind.STEP_INTENDED, run) and BLOCKS[str(record.body["block"])].overwrites_source)


def _is_of(record: Record, kind: Kind, run: str) -> bool:
    return record.kind == kind and record.body["run"] == run


def _late(found: StoreContents) -> StoreContents:
    problem = f"{found.store} in {found.region} was exported when it had been ordered to follow already"
    return replace(found, records=None, problem=problem)
