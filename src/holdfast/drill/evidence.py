"""What a drill gathers for the report: journal, ledgers, what observers saw, and what the stores held at each moment that matters."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from holdfast.canary.observed import observed
from holdfast.canary.proved import proved
from holdfast.conduct.runs import FAILOVER, REPROTECT, WAY_BACK, moves_writers, stores_moved
from holdfast.drill.arrivals import Arrivals, arrival_findings, arrivals, refused
from holdfast.health.observation import Observation
from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record
from holdfast.lab.audit import contents
from holdfast.lab.autopsy import fenced_contents
from holdfast.lab.running import Lab
from holdfast.ledger.contents import StoreContents
from holdfast.ledger.entry import LedgerEntry
from holdfast.ledger.reading import read_ledgers
from holdfast.plan.bindings import Bindings
from holdfast.plan.model import Plan
from holdfast.providers.file.divergence import EXPORTS, last_export
from holdfast.providers.sqlite.journal import JournalReader
from holdfast.report.divergence import Divergence
from holdfast.report.model import Finding


@dataclass(frozen=True, slots=True)
class Evidence:
    """Gathered so far. Moments are wall-clock seconds since 1970."""

    exercise: str
    started_seconds: float
    ended_seconds: float = 0.0
    after_failover_contents: tuple[StoreContents, ...] = ()
    before_reprotect_contents: tuple[StoreContents, ...] = ()
    before_return_contents: tuple[StoreContents, ...] = ()
    at_end_contents: tuple[StoreContents, ...] = ()
    records: tuple[Record, ...] = ()
    ledgers: Mapping[str, Sequence[LedgerEntry]] | None = None
    observations: tuple[Observation, ...] = ()
    findings: tuple[Finding, ...] = ()
    divergence: Divergence | None = None
    held_there: Mapping[tuple[str, str], str] = field(default_factory=dict)
    divergence_on_return: Divergence | None = None
    held_on_return: Mapping[tuple[str, str], str] = field(default_factory=dict)
    arrived: Arrivals = field(default_factory=dict)
    """What the far ends of the channels were handed."""

    def after_failover(self, lab: Lab, plan: Plan, scenario: str) -> "Evidence":
        """With what the stores hold now: each where it is written, and the source's databases, fenced ones by a copy."""
        source, target = plan.primary_region(), plan.dr_region()
        moved = stores_moved(plan, scenario)
        stayed = frozenset(plan.components) - moved
        written = (*contents(_only(lab.bindings(target), moved), target), *contents(_only(lab.bindings(source), stayed), source))
        if not moves_writers(plan, scenario, FAILOVER):
            here = tuple(found for found in written if found.region == source)
        else:
            here = fenced_contents(lab.agent_configuration(source), lab.bindings(source), source, lab.directory / "aside")
        return replace(self, after_failover_contents=written, before_reprotect_contents=here)

    def collected(self, lab: Lab, serving: str, bindings: Bindings) -> "Evidence":
        """With the journal, the ledgers and the last contents of the stores of the region that serves, seen from there by `bindings`."""
        at_end = contents(bindings, serving)
        ledgers = read_ledgers(lab.layout.ledgers)
        torn = tuple(
            Finding(about=f"ledger of {name}", result="unknown", sentence=ledger.torn) for name, ledger in ledgers.items() if ledger.torn
        )
        journal = lab.layout.controller / "journal.db"
        records = tuple(JournalReader(journal).read()) if journal.exists() else ()
        incidents = [record.incident for record in records if record.kind == Kind.INCIDENT_OPENED]
        there, on_return = (last_export(lab.layout.controller / EXPORTS, incidents, run) for run in (REPROTECT, WAY_BACK))
        entries = {name: ledger.entries for name, ledger in ledgers.items()}
        received = lab.layout.received
        arrived = arrivals(received, lab.layout.controller, records)
        messages = tuple(arrival_findings(arrived, refused(received), records))
        return replace(
            self,
            at_end_contents=at_end,
            records=records,
            ledgers=entries,
            divergence=there.divergence,
            held_there=there.held,
            divergence_on_return=on_return.divergence,
            held_on_return=on_return.held,
            before_return_contents=proved(on_return, records, bindings),
            findings=(*self.findings, *torn, *messages),
            arrived=arrived,
            ended_seconds=time.time(),
        )

    def watched(self, bindings: Bindings) -> "Evidence":
        """With everything that the observers saw. A silent one is said; the others saw the same things from elsewhere."""
        looks, silent = observed(bindings)
        said = tuple(
            Finding(about=f"observer {site}", result="fail", sentence=f"It was silent when asked what it saw: {why}")
            for site, why in silent.items()
        )
        return replace(self, observations=looks, findings=(*self.findings, *said))


def _only(bindings: Bindings, components: frozenset[str]) -> Bindings:
    """The bindings of these components only: what was taken away gives no answer, and nobody waits for it."""
    kept = {name: places for name, places in bindings.components.items() if name in components}
    return bindings.model_copy(update={"components": kept})
