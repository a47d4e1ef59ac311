"""Many runs of a course at once: when each node ends, and which node each run was waiting for.

Arrays hold one value a run. A node begins when the last of those that it waits for has ended (the network's longest path), so every run has
one critical path to each node: the chain of those that came last. Of two that end together the plan's first counts.
"""

from collections.abc import Collection, Iterator, Sequence

import numpy as np

from holdfast.forecast.course import Course
from holdfast.forecast.draws import Places, Times

NOTHING = -1


class Network:
    """A course with places for names. `lasting`: place → row of its drawn seconds, or NOTHING for a moment."""

    def __init__(self, course: Course) -> None:
        self.names = tuple(node.id for node in course.nodes)
        self.place = {name: place for place, name in enumerate(self.names)}
        groups: dict[tuple[str, ...], int] = {}
        self.group_of = np.array([groups.setdefault(node.after, len(groups)) for node in course.nodes], dtype=np.int32)
        self.groups = tuple(tuple(self.place[name] for name in after) for after in groups)
        self.rows = _rows(course)
        self.last_use = self._last_use()

    def _last_use(self) -> dict[int, list[int]]:
        """Place → the places whose end nobody asks for after it."""
        last = {place: index for index, group in enumerate(self.group_of) for place in self.groups[group]}
        found: dict[int, list[int]] = {}
        for place, index in last.items():
            found.setdefault(index, []).append(place)
        return found

    def ends(self, seconds: Times, wanted: Sequence[int], via: Places | None = None) -> dict[int, Times]:
        """The ends of the wanted places. `via` (a row a group) is filled with the place that came last before the group's nodes."""
        runs = seconds.shape[1]
        ends: dict[int, Times] = {}
        begins: dict[int, Times] = {}
        kept = set(wanted)
        for place, group in enumerate(self.group_of.tolist()):
            if group not in begins:
                begins[group] = self._begin(ends, group, runs, None if via is None else via[group])
            row = self.rows[place]
            ends[place] = begins[group] if row == NOTHING else begins[group] + seconds[row]
            for done in self.last_use.get(place, ()):
                if done not in kept:
                    ends.pop(done, None)
        return {place: ends[place] for place in wanted}

    def all_ends(self, seconds: Times) -> list[Times]:
        """The end of every place."""
        ends = self.ends(seconds, range(len(self.names)))
        return [ends[place] for place in range(len(self.names))]

    def behind(self, rows: Collection[int]) -> tuple[int, ...]:
        """The places of these rows and all that wait for one of them, in order."""
        touched = [row in rows and row != NOTHING for row in self.rows]
        moved = [False] * len(self.groups)
        known = [False] * len(self.groups)
        for place, group in enumerate(self.group_of.tolist()):
            if not known[group]:
                known[group], moved[group] = True, any(touched[before] for before in self.groups[group])
            touched[place] = touched[place] or moved[group]
        return tuple(place for place, is_touched in enumerate(touched) if is_touched)

    def changed_ends(self, before: Sequence[Times], seconds: Times, behind: Sequence[int], wanted: Sequence[int]) -> list[Times]:
        """The ends of the wanted places when only those `behind` a change differ from what was before."""
        ends = dict(enumerate(before))
        begins: dict[int, Times] = {}
        for place in behind:
            group = int(self.group_of[place])
            if group not in begins:
                begins[group] = self._begin(ends, group, seconds.shape[1], None)
            row = self.rows[place]
            ends[place] = begins[group] if row == NOTHING else begins[group] + seconds[row]
        return [ends[place] for place in wanted]

    def _begin(self, ends: dict[int, Times], group: int, runs: int, via: Places | None) -> Times:
        members = self.groups[group]
        if not members:
            if via is not None:
                via[:] = NOTHING
            return np.zeros(runs, dtype=np.float32)
        latest = ends[members[0]]
        if via is not None:
            via[:] = members[0]
        for member in members[1:]:
            if via is not None:
                via[ends[member] > latest] = member
            latest = np.maximum(latest, ends[member])
        return latest

    def paths(self, via: Places, to: int) -> Iterator[Places]:
        """The critical path of every run to a place, from its end: one array of places at a time, NOTHING where a run is at its start."""
        runs = np.arange(via.shape[1])
        here = np.full(via.shape[1], to, dtype=np.int32)
        while True:
            yield here
            here = np.where(here == NOTHING, NOTHING, via[self.group_of[here], runs]).astype(np.int32)
            if (here == NOTHING).all():
                return


def _rows(course: Course) -> tuple[int, ...]:
    rows = []
    count = 0
    for node in course.nodes:
        rows.append(NOTHING if node.span is None else count)
        count += node.span is not None
    return tuple(rows)
