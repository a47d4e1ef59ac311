"""The forecast of a scenario: its graph, its critical path, the chance of every function, what it costs and what would help.

The words are those of the critical path method with uncertain lengths: every run drawn has a critical path; how often a step is on it
is its criticality index. A step that fails, and the other way round it, is not drawn: real runs that did not succeed are counted beside.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from holdfast.forecast.changes import changes, tried_runs
from holdfast.forecast.course import DETECTION, Course, Node, course
from holdfast.forecast.drawn import Drawing, Drawn, drawn
from holdfast.forecast.draws import NEWEST_RUNS, Times, weight_of_measured
from holdfast.forecast.interval import standing_behind, wilson
from holdfast.forecast.measured import MeasuredRun
from holdfast.forecast.passing import Network
from holdfast.forecast.results import Distribution, FunctionForecast, NodeForecast, ScenarioForecast, Settings
from holdfast.forecast.tiers import Tiers
from holdfast.plan.blocks import Actor
from holdfast.plan.model import Plan

_PARTS = 48
_MATTERS = 0.05


def forecast(plan: Plan, scenario: str, settings: Settings, real_runs: Sequence[MeasuredRun] = ()) -> ScenarioForecast:
    """One scenario of the plan. `real_runs`: of any scenario, the oldest first."""
    mine = [run for run in real_runs if run.scenario == scenario]
    graph = course(plan, scenario, plan.profiles[settings.profile])
    measured = _measured(graph, mine, settings)
    drawing = Drawing(graph, Network(graph), measured, settings.runs, settings.seed)
    found = drawn(drawing)
    tiers = Tiers.of(plan)
    functions = tuple(_function(plan, name, drawing, found, mine, settings, tiers) for name in graph.functions)
    worst = min(functions, key=lambda one: (one.chance, -one.back.mean_seconds / one.rto_seconds if one.rto_seconds else 0.0))
    nodes = tuple(_nodes(drawing, found, measured))
    tried = changes(drawing, found, worst.function, worst.rto_seconds, tiers)
    mark, count = min(found.paths.items(), key=lambda entry: (-entry[1], found.path_places[entry[0]]))
    lasting = {node.id for node in graph.lasting}
    names = (drawing.network.names[place] for place in found.path_places[mark])
    return ScenarioForecast(
        scenario=scenario,
        name=plan.scenarios[scenario].name,
        nodes=nodes,
        critical_path=tuple(name for name in names if name in lasting),
        critical_path_chance=round(count / settings.runs, 6),
        functions=functions,
        not_hit=graph.not_hit,
        everything_back=_distribution(found.everything),
        worst=worst.function,
        cost=None if tiers is None else tiers.expected(found.everything),
        changes=tried,
        changes_runs=tried_runs(drawing),
        runs_behind=_behind(mine),
        says=standing_behind(len(mine)),
        never_measured=tuple(node.id for node in nodes if _is_missed(node)),
    )


def _is_missed(node: NodeForecast) -> bool:
    """Whether it matters and could be measured by a run, but was not. (No run measures what resolvers remember.)"""
    return node.critical >= _MATTERS and not node.measured_runs and node.kind != "resolvers"


def _behind(runs: Sequence[MeasuredRun]) -> Mapping[str, int]:
    exercises = sum(run.exercise for run in runs)
    unsuccessful = sum(not run.succeeded for run in runs)
    return {"all": len(runs), "exercises": exercises, "incidents": len(runs) - exercises, "unsuccessful": unsuccessful}


def _measured(graph: Course, runs: Sequence[MeasuredRun], settings: Settings) -> dict[str, tuple[float, ...]]:
    """Node → measured lengths. A person's counts only on the same occasion, detection only under the same profile."""
    found: dict[str, tuple[float, ...]] = {}
    for node in graph.lasting:
        if node.id == DETECTION:
            same = [run for run in runs if run.profile in (settings.profile, None)]
            lengths = tuple(run.detection_seconds for run in same if run.detection_seconds is not None)
        else:
            of_people = node.step is not None and node.step.block.actor is Actor.PERSON
            same = [run for run in runs if not of_people or run.exercise == (settings.occasion == "exercise")]
            lengths = tuple(run.took_seconds[node.id] for run in same if node.id in run.took_seconds)
        if lengths:
            found[node.id] = lengths[-NEWEST_RUNS:]
    return found


def _function(
    plan: Plan, name: str, drawing: Drawing, found: Drawn, runs: Sequence[MeasuredRun], settings: Settings, tiers: Tiers | None
) -> FunctionForecast:
    function, back = plan.functions[name], found.back[name]
    met = int((back <= function.rto).sum())
    chance = met / settings.runs
    low, high = wilson(chance, len(runs))
    drawn_low, drawn_high = wilson(chance, settings.runs)
    last, count = min(found.last_step[name].items(), key=lambda entry: (-entry[1], entry[0]))
    observed = _observed(drawing.course, name, runs, settings)
    return FunctionForecast(
        function=name,
        name=function.name,
        rto_seconds=function.rto,
        chance=round(chance, 6),
        low=round(low, 6),
        high=round(high, 6),
        drawn_low=round(drawn_low, 6),
        drawn_high=round(drawn_high, 6),
        back=_distribution(back),
        back_step=drawing.network.names[last],
        back_step_chance=round(count / settings.runs, 6),
        mtpd_chance=None if function.mtpd is None else round(float((back <= function.mtpd).mean()), 6),
        observed_met=sum(seconds <= function.rto for seconds in observed),
        observed_runs=len(observed),
        cost=None if tiers is None else tiers.expected(back),
    )


def _observed(graph: Course, name: str, runs: Sequence[MeasuredRun], settings: Settings) -> list[float]:
    """When the function was back in the real runs of the occasion that measured every step which brings it back."""
    same = [run for run in runs if run.exercise == (settings.occasion == "exercise")]
    needed = _bringing_back(graph, graph.functions[name]) if same else ()
    whole = [run for run in same if needed and all(step in run.ended_seconds for step in needed)]
    return [max(run.ended_seconds[step] for step in needed) for run in whole]


def _bringing_back(graph: Course, moment: str) -> tuple[str, ...]:
    """The steps that a moment waits for directly, or through other moments."""
    known: Mapping[str, Node] = {node.id: node for node in graph.nodes}
    waiting, seen = [moment], {moment}
    for name in waiting:  # grows while it is walked
        if known[name].kind != "step":
            for before in known[name].after:
                if before not in seen:
                    seen.add(before)
                    waiting.append(before)
    return tuple(name for name in waiting if known[name].kind == "step")


def _distribution(seconds: Times) -> Distribution:
    p10, p50, p90, p99 = (round(float(value), 3) for value in np.quantile(seconds, (0.1, 0.5, 0.9, 0.99)))
    first, last = float(seconds.min()), float(seconds.max())
    length = last - first or 1.0
    counts = np.bincount(np.minimum(((seconds - first) / length * _PARTS).astype(np.int64), _PARTS - 1), minlength=_PARTS)
    mean = round(float(seconds.mean(dtype=np.float64)), 3)
    return Distribution(mean, p10, p50, p90, p99, round(first, 3), round(last, 3), tuple(int(count) for count in counts))


def _nodes(drawing: Drawing, found: Drawn, measured: Mapping[str, Sequence[float]]) -> list[NodeForecast]:
    listed = []
    for row, node in enumerate(drawing.course.lasting):
        assert node.span is not None
        runs = len(measured.get(node.id, ()))
        ends, takes = float(found.ends_total[row]) / drawing.runs, float(found.takes_total[row]) / drawing.runs
        listed.append(
            NodeForecast(
                id=node.id,
                kind=node.kind,
                phase="" if node.step is None else node.step.phase,
                block="" if node.step is None else node.step.block.name,
                component=None if node.step is None else node.step.component,
                after=node.after,
                shortest_seconds=round(node.span.shortest, 3),
                usual_seconds=None if node.span.usual is None else round(node.span.usual, 3),
                longest_seconds=round(node.span.longest, 3),
                source=node.span.source,
                measured_runs=runs,
                measured_weight=round(weight_of_measured(runs), 6),
                begins_seconds=round(ends - takes, 3),
                ends_seconds=round(ends, 3),
                takes_seconds=round(takes, 3),
                critical=round(int(found.critical[drawing.network.place[node.id]]) / drawing.runs, 6),
            )
        )
    return listed
