"""The first line and the last line of every report: what matters most, and the next action as a command that can be pasted."""

from dataclasses import dataclass

from holdfast.report.model import Report, Verdict
from holdfast.report.wording import count, duration


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
        f"{duration(worst.rto_target_seconds)}), {lost} lost{within}, and the region is home again with nothing lost."
    )


def next_command(report: Report, directory: str) -> tuple[str, str]:
    """(why, command): what to do next."""
    if report.journal.whole is False:
        return "Find where the journal was changed", "holdfast journal verify"
    if not report.failback.done and any(run.run == "failover" and run.outcome == "succeeded" for run in report.runs):
        return "Bring the region home", "holdfast failback"
    return "Read the whole report", f"xdg-open {directory}/report.html"
