"""What a drill gathers for the report: journal, ledgers, what observers saw, and what the stores held at each moment that matters."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from holdfast.health.observation import Observation
from holdfast.journal.record import Record
from holdfast.lab.audit import contents
from holdfast.lab.autopsy import fenced_contents
from holdfast.lab.running import Lab
from holdfast.ledger.contents import StoreContents
from holdfast.ledger.entry import LedgerEntry
from holdfast.ledger.reading import read_ledgers
from holdfast.plan.bindings import Bindings
from holdfast.providers.http.observations import HttpObservationSource
from holdfast.providers.sqlite.journal import JournalReader
from holdfast.report.model import Finding

ASK_SECONDS = 10.0
"""Time for one page of an observer's looks: nothing waits for it but the report."""


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
    observations: tuple[Observation, ...] = ()
    findings: tuple[Finding, ...] = ()

    def after_failover(self, lab: Lab, target: str, source: str) -> "Evidence":
        """With what both regions' stores hold now: the target's by its servers, the fenced source's by a copy."""
        there = contents(lab.bindings(target), target)
        aside = lab.directory / "aside"
        here = fenced_contents(lab.agent_configuration(source), lab.bindings(source), source, aside)
        return replace(self, after_failover_contents=there, before_reprotect_contents=here)

    def collected(self, lab: Lab, serving: str, bindings: Bindings) -> "Evidence":
        """With the journal, the ledgers and the last contents of the stores of the region that serves, seen from there by `bindings`."""
        at_end = contents(bindings, serving)
        ledgers = read_ledgers(lab.layout.ledgers)
        torn = tuple(
            Finding(about=f"ledger of {name}", result="unknown", sentence=ledger.torn) for name, ledger in ledgers.items() if ledger.torn
        )
        journal = lab.layout.controller / "journal.db"
        records = tuple(JournalReader(journal).read()) if journal.exists() else ()
        entries = {name: ledger.entries for name, ledger in ledgers.items()}
        return replace(
            self, at_end_contents=at_end, records=records, ledgers=entries, findings=(*self.findings, *torn), ended_seconds=time.time()
        )

    def watched(self, bindings: Bindings) -> "Evidence":
        """With everything that the observers saw. A silent one is said; the others saw the same things from elsewhere."""
        looks, silent = asyncio.run(_observed(bindings))
        said = tuple(
            Finding(about=f"observer {site}", result="fail", sentence=f"It was silent when asked what it saw: {why}")
            for site, why in silent.items()
        )
        return replace(self, observations=looks, findings=(*self.findings, *said))


async def _observed(bindings: Bindings) -> tuple[tuple[Observation, ...], dict[str, str]]:
    looks: list[Observation] = []
    silent: dict[str, str] = {}
    for site, url in bindings.observers.items():
        source = HttpObservationSource(site, url, timeout_seconds=ASK_SECONDS, source_address=bindings.source_address)
        last = 0
        try:
            while page := await source.since(last):
                looks.extend(page)
                last = page[-1].sequence
        except (TimeoutError, OSError) as error:
            silent[site] = str(error) or f"no answer within {ASK_SECONDS:g} s"
        finally:
            source.close()
    return tuple(sorted(looks, key=lambda look: look.at_seconds)), silent
