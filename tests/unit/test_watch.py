"""What the controller's watching says of a loss: a bound that holds, whatever it could not see."""

import pytest

from holdfast.controller.clock_steps import KeptClock
from holdfast.controller.watch import Watch
from holdfast.decision.replay import Installation
from holdfast.fencing.promise import VOID_SECONDS
from holdfast.health.history import absorb
from holdfast.health.observation import Observation, Seen, Subject
from holdfast.health.score import AGENT_NAME
from unit.health_world import DR, PLAN, PRIMARY, START
from unit.set_clock import SetClock

PROFILE = PLAN.profiles["fast"]
WHOLE_PROMISE = PROFILE.lease * (1 + PROFILE.drift) + PROFILE.margin


class Moment:
    """A clock that is set."""

    def __init__(self) -> None:
        self.seconds = START

    def wall_seconds(self) -> float:
        return self.seconds

    def steady_seconds(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds


class NoPromise:
    """A controller's own promise that ran out long ago."""

    def promise_ends_in_seconds(self) -> float:
        return -60.0


def _look(sequence: int, subject: Subject, name: str, facts: dict[str, object]) -> Observation:
    return Observation("witness", sequence, START, DR, subject, name, Seen.UP, 0.01, "", facts)


def watching(clock: KeptClock, scenario: str = "regional-outage") -> Watch:
    watch = Watch(PLAN, PROFILE, scenario, [], clock)
    stores = [(Subject.POSTGRES, "database"), (Subject.REDIS, "cache"), (Subject.BUCKET, "storage")]
    looks = [_look(place + 1, *store, {"last_heartbeat_seconds": START}) for place, store in enumerate(stores)]
    looks.append(_look(9, Subject.AGENT, AGENT_NAME, {"promise_ends_in_seconds": 3.0}))
    watch._history = absorb(watch._history, looks, START, PROFILE)
    return watch


def bound(watch: Watch, clock: Moment, seconds: float) -> float:
    clock.seconds = START + seconds
    loss = watch.now(Installation(PRIMARY), NoPromise()).loss.bound_seconds  # type: ignore[arg-type]  # only asked when it ends
    assert loss is not None
    return loss


def test_the_loss_of_each_component_stands_beside_the_worst() -> None:
    clock = Moment()
    watch = watching(KeptClock(clock))
    late = [_look(10, Subject.REDIS, "cache", {"last_heartbeat_seconds": START + 4.0})]
    watch._history = absorb(watch._history, late, START + 4.0, PROFILE)
    clock.seconds = START + 5.0
    loss = watch.now(Installation(PRIMARY), NoPromise()).loss  # type: ignore[arg-type]  # only asked when it ends
    found = {one.component: one.bound_seconds for one in loss.components}
    assert set(found) == {"database", "cache", "storage"}
    assert found["database"] == found["storage"] == loss.bound_seconds
    assert found["cache"] is not None
    assert found["database"] is not None
    assert found["database"] - found["cache"] == 4.0


def test_an_agent_that_nobody_has_seen_of_late_may_have_promised_again() -> None:
    clock = Moment()
    watch = watching(KeptClock(clock))
    assert 3.0 <= bound(watch, clock, 0.0) <= 3.0 + 2 * PROFILE.probe_every + 0.2
    assert bound(watch, clock, 60.0) >= 60.0 + WHOLE_PROMISE, "the writer may have gone on for all of that minute, and for a promise more"


def test_a_clock_that_was_set_forward_and_is_kept_as_it_was_makes_the_bound_wider_by_as_much() -> None:
    machine = SetClock()
    kept = KeptClock(machine)
    watch = watching(kept)
    until = kept.wall_seconds() + 5.0
    before = {name: one.bound_seconds for name, one in watch.losses(DR, until).items()}
    machine.step(40.0)
    for name, one in watch.losses(DR, until).items():
        was = before[name]
        assert one.bound_seconds is not None and was is not None
        assert one.bound_seconds == pytest.approx(was + 40.0), "writers stamp what they write by a clock that is ahead"
    machine.step(-60.0)
    assert {name: one.bound_seconds for name, one in watch.losses(DR, until).items()} == before, "and set back it makes none narrower"


def test_a_copy_is_behind_by_the_time_since_its_newest_stamp_and_an_old_look_does_not_make_it_near() -> None:
    clock = Moment()
    watch = watching(KeptClock(clock))
    clock.seconds = START + 30.0
    lags = watch.now(Installation(PRIMARY), NoPromise()).lags  # type: ignore[arg-type]  # only asked when it ends
    assert lags == {"database": 30.0, "cache": 30.0, "storage": 30.0}
    blind = Watch(PLAN, PROFILE, "regional-outage", [], KeptClock(clock)).now(Installation(PRIMARY), NoPromise())  # type: ignore[arg-type]
    assert blind.lags == {"database": None, "cache": None, "storage": None}


def test_how_far_copies_are_behind_is_known_also_where_the_controller_watches_for_something_that_moves_no_writer() -> None:
    clock = Moment()
    watch = watching(KeptClock(clock), "application-failover")
    clock.seconds = START + 3.0
    assert watch.now(Installation(PRIMARY), NoPromise()).lags["database"] == 3.0  # type: ignore[arg-type]


def test_a_promise_that_a_certificate_made_void_ended_at_no_moment_that_anybody_knows() -> None:
    clock = Moment()
    watch = watching(KeptClock(clock))

    def ended(ends_in: float) -> float | None:
        facts: dict[str, object] = {"promising": False, "promise_ends_in_seconds": ends_in}
        watch._history = absorb(watch._history, [_look(10, Subject.AGENT, AGENT_NAME, facts)], START, PROFILE)
        return watch.promise_ended_seconds(DR, START - 1.0)

    assert ended(-2.0) == START - 2.0
    assert ended(-VOID_SECONDS) is None, "the writer may have gone on until it was fenced"


def test_a_void_promise_of_the_target_does_not_make_the_bound_smaller() -> None:
    clock = Moment()
    watch = watching(KeptClock(clock))
    void = Observation(
        "witness", 10, START + 1.0, DR, Subject.AGENT, AGENT_NAME, Seen.UP, 0.01, "", {"promise_ends_in_seconds": -VOID_SECONDS}
    )
    watch._history = absorb(watch._history, [void], START + 1.0, PROFILE)
    assert bound(watch, clock, 1.0) >= 1.0, "until now the source may have written"
