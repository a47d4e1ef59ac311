"""The facts of a real incident, gathered for its report: the journal, the canary's ledgers, and what the stores hold of its records.

Rules: it reads and changes nothing. Each store is looked at where it is written: what the failover moved in the target, what it left alone
in the source. What nobody could look at stays unknown: a target that was read by nobody between the failover and the way home says nothing
about what the failover lost of the stores that moved, and an old writer of which nobody wrote down what only it held before it was made a
replica leaves the check of the single writer open. Time that the canary could not measure is a finding that weighs.
"""

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from holdfast import __version__
from holdfast.canary.archive import entries, functions, measured
from holdfast.canary.exported import unnamed
from holdfast.canary.files import CanaryFiles
from holdfast.canary.observed import observed
from holdfast.canary.proved import proved
from holdfast.canary.records import canary_records, read
from holdfast.conduct.runs import FAILOVER, REPROTECT, TURN_BACK, WAY_BACK, stores_moved
from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record
from holdfast.ledger.availability import availability
from holdfast.ledger.contents import StoreContents
from holdfast.ledger.entry import LedgerEntry
from holdfast.ledger.measure import SUCCESSES_IN_A_ROW
from holdfast.plan.bindings import Bindings
from holdfast.plan.loader import LoadedPlan
from holdfast.plan.model import Plan
from holdfast.providers.file.divergence import EXPORTS, Kept, last_export
from holdfast.providers.sqlite.journal import JournalReader
from holdfast.report.facts import ReportFacts
from holdfast.report.model import Finding
from holdfast.report.wording import count, duration, listing

LOOK_BACK_SECONDS = 6 * 3600.0
"""How long before the impact a write may have been acknowledged and still count as lost by it."""
BEFORE_SECONDS = 60.0
_MOVES = (Kind.EPOCH_OPENED, Kind.RUN_NUMBERED)
Look = Callable[[Bindings, str, float], tuple[StoreContents, ...]]
SLACK_INTERVALS = 2.0
"""Unmeasured time of so many intervals of a canary is jitter."""


class IncidentProblem(Exception):
    """Its facts can't be gathered; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class IncidentSources:
    """Where the facts of an incident are."""

    loaded: LoadedPlan
    bindings: Bindings
    """As seen from where this runs: the stores of the serving region are read, and the observers asked."""
    journal: Path
    ledgers: Path
    look: Look = canary_records
    """Reads what a region's stores hold of the canary's records since a moment."""


@dataclass(frozen=True, slots=True)
class _Times:
    """Wall-clock seconds."""

    impact: float
    """As the incident was opened with."""
    moved: float | None
    """When the failover was ordered: its epoch was opened, or it got its number where no writer moves."""
    returning: float | None
    """When anything began to be brought back."""
    end: float


@dataclass(frozen=True, slots=True)
class _Stores:
    """What the stores hold of the canary's records, each where it is written."""

    after_failover: tuple[StoreContents, ...]
    old_writer: tuple[StoreContents, ...]
    """Of the source, where it could be read."""
    at_end: tuple[StoreContents, ...]


def incident_facts(sources: IncidentSources, wanted: str | None, now_seconds: float) -> ReportFacts:
    """Everything for the report of an incident; of the last one when none is named.

    Raises IncidentProblem, JournalBroken, LedgerError and OSError.
    """
    with JournalReader(sources.journal) as journal:
        records = tuple(journal.read())
    opened = _opened(records, wanted, sources.journal)
    mine = [record for record in records if record.incident == opened.incident]
    plan, files = sources.loaded.plan, CanaryFiles(sources.ledgers)
    times = _times(mine, opened, _settling_seconds(sources), now_seconds)
    since = times.impact - LOOK_BACK_SECONDS
    ledgers, torn = _ledgers(files, since, times.end)
    looks, _ = observed(sources.bindings)
    stores = _stores(sources, files, times, records, opened)
    exports = sources.journal.parent / EXPORTS
    there, on_return = (last_export(exports, [opened.incident], run) for run in (REPROTECT, WAY_BACK))
    return ReportFacts(
        plan=plan,
        plan_digest=sources.loaded.digest,
        incident=opened.incident,
        kind="incident",
        scenario=str(opened.body["scenario"]),
        profile=_profile(records, opened),
        replication=sources.bindings.replication,
        records=records,
        ledgers=ledgers,
        after_failover=stores.after_failover,
        before_reprotect=_together(stores.old_writer, proved(there, mine, sources.bindings)),
        at_end=stores.at_end,
        started_seconds=times.impact - BEFORE_SECONDS,
        ended_seconds=times.end,
        generated_seconds=now_seconds,
        holdfast_version=__version__,
        observations=tuple(look for look in looks if look.at_seconds >= times.impact - BEFORE_SECONDS),
        divergence=there.divergence,
        held_there=there.held,
        divergence_on_return=on_return.divergence,
        held_on_return=on_return.held,
        before_return=proved(on_return, mine, sources.bindings),
        findings=(*torn, *_unmeasured(sources, files, times), *_not_counted(there, sources.bindings)),
    )


def _opened(records: Sequence[Record], wanted: str | None, journal: Path) -> Record:
    opened = [record for record in records if record.kind == Kind.INCIDENT_OPENED]
    if not opened:
        raise IncidentProblem(f"{journal} knows of no incident")
    found = opened[-1] if wanted is None else next((record for record in opened if record.incident == wanted), None)
    if found is None:
        raise IncidentProblem(f"{journal} knows of no incident '{wanted}'; it has {listing([record.incident for record in opened])}")
    return found


def _times(mine: Sequence[Record], opened: Record, settling_seconds: float, now_seconds: float) -> _Times:
    def first(kinds: Collection[Kind], runs: Collection[str]) -> float | None:
        return next((record.at_seconds for record in mine if record.kind in kinds and record.body.get("run") in runs), None)

    closed = next((record.at_seconds for record in mine if record.kind == Kind.INCIDENT_CLOSED), None)
    return _Times(
        impact=float(opened.body.get("impact_seconds") or opened.at_seconds),
        moved=first(_MOVES, (FAILOVER,)),
        # Where no writer moves, turning back brings home what moved; else it leaves the stores where they are written.
        returning=first((Kind.RUN_STARTED,), (REPROTECT, WAY_BACK, TURN_BACK) if _numbered(mine) else (REPROTECT,)),
        end=now_seconds if closed is None else min(now_seconds, closed + settling_seconds),
    )


def _numbered(mine: Sequence[Record]) -> bool:
    """Whether the failover moved no writer, and so opened no epoch."""
    return any(record.kind == Kind.RUN_NUMBERED and record.body.get("run") == FAILOVER for record in mine)


def _settling_seconds(sources: IncidentSources) -> float:
    """How long it takes to see that an outage is over: ten successes of the slowest canary."""
    canaries = [function.canary for function in sources.loaded.plan.functions.values() if function.canary is not None]
    slowest = max((canary.every + canary.within for canary in canaries), default=1.0)
    return (SUCCESSES_IN_A_ROW + 2) * slowest


def _profile(records: Sequence[Record], opened: Record) -> str:
    started = [record for record in records if record.kind == Kind.CONTROLLER_STARTED and record.sequence < opened.sequence]
    return str(started[-1].body.get("profile", "default")) if started else "default"


def _ledgers(files: CanaryFiles, since_seconds: float, until_seconds: float) -> tuple[dict[str, tuple[LedgerEntry, ...]], list[Finding]]:
    found, torn = {}, []
    for function in functions(files):
        ledger = entries(files, function, since_seconds, until_seconds)
        if ledger.entries:
            found[function] = ledger.entries
        if ledger.torn:
            torn.append(Finding(about=f"ledger of {function}", result="unknown", sentence=ledger.torn))
    return found, torn


def _stores(sources: IncidentSources, files: CanaryFiles, times: _Times, records: Sequence[Record], opened: Record) -> _Stores:
    mine = [record for record in records if record.incident == opened.incident]
    since, source, target = times.impact - LOOK_BACK_SECONDS, str(opened.body["source"]), str(opened.body["target"])
    moved, stayed = _moved_and_stayed(sources.loaded.plan, str(opened.body["scenario"]))
    moves = [record for record in mine if record.kind in _MOVES]
    later = any(record.kind in _MOVES and record.sequence > opened.sequence for record in records if record not in mine)
    # What stayed is written where it always was: until another incident moves it, reading it says what this one left of it.
    left = _of(stayed, sources.look(sources.bindings, source, since)) if stayed and not later else ()
    serving = str(moves[-1].body.get("target")) if moves else sources.loaded.plan.primary_region()
    known = times.moved is not None
    return _Stores(
        after_failover=(*_after_failover(sources, files, times, target, moved), *left) if known else (),
        old_writer=left if _numbered(mine) else _surveyed(files, source, times, _fenced_seconds(mine)),
        at_end=(*(_of(moved, sources.look(sources.bindings, serving, since)) if moved else ()), *left),
    )


def _moved_and_stayed(plan: Plan, scenario: str) -> tuple[frozenset[str], frozenset[str]]:
    """Stores that the failover begins to write in the target, and those that it leaves alone. All move if the plan has it no more."""
    every = frozenset(name for kind in ("postgres", "redis", "bucket") for name in plan.components_of(kind))
    moved = stores_moved(plan, scenario) if scenario in plan.scenarios else every
    return moved, every - moved


def _of(components: Collection[str], contents: Sequence[StoreContents]) -> tuple[StoreContents, ...]:
    return tuple(found for found in contents if found.store in components)


def _together(read: Sequence[StoreContents], exported: Sequence[StoreContents]) -> tuple[StoreContents, ...]:
    """All that is known of each store; where nothing is, why."""
    known = {found.store for found in (*read, *exported) if found.records is not None}
    return tuple(found for found in (*read, *exported) if found.records is not None or found.store not in known)


def _after_failover(
    sources: IncidentSources, files: CanaryFiles, times: _Times, target: str, moved: Collection[str]
) -> tuple[StoreContents, ...]:
    """What the target held after the failover: as the canary read it then, or now as long as nobody began to bring anything back."""
    surveyed = _of(moved, _surveyed(files, target, times))
    if not moved or (surveyed and all(store.records is not None for store in surveyed)) or times.returning is not None:
        return surveyed
    return _of(moved, sources.look(sources.bindings, target, times.impact - LOOK_BACK_SECONDS))


def _fenced_seconds(mine: Sequence[Record]) -> float:
    """When the failover's source was surely fenced; never, where it was not. What is read before says nothing of what it wrote last."""
    fenced = (record.at_seconds for record in mine if record.kind == Kind.FENCE_CONFIRMED and record.body.get("run") == FAILOVER)
    return max(fenced, default=math.inf)


def _surveyed(files: CanaryFiles, region: str, times: _Times, since_seconds: float = 0.0) -> tuple[StoreContents, ...]:
    """The first survey of a region between the failover and the way home, from a moment on."""
    for path in sorted(files.contents.glob(f"*.{region}.json")):
        at = float(path.name.removesuffix(f".{region}.json"))
        if times.moved is not None and at >= max(times.moved, since_seconds) and (times.returning is None or at < times.returning):
            return read(path)
    return ()


def _unmeasured(sources: IncidentSources, files: CanaryFiles, times: _Times) -> Iterator[Finding]:
    """Where the canary itself was blind while the incident was on."""
    until = times.returning if times.returning is not None else times.end
    for name, function in sources.loaded.plan.functions.items():
        if function.canary is None:
            continue
        end = until - SLACK_INTERVALS * function.canary.every - function.canary.within  # what is on its way has no entry yet
        if end <= times.impact:
            continue
        found = availability(measured(files, name, function.canary, times.impact, end))
        if found.unknown_seconds > SLACK_INTERVALS * function.canary.every and found.measured_seconds > 0:
            why = listing(list(found.unknown_reasons))
            sentence = f"{duration(found.unknown_seconds)} of the incident were not measured: {why}."
            yield Finding(about=f"canary of {name}", result="unknown", sentence=sentence)


def _not_counted(export: Kept, bindings: Bindings) -> Iterator[Finding]:
    """What only the lost side held where the bindings name no records: it says nothing of how many writers there were."""
    if export.divergence is not None:
        for place, number in unnamed(export.divergence, export.entries, bindings).items():
            held_alone = f"{count(number, 'entry', 'entries')} of {place} that only {export.divergence.source} held"
            sentence = f"The single-writer check does not look at {held_alone}: the bindings name no records there."
            yield Finding(about=place, result="pass", sentence=sentence)
