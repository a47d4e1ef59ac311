"""`holdfast drill`: practise a scenario on the lab, under client load, and get a judged report."""

import signal
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from holdfast.cli.output import CommandError, ExitCode, OutputFormat, print_json, screen

app = App(name="drill", help="Practise a scenario of the plan on the lab and measure what clients lost.")

_EXIT = {"pass": ExitCode.FINE, "fail": ExitCode.NOT_SO, "unknown": ExitCode.UNKNOWN}


@app.command(name="run")
def run(
    scenario: str = "regional-outage",
    *,
    plan: Path = Path("examples/voicehive/plan.yaml"),
    directory: Annotated[Path, Parameter(help="Everything of the drill is kept below it.")] = Path("var/drill"),
    profile: str = "fast",
    replication: Literal["asynchronous", "synchronous"] = "asynchronous",
    storage: Literal["moto", "versitygw"] | None = None,
    output: OutputFormat = "text",
) -> int:
    """Run a drill: lose the region under load, recover, bring it home, measure. Exits 0 only when the verdict is *pass*.

    Example: `holdfast drill run regional-outage --directory var/demo`
    """
    from holdfast.cli.run import runnable_plan
    from holdfast.cli.telling import teller
    from holdfast.drill.conclusion import conclude
    from holdfast.drill.drilling import run_drill
    from holdfast.drill.settings import DrillSettings
    from holdfast.lab.ground import LabProblem
    from holdfast.report.terminal import summary

    loaded = runnable_plan(plan)
    if scenario != "regional-outage":
        raise CommandError(f"there is no drill for '{scenario}'; there is one for: regional-outage")
    if profile not in loaded.plan.profiles:
        raise CommandError(f"{plan} has no profile '{profile}'; it has: {', '.join(loaded.plan.profiles)}")
    _empty(directory)
    # A kill of the drill is a Ctrl-C: everything that it started is stopped in order before it ends.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    settings = DrillSettings(plan.resolve(), scenario, directory.resolve(), profile=profile, replication=replication, storage=storage)
    say = teller(exercise=True) if output == "text" else (lambda _: None)
    try:
        result = run_drill(settings, loaded, say)
    except LabProblem as problem:
        raise CommandError(str(problem)) from problem
    report = conclude(settings, loaded, result, directory)
    if output == "json":
        print_json(report)
    else:
        screen().print(summary(report, str(directory)))
    return _EXIT[report.verdict]


def _empty(directory: Path) -> None:
    """Take away an earlier drill's report. What its lab left, the next lab puts into `previous`, or says that it still runs."""
    if not directory.exists():
        return
    foreign = [entry.name for entry in directory.iterdir() if entry.name not in ("lab", "report.json", "report.html")]
    if foreign:
        raise CommandError(f"{directory} holds what no drill wrote ({', '.join(sorted(foreign)[:3])}). Name another with --directory.")
    for name in ("report.json", "report.html"):
        (directory / name).unlink(missing_ok=True)
