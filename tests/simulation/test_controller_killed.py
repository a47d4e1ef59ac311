"""The controller dies at every append to its journal in turn; another one replays the journal, takes over, and the exercise passes.

Killed *before* an append: the effect may be there and no record says so. Killed *after* it: the record is durable and nothing followed.
Appends of the same moment follow one another without anything between them, so that being killed before the second is being killed
after the first: only the latter is played, unless the record tells what the world did (an outcome, a message that was handed over).
Half of the appends that hold a record of a step are played in `make test`, four in a row of every eight; the others, and those of what is
seen, decided and told, in `make prove`.
"""

from collections.abc import Iterator, Sequence
from functools import cache

import pytest

from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record
from holdfast.simulation.journal import JournalFault
from holdfast.simulation.stage import Stage
from simulation.playing import PLAN, play, slow_copies, told

WORKERS = 8
"""The points are dealt to so many tests, for parallel runs."""
PROFILE = PLAN.profiles["fast"]
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


@pytest.mark.parametrize("part", [pytest.param(part, marks=pytest.mark.prove if part >= WORKERS // 2 else ()) for part in range(WORKERS)])
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


def test_what_dr_took_until_its_fence_is_no_second_writer_when_controllers_die_around_the_fence_of_the_way_home() -> None:
    """The first dies with the epoch open and nobody told: DR goes on by the agent's promise. The second dies with the fence's answer."""
    died: list[str] = []

    def kill(stage: Stage) -> None:
        disk = stage.disk
        faults = {Kind.EPOCH_OPENED: JournalFault.CRASH_AFTER, Kind.FENCE_CONFIRMED: JournalFault.CRASH_BEFORE}

        def listen(records: Sequence[Record]) -> None:
            for record in records:
                if record.body.get("run") == "way-back" and record.kind in faults and record.kind not in died:
                    died.append(record.kind)
                    disk.faults[disk.appends] = faults[Kind(record.kind)]

        disk.on_append = listen
        stage.took_over_after_seconds = lambda: 3 * PROFILE.lease

    exercised = play(kill)
    report = exercised.report()
    assert died == [Kind.EPOCH_OPENED, Kind.FENCE_CONFIRMED]
    opened, fence = (next(r for r in exercised.facts.records if (r.kind, r.body.get("run")) == (kind, "way-back")) for kind in died)
    stores = (*PLAN.components_of("postgres"), *PLAN.components_of("redis"))
    taken = [found.records or {} for found in exercised.facts.before_return if found.store in stores]
    written = [record.written_seconds or 0.0 for records in taken for record in records.values()]
    promise = PROFILE.lease * (1 + PROFILE.drift) + PROFILE.margin
    assert max(written) > opened.at_seconds + promise, "DR wrote by the agent's promise when the controller's had long run out"
    assert (report.single_writer.violations, report.verdict) == (0, "pass"), told(exercised, report)
    assert fence.body["at_seconds"] == fence.body["fenced_at_seconds"] >= max(written)
