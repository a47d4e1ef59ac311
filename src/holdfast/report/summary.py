"""The first line and the last line of every report: what matters most, and the next action as a command that can be pasted."""

import shlex
from dataclasses import dataclass

from holdfast.report.model import Report, Verdict
from holdfast.report.wording import count, duration, listing


@dataclass(frozen=True, slots=True)
class Sign:
    """A state as icon and word; the colour is the surface's own."""

    icon: str
    word: str
    style: str
    """Name of the state in look.md's table: done, failed, unknown."""


SIGNS: dict[Verdict, Sign] = {
    "pass": Sign("✓", "PASS", "done"),
    "fail": Sign("✕", "FAIL", "failed"),
    "unknown": Sign("?", "UNKNOWN", "unknown"),
}


def sign_of(met: bool | None) -> Sign:
    """A target as icon and word: met, missed or unknown."""
    if met is None:
        return Sign("?", "unknown", "unknown")
    return Sign("✓", "met", "done") if met else Sign("✕", "missed", "failed")


def headline(report: Report) -> str:
    """The one thing that matters, as a sentence without the verdict's word."""
    if report.verdict != "pass":
        more = len(report.reasons) - 1
        first = report.reasons[0] if report.reasons else "Nothing was measured."
        return f"{first} {count(more, 'more reason')} below." if more > 0 else first
    worst = max(report.functions, key=lambda function: function.rto_actual_seconds or 0.0)
    lost = count(report.lost_writes.total, "acknowledged write")
    within = f", within the bound of {duration(report.loss_bound.seconds)} that the approvers saw" if report.lost_writes.total else ""
    return (
        f"Every promise was kept: the longest outage was {duration(report.outage_seconds)} ({worst.name}, promised within "
        f"{duration(worst.rto_target_seconds)}), {lost} lost{within}, and {_home(report)} again with nothing lost."
    )


def _home(report: Report) -> str:
    components = report.criteria.components if report.criteria is not None else ()
    return f"{listing(components)} {'are' if len(components) > 1 else 'is'} home" if components else "the region is home"


def urgent_command(report: Report) -> str | None:
    """What to do about the incident itself, or None when it is over."""
    if report.journal.whole is not True:
        return "holdfast journal verify"
    if (
        not report.failback.done
        and not report.exercise
        and any(run.run == "failover" and run.outcome == "succeeded" for run in report.runs)
    ):
        return "holdfast failback"
    return None


def next_in_terminal(report: Report, directory: str) -> str:
    """The last line of the terminal's report."""
    return urgent_command(report) or f"xdg-open {shlex.quote(f'{directory}/report.html')}"


def next_on_page(report: Report) -> str:
    """The last line of the page: who reads it wants to prove it."""
    return urgent_command(report) or "holdfast journal verify"
