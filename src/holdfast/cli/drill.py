"""`holdfast drill`: practise a test of the plan's schedule on the lab, under client load, and get a judged report."""

import math
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter

from holdfast.cli.output import CommandError, ExitCode, OutputFormat, State, print_json, print_next, screen, state_text, table

if TYPE_CHECKING:
    from rich.text import Text

    from holdfast.drill.schedule import Due
    from holdfast.plan.model import Drill as PlannedDrill
    from holdfast.plan.model import Exercise, Plan

app = App(name="drill", help="Practise a scenario of the plan on the lab and measure what clients lost.")

_EXIT = {"pass": ExitCode.FINE, "fail": ExitCode.NOT_SO, "unknown": ExitCode.UNKNOWN}
_STATES = {"pass": State.DONE, "fail": State.FAILED, "unknown": State.UNKNOWN}
_REFERENCE = Path("examples/voicehive/plan.yaml")
_FIRST = "regional-outage"


Replication = Annotated[
    Literal["asynchronous", "synchronous"] | None, Parameter(help="How the lab replicates; without it as the plan says.")
]
Scale = Annotated[float, Parameter(help="How fast the plan's clock runs for messages, escalation and answers; 60: a minute a second.")]
DecideAfter = Annotated[
    str | None, Parameter(help="Stand-ins decide so long after the impact, such as 25m; else, with --scale, as the exercise says.")
]
OpenFor = Annotated[
    str | None, Parameter(help="The incident stays open at least so long, such as 70m; else, with --scale, as the exercise says.")
]
Unanswered = Annotated[
    tuple[str, ...], Parameter(help="Stand-ins who acknowledge nothing; else, with --scale, as the exercise says.", negative="")
]
Within = Annotated[
    str | None, Parameter(help="The whole drill ends early, and proves nothing, when it would take longer than this, such as 4m.")
]


@app.command(name="run")
def run(
    drill: str = _FIRST,
    *,
    plan: Path = _REFERENCE,
    directory: Annotated[Path | None, Parameter(help="Everything of the drill is below it; without it `var/drill` or `var/DRILL`.")] = None,
    profile: str = "fast",
    replication: Replication = None,
    storage: Literal["moto", "versitygw"] | None = None,
    scale: Scale = 1.0,
    decide_after: DecideAfter = None,
    open_for: OpenFor = None,
    unanswered: Unanswered = (),
    within: Within = None,
    output: OutputFormat = "text",
) -> int:
    """Run a drill: take something away under load, recover, bring it home, measure. Exits 0 only when the verdict is *pass*.

    Example: `holdfast drill run regional-outage --directory var/demo`, `holdfast drill run database-failover`,
    `holdfast drill run application-failover`, `holdfast drill run storage-failover --storage moto`,
    `holdfast drill run regional-outage --scale 60`

    Parameters
    ----------
    drill
        An exercise of the plan, by its name: `holdfast drill list` shows them.
    """
    from holdfast.cli.run import runnable_plan
    from holdfast.cli.telling import teller
    from holdfast.drill.conclusion import conclude
    from holdfast.drill.drilling import run_drill
    from holdfast.drill.settings import DrillSettings
    from holdfast.lab.ground import LabProblem
    from holdfast.report.terminal import summary

    loaded = runnable_plan(plan)
    chosen = _drill(loaded.plan, drill)
    if profile not in loaded.plan.profiles:
        raise CommandError(f"{plan} has no profile '{profile}'; it has: {', '.join(loaded.plan.profiles)}")
    place = directory or Path("var") / ("drill" if drill == _FIRST else drill)
    _empty(place)
    # A kill of the drill is a Ctrl-C: everything that it started is stopped in order before it ends.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    settings = DrillSettings(
        plan.resolve(),
        chosen.scenario,
        place.resolve(),
        profile=profile,
        replication=replication or loaded.plan.replication,
        storage=storage,
        takes_away=chosen.takes_away,
        within_seconds=_length("--within", within, math.inf),
    )
    settings = replace(settings, **_clock(chosen.exercise, scale, decide_after, open_for, unanswered))
    say = teller(exercise=True) if output == "text" else (lambda _: None)
    try:
        result = run_drill(settings, loaded, say)
    except LabProblem as problem:
        raise CommandError(str(problem)) from problem
    report = conclude(settings, loaded, result, place)
    if output == "json":
        print_json(report)
    else:
        screen().print(summary(report, str(place)))
    return _EXIT[report.verdict]


def _clock(
    exercise: "Exercise", scale: float, decide_after: str | None, open_for: str | None, unanswered: tuple[str, ...]
) -> dict[str, Any]:
    """What of the drill follows the plan's clock: as asked for, else as the exercise says where that clock runs faster than the wall's.

    On the wall's clock nobody is kept waiting for an hour unless a person asks for it.
    """
    planned = exercise if scale != 1 else exercise.model_copy(update={"decide_after": None, "open_for": None, "unanswered": ()})
    return {
        "scale": _scale(scale),
        "decide_after_seconds": _length("--decide-after", decide_after, planned.decide_after),
        "open_for_seconds": _length("--open-for", open_for, planned.open_for),
        "unanswered": frozenset(unanswered or planned.unanswered),
    }


def _scale(scale: float) -> float:
    from holdfast.cli.run import MOST_SCALE

    if not 1 <= scale <= MOST_SCALE:
        raise CommandError(f"--scale is from 1 to {MOST_SCALE}, not {scale:g}. Nothing was started.")
    return scale


def _length(option: str, given: str | None, planned: float | None) -> float:
    """Seconds of what was given, else of what the exercise says."""
    from holdfast.plan.values import duration_seconds

    if given is None:
        return planned or 0.0
    try:
        return duration_seconds(given)
    except ValueError as error:
        raise CommandError(f"{option}: {error}. Nothing was started.") from error


@app.command(name="list")
def list_drills(
    *,
    plan: Path = _REFERENCE,
    directory: Annotated[Path, Parameter(help="Where reports of earlier drills are looked for, at any depth.")] = Path("var"),
    output: OutputFormat = "text",
) -> int:
    """Which drills the plan has, what each must show, when it ran last and when it is due. Exit code 1 when one is due.

    Example: `holdfast drill list`, `holdfast drill list --directory /srv/drills -o json`
    """
    from holdfast.cli.run import runnable_plan
    from holdfast.drill.schedule import due_drills

    loaded = runnable_plan(plan)
    drills = due_drills(loaded.plan, directory, time.time())
    if not drills:
        raise CommandError(f"{plan} schedules no drill: it has no 'exercises'. docs/drills.md shows how one is written")
    overdue = [drill for drill in drills if drill.due]
    if output == "json":
        print_json({"drills": [drill.as_json() for drill in drills]})
        return ExitCode.NOT_SO if overdue else ExitCode.FINE
    screen().print(f"{len(overdue)} of {len(drills)} drills are due" if overdue else f"none of {len(drills)} drills is due")
    screen().print(
        table(["drill", "every", "last run", "due"], [[drill.name, drill.every, _last(drill), _next(drill)] for drill in drills])
    )
    screen().print(table(["drill", "takes away", "must show"], [[drill.name, drill.takes_away, drill.criteria] for drill in drills]))
    for problem in sorted({problem for drill in drills for problem in drill.unreadable}):
        screen().print(problem)
    first = min(drills, key=lambda drill: drill.due_seconds)
    print_next(f"holdfast drill run {first.name}" + ("" if plan == _REFERENCE else f" --plan {plan}"))
    return ExitCode.NOT_SO if overdue else ExitCode.FINE


def _last(drill: "Due") -> "Text | str":
    if drill.last_at is None or drill.verdict is None:
        return "never"
    return state_text(_STATES[drill.verdict], f"{drill.verdict} {drill.last_at[:16].replace('T', ' ')}")


def _next(drill: "Due") -> "Text | str":
    if drill.due:
        return state_text(State.NEEDS_PERSON, "now")
    return time.strftime("%Y-%m-%d", time.localtime(drill.due_seconds))


def _drill(plan: "Plan", name: str) -> "PlannedDrill":
    """The drill of this name. A plan without a schedule can still be practised whole."""
    from holdfast.plan.model import Drill, Exercise

    found = plan.drills().get(name)
    if found is not None:
        return found
    if name == _FIRST and name in plan.scenarios:
        return Drill(Exercise(name=plan.scenarios[name].name), name, "region")
    known = ", ".join(dict.fromkeys([*plan.drills(), *([_FIRST] if _FIRST in plan.scenarios else [])]))
    raise CommandError(f"there is no drill for '{name}'; there is one for: {known}")


def _empty(directory: Path) -> None:
    """Take away an earlier drill's report. What its lab left, the next lab puts into `previous`, or says that it still runs."""
    if not directory.exists():
        return
    foreign = [entry.name for entry in directory.iterdir() if entry.name not in ("lab", "report.json", "report.html")]
    if foreign:
        raise CommandError(f"{directory} holds what no drill wrote ({', '.join(sorted(foreign)[:3])}). Name another with --directory.")
    for name in ("report.json", "report.html"):
        (directory / name).unlink(missing_ok=True)
