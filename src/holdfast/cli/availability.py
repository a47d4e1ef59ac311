"""`holdfast availability`: how much of the time each function served, as its canary saw it, and what is left of what was promised.

Exit: 0 when every promise was kept, 1 when one is broken, 3 when unmeasured time leaves one open, 2 for bad input.
"""

import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from holdfast.cli.canary import DEFAULT_LEDGERS
from holdfast.cli.output import CommandError, ExitCode, OutputFormat, State, print_json, print_next, screen, state_text, table

if TYPE_CHECKING:
    from rich.text import Text

    from holdfast.canary.appraisal import Appraisal, Held
    from holdfast.plan.model import Plan

SCHEMA = "holdfast/availability/v1"
DEFAULT_SINCE = "30d"


def availability(
    plan: Path,
    *,
    ledgers: Path = DEFAULT_LEDGERS,
    function: Annotated[tuple[str, ...], Parameter(help="Only these functions; may be given several times.")] = (),
    since: Annotated[str | None, Parameter(help="The last so much time, such as 24h or 30d (the default).")] = None,
    start: Annotated[
        str | None, Parameter(name="--from", help="Begin of the window, ISO 8601; in the plan's zone unless it says another.")
    ] = None,
    end: Annotated[str | None, Parameter(name="--to", help="End of the window; now without it.")] = None,
    output: OutputFormat = "text",
) -> int:
    """Say how much of a window each function served, and what is left of each availability that the plan promises.

    Available is the time in which the canary's transactions were acknowledged in time. Time that the canary couldn't measure is *unknown*:
    it counts as neither and is said. Exits 0 when every promise was kept, 1 when one is broken, 3 when unknown time leaves one open.

    Example: `holdfast availability examples/voicehive/plan.yaml --since 24h --function voice`

    Parameters
    ----------
    plan:
        The plan, with what it promises.
    ledgers:
        Where `holdfast canary` keeps its ledgers.
    output:
        How to print.
    """
    from holdfast.canary.appraisal import appraise
    from holdfast.canary.files import CanaryFiles
    from holdfast.cli.run import loaded_plan
    from holdfast.ledger.reading import LedgerError

    loaded = loaded_plan(plan).plan
    from_seconds, until_seconds = _window(loaded, since, start, end)
    files = CanaryFiles(ledgers)
    try:
        found = [appraise(loaded, files, name, from_seconds, until_seconds) for name in _chosen(loaded, ledgers, function)]
    except LedgerError as error:
        raise CommandError(f"{error}. Nothing that it says can be believed; move the file aside, and its time is unknown") from error
    except OSError as error:
        raise CommandError(f"the ledgers in {ledgers} can't be read: {error}") from error
    if output == "json":
        print_json(_document(loaded, found))
    else:
        _print(loaded, found, plan, ledgers)
    return _exit(found)


def _chosen(plan: "Plan", ledgers: Path, wanted: tuple[str, ...]) -> tuple[str, ...]:
    if not ledgers.is_dir():
        raise CommandError(f"there are no ledgers in {ledgers}; `holdfast canary` writes them, or name where they are with --ledgers")
    known = tuple(name for name, function in plan.functions.items() if function.canary is not None)
    strange = [name for name in wanted if name not in known]
    if strange or not known:
        raise CommandError(
            f"{', '.join(strange) or 'no function'}: the plan gives it no `canary`; those with one: {', '.join(known) or 'none'}"
        )
    return wanted or known


def _window(plan: "Plan", since: str | None, start: str | None, end: str | None) -> tuple[float, float]:
    from holdfast.plan.values import duration_seconds

    if since is not None and start is not None:
        raise CommandError("--since and --from both say where the window begins; give one of them")
    until_seconds = time.time() if end is None else _moment(plan, "--to", end)
    try:
        length = duration_seconds(since or DEFAULT_SINCE)
    except ValueError as error:
        raise CommandError(f"--since: {error}") from error
    from_seconds = until_seconds - length if start is None else _moment(plan, "--from", start)
    if from_seconds >= until_seconds:
        raise CommandError("the window ends before it begins; exchange --from and --to")
    return from_seconds, until_seconds


def _moment(plan: "Plan", option: str, text: str) -> float:
    from zoneinfo import ZoneInfo

    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(f"{option}: '{text}' is not a moment; write it like 2026-11-23T20:06 or 2026-11-23T20:06:43+00:00") from None
    return (found if found.tzinfo else found.replace(tzinfo=ZoneInfo(plan.timezone))).timestamp()


def _exit(found: list["Appraisal"]) -> ExitCode:
    words = {appraisal.kept.value for appraisal in found}
    return ExitCode.NOT_SO if "broken" in words else ExitCode.UNKNOWN if "unknown" in words else ExitCode.FINE


def _document(plan: "Plan", found: list["Appraisal"]) -> dict[str, Any]:
    from holdfast.report.wording import moment

    first = found[0].window
    return {
        "schema": SCHEMA,
        "plan": {"name": plan.name, "version": plan.version},
        "from": moment(first.from_seconds, plan.timezone),
        "to": moment(first.until_seconds, plan.timezone),
        "kept": max((appraisal.kept.value for appraisal in found), key=["kept", "unknown", "broken"].index),
        "functions": [_function(plan, appraisal) for appraisal in found],
    }


def _function(plan: "Plan", appraisal: "Appraisal") -> dict[str, Any]:
    from holdfast.ledger.availability import Measure
    from holdfast.report.wording import moment

    window = appraisal.window
    return {
        "id": appraisal.function,
        "name": plan.functions[appraisal.function].name,
        "availability_percent": window.percent,
        "at_least_percent": window.at_least_percent,
        "at_most_percent": window.at_most_percent,
        "available_seconds": window.available_seconds,
        "unavailable_seconds": window.unavailable_seconds,
        "unknown_seconds": window.unknown_seconds,
        "unknown_reasons": dict(window.unknown_reasons),
        "transactions": window.transactions,
        "outages": window.outages,
        "longest_outage_seconds": window.longest_outage_seconds,
        "unavailable": [
            {"from": moment(span.from_seconds, plan.timezone), "seconds": round(span.seconds, 3)}
            for span in appraisal.row
            if span.measure is Measure.UNAVAILABLE
        ][:_MOST_LISTED],
        "kept": appraisal.kept.value,
        "promises": [_promise(held) for held in appraisal.held],
    }


_MOST_LISTED = 1000


def _promise(held: "Held") -> dict[str, Any]:
    budget = held.budget
    return {
        "id": held.promise.name,
        "name": held.promise.title,
        "target_percent": budget.target_percent,
        "period_seconds": budget.period_seconds,
        "measured_percent": held.measured.percent,
        "allowed_seconds": budget.allowed_seconds,
        "spent_seconds": budget.spent_seconds,
        "left_seconds": budget.left_seconds,
        "unknown_seconds": budget.unknown_seconds,
        "kept": budget.kept.value,
    }


def _print(plan: "Plan", found: list["Appraisal"], plan_file: Path, ledgers: Path) -> None:
    from holdfast.report.wording import moment, moment_text

    out = screen()
    out.print(_headline(found))
    window = found[0].window
    since, until = (moment_text(moment(seconds, plan.timezone)) for seconds in (window.from_seconds, window.until_seconds))
    columns = ("function", "available", "outage", "longest", "unknown", "budget left")
    out.print(table(columns, [_row(plan, appraisal) for appraisal in found], numbers=columns[1:]))
    out.print(f"From {since} to {until}. Budgets count over each promise's own period.", markup=False)
    reasons = _reasons(found)
    if reasons:
        out.print(f"Unknown, because {reasons}.", markup=False)
    print_next(f"holdfast availability {plan_file} --ledgers {ledgers} -o json")


def _headline(found: list["Appraisal"]) -> "Text":
    """The one thing that matters: the promise that is worst off."""
    from rich.text import Text

    from holdfast.report.wording import duration

    order = ["broken", "unknown", "kept"]
    appraisal, held = min(
        ((appraisal, held) for appraisal in found for held in appraisal.held),
        key=lambda pair: (order.index(pair[1].budget.kept.value), pair[1].budget.left_seconds / max(pair[1].budget.allowed_seconds, 1e-9)),
    )
    budget, promise = held.budget, held.promise
    about = f"{promise.title}: {budget.target_percent:g} % over {duration(budget.period_seconds)}"
    spent = f"{appraisal.function} was out for {duration(budget.spent_seconds)} of {duration(budget.allowed_seconds)}"
    match budget.kept.value:
        case "broken":
            return Text.assemble(state_text(State.FAILED, "broken"), f"  {about}; {spent}, over by {duration(-budget.left_seconds)}")
        case "unknown":
            open_time = f"{duration(budget.unknown_seconds)} were not measured"
            return Text.assemble(state_text(State.UNKNOWN, "not known"), f"  {about}; {spent} as far as measured, but {open_time}")
        case _:
            return Text.assemble(state_text(State.DONE, "kept"), f"  every promise; closest: {about}; {spent}")


def _row(plan: "Plan", appraisal: "Appraisal") -> list["str | Text"]:
    from holdfast.report.wording import duration

    window = appraisal.window
    states = {"kept": State.DONE, "broken": State.FAILED, "unknown": State.UNKNOWN}
    closest = min(appraisal.held, key=lambda held: held.budget.left_seconds / max(held.budget.allowed_seconds, 1e-9)).budget
    left = duration(closest.left_seconds) if closest.left_seconds >= 0 else f"over by {duration(-closest.left_seconds)}"
    return [
        plan.functions[appraisal.function].name,
        "unknown" if window.percent is None else percent_text(window.percent),
        duration(window.unavailable_seconds),
        duration(window.longest_outage_seconds) if window.outages else "none",
        duration(window.unknown_seconds),
        state_text(states[appraisal.kept.value], left),
    ]


def _reasons(found: list["Appraisal"]) -> str:
    """The longest first, each once, with the most that any function has of it."""
    from holdfast.report.wording import duration, listing

    most: dict[str, float] = {}
    for appraisal in found:
        for reason, seconds in appraisal.window.unknown_reasons.items():
            most[reason] = max(most.get(reason, 0.0), seconds)
    return (
        listing([f"{reason} ({duration(seconds)})" for reason, seconds in sorted(most.items(), key=lambda item: -item[1])[:4]])
        if most
        else ""
    )


def percent_text(percent: float) -> str:
    """Percent with as many nines as there are, never rounded up to 100: `99.95 %`, `99.9983 %`."""
    if percent >= 100:
        return "100 %"
    for digits in range(2, 7):
        text = f"{percent:.{digits}f}"
        if float(text) < 100 and abs(float(text) - percent) <= (100 - percent) * 0.05:
            return f"{text} %"
    return "under 100 %"
