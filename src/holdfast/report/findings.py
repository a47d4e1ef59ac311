"""What a reader must know beside the verdict's rules: sentences about components, messages and the agents' own acts."""

from collections.abc import Iterator
from itertools import chain

from holdfast.journal.kinds import Kind
from holdfast.report.history import History, number
from holdfast.report.model import Finding, Report, StepResult, Verdict
from holdfast.report.steps import DONE
from holdfast.report.wording import count, duration, duration_pair, listing


def findings(report: Report, history: History) -> tuple[Finding, ...]:
    """Findings in the order: what people did, other ways, components, functions, zones, messages, observers, clock, agents."""
    parts = (
        _by_people(history),
        _other_ways(report),
        _components(report),
        _functions(report),
        _zones(report),
        _messages(report),
        _observers(report),
        _clock(history),
    )
    return (*chain.from_iterable(parts), *_agents(history))


def _by_people(history: History) -> Iterator[Finding]:
    """What people did against the ordinary course: nobody must have to search for it."""
    for record in history.of(Kind.PAUSED, Kind.RESUMED, Kind.ATTESTED, Kind.APPROVAL_REOPENED, Kind.TURNED_BACK, Kind.EPOCH_FOUND):
        body = record.body
        match record.kind:
            case Kind.PAUSED:
                yield Finding(about="automatic action", result="unknown", sentence=f"{body['by']} paused it: {body['because']}.")
            case Kind.RESUMED:
                yield Finding(about="automatic action", result="pass", sentence=f"{body['by']} allowed it again.")
            case Kind.ATTESTED:
                sentence = f"{body['person']} ({body['role']}) attested that it can't write, for its {body['purpose']}: {body['because']}."
                yield Finding(about=str(body["region"]), result="unknown", sentence=sentence)
            case Kind.APPROVAL_REOPENED:
                yield Finding(about=f"run {body['run']}", result="unknown", sentence=f"People were asked again: {body['reason']}.")
            case Kind.TURNED_BACK:
                states = [f"{name} in {region}: {state}" for name, at in body["components"].items() for region, state in at.items()]
                sentence = f"The run was turned back. It left {listing(states)}."
                yield Finding(about=f"run {body['run']}", result="pass", sentence=sentence)
            case _:
                yield Finding(about="journal", result="unknown", sentence=f"{body['reason']}.")


def _other_ways(report: Report) -> Iterator[Finding]:
    for step in report.steps:
        if step.other_way is None:
            continue
        instead = listing([one.step for one in report.steps if one.instead_of == step.step and one.run == step.run], none="not begun")
        went = "and is proved" if step.outcome in DONE and step.verified == "yes" else f"and stands as {step.outcome}"
        sentence = f"The plan's other way was gone ({instead}), {step.other_way} {went}."
        yield Finding(about=f"step {step.step}", result="pass" if step.outcome in DONE else "unknown", sentence=sentence)


def _components(report: Report) -> Iterator[Finding]:
    for component in report.components:
        if component.met is False:
            actual, target = duration_pair(component.rto_actual_seconds, component.rto_target_seconds)
            yield Finding(about=component.name, result="fail", sentence=f"Back after {actual}; the RTO is {target}.")
        elif component.rto_actual_seconds is None:
            yield Finding(about=component.name, result="unknown", sentence="Nothing measured when it was back.")
        for step in report.steps:
            if step.component == component.id and _needs_words(step):
                tried = f" after {count(step.attempts, 'attempt')}" if step.attempts > 1 else ""
                sentence = f"{step.step or step.block}: {step.outcome}{tried}, verified {step.verified}. {step.detail}".rstrip()
                result: Verdict = (
                    "pass" if step.outcome in DONE and step.verified == "yes" else "fail" if step.verified == "no" else "unknown"
                )
                yield Finding(about=component.name, result=result, sentence=sentence)


def _needs_words(step: StepResult) -> bool:
    return step.outcome not in ("succeeded",) or step.verified != "yes" or step.attempts > 1


def _functions(report: Report) -> Iterator[Finding]:
    for function in report.functions:
        if function.late_writes:
            late = count(function.late_writes, "acknowledged write")
            sentence = f"{late} that the target lacked after the failover came back when the sides were reconciled."
            yield Finding(about=function.name, result="pass", sentence=sentence)
        if function.unchecked_writes:
            unchecked = count(function.unchecked_writes, "acknowledged write")
            yield Finding(about=function.name, result="unknown", sentence=f"Nobody could look for {unchecked}.")
        if function.unknown_outcomes:
            unknown = count(function.unknown_outcomes, "request")
            sentence = f"{unknown} got no answer: they may have happened or not, and count neither as written nor as lost."
            yield Finding(about=function.name, result="pass", sentence=sentence)


def _zones(report: Report) -> Iterator[Finding]:
    for change in report.zones:
        when = f"{duration(abs(change.seconds))} {'after' if change.seconds >= 0 else 'before'} impact"
        yield Finding(about=f"zone {change.zone}", result="pass", sentence=f"{when}: {change.sentence}")


def _messages(report: Report) -> Iterator[Finding]:
    rules = dict.fromkeys((row.rule, row.due_seconds) for row in report.notifications)
    for rule, due_seconds in rules:
        rows = [row for row in report.notifications if (row.rule, row.due_seconds) == (rule, due_seconds)]
        late = [row for row in rows if row.met is False]
        if late:
            unsent = sum(row.sent_seconds is None for row in late)
            sent = max((row.sent_seconds for row in late if row.sent_seconds is not None), default=None)
            said = [f"{unsent} of {len(rows)} deliveries not sent"] if unsent else []
            said += [f"sent after {duration(sent)}"] if sent is not None else []
            yield Finding(about=f"message {rule}", result="fail", sentence=f"Due after {duration(due_seconds)}, {', '.join(said)}.")
        for failure in [failure for row in rows for failure in row.failures][:10]:
            yield Finding(about=f"message {rule}", result="unknown", sentence=f"A delivery failed: {failure}.")
        twice = [f"{row.recipient_ref} over {row.channel}" for row in rows if row.may_be_twice]
        if twice:
            sentence = f"Handed over again without knowing that it hadn't been, so it may have arrived twice: {listing(twice[:10])}."
            yield Finding(about=f"message {rule}", result="unknown", sentence=sentence)
    for sla in report.slas:
        if sla.met is False:
            yield Finding(about=sla.name, result="fail", sentence=f"The plan asks for {sla.target}; it was {sla.actual}.")
    for call in report.calls:
        if call.starts_over:
            sentence = f"After {duration(call.called_seconds)} everybody had been called and {listing(call.roles)} had no answer."
            yield Finding(about="escalation", result="fail", sentence=sentence)


def _observers(report: Report) -> Iterator[Finding]:
    if report.observers_silent:
        yield Finding(about="observers", result="unknown", sentence=f"Silent when last asked: {listing(report.observers_silent)}.")


def _clock(history: History) -> Iterator[Finding]:
    for record in history.of(Kind.CLOCK_STEPPED):
        if record.body.get("kept") is True:
            seconds = number(record.body.get("seconds")) or 0.0
            moved = f"{'back' if seconds < 0 else 'forward'} by {duration(abs(seconds))}"
            sentence = f"It was set {moved} while this was open. Times here go on by the clock as it was; those of other machines may not."
            yield Finding(about="the controller's clock", result="unknown", sentence=sentence)


def _agents(history: History) -> Iterator[Finding]:
    for record in history.of(Kind.AGENT_RECORD):
        late = " (imported late)" if record.body.get("late") is True else ""
        sentence = f"{record.body.get('what', '')}: {record.body.get('detail', '')}{late}".strip(": ")
        yield Finding(about=f"agent in {record.body.get('region', '')}", result="pass", sentence=sentence)
