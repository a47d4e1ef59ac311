"""The controller dies at every append to its journal in turn; another one replays the journal, takes over, and the exercise passes.

Killed *before* an append: the effect may be there and no record says so. Killed *after* it: the record is durable and nothing followed.
Appends of the same moment follow one another without anything between them, so that being killed before the second is being killed
after the first: only the latter is played, unless the record tells what the world did (an outcome, a message that was handed over).
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


@cache
def _points() -> tuple[tuple[int, JournalFault], ...]:
    """Every append of the undisturbed exercise."""
    appends: list[tuple[float, str]] = []

    def listen(stage: Stage) -> None:
        slow_copies(stage)
        stage.disk.on_append = lambda records: appends.append((records[0].at_seconds, records[0].kind))

    play(listen)
    return tuple(_worth_playing(appends))


def _worth_playing(appends: list[tuple[float, str]]) -> Iterator[tuple[int, JournalFault]]:
    for number, (at_seconds, kind) in enumerate(appends, start=1):
        if number == 1 or at_seconds != appends[number - 2][0] or kind in _TELLS_OF_THE_WORLD:
            yield number, JournalFault.CRASH_BEFORE
        yield number, JournalFault.CRASH_AFTER


@pytest.mark.parametrize("part", range(WORKERS))
def test_killed_at_each_append_in_turn_the_exercise_still_passes(part: int) -> None:
    points = _points()
    assert len(points) > 150, "the undisturbed exercise has lost its journal"
    for number, fault in points[part::WORKERS]:

        def kill(stage: Stage, number: int = number, fault: JournalFault = fault) -> None:
            slow_copies(stage)
            stage.disk.faults[number] = fault

        exercised = play(kill)
        report = exercised.report()
        assert exercised.kills == 1, f"{fault} {number}"
        assert report.verdict == "pass", f"{fault} {number}: {told(exercised, report)}"


@pytest.mark.parametrize("seed", range(3))
def test_killed_again_and_again_the_exercise_still_passes(seed: int) -> None:
    def kill(stage: Stage) -> None:
        stage.disk.faults = dict.fromkeys(range(5 + seed, 120, 9), JournalFault.CRASH_AFTER)
        stage.took_over_after_seconds = lambda: 0.1

    exercised = play(kill, seed=seed)
    report = exercised.report()
    assert exercised.kills > 8
    assert report.verdict == "pass", told(exercised, report)
