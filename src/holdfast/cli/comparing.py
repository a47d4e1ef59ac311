"""`holdfast diff A B`: what a change of a plan means, in consequences.

Exit: 0 both plans say the same; 1 they differ; 2 one of them doesn't load.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from holdfast.cli.findings import today_of
from holdfast.cli.output import ExitCode, OutputFormat, State, print_json, print_next, screen, state_text, table

if TYPE_CHECKING:
    from holdfast.document.difference import Change, Drilled
    from holdfast.plan.loader import LoadedPlan

SCHEMA = "holdfast/diff/v1"
DEFAULT_REPORTS = Path("var")
_WORDS = {
    "promises": "promise",
    "findings": "check",
    "steps": "steps",
    "people": "people",
    "drills": "drills",
    "others": "other",
}


def diff(
    before: Path,
    after: Path,
    *,
    reports: Annotated[Path, Parameter(help="Where reports of drills are, at any depth.")] = DEFAULT_REPORTS,
    output: OutputFormat = "text",
) -> int:
    """Say what a change of the plan means: promises, findings, steps, people, and which drills no longer cover it.

    Example: `holdfast diff plan.yaml plan-next.yaml`

    Parameters
    ----------
    before
        The plan as it was.
    after
        The plan as it is to be.
    output
        For people or for programs.
    """
    from holdfast.checks import check
    from holdfast.cli.run import loaded_plan
    from holdfast.document.difference import difference, uncovered

    old, new = loaded_plan(before), loaded_plan(after)
    today = today_of(new.plan.timezone)
    changes = (
        ()
        if old.digest == new.digest
        else (
            *difference(old.plan, new.plan, check(old.plan, today), check(new.plan, today)),
            *uncovered(tuple(_drills(reports)), old.digest, new.digest),
        )
    )
    if output == "json":
        print_json(_report(old, new, changes))
    else:
        _say(old, new, changes)
    return ExitCode.NOT_SO if changes else ExitCode.FINE


def _drills(directory: Path) -> "Iterator[Drilled]":
    """Recorded drills of a directory, by their report.json; what is no report is passed over."""
    from pydantic import ValidationError

    from holdfast.document.difference import Drilled
    from holdfast.report.format import read_report

    for file in sorted(directory.glob("**/report.json")):
        try:
            report = read_report(file.read_text())
        except (OSError, ValidationError, UnicodeDecodeError):
            continue
        if report.exercise:
            yield Drilled(report.started_at[:10], report.scenario_name or report.scenario, report.plan.digest, str(file))


def _say(old: "LoadedPlan", new: "LoadedPlan", changes: "tuple[Change, ...]") -> None:
    out = screen()
    if not changes:
        out.print(state_text(State.DONE, f"both say the same: {new.plan.name}, digest {new.digest[:12]}"))
        print_next(f"holdfast check {new.path}")
        return
    count = "1 consequence" if len(changes) == 1 else f"{len(changes)} consequences"
    head = f"{count} of going from {old.path} (digest {old.digest[:12]}) to {new.path} (digest {new.digest[:12]})"
    out.print(state_text(State.NEEDS_PERSON, head))
    out.print()
    out.print(table(["about", "what"], [[_WORDS[change.about], change.sentence] for change in changes]))
    out.print()
    print_next(f"holdfast check {new.path}")


def _report(old: "LoadedPlan", new: "LoadedPlan", changes: "tuple[Change, ...]") -> dict[str, object]:
    return {
        "schema": SCHEMA,
        "same": not changes,
        "before": {"path": str(old.path), "version": old.plan.version, "digest": old.digest},
        "after": {"path": str(new.path), "version": new.plan.version, "digest": new.digest},
        "changes": [{"about": change.about, "sentence": change.sentence, "place": list(change.place)} for change in changes],
    }
