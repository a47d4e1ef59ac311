"""The verdict: one pure function per rule, each with a sentence that carries the figures.

Rules: *fail* when any rule is violated; else *unknown* when anything could not be read or measured; else *pass*. A pass is earned by
every rule, never assumed: no functions, no steps, no records are unknown, not fine. The judge sees only the report, so whoever holds
report.json can judge again. Never here: measuring.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from holdfast.report.criteria import back_within_the_schedule, others_noticed_nothing
from holdfast.report.model import Failback, FunctionResult, OnlyThere, Report, Rule, StepResult, Verdict
from holdfast.report.steps import DONE
from holdfast.report.wording import count, duration, duration_pair, listing


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict, the rules behind it, and the sentences that decided."""

    verdict: Verdict
    rules: tuple[Rule, ...]
    reasons: tuple[str, ...]


def judged(report: Report) -> Report:
    """The report with its verdict."""
    judgement = judge(report)
    return report.model_copy(update={"verdict": judgement.verdict, "rules": judgement.rules, "reasons": judgement.reasons})


def judge(report: Report) -> Judgement:
    """What every rule says about a report, and what follows."""
    rules = tuple(rule for check in RULES for rule in check(report))
    failed = tuple(rule.sentence for rule in rules if rule.result == "fail")
    unknown = tuple(rule.sentence for rule in rules if rule.result == "unknown")
    if failed:
        return Judgement("fail", rules, failed + unknown)
    if unknown or not rules:
        return Judgement("unknown", rules, unknown)
    return Judgement("pass", rules, tuple(rule.sentence for rule in rules))


def functions_back_in_time(report: Report) -> Iterable[Rule]:
    """Every function's RTO."""
    if not report.functions:
        yield Rule(name="rto", result="unknown", sentence="No function was measured: the report holds 0 functions.")
        return
    late, missing, worst = [], [], max(report.functions, key=lambda function: function.rto_actual_seconds or 0.0)
    for function in report.functions:
        if function.rto_actual_seconds is None:
            missing.append(f"{function.name} ({_why_no_rto(function)})")
        elif function.rto_actual_seconds > function.rto_target_seconds:
            actual, target = duration_pair(function.rto_actual_seconds, function.rto_target_seconds)
            late.append(f"{function.name} was out for {actual}, its RTO is {target}.")
    yield from (Rule(name="rto", result="fail", sentence=sentence) for sentence in late)
    if missing:
        yield Rule(
            name="rto", result="unknown", sentence=f"The RTO of {_of(missing, report.functions)} could not be measured: {listing(missing)}."
        )
    if not late and not missing:
        actual, target = duration_pair(worst.rto_actual_seconds, worst.rto_target_seconds)
        sentence = (
            f"All {len(report.functions)} functions came back within their RTO; the longest outage was {actual} of {target} ({worst.name})."
        )
        yield Rule(name="rto", result="pass", sentence=sentence)


def _why_no_rto(function: FunctionResult) -> str:
    return "still failing when watching ended" if function.first_failed_seconds is not None else "no client asked"


def functions_kept_their_data(report: Report) -> Iterable[Rule]:
    """Every function's RPO."""
    if not report.functions:
        return
    late, missing = [], []
    for function in report.functions:
        if function.rpo_actual_seconds is None or function.lost_acknowledged_writes is None or function.acknowledged_writes is None:
            missing.append(function.name)
        elif function.rpo_actual_seconds > function.rpo_target_seconds:
            actual, target = duration_pair(function.rpo_actual_seconds, function.rpo_target_seconds)
            late.append(
                f"{function.name} lost {actual} of acknowledged writes ({count(function.lost_acknowledged_writes)}), its RPO is {target}."
            )
    yield from (Rule(name="rpo", result="fail", sentence=sentence) for sentence in late)
    if missing:
        sentence = f"The loss of {_of(missing, report.functions)} could not be measured: {listing(missing)}."
        yield Rule(name="rpo", result="unknown", sentence=sentence)
    if not late and not missing:
        lost = sum(function.lost_acknowledged_writes or 0 for function in report.functions)
        written = sum(function.acknowledged_writes or 0 for function in report.functions)
        result: Verdict = "pass" if written else "unknown"
        sentence = f"{count(lost)} of {count(written, 'acknowledged write')} lost; every function is within its RPO."
        yield Rule(
            name="rpo", result=result, sentence=sentence if written else "No write was acknowledged, so 0 could be checked for loss."
        )


def components_back_in_time(report: Report) -> Iterable[Rule]:
    """Every component's RTO."""
    late, missing = [], []
    for component in report.components:
        if component.rto_actual_seconds is None:
            missing.append(component.name)
        elif component.rto_actual_seconds > component.rto_target_seconds:
            actual, target = duration_pair(component.rto_actual_seconds, component.rto_target_seconds)
            late.append(f"{component.name} was back after {actual}, its RTO is {target}.")
    yield from (Rule(name="component-rto", result="fail", sentence=sentence) for sentence in late)
    if missing or not report.components:
        sentence = (
            f"The RTO of {_of(missing, report.components, 'component')} could not be measured: {listing(missing, 'none is in the report')}."
        )
        yield Rule(name="component-rto", result="unknown", sentence=sentence)
    elif not late:
        worst = max(report.components, key=lambda component: component.rto_actual_seconds or 0.0)
        actual, target = duration_pair(worst.rto_actual_seconds, worst.rto_target_seconds)
        sentence = (
            f"All {len(report.components)} components were back within their RTO; the last after {actual} of {target} ({worst.name})."
        )
        yield Rule(name="component-rto", result="pass", sentence=sentence)


def moments_known(report: Report) -> Iterable[Rule]:
    """Whether detection, decision and outage were measured at all. A planned switchover has nothing to detect."""
    wanted = {"decision": report.decided_after_seconds, "outage": report.outage_seconds}
    if report.execution == "ungraceful":
        wanted = {"detection": report.detected_after_seconds, **wanted}
    missing = [name for name, seconds in wanted.items() if seconds is None]
    if missing:
        yield Rule(name="moments", result="unknown", sentence=f"{len(missing)} of {len(wanted)} moments are unknown: {listing(missing)}.")
        return
    known = ", ".join(f"{name} {duration(seconds)}" for name, seconds in wanted.items())
    yield Rule(name="moments", result="pass", sentence=f"Every moment was measured: {known}.")


def loss_within_bound(report: Report) -> Iterable[Rule]:
    """Honest RPO: what was lost is no more than what the approver was told."""
    bound, true = report.loss_bound.seconds, report.loss_bound.true_seconds
    if bound is None or true is None:
        which = "the bound shown to the approvers" if bound is None else "the true loss"
        sentence = f"The loss cannot be held against its bound: {which} is unknown (bound {duration(bound)}, true loss {duration(true)})."
        yield Rule(name="loss-bound", result="unknown", sentence=sentence)
        return
    actual, shown = duration_pair(true, bound)
    if true > bound:
        sentence = f"{actual} of acknowledged writes were lost, more than the bound of {shown} that the approvers saw."
        yield Rule(name="loss-bound", result="fail", sentence=sentence)
    else:
        yield Rule(
            name="loss-bound", result="pass", sentence=f"The true loss of {actual} is within the bound of {shown} that the approvers saw."
        )


def nothing_lost_when_synchronous(report: Report) -> Iterable[Rule]:
    """Synchronous replication promises that no acknowledged row or key is lost, but for what a named person let go on unprotected.

    That, and object storage, which is never synchronous, is counted, and held to the bound and to each function's RPO as in asynchronous
    mode.
    """
    if report.replication != "synchronous":
        return
    total, lost = report.lost_writes.total, report.lost_writes.rows_and_keys
    if lost is None:
        lost = total  # a report from before the two were counted apart
    apart = listing(tuple(dict.fromkeys(f"{one.name}, which {one.by} {_LET[one.certain]}" for one in report.let_go)), none="")
    how = f"synchronous but for {apart}" if apart else "synchronous"
    if lost is None:
        rest = " of the rest" if apart else ""
        sentence = f"Replication was {how}, so 0 acknowledged rows and keys{rest} may be lost; how many were is unknown."
        yield Rule(name="synchronous", result="unknown", sentence=sentence)
        return
    unprotected, doubtful = report.lost_writes.unprotected, report.lost_writes.doubtful
    promised, beside = lost - unprotected - doubtful, _promised_nothing(report, total, lost)
    if promised:
        counted = f" (counted apart: {apart})" if apart else ""
        sentence = f"{_rows(promised)} lost although replication was synchronous, which allows 0{counted}.{beside}"
        yield Rule(name="synchronous", result="fail", sentence=sentence)
    elif doubtful:
        sentence = f"{_rows(doubtful)} lost of which nobody knows whether they waited for a replica.{beside}"
        yield Rule(name="synchronous", result="unknown", sentence=sentence)
    else:
        rest = " of the rest" if apart else ""
        sentence = f"Replication was {how} and 0 acknowledged rows and keys{rest} were lost.{beside}"
        yield Rule(name="synchronous", result="pass", sentence=sentence)


_LET = {True: "let go on unprotected", False: "may have let go on unprotected (nobody knows what came of it)"}


def _rows(number: int) -> str:
    return count(number, "acknowledged row or key", "acknowledged rows and keys")


def _promised_nothing(report: Report, total: int | None, lost: int) -> str:
    """What synchronous mode does not cover, and is held to the bound and the RPO: stores let go on unprotected, and objects."""
    said = ""
    if any(one.certain for one in report.let_go):
        said += f" What was let go on unprotected lost {_rows(report.lost_writes.unprotected)}: the bound and the RPO hold for it."
    if total == lost:
        return said
    objects = "how many objects were is unknown" if total is None else f"{count(total - lost, 'lost object')}"
    return f"{said} Object storage copies only after it acknowledges ({objects}): the bound and the RPO hold for it."


def one_writer(report: Report) -> Iterable[Rule]:
    """Never a second writer."""
    check = report.single_writer
    if check.violations:
        first = f" First: {check.details[0]}." if check.details else ""
        sentence = f"A second writer: {count(check.violations, 'sign')} in {count(check.checked_writes, 'write')}.{first}"
        yield Rule(name="single-writer", result="fail", sentence=sentence)
    elif not check.checked or check.violations is None:
        why = f": {listing(check.details)}" if check.details else ""
        sentence = f"The single-writer check is incomplete after {count(check.checked_writes, 'write')}{why}."
        yield Rule(name="single-writer", result="unknown", sentence=sentence)
    else:
        yield Rule(
            name="single-writer", result="pass", sentence=f"One writer at a time: 0 violations in {count(check.checked_writes, 'write')}."
        )


def way_back_done(report: Report) -> Iterable[Rule]:
    """The region came home and nothing was lost on the way."""
    yield _way_back(report.failback, [run.outcome for run in report.runs if run.run != "failover"])


def _way_back(failback: Failback, outcomes: Sequence[str]) -> Rule:
    if failback.lost_acknowledged_writes:
        lost = count(failback.lost_acknowledged_writes, "acknowledged write")
        return Rule(name="failback", result="fail", sentence=f"The way back lost {lost}; a planned return may lose 0.")
    if not failback.done:
        failed = any(outcome in ("failed", "abandoned") for outcome in outcomes)
        ended = f"{sum(outcome == 'succeeded' for outcome in outcomes)} of its 2 runs succeeded"
        detail = f" {failback.detail}." if failback.detail else ""
        return Rule(name="failback", result="fail" if failed else "unknown", sentence=f"The way back is not done: {ended}.{detail}")
    if failback.lost_acknowledged_writes is None or failback.outage_seconds is None:
        missing = "its loss" if failback.lost_acknowledged_writes is None else "its outage"
        sentence = f"The way back is done, but {missing} is unknown (outage {duration(failback.outage_seconds)})."
        return Rule(name="failback", result="unknown", sentence=sentence)
    sentence = f"The way back is done: 0 acknowledged writes lost, longest outage {duration(failback.outage_seconds)}."
    return Rule(name="failback", result="pass", sentence=sentence)


def nothing_is_unexplained(report: Report) -> Iterable[Rule]:
    """Every lost acknowledged write was found on the lost side and written down before anything there was overwritten, and nothing was left
    that nobody could look at."""
    for there in (report.only_there, report.only_there_on_return):
        if there.tells:
            yield from _explained(there)


def _explained(there: OnlyThere) -> Iterable[Rule]:
    unexamined = [f"{one.component}: {sentence}" for one in there.components for sentence in one.unexamined]
    if not there.exported or not there.complete:
        lacking = [f"{one.component}: {one.detail}" for one in there.components if one.status == "missing"]
        why = f": {listing(lacking)}" if lacking else ""
        known = sum(one.status == "exported" for one in there.components)
        sentence = f"What only the lost side held was not exported whole ({count(known, 'component')} exported){why}."
        yield Rule(name="divergence", result="unknown", sentence=sentence)
    elif there.lost_missing:
        sentence = (
            f"{count(there.lost_missing, 'lost acknowledged write')} of {(there.lost_found or 0) + there.lost_missing} "
            f"cannot be found on the lost side either: {listing([write.key or write.request for write in there.missing])}."
        )
        yield Rule(name="divergence", result="fail", sentence=sentence)
    elif unexamined:
        listed = count(there.differences, "difference")
        sentence = f"{there.region} may have held more alone than the {listed} exported; not looked at: {'; '.join(unexamined)}."
        yield Rule(name="divergence", result="unknown", sentence=sentence)
    else:
        verb = "is" if there.differences == 1 else "are"
        lost = (
            f"all {there.lost_found} lost acknowledged writes are among them" if there.lost_found else "no lost acknowledged write is known"
        )
        sentence = f"{count(there.differences, 'difference')} held by {there.region} alone {verb} exported; {lost}."
        yield Rule(name="divergence", result="pass", sentence=sentence)


def steps_verified(report: Report) -> Iterable[Rule]:
    """Every step succeeded and was seen to do what it is for."""
    failed = [step for step in report.steps if step.outcome in ("failed", "refused", "skipped") or step.verified == "no"]
    unclear = [step for step in report.steps if step not in failed and (step.outcome not in DONE or step.verified != "yes")]
    for step in failed:
        yield Rule(name="steps", result="fail", sentence=_step_sentence(step, "did not" if step.outcome in DONE else step.outcome))
    for step in unclear:
        yield Rule(name="steps", result="unknown", sentence=_step_sentence(step, "unknown"))
    if not report.steps:
        yield Rule(name="steps", result="unknown", sentence="The journal holds 0 steps.")
    elif not failed and not unclear:
        yield Rule(name="steps", result="pass", sentence=f"All {len(report.steps)} steps succeeded and were verified.")


def _step_sentence(step: StepResult, how: str) -> str:
    where = f"Step {step.step or step.block} ({step.block}, {step.run})"
    tries = count(step.attempts, "attempt")
    detail = f": {step.detail}" if step.detail else ""
    if how == "did not":
        return f"{where} succeeded, but its effect was not there when looked for after {tries}{detail}."
    if how == "unknown":
        return f"{where} was not verified after {tries}: outcome {step.outcome}, verified {step.verified}{detail}."
    return f"{where} was {how} after {tries}{detail}." if how in ("refused", "skipped") else f"{where} failed after {tries}{detail}."


def runs_finished(report: Report) -> Iterable[Rule]:
    """Every run that began came to its end with all of the plan's steps."""
    if not any(run.run == "failover" for run in report.runs):
        yield Rule(name="runs", result="unknown", sentence="The failover never began: the journal holds 0 runs of it.")
        return
    whole = True
    for run in report.runs:
        if run.outcome in ("failed", "abandoned"):
            whole = False
            yield Rule(
                name="runs",
                result="fail",
                sentence=f"The {run.run} run was {run.outcome} with {count(len(run.missing_steps), 'step')} left: {run.reason}.",
            )
        elif run.outcome == "unknown":
            whole = False
            yield Rule(
                name="runs",
                result="unknown",
                sentence=f"The {run.run} run has no end; {count(len(run.missing_steps), 'step')} had not begun.",
            )
        elif run.missing_steps:
            whole = False
            sentence = f"The {run.run} run left out {count(len(run.missing_steps), 'step')} of the plan: {listing(run.missing_steps)}."
            yield Rule(name="runs", result="fail", sentence=sentence)
    if whole:
        yield Rule(name="runs", result="pass", sentence=f"{count(len(report.runs), 'run')} came to an end with every step of the plan.")


def journal_whole(report: Report) -> Iterable[Rule]:
    """The evidence is complete: no record removed or changed."""
    journal = report.journal
    if journal.whole is False:
        yield Rule(
            name="journal",
            result="fail",
            sentence=f"The journal's chain of {count(journal.records, 'record')} is broken: {journal.first_break}.",
        )
    elif journal.whole is None or not journal.records:
        yield Rule(name="journal", result="unknown", sentence=f"The journal was not checked ({count(journal.records, 'record')}).")
    else:
        sentence = f"The journal's {count(journal.records, 'record')} form a whole chain up to {journal.head[:12]}."
        yield Rule(name="journal", result="pass", sentence=sentence)


def evidence_complete(report: Report) -> Iterable[Rule]:
    """What whoever gathered the facts said was missing or wrong with them."""
    for finding in report.findings:
        if finding.weighs and finding.result != "pass":
            yield Rule(name="evidence", result=finding.result, sentence=f"About {finding.about}: {finding.sentence}")


RULES: tuple[Callable[[Report], Iterable[Rule]], ...] = (
    functions_back_in_time,
    functions_kept_their_data,
    loss_within_bound,
    nothing_lost_when_synchronous,
    one_writer,
    way_back_done,
    nothing_is_unexplained,
    components_back_in_time,
    back_within_the_schedule,
    others_noticed_nothing,
    steps_verified,
    runs_finished,
    moments_known,
    journal_whole,
    evidence_complete,
)


def _of(missing: Sequence[str], whole: Sequence[object], thing: str = "function") -> str:
    return f"{len(missing)} of {count(len(whole), thing)}"
