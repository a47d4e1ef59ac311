"""`holdfast check PLAN`: whether a plan loads, and which of its promises it can't keep.

Exit: 0 when it loads and nothing in it is unsafe (promises that can't be kept are warnings: a drill may run and will show them),
1 when it has an error finding, 2 when it doesn't load.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast.cli.output import ExitCode, OutputFormat, State, complain, print_json, print_next, screen, state_text, table

if TYPE_CHECKING:
    from rich.text import Text

    from holdfast.checks import Finding
    from holdfast.plan.loader import LoadedPlan, PlanError
    from holdfast.plan.problems import Position

SCHEMA = "holdfast/check/v1"


def check(plan: Path, *, output: OutputFormat = "text") -> int:
    """Read a plan, say what keeps it from loading, or which of its promises it can't keep.

    Example: `holdfast check examples/voicehive/plan.yaml`

    Parameters
    ----------
    plan
        The plan's file.
    output
        For people or for programs.
    """
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from holdfast.checks import Severity
    from holdfast.checks import check as findings_of
    from holdfast.plan.loader import PlanError, load

    try:
        loaded = load(plan)
    except PlanError as error:
        if output == "json":
            print_json(_refused(plan, error))
        else:
            _say_problems(plan, error)
        return ExitCode.BAD_INPUT
    findings = findings_of(loaded.plan, datetime.now(ZoneInfo(loaded.plan.timezone)).date())
    if output == "json":
        print_json(_report(loaded, findings))
    else:
        _say_findings(loaded, findings)
    return ExitCode.NOT_SO if any(finding.severity is Severity.ERROR for finding in findings) else ExitCode.FINE


def _say_problems(path: Path, error: "PlanError") -> None:
    """Problems as `file:line:column: …`, one a line, where editors and CI look for them."""
    problems = error.problems
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    them = "it" if len(problems) == 1 else "them"
    complain(
        "\n".join([f"the plan doesn't load, {count}:", *error.lines(), f"next: correct {them}, then: holdfast check {_quoted(str(path))}"])
    )


def _say_findings(loaded: "LoadedPlan", findings: "tuple[Finding, ...]") -> None:
    from rich.text import Text

    from holdfast.checks import Severity

    out = screen()
    errors, warnings, notes = (
        [finding for finding in findings if finding.severity is severity] for severity in (Severity.ERROR, Severity.WARNING, Severity.NOTE)
    )
    state = State.FAILED if errors else State.NEEDS_PERSON if warnings else State.DONE
    out.print(Text.assemble(state_text(state, _headline(len(errors), len(warnings))), f" — {_named(loaded)}"))
    if findings:
        out.print()
        out.print(table(["", "rule", "lines", "what"], [_row(loaded, finding) for finding in (*errors, *warnings, *notes)]))
        out.print()
    print_next(_next(loaded, errors))


def _headline(errors: int, warnings: int) -> str:
    if errors:
        return ("1 error makes" if errors == 1 else f"{errors} errors make") + " this plan unsafe to carry out: nothing may run on it"
    if warnings:
        count = "1 warning" if warnings == 1 else f"{warnings} warnings"
        return f"the plan loads, but it can't keep all that it promises: {count}, none of which stops a drill"
    return "the plan loads, and no rule found a promise that it can't keep"


def _row(loaded: "LoadedPlan", finding: "Finding") -> "list[str | Text]":
    from rich.text import Text

    from holdfast.checks import Severity

    looks = {Severity.ERROR: State.FAILED, Severity.WARNING: State.NEEDS_PERSON, Severity.NOTE: State.RUNNING}
    lines = ", ".join(dict.fromkeys(_line(loaded.positions.nearest(place)) for place in finding.places))
    what = Text.assemble(Text(finding.sentence), Text(f". {finding.hint[0].upper()}{finding.hint[1:]}.", style="dim"))
    return [state_text(looks[finding.severity], finding.severity.value), finding.code, Text(lines), what]


def _next(loaded: "LoadedPlan", errors: "list[Finding]") -> str:
    path = _quoted(str(loaded.path))
    if errors:
        line = _line(loaded.positions.nearest(errors[0].places[0]))
        return f"correct line {line}, then: holdfast check {path}"
    return f"holdfast lab up && holdfast run {path}"


def _line(position: "Position") -> str:
    """The line, with its file where the plan is more than one."""
    return f"{position.path}:{position.line}" if position.path else str(position.line)


def _named(loaded: "LoadedPlan") -> str:
    return f"{loaded.plan.name}, version {loaded.plan.version}, digest {loaded.digest[:12]}"


def _quoted(path: str) -> str:
    import shlex

    return shlex.quote(path)


def _report(loaded: "LoadedPlan", findings: "tuple[Finding, ...]") -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "path": str(loaded.path),
        "loads": True,
        "plan": {"name": loaded.plan.name, "version": loaded.plan.version, "digest": loaded.digest},
        "problems": [],
        "findings": [
            {
                "code": finding.code,
                "severity": finding.severity.value,
                "sentence": finding.sentence,
                "hint": finding.hint,
                "places": [
                    {
                        "path": list(place),
                        "file": position.path or str(loaded.path),
                        "line": position.line,
                        "column": position.column,
                    }
                    for place, position in ((place, loaded.positions.nearest(place)) for place in finding.places)
                ],
            }
            for finding in findings
        ],
    }


def _refused(path: Path, error: "PlanError") -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "path": str(path),
        "loads": False,
        "plan": None,
        "problems": [
            {
                "path": problem.path,
                "line": problem.line,
                "column": problem.column,
                "message": problem.message,
                "value": problem.value,
                "hint": problem.hint,
            }
            for problem in error.problems
        ],
        "findings": [],
    }
