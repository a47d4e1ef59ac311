"""`holdfast check PLAN`: whether a plan loads, and which of its promises it can't keep.

Exit: 0 when it loads and nothing in it is unsafe (promises that can't be kept are warnings: a drill may run and will show them),
1 when it has an error finding (with `--fail-on`, also a warning or a note; with `--standard`, when something is missing), 2 when it
doesn't load. What a comment ignores with a reason doesn't count here; an error still keeps the plan from being run.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from holdfast.cli.output import ExitCode, State, complain, print_json, print_next, screen, state_text, table

if TYPE_CHECKING:
    from rich.text import Text

    from holdfast.checks.ignoring import Judged
    from holdfast.checks.sarif import Shown
    from holdfast.plan.loader import LoadedPlan, PlanError
    from holdfast.plan.problems import Place, Position

SCHEMA = "holdfast/check/v1"
FindingsFormat = Annotated[
    Literal["text", "json", "sarif"],
    Parameter(
        name=["--output", "-o", "--format"],
        help="`text` for people, `json` for programs, `sarif` for what shows findings beside the lines of a change.",
    ),
]
FailOn = Annotated[Literal["error", "warning", "note"], Parameter(help="The least severity of a finding that makes the exit code 1.")]


def check(plan: Path, *, output: FindingsFormat = "text", fail_on: FailOn = "error", standard: str | None = None) -> int:
    """Read a plan, say what keeps it from loading, or which of its promises it can't keep.

    Example: `holdfast check examples/voicehive/plan.yaml --fail-on warning`

    Parameters
    ----------
    plan
        The plan's file.
    output
        For people, for programs, or as SARIF.
    fail_on
        From which severity on findings make the exit code 1.
    standard
        Say instead what of a standard the plan covers: iso-22301, nist-800-34, iso-27001, pci-dss, soc-2, gdpr or dora.
    """
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from holdfast.checks import check as findings_of
    from holdfast.checks.ignoring import judged
    from holdfast.plan.loader import PlanError, load

    try:
        loaded = load(plan)
    except PlanError as error:
        if output == "text":
            _say_problems(plan, error)
        else:
            print_json(_refused(plan, error) if output == "json" else _refused_sarif(error))
        return ExitCode.BAD_INPUT
    if standard is not None:
        from holdfast.cli.standard import say_standard

        return say_standard(loaded, standard, output)
    findings = findings_of(loaded.plan, datetime.now(ZoneInfo(loaded.plan.timezone)).date())
    found = judged(findings, loaded.ignores, loaded.positions)
    if output == "json":
        print_json(_report(loaded, found))
    elif output == "sarif":
        from holdfast.checks.sarif import sarif

        print_json(sarif(_shown(loaded, found), _relative))
    else:
        _say_findings(loaded, found)
    counts = _SEVERITIES[: _SEVERITIES.index(fail_on) + 1]
    return ExitCode.NOT_SO if any(finding.severity.value in counts for finding in found.counting) else ExitCode.FINE


_SEVERITIES = ("error", "warning", "note")


def _shown(loaded: "LoadedPlan", found: "Judged") -> "list[Shown]":
    """Everything that is reported, worst first, what is ignored last."""
    from holdfast.checks.sarif import Shown

    def at(places: "tuple[Place, ...]") -> "tuple[Position, ...]":
        return tuple(_with_path(loaded, loaded.positions.nearest(place)) for place in places)

    shown = [Shown(finding, at(finding.places)) for finding in found.findings]
    shown += [Shown(remark.finding, (_with_path(loaded, remark.position),)) for remark in found.remarks]
    shown.sort(key=lambda one: (_SEVERITIES.index(one.finding.severity.value), one.finding.code))
    return shown + [Shown(one.finding, at(one.finding.places), one.ignore.reason) for one in found.ignored]


def _with_path(loaded: "LoadedPlan", position: "Position") -> "Position":
    from holdfast.plan.problems import Position

    return Position(position.line, position.column, position.path or str(loaded.path))


def _relative(path: str) -> str:
    """A file as a checkout knows it: relative to where the command runs."""
    file = Path(path)
    return file.resolve().relative_to(Path.cwd().resolve()).as_posix() if _is_below(file) else file.as_posix()


def _is_below(file: Path) -> bool:
    return file.resolve().is_relative_to(Path.cwd().resolve())


def _say_problems(path: Path, error: "PlanError") -> None:
    """Problems as `file:line:column: …`, one a line, where editors and CI look for them."""
    problems = error.problems
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    them = "it" if len(problems) == 1 else "them"
    complain(
        "\n".join([f"the plan doesn't load, {count}:", *error.lines(), f"next: correct {them}, then: holdfast check {_quoted(str(path))}"])
    )


def _say_findings(loaded: "LoadedPlan", found: "Judged") -> None:
    from rich.text import Text

    out, shown = screen(), _shown(loaded, found)
    errors, warnings = (
        [one for one in shown if one.finding.severity.value == severity and one.ignored_because is None]
        for severity in ("error", "warning")
    )
    state = State.FAILED if errors else State.NEEDS_PERSON if warnings else State.DONE
    ignored = f"; {len(found.ignored)} ignored with a reason" if found.ignored else ""
    out.print(Text.assemble(state_text(state, _headline(len(errors), len(warnings)) + ignored), f" — {_named(loaded)}"))
    if shown:
        out.print()
        out.print(table(["", "rule", "lines", "what"], [_row(loaded, one) for one in shown]))
        out.print()
    print_next(_next(loaded, errors))


def _headline(errors: int, warnings: int) -> str:
    if errors:
        return ("1 error makes" if errors == 1 else f"{errors} errors make") + " this plan unsafe to carry out: nothing may run on it"
    if warnings:
        count = "1 warning" if warnings == 1 else f"{warnings} warnings"
        return f"the plan loads, but it can't keep all that it promises: {count}, none of which stops a drill"
    return "the plan loads, and no rule found a promise that it can't keep"


def _row(loaded: "LoadedPlan", one: "Shown") -> "list[str | Text]":
    from rich.text import Text

    finding = one.finding
    looks = {"error": State.FAILED, "warning": State.NEEDS_PERSON, "note": State.RUNNING}
    lines = ", ".join(dict.fromkeys(_line(loaded, position) for position in one.positions))
    ends = f"Ignored, because {one.ignored_because}" if one.ignored_because is not None else f"{finding.hint[0].upper()}{finding.hint[1:]}"
    what = Text.assemble(Text(finding.sentence), Text(f". {ends}.", style="dim"))
    if one.ignored_because is not None:
        return [state_text(State.UNKNOWN, "ignored"), finding.code, Text(lines), what]
    return [state_text(looks[finding.severity.value], finding.severity.value), finding.code, Text(lines), what]


def _next(loaded: "LoadedPlan", errors: "list[Shown]") -> str:
    path = _quoted(str(loaded.path))
    if errors:
        return f"correct line {_line(loaded, errors[0].positions[0])}, then: holdfast check {path}"
    return f"holdfast lab up && holdfast run {path}"


def _line(loaded: "LoadedPlan", position: "Position") -> str:
    """The line, with its file where the plan is more than one."""
    return str(position.line) if position.path == str(loaded.path) else f"{position.path}:{position.line}"


def _named(loaded: "LoadedPlan") -> str:
    return f"{loaded.plan.name}, version {loaded.plan.version}, digest {loaded.digest[:12]}"


def _quoted(path: str) -> str:
    import shlex

    return shlex.quote(path)


def _report(loaded: "LoadedPlan", found: "Judged") -> dict[str, Any]:
    shown = _shown(loaded, found)
    return {
        "schema": SCHEMA,
        "path": str(loaded.path),
        "loads": True,
        "plan": {"name": loaded.plan.name, "version": loaded.plan.version, "digest": loaded.digest},
        "problems": [],
        "findings": [_finding(one) for one in shown if one.ignored_because is None],
        "ignored": [{**_finding(one), "because": one.ignored_because} for one in shown if one.ignored_because is not None],
    }


def _finding(one: "Shown") -> dict[str, Any]:
    places = one.finding.places or ((),)
    return {
        "code": one.finding.code,
        "severity": one.finding.severity.value,
        "sentence": one.finding.sentence,
        "hint": one.finding.hint,
        "places": [
            {"path": list(place), "file": position.path, "line": position.line, "column": position.column}
            for place, position in zip(places, one.positions, strict=True)
        ],
    }


def _refused_sarif(error: "PlanError") -> dict[str, Any]:
    from holdfast.checks.sarif import sarif_of_problems

    return sarif_of_problems(error.problems, _relative)


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
        "not_looked_at": error.unseen,
        "findings": [],
    }
