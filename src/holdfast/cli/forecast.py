"""`holdfast forecast PLAN`: how likely every function is back in time, on what that rests, and which change would help most."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from holdfast.cli.output import CommandError, OutputFormat, State, print_json, print_next, screen, state_text, table

if TYPE_CHECKING:
    from holdfast.forecast.measured import MeasuredRun
    from holdfast.forecast.results import FunctionForecast, ScenarioForecast, Settings
    from holdfast.plan.loader import LoadedPlan

SCHEMA = "holdfast/forecast/v1"
MOST_RUNS = 1_000_000
_MOST_ROWS = 40
_LONGEST_PATH = 12
_SURE, _LIKELY = 0.95, 0.5


def forecast(
    plan: Path,
    scenario: Annotated[tuple[str, ...], Parameter(help="Scenarios of the plan; all of them when none is named.")] = (),
    *,
    runs: Annotated[int, Parameter(help="How many runs of each scenario are drawn.")] = 10_000,
    seed: Annotated[int, Parameter(help="The same seed gives the same forecast, byte for byte.")] = 1,
    profile: Annotated[str, Parameter(help="Which of the plan's profiles: lease and hold.")] = "default",
    occasion: Annotated[
        Literal["incident", "exercise"], Parameter(help="Whose answers count: people called at night, or a drill's stand-ins.")
    ] = "incident",
    journal: Annotated[
        tuple[Path, ...], Parameter(help="A journal whose runs replace the plan's ranges; may be given again.", negative=())
    ] = (),
    reports: Annotated[Path | None, Parameter(help="Instead of journals: a directory with reports below it.")] = None,
    svg: Annotated[Path | None, Parameter(name=["--svg"], help="Draw the forecast into this file.")] = None,
    output: OutputFormat = "text",
) -> None:
    """Forecast how soon functions are back: the chance that each meets its RTO, the critical path, the cost, what would help most.

    Steps take as long as the plan's ranges say, or as real runs measured. The interval beside a chance is as wide as the few real runs
    leave it. Detection, lease, and people's answers are in it; steps that fail are not.

    Example: `holdfast forecast examples/voicehive/plan.yaml regional-outage --journal var/lab/controller/journal.db --svg forecast.svg`

    Parameters
    ----------
    plan
        The plan's file.
    output
        For people or for programs.
    """
    from holdfast.cli.run import loaded_plan
    from holdfast.forecast.forecast import forecast as forecast_of
    from holdfast.forecast.results import Settings

    loaded = loaded_plan(plan)
    _refuse(loaded, scenario, runs, seed, profile)
    settings = Settings(runs, seed, profile, occasion)
    real_runs = _real_runs(loaded, journal, reports)
    found = [forecast_of(loaded.plan, name, settings, real_runs) for name in scenario or loaded.plan.scenarios]
    if svg is not None:
        _draw(found, settings, loaded, svg)
    if output == "json":
        print_json(_as_json(loaded, settings, real_runs, found))
    else:
        _show(found, settings, plan, svg)


def _refuse(loaded: "LoadedPlan", scenarios: tuple[str, ...], runs: int, seed: int, profile: str) -> None:
    plan = loaded.plan
    for kind, wanted, known in (("scenario", scenarios, plan.scenarios), ("profile", (profile,), plan.profiles)):
        for name in wanted:
            if name not in known:
                raise CommandError(f"{loaded.path} has no {kind} '{name}'; it has: {', '.join(known)}")
    if not 1 <= runs <= MOST_RUNS:
        raise CommandError(f"--runs is a number from 1 to {MOST_RUNS}, not {runs}; 10000 leave a chance unsure by 1 % at most")
    if seed < 0:
        raise CommandError(f"--seed is 0 or more, not {seed}")


def _real_runs(loaded: "LoadedPlan", journals: tuple[Path, ...], reports: Path | None) -> "tuple[MeasuredRun, ...]":
    from holdfast.cli.forecast_runs import of_journals, of_reports

    if journals and reports is not None:
        raise CommandError("give either --journal or --reports: a report is made from a journal, so its run would count twice")
    return of_journals(loaded.plan, journals) if reports is None else of_reports(loaded.plan, reports)


def _draw(found: "list[ScenarioForecast]", settings: "Settings", loaded: "LoadedPlan", file: Path) -> None:
    from holdfast.forecast.picture import picture
    from holdfast.report.write import write_whole

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, picture(found, settings, f"{loaded.plan.name}, version {loaded.plan.version}, digest {loaded.digest[:12]}"))
    except OSError as error:
        raise CommandError(f"{file} can't be written: {error.strerror}") from error


def _as_json(
    loaded: "LoadedPlan", settings: "Settings", real: "tuple[MeasuredRun, ...]", found: "list[ScenarioForecast]"
) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "schema": SCHEMA,
        "plan": {"name": loaded.plan.name, "version": loaded.plan.version, "digest": loaded.digest},
        "settings": asdict(settings),
        "real_runs": [{"name": run.name, "scenario": run.scenario, "exercise": run.exercise, "succeeded": run.succeeded} for run in real],
        "scenarios": [asdict(one) for one in found],
    }


def _show(found: "list[ScenarioForecast]", settings: "Settings", plan: Path, svg: Path | None) -> None:
    from holdfast.forecast.words import percent
    from holdfast.plan.values import spoken_duration

    out = screen()
    scenario, worst = min(((one, _worst(one)) for one in found), key=lambda pair: pair[1].chance)
    title = (
        f"{scenario.name}: {worst.name} is back within {spoken_duration(worst.rto_seconds)} in {percent(worst.chance)} of the runs drawn, "
        f"and {scenario.says}"
    )
    out.print(state_text(_state(worst, scenario), title))
    out.print()
    # A scenario is a line of its own above its functions: as a column it would leave names too little room.
    headed: list[list[list[Any]]] = [[[one.name, *[""] * 6]] if len(found) > 1 else [] for one in found]
    rows = [row for one, head in zip(found, headed, strict=True) for row in (*head, *(_row(one, function) for function in one.functions))]
    columns = ["function", "RTO", "half by", "9 of 10 by", "in time", "95 % sure of", "last step"]
    out.print(table(columns, rows[:_MOST_ROWS], numbers=["RTO", "half by", "9 of 10 by", "in time", "95 % sure of"]))
    if len(rows) > _MOST_ROWS:
        out.print(f"and {len(rows) - _MOST_ROWS} more: -o json shows all of them")
    out.print()
    lines = _lines(found[0]) if len(found) == 1 else [f"{one.name}: {', '.join([*_cost(one), *_help(one)])}" for one in found]
    for line in lines:
        out.print(line, markup=False)
    out.print(f"{settings.runs} runs of each scenario, seed {settings.seed}, profile {settings.profile}, {settings.occasion}", style="dim")
    _next(found, plan, svg)


def _worst(one: "ScenarioForecast") -> "FunctionForecast":
    return next(function for function in one.functions if function.function == one.worst)


def _state(function: "FunctionForecast", scenario: "ScenarioForecast") -> State:
    """Green needs proof: without a real run even a sure thing is unknown."""
    if function.chance < _LIKELY:
        return State.FAILED
    if function.chance < _SURE:
        return State.NEEDS_PERSON
    return State.DONE if scenario.runs_behind["all"] else State.UNKNOWN


def _row(scenario: "ScenarioForecast", function: "FunctionForecast") -> list[Any]:
    from holdfast.forecast.words import about, node_name, percent
    from holdfast.plan.values import spoken_duration

    return [
        function.function,
        spoken_duration(function.rto_seconds),
        about(function.back.p50_seconds),
        about(function.back.p90_seconds),
        state_text(_state(function, scenario), percent(function.chance)),
        f"{percent(function.low)} to {percent(function.high)}",
        node_name(function.back_step),
    ]


def _lines(one: "ScenarioForecast") -> list[str]:
    from holdfast.forecast.words import node_name, percent

    share = {node.id: node.critical for node in one.nodes}
    path = " → ".join(f"{node_name(name)} {percent(share[name])}" for name in one.critical_path[-_LONGEST_PATH:])
    shown = "… → " if len(one.critical_path) > _LONGEST_PATH else ""
    lines = [f"critical path of {percent(one.critical_path_chance)} of the runs, and how often each step is on one: {shown}{path}"]
    return [*lines, *_cost(one), *_help(one), *_standing(one)]


def _cost(one: "ScenarioForecast") -> list[str]:
    from holdfast.forecast.words import about_usd, percent, usd

    if one.cost is None:
        return []
    at_least = one.cost.at_least_chance
    open_end = f" (in {percent(at_least)} of the runs the plan says only 'at least')" if at_least else ""
    return [f"expected cost {about_usd(one.cost.mean_usd)} on average, {usd(one.cost.p90_usd)} in one run of ten{open_end}"]


def _help(one: "ScenarioForecast") -> list[str]:
    from holdfast.forecast.words import about, about_usd, percent

    if not one.changes:
        return []
    best = one.changes[0]
    saved = f", {about_usd(best.cost_gain_usd)} less on average" if best.cost_gain_usd else ""
    share = f"in {percent(best.chance_gain)} of the runs more" if best.chance_gain else "in no run more"
    return [f"helps most: {best.what} ({_worst(one).name} in time {share}, {about(best.time_gain_seconds)} sooner{saved})"]


def _standing(one: "ScenarioForecast") -> list[str]:
    from holdfast.forecast.words import node_name

    behind = one.runs_behind
    kinds = (("exercises", "exercise", "exercises"), ("incidents", "real incident", "real incidents"))
    counts = [f"{behind[kind]} {one_word if behind[kind] == 1 else many}" for kind, one_word, many in kinds]
    failed = f", {behind['unsuccessful']} of them unsuccessful" if behind["unsuccessful"] else ""
    lines = [f"behind it: {counts[0]} and {counts[1]}{failed}"]
    if one.never_measured:
        lines.append(f"never measured: {', '.join(node_name(name) for name in one.never_measured)}")
    observed = [
        f"{function.function} {function.observed_met} of {function.observed_runs}" for function in one.functions if function.observed_runs
    ]
    if observed:
        lines.append(f"really back in time on this occasion: {', '.join(observed)}")
    if one.not_hit:
        lines.append(f"not hit: {', '.join(one.not_hit)}")
    return lines


def _next(found: "list[ScenarioForecast]", plan: Path, svg: Path | None) -> None:
    quoted = shlex.quote(str(plan))
    if svg is not None:
        print_next(f"xdg-open {shlex.quote(str(svg))}")
    elif len(found) > 1:
        worst = min(found, key=lambda one: _worst(one).chance)
        print_next(f"holdfast forecast {quoted} {worst.scenario}")
    elif not found[0].runs_behind["all"]:
        print_next(f"holdfast forecast {quoted} {found[0].scenario} --journal var/lab/controller/journal.db")
    else:
        print_next(f"holdfast forecast {quoted} {found[0].scenario} --svg forecast.svg")
