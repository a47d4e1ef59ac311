"""The moments that decided, and the regions at each of them: nothing that nobody recorded, and no region ever swaps its side."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from holdfast.health.observation import Observation, Seen, Subject
from holdfast.journal.kinds import Kind
from holdfast.report.build import build
from holdfast.report.facts import ReportFacts
from holdfast.report.model import Report
from holdfast.report.pictures import Scene, scenes, sides_of
from holdfast.report.seen import Event
from unit.chains import Line, chained
from unit.report_facts import DR, HOME, IMPACT, INCIDENT, ReportStory


@cache
def whole() -> ReportFacts:
    return ReportStory().facts()


def looks(region: str, *moments: tuple[float, float], role: str = "standby") -> tuple[Observation, ...]:
    """Looks at the database's copy in a region: (seconds from impact, age of its newest heartbeat)."""
    return tuple(
        Observation(
            "outside",
            1,
            IMPACT + at,
            region,
            Subject.POSTGRES,
            "database",
            Seen.UP,
            0.01,
            facts={"role": role, "heartbeat_age_seconds": age},
        )
        for at, age in moments
    )


def lags(facts: ReportFacts) -> dict[str, float | None]:
    return {event.name: event.lag_seconds for event in build(facts).events}


def names(report: Report) -> list[str]:
    return [event.name for event in report.events]


def drawn(report: Report) -> dict[str, Scene]:
    return {scene.name: scene for scene in scenes(report)}


def told(report: Report, *names: str, **changes: Any) -> dict[str, Scene]:
    """The scenes of a report in which only these things happened, a second apart."""
    events = tuple(Event(name=name, seconds=float(second), sentence=name) for second, name in enumerate(names))
    return drawn(report.model_copy(update={"events": events, **changes}))


def rewritten(facts: ReportFacts, change: Mapping[str, tuple[str, str]], more: Sequence[tuple[float, Kind, dict[str, Any]]] = ()) -> Report:
    """The report with other outcomes of steps (step → outcome, verified) and more records at the end."""
    bodies: list[Line] = []
    for record in facts.records:
        body: dict[str, Any] = dict(record.body)
        if record.kind == Kind.STEP_FINISHED and body["step"] in change:
            body["outcome"], body["verified"] = change[body["step"]]
        bodies.append((record.at_seconds, record.kind, record.incident, body))
    bodies += [(IMPACT + seconds, kind, INCIDENT, added) for seconds, kind, added in more]
    return build(replace(facts, records=chained(bodies)))


def test_the_moments_stand_in_order_there_and_back() -> None:
    assert [scene.name for scene in scenes(build(whole()))] == [
        "Impact",
        "Detected",
        "Decided",
        "Old writer fenced",
        "Promoted",
        "Traffic moved",
        "Served again",
        "Old side follows",
        "Way back decided",
        "DR's writer fenced",
        "Home writes",
        "Served from home",
        "Traffic is home",
        "DR follows again",
    ]


def test_the_regions_never_swap_and_every_scene_says_what_each_is() -> None:
    report = build(whole())
    assert sides_of(report) == (HOME, DR)
    seen = {name: (scene.left.text, scene.right.text) for name, scene in drawn(report).items()}
    assert seen["Impact"] == ("failing", "stands by")
    assert seen["Old writer fenced"] == ("fenced", "stands by")
    assert seen["Traffic moved"] == ("fenced", "gets traffic")
    assert seen["Served again"] == ("fenced", "serves")
    assert seen["Old side follows"] == ("follows", "serves")
    assert seen["Home writes"] == ("writes", "fenced")
    assert seen["DR follows again"] == ("serves", "follows")


def test_a_failover_out_of_the_dr_region_keeps_the_sides_too() -> None:
    report = build(whole()).model_copy(update={"source": DR, "target": HOME})
    assert sides_of(report) == (HOME, DR)
    first = scenes(report)[0]
    assert (first.left.text, first.right.text, first.arrow) == ("stands by", "failing", "left")


def test_clocks_name_how_many_are_out_and_the_strictest_promise() -> None:
    seen = drawn(build(whole()))
    assert seen["Decided"].clocks == "5 of 5 functions out, 5.2 s of RTO 15 min"
    assert seen["Served again"].clocks == "0 of 5 functions out"
    assert seen["Home writes"].clocks == ""


def test_between_the_loss_and_the_first_failed_request_nobody_is_out_yet() -> None:
    later = [function.model_copy(update={"first_failed_seconds": 0.06}) for function in build(whole()).functions]
    assert told(build(whole()), "impact", functions=tuple(later))["Impact"].clocks == "first failed request 60 ms later"


def test_lag_is_the_newest_look_and_the_time_since() -> None:
    seen = lags(replace(whole(), observations=looks(DR, (-1.0, 0.2), (-0.5, 0.3), (3.0, 3.1), (9.0, 0.0))))
    assert seen["impact"] == pytest.approx(0.8)
    assert seen["detected"] == pytest.approx(2.9)
    assert seen["decided"] == pytest.approx(5.3, abs=0.05)


def test_without_a_look_the_lag_is_unknown_and_its_arrow_dashed() -> None:
    assert set(lags(whole()).values()) == {None}
    scene = scenes(build(whole()))[0]
    assert (scene.link, scene.look, scene.arrow) == ("lag unknown", "stale", "right")


def test_a_writers_heartbeat_is_no_lag_and_a_copys_outdated_one_neither() -> None:
    assert lags(replace(whole(), observations=looks(DR, (-0.5, 0.1), role="primary")))["impact"] is None
    assert lags(replace(whole(), observations=looks(DR, (-70.0, 0.1))))["impact"] is None


def test_what_was_seen_before_a_copy_was_made_anew_says_nothing_of_it() -> None:
    seen = lags(replace(whole(), observations=(*looks(DR, (1.0, 0.9)), *looks(HOME, (37.0, 0.2), (42.5, 0.2)))))
    assert seen["return-followed"] is None
    assert seen["followed"] == pytest.approx(1.0, abs=0.5)
    assert seen["return-decided"] == pytest.approx(0.7, abs=0.05)
    scene = drawn(build(replace(whole(), observations=looks(HOME, (42.5, 0.2)))))["Way back decided"]
    assert (scene.link, scene.look, scene.arrow) == ("lag 0.70 s", "runs", "left")


@pytest.mark.parametrize("outcome", ["failed", "skipped", "unknown"])
def test_a_promotion_that_was_not_done_is_no_moment(outcome: str) -> None:
    report = rewritten(whole(), {"promote-cache": (outcome, "no")})
    assert "promoted" not in names(report)
    assert "fenced" in names(report)


def test_a_promotion_the_other_way_is_one() -> None:
    report = build(whole())
    steps = [step for step in report.steps if step.run == "failover" and step.block == "postgres.promote"]
    (step,) = steps
    more = [
        (14.0, Kind.STEP_INTENDED, {"run": "failover", "step": "restore-database", "block": "postgres.restore", "attempt": 1}),
        (15.5, Kind.STEP_FINISHED, _done("restore-database", "postgres.restore")),
    ]
    found = rewritten(whole(), {step.step: ("refused", "no")}, more)
    promoted = next((event for event in found.events if event.name == "promoted"), None)
    assert promoted is not None
    assert promoted.seconds == pytest.approx(15.5)


def test_a_loss_is_held_against_what_people_approved_last_or_accepted_by_name() -> None:
    again = {"run": "failover", "loss_bound_seconds": 11.0, "estimated_writes": 90}
    accepted = {**_done("promote-database", "postgres.promote"), "outcome": "again", "facts": {"accepts_loss_seconds": 14.5}}
    first = build(whole()).loss_bound.seconds
    assert first is not None
    assert first < 11.0
    assert rewritten(whole(), {}, [(9.0, Kind.DECIDED, again)]).loss_bound.seconds == 11.0
    assert rewritten(whole(), {}, [(9.0, Kind.STEP_FINISHED, accepted)]).loss_bound.seconds == 14.5


def _done(step: str, block: str) -> dict[str, Any]:
    return {"run": "failover", "step": step, "block": block, "attempt": 1, "outcome": "succeeded", "detail": "", "verified": "yes"}


def test_a_failover_that_was_turned_back_ends_where_it_began() -> None:
    started: dict[str, Any] = {
        "run": "turn-back",
        "of": "failover",
        "source": DR,
        "target": HOME,
        "mode": "graceful",
        "epoch": 2,
        "withdraws": None,
    }
    facts = ReportStory(way_back=False, failover_outcome=None).facts()
    ended: dict[str, Any] = {"run": "turn-back", "outcome": "succeeded", "reason": "turned back"}
    more = [(20.0, Kind.RUN_STARTED, started), (21.0, Kind.RUN_FINISHED, ended)]
    assert {"turned-back", "return-turned-back"} & set(names(rewritten(facts, {}, more))) == {"turned-back"}
    assert "turned-back" not in names(rewritten(facts, {}, [more[0], (21.0, Kind.RUN_FINISHED, {**ended, "outcome": "failed"})]))
    seen = told(build(whole()), "impact", "fenced", "turned-back", "served")
    assert [(scene.left.text, scene.right.text) for scene in seen.values()] == [
        ("failing", "stands by"),
        ("fenced", "stands by"),
        ("writes", "stands by"),
        ("serves", "stands by"),
    ]


def test_what_came_back_by_itself_serves_where_it_was() -> None:
    seen = told(build(whole()), "impact", "detected", "served")
    assert (seen["Served again"].left.text, seen["Served again"].right.text) == ("serves", "stands by")


def test_a_planned_failover_never_calls_the_source_failing() -> None:
    seen = told(build(whole()), "impact", "decided", "fenced", "promoted", execution="graceful")
    assert [(scene.left.text, scene.right.text, scene.arrow) for scene in seen.values()] == [
        ("serves", "follows", "right"),
        ("serves", "follows", "right"),
        ("fenced", "follows", "right"),
        ("fenced", "writes", ""),
    ]


def test_a_function_that_nobody_watched_leaves_the_end_open() -> None:
    facts = whole()
    report = build(replace(facts, ledgers={name: entries for name, entries in facts.ledgers.items() if name != "voice"}))
    assert "served" not in names(report)
    assert "return-served" not in names(report)
    assert drawn(report)["Traffic moved"].right.text == "gets traffic"


def test_traffic_that_nobody_was_seen_to_be_served_with_is_no_service() -> None:
    nobody = {"rto_actual_seconds": None, "first_failed_seconds": None, "recovered_seconds": None}
    unmeasured = tuple(function.model_copy(update=nobody) for function in build(whole()).functions)
    assert told(build(whole()), "impact", "promoted", "traffic", functions=unmeasured)["Traffic moved"].right.text == "gets traffic"
    never_away = tuple(function.model_copy(update={**nobody, "rto_actual_seconds": 0.0}) for function in unmeasured)
    assert told(build(whole()), "impact", "promoted", "traffic", functions=never_away)["Traffic moved"].right.text == "serves"


def test_nothing_recorded_is_nothing_drawn() -> None:
    facts = replace(whole(), records=(), ledgers={}, observations=())
    assert names(build(facts)) in ([], ["impact"])
    assert scenes(build(whole()).model_copy(update={"events": (), "sides": ()})) == ()
