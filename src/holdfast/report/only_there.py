"""What only the lost side held, held against the ledgers: every acknowledged write that is lost is in the export, or is named as missing.

Never here: the export's files (whoever gathers the facts reads them), and what it means for the verdict.
"""

from collections.abc import Iterable, Mapping
from itertools import islice

from holdfast.journal.kinds import Kind
from holdfast.ledger.entry import LedgerEntry
from holdfast.plan.blocks import BLOCKS
from holdfast.report.divergence import Divergence
from holdfast.report.facts import ReportFacts
from holdfast.report.history import History, Run
from holdfast.report.losses import listed
from holdfast.report.model import LISTED_LOSSES, OnlyThere, OnlyThereComponent, OnlyThereEntry
from holdfast.report.wording import moment

_ORDERLY = "handed-over"


def only_there(facts: ReportFacts, history: History, lost: Iterable[LedgerEntry]) -> OnlyThere:
    """The report's part about the region that was lost. `lost`: every acknowledged write that the failover lost."""
    needed = _overwrites(facts, history) and any(record.body.get("run") == "reprotect" for record in history.records)
    if facts.divergence is None:
        return OnlyThere(needed=needed)
    return _held(facts, facts.divergence, facts.held_there, history, "reprotect", lost)


def only_there_on_return(facts: ReportFacts, history: History, lost: Iterable[LedgerEntry]) -> OnlyThere:
    """The same of the region that served, for a way home that it was not there to hand over on. `lost`: what the way home lost."""
    export = facts.divergence_on_return
    if export is None or all(component.how == _ORDERLY for component in export.components):
        return OnlyThere()
    return _held(facts, export, facts.held_on_return, history, "way-back", lost)


def _held(
    facts: ReportFacts, export: Divergence, held: Mapping[tuple[str, str], str], history: History, run: Run, lost: Iterable[LedgerEntry]
) -> OnlyThere:
    entries = sorted(lost, key=lambda entry: entry.answered_seconds)
    missing = [entry for entry in entries if (entry.store or "", entry.key or "") not in held]
    given = _given_back(history, run)
    taken = {(component, name) for component, name in held if name in given or f"{component}:{name}" in given}
    return OnlyThere(
        needed=True,
        exported=True,
        complete=export.complete,
        region=export.source,
        exported_at=moment(export.exported_seconds, facts.plan.timezone),
        differences=export.differences,
        components=_components(export),
        lost_found=len(entries) - len(missing),
        lost_missing=len(missing),
        missing=listed(missing, facts.plan.timezone),
        given_back=len(taken),
        listed=tuple(
            OnlyThereEntry(component=component, id=name, change=change, given_back=(component, name) in taken)
            for (component, name), change in islice(held.items(), LISTED_LOSSES)
        ),
    )


def _components(export: Divergence) -> tuple[OnlyThereComponent, ...]:
    return tuple(
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
            notes=component.notes,
        )
        for component in export.components
    )


def _given_back(history: History, run: Run) -> frozenset[str]:
    """Names of the entries of this run's export that were given back, as people named them."""
    wishes = {record.body["reapply"] for record in history.of(Kind.REAPPLY_ORDERED) if record.body.get("run", "reprotect") == run}
    done = (record.body for record in history.of(Kind.REAPPLIED) if record.body["reapply"] in wishes)
    return frozenset(str(one["id"]) for body in done for one in body["results"] if one["result"] in ("applied", "already"))


def _overwrites(facts: ReportFacts, history: History) -> bool:
    """Whether making the source follow overwrites any store there; where only the application moved there is nothing to write down."""
    opened = history.opened()
    scenario = facts.plan.scenarios.get(str(opened.body.get("scenario"))) if opened is not None else None
    if scenario is None:
        return True
    return any(BLOCKS[step.block].overwrites_source for phase in scenario.reprotect for step in phase.steps)
