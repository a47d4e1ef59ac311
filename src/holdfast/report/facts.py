"""Everything that a report is made from, in one frozen value: whoever runs the exercise or the incident gathers it.

Rules: what could not be read is given as such (`StoreContents.records=None`, a ledger left out), never as empty.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from holdfast.health.observation import Observation
from holdfast.journal.record import GENESIS, Record
from holdfast.ledger.contents import StoreContents
from holdfast.ledger.entry import LedgerEntry
from holdfast.plan.model import Plan
from holdfast.report.divergence import Divergence
from holdfast.report.model import Finding


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """The inputs. `kind`, `scenario` and `execution` are used where the journal holds no opened incident."""

    plan: Plan
    plan_digest: str
    incident: str
    kind: Literal["exercise", "incident"]
    scenario: str
    profile: str
    replication: Literal["asynchronous", "synchronous"]
    records: Sequence[Record]
    """The journal from `journal_before` on, with all incidents: the chain is checked over everything."""
    ledgers: Mapping[str, Sequence[LedgerEntry]]
    """Function → what its clients know. A function without one is unmeasured."""
    after_failover: Sequence[StoreContents]
    """What the target region's stores held after the failover, read while every write under an old epoch is over."""
    before_reprotect: Sequence[StoreContents]
    """What the old source's stores held when it came back, read before it was made a replica: the other half of the single-writer check."""
    at_end: Sequence[StoreContents]
    """What the stores hold at the end, read after the last request that counts. Of both regions given, the serving one's are compared."""
    started_seconds: float
    ended_seconds: float
    generated_seconds: float
    holdfast_version: str
    execution: Literal["graceful", "ungraceful"] = "ungraceful"
    observations: Sequence[Observation] = ()
    findings: Sequence[Finding] = ()
    """What else a reader must know: torn ledgers, an early end, the plan's broken promises.

    Those that are *unknown* weigh in the verdict, and those that say so themselves. A promise that the plan can't keep is *fail*
    and does not weigh: the measured RTO does."""
    storage: str = ""
    """The S3 server of the lab; empty where it is not a lab's."""
    arrived: Mapping[str, Sequence[float]] = field(default_factory=dict)
    """Key of a hand-over (message/channel/recipient) → when it was seen at the far end; empty where nobody looked there."""
    divergence: Divergence | None = None
    """What only the lost side held, as it was exported before it was made a replica."""
    held_there: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """(Component, identifier) of every entry of that export → its change. Identifiers are the keys of ledgers."""
    divergence_on_return: Divergence | None = None
    """The same of the region that served until the way home."""
    held_on_return: Mapping[tuple[str, str], str] = field(default_factory=dict)
    before_return: Sequence[StoreContents] = ()
    """What the target's stores held alone, or otherwise, when the way home was about to make them replicas: as that export says."""
    journal_before: tuple[int, str] = (0, GENESIS)
