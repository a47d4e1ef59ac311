"""Which single change would help most: half the time for one thing, on the very same draws.

Rules
- Tried are detection, every approval, every step, what resolvers remember, and every phase's window (all steps that have no other range).
- No change to a node gains more time than it spent on the critical path. Of many nodes only the twelve that spent the most there are tried,
  besides windows; a node that was never on it can gain nothing. Of a plan with thousands of nodes, on the first few thousand runs.
- Order: what it gains in the worst function's chance, then in expected cost, then in time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from holdfast.forecast.course import EVERYTHING, Node
from holdfast.forecast.drawn import Drawing, Drawn, critical_seconds
from holdfast.forecast.draws import Times
from holdfast.forecast.results import Change
from holdfast.forecast.tiers import Tiers

MOST_TRIED = 12
_MOST_VALUES = 40_000_000
"""Nodes times runs."""
_HALF = np.float32(0.5)


@dataclass(frozen=True, slots=True)
class _Candidate:
    what: str
    kind: str
    about: str
    rows: tuple[int, ...]


def tried_runs(drawing: Drawing) -> int:
    """On how many of the runs drawn, the first ones, changes are tried."""
    return min(drawing.runs, max(_MOST_VALUES // len(drawing.network.names), 1000))


def changes(drawing: Drawing, base: Drawn, worst: str, rto_seconds: float, tiers: Tiers | None) -> tuple[Change, ...]:
    """Every change tried, the best first."""
    drawing = replace(drawing, runs=tried_runs(drawing))
    course, network = drawing.course, drawing.network
    spent = critical_seconds(drawing, course.functions[worst])
    candidates = _candidates(drawing, spent)
    wanted = [network.place[course.functions[worst]], network.place[EVERYTHING]]
    behind = [network.behind(frozenset(candidate.rows)) for candidate in candidates]
    after: list[list[list[Times]]] = [[] for _ in candidates]
    for seconds in drawing.portions():
        unchanged = network.all_ends(seconds)
        for number, candidate in enumerate(candidates):
            rows = list(candidate.rows)
            kept = seconds[rows]
            seconds[rows] *= _HALF
            after[number].append(network.changed_ends(unchanged, seconds, behind[number], wanted))
            seconds[rows] = kept
    made = []
    for candidate, parts in zip(candidates, after, strict=True):
        back = np.concatenate([one for one, _ in parts])
        everything = np.concatenate([one for _, one in parts])
        cost_gain = _gain(tiers, base.everything[: drawing.runs], everything)
        made.append(_change(candidate, base.back[worst][: drawing.runs], back, rto_seconds, cost_gain))
    return tuple(sorted(made, key=lambda one: (-one.chance_gain, -(one.cost_gain_usd or 0.0), -one.time_gain_seconds, one.about)))


def _gain(tiers: Tiers | None, before: Times, after: Times) -> float | None:
    return None if tiers is None else round(float(tiers.usd(before).mean() - tiers.usd(after).mean()), 2)


def _change(candidate: _Candidate, before: Times, after: Times, rto_seconds: float, cost_gain: float | None) -> Change:
    return Change(
        what=candidate.what,
        kind=candidate.kind,  # type: ignore[arg-type]
        about=candidate.about,
        chance_gain=round(float((after <= rto_seconds).mean() - (before <= rto_seconds).mean()), 6),
        cost_gain_usd=cost_gain,
        time_gain_seconds=round(float(before.mean(dtype=np.float64) - after.mean(dtype=np.float64)), 3),
    )


def _candidates(drawing: Drawing, spent: Sequence[float] | np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> list[_Candidate]:
    lasting = drawing.course.lasting
    rows = sorted((row for row in range(len(lasting)) if spent[row] > 0), key=lambda row: (-float(spent[row]), row))
    found = [_candidate(lasting[row], row) for row in rows[:MOST_TRIED]]
    windows: dict[str, list[int]] = {}
    for row, node in enumerate(lasting):
        if node.span is not None and node.span.source == "window" and node.step is not None:
            windows.setdefault(node.step.phase, []).append(row)
    ordered: Mapping[str, list[int]] = dict(sorted(windows.items(), key=lambda entry: -sum(float(spent[row]) for row in entry[1])))
    for phase, members in list(ordered.items())[:MOST_TRIED]:
        if len(members) > 1 and any(spent[row] > 0 for row in members):
            found.append(_Candidate(f"half the window of '{phase}'", "window", phase, tuple(members)))
    return found


def _candidate(node: Node, row: int) -> _Candidate:
    if node.kind == "detection":
        return _Candidate("detection in half the time", "detection", node.id, (row,))
    if node.kind == "resolvers":
        return _Candidate("half the TTL of the names", "resolvers", node.id, (row,))
    if node.step is not None and node.step.block.name == "approve":
        return _Candidate(f"an answer to '{node.id}' in half the time", "approval", node.id, (row,))
    return _Candidate(f"'{node.id}' in half the time", "step", node.id, (row,))
