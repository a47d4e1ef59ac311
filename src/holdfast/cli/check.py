"""`holdfast check PLAN`: whether a plan loads, and which of its promises it can't keep.

Exit: 0 when it loads and nothing in it is unsafe (promises that can't be kept are warnings: a drill may run and will show them),
1 when it has an error finding (with `--fail-on`, also a warning or a note; with `--standard`, when something is missing), 2 when it
doesn't load. What a comment ignores with a reason doesn't count here; an error still keeps the plan from being run.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from holdfast.cli.findings import (
    CHECK_SCHEMA,
    SEVERITIES,
    and_ignored,
    counting,
    line_of,
    print_table,
    quoted,
    relative,
    shown_of,
    today_of,
    values_of,
)
from holdfast.cli.output import ExitCode, State, print_json, print_next, screen, state_text

if TYPE_CHECKING:
    from holdfast.checks.ignoring import Judged
    from holdfast.checks.sarif import Shown
    from holdfast.plan.loader import LoadedPlan

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
    from holdfast.checks import check as findings_of
    from holdfast.checks.ignoring import judged
    from holdfast.plan.loader import PlanError, load

    if standard is not None:
        from holdfast.cli.standard import refuse_unsayable

        refuse_unsayable(standard, output)
    try:
        loaded = load(plan)
    except PlanError as error:
        from holdfast.cli.refused import say_refused

        say_refused(plan, error, output, standard)
        return ExitCode.BAD_INPUT
    if standard is not None:
        from holdfast.cli.standard import say_standard

        return say_standard(loaded, standard, output)
    findings = findings_of(loaded.plan, today_of(loaded.plan.timezone))
    found = judged(findings, loaded.ignores, loaded.positions)
    if output == "json":
        print_json(_report(loaded, found))
    elif output == "sarif":
        from holdfast.checks.sarif import sarif

        print_json(sarif(shown_of(loaded, found), relative))
    else:
        _say_findings(loaded, found)
    counts = SEVERITIES[: SEVERITIES.index(fail_on) + 1]
    return ExitCode.NOT_SO if any(finding.severity.value in counts for finding in found.counting) else ExitCode.FINE


def _say_findings(loaded: "LoadedPlan", found: "Judged") -> None:
    from rich.text import Text

    shown = shown_of(loaded, found)
    errors, warnings = ([one for one in counting(shown) if one.finding.severity.value == severity] for severity in ("error", "warning"))
    state = State.FAILED if errors else State.NEEDS_PERSON if warnings else State.DONE
    headline = _headline(len(errors), len(warnings)) + and_ignored(shown)
    screen().print(Text.assemble(state_text(state, headline), f" — {_named(loaded)}"))
    print_table(loaded, shown)
    print_next(_next(loaded, errors))


def _headline(errors: int, warnings: int) -> str:
    if errors:
        return ("1 error makes" if errors == 1 else f"{errors} errors make") + " this plan unsafe to carry out: nothing may run on it"
    if warnings:
        count = "1 warning" if warnings == 1 else f"{warnings} warnings"
        return f"the plan loads, but it can't keep all that it promises: {count}, none of which stops a drill"
    return "the plan loads, and no rule found a promise that it can't keep"


def _next(loaded: "LoadedPlan", errors: "list[Shown]") -> str:
    path = quoted(str(loaded.path))
    if errors:
        return f"correct line {line_of(loaded, errors[0].positions[0])}, then: holdfast check {path}"
    return f"holdfast lab up && holdfast run {path}"


def _named(loaded: "LoadedPlan") -> str:
    return f"{loaded.plan.name}, version {loaded.plan.version}, digest {loaded.digest[:12]}"


def _report(loaded: "LoadedPlan", found: "Judged") -> dict[str, Any]:
    return {
        "schema": CHECK_SCHEMA,
        "path": str(loaded.path),
        "loads": True,
        "plan": {"name": loaded.plan.name, "version": loaded.plan.version, "digest": loaded.digest},
        "problems": [],
        **values_of(shown_of(loaded, found)),
    }
