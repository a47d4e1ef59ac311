"""What the export of a run proves of the writer that the run overwrites: only what the journal says of that very export.

Rules: an export that is not the one that the journal has (its digest), that is of an earlier epoch of the run, or that was made when the
store had been ordered to follow already, proves nothing: that is *unknown*, never one writer.
"""

from collections.abc import Sequence
from dataclasses import replace

from holdfast.canary.exported import exported_contents
from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record
from holdfast.ledger.contents import StoreContents
from holdfast.plan.bindings import Bindings
from holdfast.plan.blocks import BLOCKS
from holdfast.providers.file.divergence import Kept

_EXPORT = "divergence.export"


def proved(export: Kept, records: Sequence[Record], bindings: Bindings) -> tuple[StoreContents, ...]:
    """What the source of the export's run held alone, one value a database or cache; none if it proves nothing; `records`: the journal."""
    divergence = export.divergence
    if divergence is None:
        return ()
    mine = [record for record in records if record.incident == divergence.incident and record.body.get("run") == divergence.run]
    if _journalled(mine) != export.digest:
        return ()
    ordered = {record.body["component"]: record.at_seconds for record in reversed(mine) if _overwrites(record)}
    found = exported_contents(divergence, export.entries, bindings)
    return tuple(_late(one) if ordered.get(one.store, one.read_seconds + 1.0) <= one.read_seconds else one for one in found)


def _journalled(records: Sequence[Record]) -> str | None:
    """The digest of a run's last export since its epoch was opened; None where the journal has none."""
    for record in reversed(records):
        if record.kind == Kind.EPOCH_OPENED:
            return None
        if record.kind == Kind.STEP_FINISHED and record.body["block"] == _EXPORT and "sha256" in record.body["facts"]:
            return str(record.body["facts"]["sha256"])
    return None


def _overwrites(record: Record) -> bool:
    """Whether it is the order of a step that makes the source a replica."""
    return record.kind == Kind.STEP_INTENDED and BLOCKS[str(record.body["block"])].overwrites_source


def _late(found: StoreContents) -> StoreContents:
    problem = f"{found.store} in {found.region} was exported when it had been ordered to follow already"
    return replace(found, records=None, problem=problem)
