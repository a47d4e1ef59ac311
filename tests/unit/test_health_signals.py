"""What observers say, alone and together."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.health.history import History, Track, absorb, fresh_seconds
from holdfast.health.observation import Observation, Seen, Subject
from holdfast.health.picture import picture
from holdfast.health.signals import Health, Joint
from holdfast.health.triggers import evaluate
from unit.health_world import DR, OBSERVERS, PLAN, PRIMARY, START, World, cut, looks_at

FAST = PLAN.profiles["fast"]
TRIGGERS = PLAN.scenarios["regional-outage"].triggers
WORSE = {Health.UNKNOWN: 0, Health.UP: 0, Health.DEGRADED: 1, Health.DOWN: 2}


def joint(world: World, at: float, region: str, subject: Subject) -> Joint:
    found = picture(world.plan, world.profile, world.history, START + at)
    return next(joint for joint in found.joints if (joint.region, joint.subject) == (region, subject))


def test_a_healthy_world_is_up_and_scores_a_hundred() -> None:
    world = World()
    seen = world.run(0, 15)
    assert {one.health for one in seen.joints} == {Health.UP}
    assert [score.score for score in seen.scores.values()] == [100.0, 100.0]
    assert {one.health for one in seen.functions.values()} == {Health.UP}


def test_one_look_is_never_enough() -> None:
    world = World(cut(PRIMARY, 10, 11))
    world.run(0, 11)
    assert joint(world, 10.5, PRIMARY, Subject.POSTGRES).health is Health.UNKNOWN
    assert world.firing() == set()


def test_a_region_silent_to_everybody_is_down_since_the_first_silent_look() -> None:
    world = World(cut(PRIMARY, 10))
    seen = world.run(0, 12)
    found = next(one for one in seen.joints if (one.region, one.subject) == (PRIMARY, Subject.POSTGRES))
    assert found.health is Health.DOWN
    assert found.votes.lost == 3
    assert found.since_seconds == pytest.approx(START + 10, abs=0.6)
    assert seen.functions["voice"].health is Health.DOWN


def test_silence_towards_a_minority_is_not_down() -> None:
    world = World(cut(PRIMARY, 10, observers=("outside",)))
    seen = world.run(0, 30)
    assert {one.health for one in seen.joints} == {Health.UP}
    assert seen.scores[PRIMARY].score == 100.0


def test_an_observer_that_hears_nothing_anywhere_doubts_itself() -> None:
    world = World(lambda observer, at, region, subject: Seen.SILENT if at >= 10 else Seen.UP)
    seen = world.run(0, 30)
    assert {signal.health for signal in seen.signals if signal.region != signal.observer} == {Health.UNKNOWN}
    assert not any(signal.lost for signal in seen.signals)
    assert seen.scores[PRIMARY].score is None
    assert world.firing() == set()


def test_answers_from_its_own_site_do_not_reassure_an_observer() -> None:
    """The DR region cut off from everything: its observer still sees its own region, and must not blame the primary."""

    def isolated(observer: str, at: float, region: str, subject: Subject) -> Seen:
        inside = observer == DR
        return Seen.SILENT if at >= 5 and inside != (region == DR) else Seen.UP

    world = World(isolated)
    seen = world.run(0, 20)
    assert not any(signal.lost for signal in seen.signals if signal.observer == DR)
    assert {one.health for one in seen.joints if one.region == PRIMARY} == {Health.UP}
    assert world.states[PRIMARY, "network-lost"].firing is False
    assert world.states[DR, "network-lost"].firing is True


def test_an_observer_that_is_not_heard_from_still_counts_as_configured() -> None:
    world = World(cut(PRIMARY, 10))
    world.run(0, 10)
    world.silent_observers = frozenset(OBSERVERS[1:])
    seen = world.run(10, 40)
    assert {one.health for one in seen.joints if one.region == PRIMARY} == {Health.UNKNOWN}
    assert world.firing() == set()


def test_an_answer_that_says_no_is_down_without_a_comparison() -> None:
    world = World(lambda observer, at, region, subject: Seen.DOWN if subject is Subject.REDIS and region == PRIMARY and at > 5 else Seen.UP)
    seen = world.run(0, 12)
    found = {(one.region, one.subject): one.health for one in seen.joints}
    assert found[PRIMARY, Subject.REDIS] is Health.DOWN
    assert found[DR, Subject.REDIS] is Health.UP


def test_old_looks_are_unknown_not_up() -> None:
    world = World()
    world.run(0, 15)
    later = picture(world.plan, world.profile, world.history, START + 15 + fresh_seconds(world.profile) + 1)
    assert {one.health for one in later.joints} == {Health.UNKNOWN}
    assert later.scores[PRIMARY].score is None


@pytest.mark.parametrize("error", [-3600.0, -2.0, 2.0, 86400.0])
def test_a_wrong_clock_of_an_observer_does_not_matter(error: float) -> None:
    world = World(cut(PRIMARY, 10), clock_errors={"outside": error})
    seen = world.run(0, 14)
    assert next(one for one in seen.joints if (one.region, one.subject) == (PRIMARY, Subject.AGENT)).votes.lost == 3


def test_a_batch_that_arrives_late_is_as_old_as_it_is() -> None:
    looks = [Observation("outside", at, START + at, DR, Subject.HTTP, "loadbalancer", Seen.UP, 0.01) for at in range(61)]
    history = absorb(History(), looks[:1], START, FAST)
    history = absorb(history, looks[1:31], START + 60, FAST)
    assert history.tracks["outside", DR, Subject.HTTP, "loadbalancer"].at_seconds == START + 30


def test_a_function_is_degraded_by_the_numbers_of_its_plan() -> None:
    def flaky(observer: str, at: float, region: str, subject: Subject) -> Seen:
        return Seen.DOWN if subject is Subject.TRANSACTION and at % 5 == 0 else Seen.UP

    seen = World(flaky).run(0, 34)
    assert seen.functions["voice"].health is Health.DEGRADED
    assert "80 %" in seen.functions["voice"].reason
    assert seen.scores[PRIMARY].score == pytest.approx(85.0)


def test_a_slow_function_is_degraded() -> None:
    world = World()
    world.run(0, 12)
    slow = {
        key: replace(track, window=tuple(replace(look, latency_seconds=6.0) for look in track.window))
        for key, track in world.history.tracks.items()
    }
    seen = picture(PLAN, FAST, History(slow, world.history.offsets), START + 12)
    assert {one.health for one in seen.functions.values()} == {Health.DEGRADED}
    assert "latency" in seen.functions["pms"].reason


def test_a_copy_that_lags_more_than_the_plan_allows_is_degraded() -> None:
    facts = {"role": "standby", "replay_lag_seconds": 301.0}
    history = History()
    for observer in OBSERVERS:
        for at in range(3):
            look = Observation(observer, at, START + at, DR, Subject.POSTGRES, "database", Seen.UP, 0.01, facts=facts)
            away = Observation(observer, at + 10, START + at, PRIMARY, Subject.HTTP, "loadbalancer", Seen.UP, 0.01)
            history = absorb(history, [look, away], START + at, FAST)
    seen = picture(PLAN, FAST, history, START + 3)
    assert next(one for one in seen.joints if one.subject is Subject.POSTGRES).health is Health.DEGRADED


def test_when_dns_names_another_region_the_old_one_is_forgotten() -> None:
    history = History()
    for at, region in enumerate([PRIMARY, PRIMARY, DR]):
        look = Observation("outside", at, START + at, region, Subject.TRANSACTION, "voice", Seen.UP, 0.01)
        history = absorb(history, [look], START + at, FAST)
    assert [key[1] for key in history.tracks] == [DR]


seen_values = st.sampled_from(list(Seen))


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Any standing of the observers about everything, each thing seen for long enough to count."""
    tracks = {}
    for observer in OBSERVERS:
        mood = draw(st.sampled_from([*Seen, None]))
        for region, subject, name in looks_at(PRIMARY):
            seen = draw(seen_values) if mood is None else mood
            look = Observation(observer, 1, START, region, subject, name, seen, 0.01)
            tracks[observer, region, subject, name] = Track(look, START, START - 90, 90)
    return History(tracks)


@settings(max_examples=150, deadline=None)
@given(histories(), st.data())
def test_turning_an_up_into_unknown_never_makes_anything_more_certain(history: History, data: st.DataObject) -> None:
    ups = [key for key, track in history.tracks.items() if track.last.seen is Seen.UP]
    if not ups:
        return
    stale = set(data.draw(st.lists(st.sampled_from(ups), min_size=1, max_size=len(ups))))
    long_ago = START - fresh_seconds(FAST) - 1
    dimmed = {key: replace(track, at_seconds=long_ago) if key in stale else track for key, track in history.tracks.items()}
    before = picture(PLAN, FAST, history, START)
    after = picture(PLAN, FAST, History(dimmed), START)
    health = {(one.region, one.subject, one.name): one.health for one in before.joints}
    for one in after.joints:
        assert WORSE[one.health] <= WORSE[health[one.region, one.subject, one.name]]
    for region in PLAN.regions:
        assert after.scores[region].best >= before.scores[region].best - 1e-9
    fired = evaluate(PLAN, FAST, TRIGGERS, before, {})
    for key, state in evaluate(PLAN, FAST, TRIGGERS, after, {}).items():
        assert not state.firing or fired[key].firing


@settings(max_examples=60, deadline=None)
@given(histories(), st.sampled_from(OBSERVERS))
def test_a_minority_never_fires_anything(history: History, only: str) -> None:
    tracks = {
        key: track if key[0] == only else replace(track, last=replace(track.last, seen=Seen.UP)) for key, track in history.tracks.items()
    }
    alone = {key: track for key, track in history.tracks.items() if key[0] == only}
    for kept in (tracks, alone):
        states = evaluate(PLAN, FAST, TRIGGERS, picture(PLAN, FAST, History(kept), START), {})
        assert not any(state.firing for state in states.values())
