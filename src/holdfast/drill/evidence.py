"""What a drill gathers for the report: the journal, the ledgers, and what the stores held at each moment that matters."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from holdfast.journal.record import Record
from holdfast.lab.audit import contents
from holdfast.lab.autopsy import fenced_contents
from holdfast.lab.running import Lab
from holdfast.ledger.contents import StoreContents
from holdfast.ledger.entry import LedgerEntry
from holdfast.ledger.reading import read_ledgers
from holdfast.providers.sqlite.journal import JournalReader
from holdfast.report.model import Finding


@dataclass(frozen=True, slots=True)
class Evidence:
    """Gathered so far. Moments are wall-clock seconds since 1970."""

    exercise: str
    started_seconds: float
    ended_seconds: float = 0.0
    after_failover_contents: tuple[StoreContents, ...] = ()
    before_reprotect_contents: tuple[StoreContents, ...] = ()
    at_end_contents: tuple[StoreContents, ...] = ()
    records: tuple[Record, ...] = ()
    ledgers: Mapping[str, Sequence[LedgerEntry]] | None = None
    findings: tuple[Finding, ...] = ()

    def after_failover(self, lab: Lab, target: str, source: str) -> "Evidence":
        """With what both regions' stores hold now: the target's by its servers, the fenced source's by a copy."""
        there = contents(lab.bindings(target), target)
        aside = lab.directory / "aside"
        here = fenced_contents(lab.agent_configuration(source), lab.bindings(source), source, aside)
        return replace(self, after_failover_contents=there, before_reprotect_contents=here)

    def collected(self, lab: Lab, regions: Sequence[str]) -> "Evidence":
        """With the journal, the ledgers and the last contents of these regions' stores."""
        at_end = tuple(store for region in regions for store in contents(lab.bindings(region), region))
        ledgers = read_ledgers(lab.layout.ledgers)
        torn = tuple(
            Finding(about=f"ledger of {name}", result="unknown", sentence=ledger.torn) for name, ledger in ledgers.items() if ledger.torn
        )
        journal = lab.layout.controller / "journal.db"
        records = tuple(JournalReader(journal).read()) if journal.exists() else ()
        entries = {name: ledger.entries for name, ledger in ledgers.items()}
        return replace(self, at_end_contents=at_end, records=records, ledgers=entries, findings=torn, ended_seconds=time.time())
