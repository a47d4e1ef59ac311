"""Draws all runs of a course and keeps what a forecast is made of: ends, criticality, the commonest path."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from holdfast.forecast.course import EVERYTHING, Course
from holdfast.forecast.draws import Draws, Places, Times
from holdfast.forecast.passing import NOTHING, Network

_MOST_VALUES = 10_000_000
"""Of one array: nodes times the runs of one portion. Portions change no result, only the memory."""
_FEWEST_RUNS = 200
_PILOT_RUNS = 2000
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
"""An odd number, so that the paths of different nodes get different marks."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """What is drawn: the course, measured lengths by node, how many runs, and the seed."""

    course: Course
    network: Network
    measured: Mapping[str, Sequence[float]]
    runs: int
    seed: int

    def portions(self) -> Iterator[Times]:
        """Seconds of every lasting node, a portion of runs at a time; the same in every call."""
        lasting = [(node.id, node.span) for node in self.course.lasting if node.span is not None]
        draws = Draws(lasting, self.measured, self.seed)
        size = max(_MOST_VALUES // max(len(self.network.names), 1), _FEWEST_RUNS)
        left = self.runs
        while left > 0:
            portion = min(size, left)
            left -= portion
            yield draws.next(portion)


@dataclass(slots=True)
class Drawn:
    """All runs. `back`: function → seconds of every run. Totals by row of the lasting nodes, `critical` by place."""

    ends_total: NDArray[np.float64]
    takes_total: NDArray[np.float64]
    critical: NDArray[np.int64]
    back: dict[str, Times] = field(default_factory=dict)
    everything: Times = field(default_factory=lambda: np.zeros(0, dtype=np.float32))
    last_step: dict[str, Counter[int]] = field(default_factory=dict)
    paths: Counter[int] = field(default_factory=Counter)
    path_places: dict[int, tuple[int, ...]] = field(default_factory=dict)


def drawn(drawing: Drawing) -> Drawn:
    """Draw them all."""
    network, course = drawing.network, drawing.course
    places = [network.place[node.id] for node in course.nodes if node.span is not None]
    functions = {name: network.place[moment] for name, moment in course.functions.items()}
    last = network.place[EVERYTHING]
    found = Drawn(
        ends_total=np.zeros(len(places)), takes_total=np.zeros(len(places)), critical=np.zeros(len(network.names), dtype=np.int64)
    )
    back: dict[str, list[Times]] = {name: [] for name in functions}
    everything = []
    lasting = np.array([row != NOTHING for row in network.rows])
    for seconds in drawing.portions():
        via = np.empty((len(network.groups), seconds.shape[1]), dtype=np.int32)
        ends = network.ends(seconds, [*places, *functions.values(), last], via)
        found.takes_total += seconds.sum(axis=1, dtype=np.float64)
        found.ends_total += [ends[place].sum(dtype=np.float64) for place in places]
        for name, place in functions.items():
            back[name].append(ends[place])
            found.last_step.setdefault(name, Counter()).update(_last_step(network, via, place, lasting))
        everything.append(ends[last])
        _trace(network, via, last, found)
    found.back = {name: np.concatenate(parts) for name, parts in back.items()}
    found.everything = np.concatenate(everything)
    return found


def _last_step(network: Network, via: Places, place: int, lasting: NDArray[np.bool_]) -> dict[int, int]:
    """Node that takes time → in how many runs the moment was waiting for it last."""
    runs = np.arange(via.shape[1])
    here = np.full(via.shape[1], place, dtype=np.int32)
    while not lasting[here].all():
        before = via[network.group_of[here], runs]
        here = np.where(lasting[here] | (before == NOTHING), here, before).astype(np.int32)
        if (before[~lasting[here]] == NOTHING).all():
            break
    found, counts = np.unique(here, return_counts=True)
    return dict(zip(found.tolist(), counts.tolist(), strict=True))


def _trace(network: Network, via: Places, last: int, found: Drawn) -> None:
    """Count who was on the critical path, and which paths there were."""
    marks = np.zeros(via.shape[1], dtype=np.uint64)
    steps = list(network.paths(via, last))
    for here in steps:
        there = here != NOTHING
        found.critical += np.bincount(here[there], minlength=len(network.names))
        marks = np.where(there, marks * _SPREAD + here.astype(np.uint64) + np.uint64(1), marks)
    kinds, example, counts = np.unique(marks, return_index=True, return_counts=True)
    for mark, run, count in sorted(zip(kinds.tolist(), example.tolist(), counts.tolist(), strict=True), key=lambda one: -one[2])[:20]:
        found.paths[mark] += count
        if mark not in found.path_places:
            found.path_places[mark] = tuple(int(here[run]) for here in reversed(steps) if here[run] != NOTHING)


def critical_seconds(drawing: Drawing, moment: str) -> NDArray[np.float64]:
    """Row of each lasting node → mean seconds that it spent on the critical path to the moment, in the first 2,000 runs.

    No change to a node can gain more than that.
    """
    drawing = replace(drawing, runs=min(drawing.runs, _PILOT_RUNS))
    network = drawing.network
    rows = np.array(network.rows)
    total = np.zeros(int(rows.max()) + 1)
    for seconds in drawing.portions():
        via = np.empty((len(network.groups), seconds.shape[1]), dtype=np.int32)
        network.ends(seconds, [network.place[moment]], via)
        runs = np.arange(seconds.shape[1])
        for here in network.paths(via, network.place[moment]):
            row = np.where(here == NOTHING, NOTHING, rows[here])
            there = row != NOTHING
            total += np.bincount(row[there], weights=seconds[row[there], runs[there]], minlength=len(total))
    return total / drawing.runs
