"""When it happened: impact, detection, decision, and where the time between impact and the last function's return went.

Rules: impact is the exercise's cut, else the first failed request of an outage that was on when the incident was opened, else
what the incident was opened with. The parts of `time_spent` follow each other without a gap and add up to the whole.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from holdfast.journal.kinds import Kind
from holdfast.ledger.entry import LedgerEntry
from holdfast.ledger.measure import outages
from holdfast.plan.blocks import BLOCKS
from holdfast.report.facts import ReportFacts
from holdfast.report.history import History
from holdfast.report.model import StepResult, TimeSpent

Part = Literal["detection", "hold", "decision", "lease", "promotion", "settings", "dns", "client"]


@dataclass(frozen=True, slots=True)
class Moments:
    """Wall-clock seconds of what everything else is counted from; None for what never happened."""

    impact: float
    suspected: float | None
    opened: float | None
    decided: float | None
    fenced: float | None
    failover_ended: float | None
    return_started: float | None
    """When the reprotection began: the failover's window for clients ends here."""
    way_back_started: float | None
    end: float


def moments(facts: ReportFacts, history: History, source: str) -> Moments:
    """The moments of one incident."""
    opened = history.opened()
    impact = _impact(facts, history)
    suspicion = history.suspicion(impact, source)
    decided = history.first_of_run(Kind.DECIDED, "failover")
    fence = history.first_of_run(Kind.FENCE_CONFIRMED, "failover")
    finished = history.last_of_run(Kind.RUN_FINISHED, "failover")
    reprotect = history.first_of_run(Kind.RUN_STARTED, "reprotect")
    back = history.first_of_run(Kind.RUN_STARTED, "way-back")
    healed = history.marked_seconds("heal")
    begun = [healed, *(record.at_seconds for record in (reprotect, back) if record is not None)]
    ended = finished.at_seconds if finished else None
    returned = [seconds for seconds in begun if seconds is not None and ended is not None and seconds >= ended]
    return Moments(
        impact=impact,
        suspected=suspicion.at_seconds if suspicion else None,
        opened=opened.at_seconds if opened else None,
        decided=decided.at_seconds if decided else None,
        fenced=fence.at_seconds if fence else None,
        failover_ended=ended,
        return_started=min(returned, default=None),
        way_back_started=back.at_seconds if back else None,
        end=facts.ended_seconds,
    )


def _impact(facts: ReportFacts, history: History) -> float:
    cut = history.marked_seconds("cut")
    if cut is not None:
        return cut
    opened = history.opened()
    if opened is None:
        suspicion = history.first(Kind.SUSPICION_RAISED)
        return suspicion.at_seconds if suspicion else facts.started_seconds
    said = float(opened.body.get("impact_seconds", opened.at_seconds))
    return min(_failing_at(facts.ledgers, opened.at_seconds), default=said)


def _failing_at(ledgers: Mapping[str, Sequence[LedgerEntry]], at_seconds: float) -> list[float]:
    return [
        outage.from_seconds
        for entries in ledgers.values()
        for outage in outages(entries)
        if outage.from_seconds <= at_seconds and (outage.until_seconds is None or outage.until_seconds > at_seconds)
    ]


def time_spent(at: Moments, steps: Sequence[StepResult], recovered_seconds: float | None) -> tuple[TimeSpent, ...]:
    """Detection, hold, decision, lease, promotion, settings, DNS, client: where one ends, the next begins."""
    milestones: list[tuple[Part, float | None]] = [
        ("detection", _since(at.suspected, at)),
        ("hold", _since(at.opened, at)),
        ("decision", _since(at.decided, at)),
        ("lease", _since(at.fenced, at)),
        ("promotion", _end(steps, lambda step: BLOCKS[step.block].grants_write)),
        (
            "settings",
            _end(
                steps,
                lambda step: (
                    step.block in ("settings.update", "application.scale", "application.deploy", "application.fresh", "postgres.verify")
                ),
            ),
        ),
        ("dns", _end(steps, lambda step: BLOCKS[step.block].moves_traffic)),
        ("client", recovered_seconds),
    ]
    limit = recovered_seconds if recovered_seconds is not None else max((end for _, end in milestones if end is not None), default=0.0)
    parts, here = [], 0.0
    for part, end in milestones:
        if end is None:
            continue
        until = min(max(end, here), limit)
        parts.append(TimeSpent(part=part, start_seconds=here, seconds=max(0.0, until - here)))
        here = max(here, until)
    return tuple(parts)


def _since(moment_seconds: float | None, at: Moments) -> float | None:
    return None if moment_seconds is None else moment_seconds - at.impact


def _end(steps: Sequence[StepResult], wanted: Callable[[StepResult], bool]) -> float | None:
    ends = [step.ended_seconds for step in steps if step.block in BLOCKS and wanted(step) and step.ended_seconds is not None]
    return max(ends, default=None)
