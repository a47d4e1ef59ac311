"""Drawn lengths of time: many runs at once, each node from a stream of its own.

Rules
- A node's stream hangs on the seed and the node's name only (NumPy's PCG64, seeded with both). So adding a step changes no draw of another
  one, and a change is judged on the same draws as the plan without it (common random numbers): what differs is the change, not the luck.
- One draw of [0, 1) becomes a length by the inverse of the distribution: uniform over a range of two values, triangular over one with
  a usual value between (the stand-in for PERT's beta distribution: D. Johnson, The Statistician 46, 1997). A longer range never draws
  shorter.
- With n measured lengths a run takes one of them with chance n / (n + 5), else it draws from the range: the next value of a Dirichlet
  process whose prior, the plan's range, weighs as much as five runs (T. Ferguson, Annals of Statistics 1, 1973). From 30 measured lengths
  on, the range says nothing any more. The newest 60 count.
"""

from collections.abc import Iterable, Mapping, Sequence
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from holdfast.forecast.spans import Span

PRIOR_RUNS = 5
ENOUGH_RUNS = 30
NEWEST_RUNS = 60
Times = NDArray[np.float32]
Places = NDArray[np.int32]


def weight_of_measured(count: int) -> float:
    """With which chance a run takes a measured length."""
    return 1.0 if count >= ENOUGH_RUNS else count / (count + PRIOR_RUNS)


class Draws:
    """The lengths of all nodes, in portions of runs; two of them with the same seed and nodes draw the same."""

    def __init__(self, nodes: Sequence[tuple[str, Span]], measured: Mapping[str, Sequence[float]], seed: int) -> None:
        self._streams = [np.random.Generator(np.random.PCG64([seed, crc32(name.encode())])) for name, _ in nodes]
        self._shortest = _column(span.shortest for _, span in nodes)
        self._length = _column(span.longest - span.shortest for _, span in nodes)
        self._usual = _column((span.shortest if span.usual is None else span.usual) - span.shortest for _, span in nodes)
        self._triangular = np.array([span.usual is not None and span.longest > span.shortest for _, span in nodes])
        self._measured = {
            place: np.sort(np.array(measured[name][-NEWEST_RUNS:], dtype=np.float32))
            for place, (name, _) in enumerate(nodes)
            if measured.get(name)
        }

    def next(self, runs: int) -> Times:
        """Seconds of every node (rows) in the next so many runs (columns)."""
        chance = np.empty((len(self._streams), runs), dtype=np.float32)
        for row, stream in zip(chance, self._streams, strict=True):
            stream.random(dtype=np.float32, out=row)
        taken = {place: self._choose(place, chance[place]) for place in self._measured}
        seconds = self._shortest + chance * self._length
        which = self._triangular
        if which.any():
            seconds[which] = self._shortest[which] + _triangular(chance[which], self._length[which], self._usual[which])
        for place, (chosen, lengths) in taken.items():
            seconds[place] = np.where(chosen, lengths, seconds[place])
        return seconds

    def _choose(self, place: int, chance: Times) -> tuple[NDArray[np.bool_], Times]:
        """Which runs take a measured length, and which; what is left of the draw is spread out over [0, 1) again for the range."""
        lengths = self._measured[place]
        weight = np.float32(weight_of_measured(len(lengths)))
        chosen = chance < weight
        index = np.minimum((chance / weight * len(lengths)).astype(np.int32), len(lengths) - 1)
        if weight < 1:
            chance[:] = np.where(chosen, 0, (chance - weight) / (1 - weight))
        return chosen, lengths[index]


def _column(values: Iterable[float]) -> Times:
    return np.array(list(values), dtype=np.float32)[:, None]


def _triangular(chance: Times, length: Times, usual: Times) -> Times:
    """Lengths above the shortest; one root for whichever side of the usual length a draw falls on."""
    below = chance * length < usual
    root: Times = np.sqrt(np.where(below, chance * (length * usual), (1 - chance) * (length * (length - usual))))
    return np.where(below, root, length - root)
