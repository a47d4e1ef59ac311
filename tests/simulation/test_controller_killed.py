"""The controller dies at every append to its journal in turn; another one replays the journal, takes over, and the exercise passes.

Killed *before* an append: the effect may be there and no record says so. Killed *after* it: the record is durable and nothing followed.
Appends of the same moment follow one another without anything between them, so that being killed before the second is being killed
after the first: only the latter is played, unless the record tells what the world did (an outcome, a message that was handed over).
Appends that hold a record of a step are played in `make test`, all others (what is seen, decided and told) in `make prove`.
"""

from collections.abc import Iterator
from functools import cache

import pytest

from holdfast.journal.kinds import Kind
from holdfast.simulation.journal import JournalFault
from holdfast.simulation.stage import Stage
from simulation.playing import play, slow_copies, told

WORKERS = 8
"""The points are dealt to so many tests, for parallel runs."""
_TELLS_OF_THE_WORLD = (Kind.STEP_FINISHED, Kind.FENCE_CONFIRMED, Kind.NOTIFICATION_SENT)
_OF_STEPS = frozenset({Kind.EPOCH_OPENED, Kind.STEP_INTENDED, Kind.STEP_FINISHED, Kind.FENCE_CONFIRMED, Kind.RUN_FINISHED})
Point = tuple[int, JournalFault]


@cache
def _points(*, of_steps: bool) -> tuple[Point, ...]:
    """Every append of the undisturbed exercise that holds a record of a step, or every other one."""
    appends: list[tuple[float, frozenset[str]]] = []

    def listen(stage: Stage) -> None:
        slow_copies(stage)
        stage.disk.on_append = lambda records: appends.append((records[0].at_seconds, frozenset(record.kind for record in records)))

    play(listen)
    return tuple(point for point in _worth_playing(appends) if bool(appends[point[0] - 1][1] & _OF_STEPS) is of_steps)


def _worth_playing(appends: list[tuple[float, frozenset[str]]]) -> Iterator[Point]:
    for number, (at_seconds, kinds) in enumerate(appends, start=1):
        if number == 1 or at_seconds != appends[number - 2][0] or not kinds.isdisjoint(_TELLS_OF_THE_WORLD):
            yield number, JournalFault.CRASH_BEFORE
        yield number, JournalFault.CRASH_AFTER


def _passes_all(points: tuple[Point, ...]) -> None:
    for number, fault in points:

        def kill(stage: Stage, number: int = number, fault: JournalFault = fault) -> None:
            slow_copies(stage)
            stage.disk.faults[number] = fault

        exercised = play(kill)
        report = exercised.report()
        assert exercised.kills == 1, f"{fault} {number}"
        assert report.verdict == "pass", f"{fault} {number}: {told(exercised, report)}"


@pytest.mark.parametrize("part", range(WORKERS))
def test_killed_at_each_append_of_a_step_in_turn_the_exercise_still_passes(part: int) -> None:
    points = _points(of_steps=True)
    assert len(points) > 100, "the undisturbed exercise has lost its steps"
    _passes_all(points[part::WORKERS])


@pytest.mark.prove
@pytest.mark.parametrize("part", range(WORKERS))
def test_killed_at_each_other_append_in_turn_the_exercise_still_passes(part: int) -> None:
    points = _points(of_steps=False)
    assert len(points) > 60, "the undisturbed exercise has lost its journal"
    _passes_all(points[part::WORKERS])


@pytest.mark.parametrize("seed", range(3))
def test_killed_again_and_again_the_exercise_still_passes(seed: int) -> None:
    def kill(stage: Stage) -> None:
        stage.disk.faults = dict.fromkeys(range(5 + seed, 120, 9), JournalFault.CRASH_AFTER)
        stage.took_over_after_seconds = lambda: 0.1

    exercised = play(kill, seed=seed)
    report = exercised.report()
    assert exercised.kills > 8
    assert report.verdict == "pass", told(exercised, report)
