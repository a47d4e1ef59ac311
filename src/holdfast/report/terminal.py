"""The report for a terminal: the verdict first, one table, where the time went, the next command last.

Rules of look.md: state is colour, icon and word; an exercise says so on every line; figures are right-aligned with their units. Never here:
printing, which is the command's.
"""

from collections.abc import Iterator

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.segment import Segment
from rich.style import Style
from rich.table import Table
from rich.text import Text

from holdfast.communications.obligations import family_of
from holdfast.communications.places import stood_for
from holdfast.conduct.runs import FAILOVER
from holdfast.report.alone import in_one_line
from holdfast.report.model import FunctionResult, OnlyThere, Report
from holdfast.report.summary import SIGNS, Sign, headline, next_in_terminal, sign_of
from holdfast.report.told import NotificationResult
from holdfast.report.wording import count, duration, duration_pair, listing

_STYLES = {"done": "green", "failed": "bold red", "unknown": "bright_black"}
_STRIPE = "EXERCISE "
_UNWRAPPED = 10_000
_MOST_NAMED = 4
PARTS = {
    "detection": "detection",
    "hold": "hold",
    "decision": "decision",
    "lease": "lease and fence",
    "promotion": "promotion",
    "settings": "settings and scale",
    "dns": "load balancer and DNS",
    "client": "clients noticing",
}
"""How the parts of the time are called."""


class Striped:
    """Anything, with EXERCISE at the beginning of every line."""

    def __init__(self, inside: RenderableType) -> None:
        self._inside = inside

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Lines of the inside, narrower by the stripe. Where the console leaves wrapping to the reader (a pipe), so does this."""
        width = _UNWRAPPED if options.no_wrap else max(20, options.max_width - len(_STRIPE))
        narrower = options.update(width=width, no_wrap=False, overflow="fold")
        for line in console.render_lines(self._inside, narrower, pad=False):
            yield Segment(_STRIPE, Style.parse("magenta"))
            yield from line
            yield Segment.line()


def summary(report: Report, directory: str) -> RenderableType:
    """Everything that a person reads at the end of a run; `directory` is where the report's files are."""
    whole = Group(*_lines(report, directory))
    return Striped(whole) if report.exercise else whole


def _lines(report: Report, directory: str) -> Iterator[RenderableType]:
    sign = SIGNS[report.verdict]
    yield Text.assemble((f"{sign.icon} {sign.word}", _STYLES[sign.style]), f"  {headline(report)}")
    yield Text("")
    yield result_table(report)
    yield Text("")
    if report.notifications:
        yield told_table(report)
        yield from _asked_of_people(report)
        yield Text("")
    yield _outage(report)
    yield _where_the_time_went(report)
    yield from _critical_path(report)
    yield _loss(report)
    yield from (Text(line) for line in in_one_line(report.stood_alone))
    for there in (report.only_there, report.only_there_on_return):
        if there.tells:
            yield _only_there(there)
    if report.verdict != "pass":
        yield from _reasons(report)
    journal = f"journal {count(report.journal.records, 'record')}, head {report.journal.head[:16]}"
    yield Text(f"Report: {directory}/report.html and report.json; {journal}")
    yield Text(f"next: {next_in_terminal(report, directory)}", style="bold")


def result_table(report: Report) -> Table:
    """Per function: promised and measured."""
    title = report.title.removeprefix(f"{_STRIPE.strip()}: ")
    table = Table(title=title, title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0), header_style="underline")
    table.add_column("Function", overflow="fold", min_width=12)
    for name in ("RTO", "took", "RPO", "lost time", "acked", "lost"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("Met", no_wrap=True)
    for function in report.functions:
        table.add_row(*_row(function))
    return table


def _row(function: FunctionResult) -> tuple[RenderableType, ...]:
    rto, rto_target = duration_pair(function.rto_actual_seconds, function.rto_target_seconds)
    rpo, rpo_target = duration_pair(function.rpo_actual_seconds, function.rpo_target_seconds)
    acknowledged, lost = count(function.acknowledged_writes), count(function.lost_acknowledged_writes)
    return (f"{function.priority} {function.name}", rto_target, rto, rpo_target, rpo, acknowledged, lost, _signed(sign_of(function.met)))


def told_table(report: Report) -> Table:
    """Who was told what: a line for each message, due against sent, arrived and acknowledged. report.json holds every delivery."""
    fast = "" if report.scale == 1 else f"; the plan's clock ran {report.scale:g} times as fast"
    table = Table(title=f"Told, counted from impact{fast}", title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0))
    table.add_column("Message", overflow="fold", min_width=12)
    table.add_column("Over", overflow="fold")
    table.add_column("To", overflow="fold")
    for name in ("due", "sent", "arrived", "acknowledged"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("In time", no_wrap=True)
    groups: dict[tuple[str, float], list[NotificationResult]] = {}
    for row in report.notifications:
        groups.setdefault((family_of(row.rule or row.message), row.due_seconds), []).append(row)  # vendors on one line
    for (rule, due), rows in groups.items():
        sent = [row.sent_seconds for row in rows if row.sent_seconds is not None]
        acknowledged = [row.acknowledged_seconds for row in rows if row.acknowledged_seconds is not None]
        met = False if any(row.met is False for row in rows) else None if any(row.met is None for row in rows) else True
        to = list(dict.fromkeys(one.removeprefix("exercise:") for row in rows for one in stood_for(row.recipient_ref)))
        arrived = sum(row.arrived_seconds is not None or row.delivered_seconds is not None for row in rows)
        named = ", ".join(to[:_MOST_NAMED]) + (f" and {len(to) - _MOST_NAMED} more" if len(to) > _MOST_NAMED else "")
        table.add_row(
            rule,
            ", ".join(dict.fromkeys(row.channel for row in rows)),
            named,
            duration(due),
            duration(max(sent)) if len(sent) == len(rows) else f"{len(sent)} of {len(rows)}",
            f"{arrived} of {len(rows)}",
            duration(min(acknowledged)) if acknowledged else "",
            _signed(sign_of(met)),
        )
    return table


def _asked_of_people(report: Report) -> Iterator[Text]:
    for sla in report.slas:
        sign = sign_of(sla.met)
        yield Text.assemble((f"{sign.icon} {sign.word}", _STYLES[sign.style]), f"  {sla.name}: {sla.actual}, asked for: {sla.target}.")
    for call in report.calls[1:]:
        answered = f"answered by {call.answered_by} after {duration(call.answered_seconds)}" if call.answered_by else "nobody answered"
        over = "Nobody had answered; it started over: " if call.starts_over else "Escalated: "
        yield Text(f"{over}{call.level} called after {duration(call.called_seconds)} for {listing(call.roles)}, {answered}.")


def _signed(sign: Sign) -> Text:
    return Text(f"{sign.icon} {sign.word}", style=_STYLES[sign.style])


def _outage(report: Report) -> Text:
    back = f", {duration(report.failback.outage_seconds)} more on the way back" if report.failback.done else ""
    return Text(
        f"Outage {duration(report.outage_seconds)} (worst function){back}. "
        f"Detected after {duration(report.detected_after_seconds)}, decided after {duration(report.decided_after_seconds)}."
    )


def _where_the_time_went(report: Report) -> Text:
    parts = ", ".join(f"{PARTS[part.part]} {duration(part.seconds)}" for part in report.time_spent if part.seconds >= 0.001)
    return Text(f"Where the time went: {parts or 'unknown'}.")


def _critical_path(report: Report) -> Iterator[Text]:
    """The chain of steps of which each that took less would have ended the failover earlier; what only states a fact takes no time."""
    critical = (step for step in report.steps if step.critical and step.run == FAILOVER and step.ended_seconds is not None)
    took = {step.step: (step.ended_seconds or 0.0) - step.started_seconds for step in critical}
    chain = [f"{step} {duration(seconds)}" for step, seconds in took.items() if seconds >= 0.001]
    if chain:
        yield Text(f"Critical path: {' → '.join(chain)}.")


def _loss(report: Report) -> Text:
    bound, check = report.loss_bound, report.single_writer
    writers = (
        f"{count(check.violations, 'violation')} in {count(check.checked_writes, 'write')}" if check.checked else "not checked to the end"
    )
    return Text(
        f"Lost {duration(bound.true_seconds)} of acknowledged writes, {count(bound.lost_acknowledged_writes, 'write')}; "
        f"the approvers saw a bound of {duration(bound.seconds)}. Single writer: {writers}."
    )


def _only_there(there: OnlyThere) -> Text:
    if not there.exported:
        return Text("Only on the lost side: nobody knows, it was not exported.")
    held = [
        f"{one.component} {one.only_here + one.differs + one.deleted_here}" if one.status == "exported" else f"{one.component} unknown"
        for one in there.components
    ]
    lost = (there.lost_found or 0) + (there.lost_missing or 0)
    found = f"; {there.lost_found} of {count(lost, 'lost acknowledged write')} found there" if lost else ""
    given = f"; {there.given_back} given back" if there.given_back else ""
    unexamined = sum(len(one.unexamined) for one in there.components)
    left = f"; {count(unexamined, 'thing')} not examined" if unexamined else ""
    return Text(f"Only on the lost side ({there.region}), exported: {', '.join(held)}{found}{given}{left}.")


def _reasons(report: Report) -> Iterator[Text]:
    for rule in report.rules:
        if rule.result != "pass":
            sign = SIGNS[rule.result]
            yield Text.assemble((f"{sign.icon} {sign.word.lower()} ", _STYLES[sign.style]), rule.sentence)
