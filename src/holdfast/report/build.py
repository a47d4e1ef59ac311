"""The report out of its facts: everything measured here or in the small modules beside it, then judged.

Rules: what could not be measured is None. Never here: opinions (`verdict`) and pages (`terminal`, `page`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast

from holdfast.conduct.runs import phases_in
from holdfast.journal.kinds import Kind
from holdfast.journal.record import first_break
from holdfast.ledger.contents import StoreContents
from holdfast.ledger.entry import RequestResult
from holdfast.ledger.measure import requests
from holdfast.plan.blocks import BLOCKS
from holdfast.plan.model import Scenario
from holdfast.report import answers, people, telling
from holdfast.report.alone import alone_findings, stood_alone
from holdfast.report.clients import Window, outage_in, strip
from holdfast.report.components import component_results
from holdfast.report.criteria import criteria_of
from holdfast.report.decisive import events
from holdfast.report.facts import ReportFacts
from holdfast.report.findings import findings
from holdfast.report.history import RUNS, History, number
from holdfast.report.losses import FunctionLoss, OldSide, failback_loss, failover_loss, lost_writes, single_writer_result, total
from holdfast.report.marks import marks, windows
from holdfast.report.model import (
    LISTED_LOSSES,
    SCHEMA_NAME,
    Failback,
    FunctionResult,
    Generator,
    JournalState,
    LossBound,
    PhaseResult,
    PlanReference,
    Report,
    RunResult,
    SingleWriter,
    StepResult,
)
from holdfast.report.only_there import only_there, only_there_on_return
from holdfast.report.seen import RequestWindow
from holdfast.report.stands import stands
from holdfast.report.steps import phase_results, run_result, step_results
from holdfast.report.timing import Moments, moments, time_spent
from holdfast.report.unprotected import Stretch, in_force, let_go, protection_findings
from holdfast.report.verdict import judged
from holdfast.report.wording import moment
from holdfast.report.zones import zone_changes

_BEFORE_SECONDS = 5.0
"""How much of the time before impact the strips show."""


@dataclass(frozen=True, slots=True)
class _Subject:
    """What the report is about: as the incident was opened, or as the facts say where none was."""

    identifier: str
    scenario: Scenario | None
    kind: Literal["exercise", "incident"]
    execution: Literal["graceful", "ungraceful"]
    source: str
    target: str

    @property
    def name(self) -> str:
        return self.scenario.name if self.scenario else self.identifier


def _subject(facts: ReportFacts, history: History) -> _Subject:
    opened = history.opened()
    body = opened.body if opened else {}
    identifier = str(body.get("scenario", facts.scenario))
    return _Subject(
        identifier=identifier,
        scenario=facts.plan.scenarios.get(identifier),
        kind=cast("Literal['exercise', 'incident']", body.get("kind", facts.kind)),
        execution=cast("Literal['graceful', 'ungraceful']", body.get("mode", facts.execution)),
        source=str(body.get("source", facts.plan.primary_region())),
        target=str(body.get("target", facts.plan.dr_region())),
    )


def build(facts: ReportFacts) -> Report:
    """The whole report, judged."""
    history = History(facts.incident, facts.records)
    subject = _subject(facts, history)
    scenario, source, target = subject.scenario, subject.source, subject.target
    at, assessed = moments(facts, history, source), history.last(Kind.IMPACT_ASSESSED)
    steps, runs = _steps_and_runs(history, scenario, at)
    there = tuple(step for step in steps if step.run == "failover")
    losses = _failover_losses(facts, history, target)
    back = _failback_losses(facts, history, losses, runs)
    unprotected = in_force(facts.records, source, at.impact, _fenced_seconds(history) or facts.ended_seconds)
    lost = [entry for loss in losses.values() for entry in loss.lost]
    functions = _functions(facts, at, history, losses)
    shown = windows(at, steps, functions, facts.started_seconds)
    functions = _with_marks(facts, functions, losses, shown, at.impact)
    recovered, criteria = _recovered(functions), criteria_of(facts.plan, subject.identifier)
    draft = Report(
        schema_=SCHEMA_NAME,
        title=f"{'EXERCISE: ' if subject.kind == 'exercise' else ''}{subject.name}, {facts.plan.name}",
        plan=PlanReference(name=facts.plan.name, version=facts.plan.version, digest=facts.plan_digest),
        kind=subject.kind,
        exercise=subject.kind == "exercise",
        incident=facts.incident,
        execution=subject.execution,
        profile=facts.profile,
        replication=facts.replication,
        storage=facts.storage,
        scenario=subject.identifier,
        scenario_name=subject.name,
        source=source,
        target=target,
        timezone=facts.plan.timezone,
        impact_at=moment(at.impact, facts.plan.timezone),
        started_at=moment(facts.started_seconds, facts.plan.timezone),
        ended_at=moment(facts.ended_seconds, facts.plan.timezone),
        verdict="unknown",
        reasons=(),
        detected_after_seconds=None if at.suspected is None else at.suspected - at.impact,
        decided_after_seconds=None if at.decided is None else at.decided - at.impact,
        outage_seconds=_worst(functions),
        functions=functions,
        components=component_results(facts.plan, there, functions, facts.observations, at.impact, target, criteria),
        criteria=criteria,
        phases=phase_results(scenario.phases if scenario else (), there),
        steps=steps,
        runs=runs,
        loss_bound=_loss_bound(history, functions),
        single_writer=_single_writer(facts, history, source, target),
        failback=_failback(facts, at, scenario, steps, runs, back),
        journal=_journal(facts),
        time_spent=time_spent(at, there, recovered),
        approvals=people.approvals(history, facts.plan, at.impact),
        lost_writes=lost_writes(facts.plan, losses, unprotected),
        let_go=let_go(facts.plan, unprotected, lost, at.impact),
        only_there=only_there(facts, history, lost),
        only_there_on_return=only_there_on_return(facts, history, [entry for loss in back.values() if loss for entry in loss.lost]),
        unknown_outcomes=None if not facts.ledgers else sum(function.unknown_outcomes or 0 for function in functions),
        severity=min(
            (str(record.body["severity"]) for record in history.of(Kind.SEVERITY_CHANGED) if record.body.get("severity")), default=None
        ),
        cost_usd=number(assessed.body.get("cost_usd")) if assessed else None,
        observers_silent=_silent(history),
        events=events(facts, at, history, steps, functions, (source, target)),
        stands=stands(facts, at, scenario, (source, target)),
        sides=(facts.plan.primary_region(), facts.plan.dr_region()),
        request_windows=shown,
        zones=zone_changes(history, at.impact, facts.ended_seconds),
        generated=Generator(version=facts.holdfast_version, at=moment(facts.generated_seconds, facts.plan.timezone)),
    )
    return judged(_with_findings(_with_people(draft, facts, history, at.impact), facts, history, at, unprotected))


def _with_findings(draft: Report, facts: ReportFacts, history: History, at: Moments, unprotected: Sequence[Stretch]) -> Report:
    """The report with what a reader must know beside the rules."""
    given = tuple(finding.model_copy(update={"weighs": finding.weighs or finding.result == "unknown"}) for finding in facts.findings)
    by_word = protection_findings(facts.records, unprotected, draft.let_go, at.impact, facts.ended_seconds)
    alone = stood_alone(facts.plan, facts.replication, history, at.impact)
    told = (*by_word, *alone_findings(alone), *findings(draft, history), *given)
    return draft.model_copy(update={"stood_alone": alone, "findings": told})


def _with_people(draft: Report, facts: ReportFacts, history: History, impact_seconds: float) -> Report:
    """The report with who was told, who was called and who answered, on the clock of its incident."""
    span = telling.span_of(history, impact_seconds, facts.ended_seconds, facts.arrived)
    told, answered = telling.notifications(history, facts.plan, span), answers.people(history, facts.plan, span)
    return draft.model_copy(
        update={
            "scale": span.clock.scale,
            "notifications": told,
            "calls": answers.calls(history, facts.plan, span),
            "people": answered,
            "slas": answers.slas(facts.plan, told, answered),
        }
    )


def _single_writer(facts: ReportFacts, history: History, source: str, target: str) -> SingleWriter:
    intended = (record.body for record in history.of_run(Kind.STEP_INTENDED, "way-back"))
    replaced = frozenset(str(body.get("component")) for body in intended if BLOCKS[str(body["block"])].overwrites_source)
    fence = history.last_of_run(Kind.FENCE_CONFIRMED, "way-back")
    # `at_seconds` may come from the controller's clock. Only the region's own moment can be held against what its stores were stamped with.
    stopped = number(fence.body.get("fenced_at_seconds")) if fence is not None else None
    return single_writer_result(
        facts.plan,
        [entry for entries in facts.ledgers.values() for entry in entries],
        (OldSide(source, facts.before_reprotect), OldSide(target, facts.before_return, replaced, stopped)),
        (*facts.after_failover, *facts.at_end),
    )


def _steps_and_runs(history: History, scenario: Scenario | None, at: Moments) -> tuple[tuple[StepResult, ...], tuple[RunResult, ...]]:
    steps: list[StepResult] = []
    runs: list[RunResult] = []
    for run in RUNS:
        phases = phases_in(scenario, run)
        mine = step_results(history, run, phases, at.impact)
        result = run_result(history, run, phases, mine, at.impact)
        steps.extend(mine)
        if result is not None:
            runs.append(result)
    return tuple(steps), tuple(runs)


def _failover_losses(facts: ReportFacts, history: History, target: str) -> dict[str, FunctionLoss]:
    opened = history.first_of_run(Kind.EPOCH_OPENED, "failover")
    epoch = number(opened.body.get("epoch")) if opened else None
    serving = _one_a_store(facts.after_failover, target)
    at_end = _at_end(facts, history)
    new_epoch = None if epoch is None else int(epoch)
    stayed = frozenset(found.store for found in serving if found.region != target)
    return {function: failover_loss(entries, serving, at_end, new_epoch, stayed) for function, entries in facts.ledgers.items()}


def _at_end(facts: ReportFacts, history: History) -> list[StoreContents]:
    """Contents of the stores that are written at the end: of the region that serves, the target of the last epoch that was opened,
    unless only another region's is given."""
    opened = history.last(Kind.EPOCH_OPENED)
    serving = str(opened.body.get("target")) if opened else facts.plan.primary_region()
    return _one_a_store(facts.at_end, serving)


def _one_a_store(contents: Sequence[StoreContents], region: str) -> list[StoreContents]:
    """Each store once: this region's where it is among them, else the other's (what moved alone stands elsewhere than the rest)."""
    here = {found.store for found in contents if found.region == region}
    return [found for found in contents if found.region == region or found.store not in here]


def _fenced_seconds(history: History) -> float | None:
    fence = history.first_of_run(Kind.FENCE_CONFIRMED, "failover")
    return None if fence is None else number(fence.body.get("at_seconds")) or fence.at_seconds


def _functions(facts: ReportFacts, at: Moments, history: History, losses: dict[str, FunctionLoss]) -> tuple[FunctionResult, ...]:
    fenced = _fenced_seconds(history)
    window = Window(at.impact, at.return_started if at.return_started is not None else at.end + 1.0)
    shown = Window(max(facts.started_seconds, at.impact - _BEFORE_SECONDS), at.end)
    results = []
    for identifier, function in facts.plan.functions.items():
        entries = facts.ledgers.get(identifier)
        asked = entries or ()
        rto, outage, _ = outage_in(asked, window)
        during = [request for request in requests(asked) if request.sent_seconds >= facts.started_seconds]
        lost = losses.get(identifier) if entries else None
        rpo = lost.span_seconds(fenced) if lost else None
        results.append(
            FunctionResult(
                id=identifier,
                name=function.name,
                priority=function.priority,
                rto_target_seconds=function.rto,
                rto_actual_seconds=rto,
                rpo_target_seconds=function.rpo,
                rpo_actual_seconds=rpo,
                acknowledged_writes=lost.acknowledged if lost else None,
                lost_acknowledged_writes=lost.count if lost else None,
                met=None if rto is None or rpo is None else rto <= function.rto and rpo <= function.rpo,
                late_writes=len(lost.late) if lost else None,
                unchecked_writes=len(lost.unknown) if lost else None,
                unknown_outcomes=sum(r.result is RequestResult.UNKNOWN for r in during) if entries else None,
                failed_requests=sum(r.result is not RequestResult.ACKNOWLEDGED for r in during) if entries else None,
                first_failed_seconds=outage.from_seconds - at.impact if outage else None,
                recovered_seconds=outage.until_seconds - at.impact if outage and outage.until_seconds is not None else None,
                clients=strip(asked, shown, at.impact, function.degraded.p95_latency_above, len(facts.plan.functions)) if entries else (),
                lost_at_seconds=tuple(round(entry.answered_seconds - at.impact, 3) for entry in lost.lost[:LISTED_LOSSES]) if lost else (),
            )
        )
    return tuple(results)


def _with_marks(
    facts: ReportFacts,
    functions: Sequence[FunctionResult],
    losses: dict[str, FunctionLoss],
    shown: Sequence[RequestWindow],
    impact_seconds: float,
) -> tuple[FunctionResult, ...]:
    found = []
    for function in functions:
        entries, lost = facts.ledgers.get(function.id, ()), losses.get(function.id)
        slow = facts.plan.functions[function.id].degraded.p95_latency_above
        drawn = marks(entries, lost.lost if lost else (), shown, impact_seconds, slow, len(functions))
        found.append(function.model_copy(update={"marks": drawn, "slow_above_seconds": slow}))
    return tuple(found)


def _worst(functions: Sequence[FunctionResult]) -> float | None:
    actuals = [function.rto_actual_seconds for function in functions]
    return None if not actuals or None in actuals else max(actual for actual in actuals if actual is not None)


def _recovered(functions: Sequence[FunctionResult]) -> float | None:
    """When the last function was back, or None while one that failed has not come back."""
    back = [function.recovered_seconds for function in functions if function.first_failed_seconds is not None]
    return None if not back or None in back else max(seconds for seconds in back if seconds is not None)


def _loss_bound(history: History, functions: Sequence[FunctionResult]) -> LossBound:
    decided = history.last_of_run(Kind.DECIDED, "failover")  # people may have been asked again, with the figure that the fence showed
    bound = number(decided.body.get("loss_bound_seconds")) if decided else None
    accepted = [number(r.body.get("facts", {}).get("accepts_loss_seconds")) for r in history.of_run(Kind.STEP_FINISHED, "failover")]
    if bound is not None:
        bound = max([bound, *(seconds for seconds in accepted if seconds is not None)])
    spans = [function.rpo_actual_seconds for function in functions]
    true = None if not spans or None in spans else max(span for span in spans if span is not None)
    return LossBound(
        seconds=bound,
        estimated_writes=number(decided.body.get("estimated_writes")) if decided else None,
        true_seconds=true,
        lost_acknowledged_writes=total([function.lost_acknowledged_writes for function in functions]),
        held=None if bound is None or true is None else true <= bound,
    )


def _failback_losses(
    facts: ReportFacts, history: History, losses: dict[str, FunctionLoss], runs: Sequence[RunResult]
) -> dict[str, FunctionLoss | None]:
    """Function → what the way back lost of its writes, None without a ledger; empty where there was no way back to its end."""
    if not any((run.run, run.outcome) == ("way-back", "succeeded") for run in runs):
        return {}
    at_end = _at_end(facts, history)
    entries = {function: facts.ledgers.get(function) for function in facts.plan.functions}
    return {function: failback_loss(known, at_end, losses[function]) if known else None for function, known in entries.items()}


def _failback(
    facts: ReportFacts,
    at: Moments,
    scenario: Scenario | None,
    steps: Sequence[StepResult],
    runs: Sequence[RunResult],
    losses: dict[str, FunctionLoss | None],
) -> Failback:
    back = next((run for run in runs if run.run == "way-back"), None)
    reprotect = next((run for run in runs if run.run == "reprotect"), None)
    if back is None and reprotect is None:
        return Failback(done=False, outage_seconds=None, lost_acknowledged_writes=None, detail="It has not begun")
    returned = at.way_back_started if back is not None else None
    window = Window(at.return_started if at.return_started is not None else returned or at.end, at.end + 1.0)
    outages = [outage_in(facts.ledgers.get(function, ()), window)[0] for function in facts.plan.functions]
    start = returned - at.impact if returned is not None else None
    phases: tuple[PhaseResult, ...] = phase_results(
        phases_in(scenario, "way-back"), [step for step in steps if step.run == "way-back"], start or 0.0
    )
    unfinished = next((run for run in (back, reprotect) if run is not None and run.outcome != "succeeded"), None)
    return Failback(
        done=back is not None and back.outcome == "succeeded",
        outage_seconds=None if not outages or None in outages else max(seconds for seconds in outages if seconds is not None),
        lost_acknowledged_writes=total([None if loss is None else loss.count for loss in losses.values()]),
        started_seconds=start if start is not None else reprotect.started_seconds if reprotect else None,
        ended_seconds=back.ended_seconds if back else None,
        phases=phases,
        detail=f"The {unfinished.run} run ended {unfinished.outcome}: {unfinished.reason}" if unfinished else "",
    )


def _journal(facts: ReportFacts) -> JournalState:
    if not facts.records:
        return JournalState(records=0, head=facts.journal_before[1], whole=None)
    broken = first_break(facts.records, facts.journal_before)
    return JournalState(records=facts.records[-1].sequence, head=facts.records[-1].hash, whole=broken is None, first_break=broken)


def _silent(history: History) -> tuple[str, ...]:
    seen = history.last(Kind.OBSERVERS_SEEN)
    return tuple(str(site) for site in seen.body.get("silent", ())) if seen else ()
