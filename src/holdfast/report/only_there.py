"""What only the lost side held, held against the ledgers: every acknowledged write that is lost is in the export, or is named as missing.

Never here: the export's files (whoever gathers the facts reads them), and what it means for the verdict.
"""

from collections.abc import Iterable

from holdfast.ledger.entry import LedgerEntry
from holdfast.report.facts import ReportFacts
from holdfast.report.history import History
from holdfast.report.model import LISTED_LOSSES, LostWrite, OnlyThere, OnlyThereComponent
from holdfast.report.wording import moment

NEEDED_BY_RUN = "reprotect"


def only_there(facts: ReportFacts, history: History, lost: Iterable[LedgerEntry]) -> OnlyThere:
    """The report's part about it. `lost`: every acknowledged write that the failover lost."""
    needed = any(record.body.get("run") == NEEDED_BY_RUN for record in history.records)
    export = facts.divergence
    if export is None:
        return OnlyThere(needed=needed)
    entries = sorted(lost, key=lambda entry: entry.answered_seconds)
    missing = [entry for entry in entries if (entry.store or "", entry.key or "") not in facts.held_there]
    return OnlyThere(
        needed=needed,
        exported=True,
        complete=export.complete,
        region=export.source,
        exported_at=moment(export.exported_seconds, facts.plan.timezone),
        differences=export.differences,
        components=tuple(
            OnlyThereComponent(
                component=component.component,
                kind=component.kind,
                status=component.status,
                how=component.how,
                detail=component.detail,
                only_here=sum(part.only_here for part in component.parts),
                differs=sum(part.differs for part in component.parts),
                deleted_here=sum(part.deleted_here for part in component.parts),
                same=sum(part.same for part in component.parts),
                unexamined=component.unexamined,
            )
            for component in export.components
        ),
        lost_found=len(entries) - len(missing),
        lost_missing=len(missing),
        missing=tuple(
            LostWrite(
                function=entry.function,
                store=entry.store or "",
                request=entry.request,
                key=entry.key,
                acknowledged_at=moment(entry.answered_seconds, facts.plan.timezone),
            )
            for entry in missing[:LISTED_LOSSES]
        ),
    )
