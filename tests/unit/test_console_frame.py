"""The live view: the one thing that matters first, the command last, both regions where they always are, and words for every colour."""

import json
from dataclasses import asdict, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as any_

from holdfast.conduct.situation import Alarm, FunctionHit, LossBound
from holdfast.console.frame import cells, frame, plain
from holdfast.console.protecting import UNPROTECTED
from holdfast.console.said import Said
from holdfast.console.state import state
from holdfast.console.view import Heard, View, view
from holdfast.health.loss import ComponentLoss
from holdfast.health.standing import served_from, standings
from unit.conduct_on_paper import DR, PRIMARY, Paper
from unit.health_world import World, cut


def _told(paper: Paper, world: World | None = None) -> dict[str, Any]:
    world = world or World()
    seen = world.run(0, 20)
    heard = dict.fromkeys(paper.plan.observers, seen.now - 0.2)
    told = state(paper.situation(), 1.0, seen, heard, standings(world.history, seen), served_from(world.history))
    found: dict[str, Any] = json.loads(json.dumps(told))
    return found


def _view(paper: Paper, world: World | None = None, *, age: float = 0.2, silent: float | None = None) -> View:
    return view(Heard(_told(paper, world), age, silent, "refused"), paper.now)


def _text(shown: View, width: int = 80, height: int = 24) -> list[str]:
    return [plain(line) for line in frame(shown, width, height)]


def _lost() -> Paper:
    paper = Paper(exercise=None)
    paper.lose_region()
    paper.wait(8.0)
    return paper


def test_all_is_well_in_one_line_and_nothing_is_asked_of_anybody() -> None:
    lines = _text(_view(Paper(exercise=None)))
    assert lines[0] == f"✓ all 5 functions are served; {PRIMARY} writes under epoch 0.1; no incident"
    assert lines[-1] == "next: holdfast status"
    assert len(lines) <= 24
    assert "not shown" not in "".join(lines)


def test_an_incident_says_what_waits_for_whom_by_when_and_how() -> None:
    lines = _text(_view(_lost(), World(fault=cut(PRIMARY, 5.0))))
    assert lines[0].startswith(f"⏸ inc-1-1: failover {PRIMARY} → {DR} waits for approval")
    assert lines[-1] == "next: holdfast approve inc-1-1 --as aoife-brennan"
    whole = " ".join(line.strip() for line in lines)
    assert "2 of Aoife Brennan (platform lead)" in whole
    assert "by 15:16:40, in 30 min" in whole
    assert "what is proposed may lose at most the last 3.6 s" in whole
    assert "P1 Voice Call Processing    ✕ down" in whole
    assert "11 s / 15 min" in whole
    assert len(lines) <= 24


def test_where_room_is_short_what_is_unprotected_stands_longer_than_what_is_not_known_of_protection() -> None:
    doubt, unprotected = Said("unknown", "whether Cache is protected is unknown"), Said(UNPROTECTED, "UNPROTECTED: Database")
    for protection in ((doubt, unprotected), (unprotected, doubt)):
        shown = replace(_view(_lost()), protection=protection)
        pages = ["\n".join(_text(shown, height=height)[1:]) for height in range(6, 60)]
        seen = {tuple(said.text in page for said in (unprotected, doubt)) for page in pages}
        assert (True, True) in seen and (True, False) in seen
        assert (False, True) not in seen


def test_regions_keep_their_sides_when_the_other_one_serves() -> None:
    paper = _lost()
    before = _text(_view(paper))
    paper.approve("aoife-brennan", "matteo-ricci")
    after = _text(_view(paper))
    for lines in (before, after):
        names = next(line for line in lines if f"{DR} (DR)" in line)
        assert names.index(PRIMARY) < names.index(DR)
    assert any("─▶" in line for line in before)
    assert any("◀ " in line for line in after)


def test_an_exercise_says_so_first() -> None:
    paper = Paper()
    paper.lose_region()
    assert _text(_view(paper))[0].startswith("EXERCISE ⏸")


def test_a_silent_controller_makes_everything_unknown_and_stops_its_clocks() -> None:
    paper, world = _lost(), World(fault=cut(PRIMARY, 5.0))
    lines = _text(_view(paper, world, age=45.0, silent=44.0))
    assert lines[0].startswith("? the controller has not answered for 44 s")
    whole = "\n".join(lines[1:])
    assert "✓" not in whole
    assert "✕" not in whole
    assert "11 s / 15 min" in whole  # as last known: not one second more is claimed
    assert "was down" in whole
    assert "(stale)" in whole
    assert lines[-1] == "next: holdfast run PLAN"


def test_a_controller_that_was_never_heard_is_said_so() -> None:
    shown = view(Heard(None, 3.0, 3.0, "refused"), 1_000_000.0)
    assert _text(shown)[0].startswith("? the controller doesn't answer (since 13:46:37, 3 s)")


@pytest.mark.parametrize(
    ("share", "word", "look"), [(0.1, "in time", "running"), (0.7, "at risk", "needs-person"), (1.2, "over by 3 min", "failed")]
)
def test_a_clock_turns_at_risk_and_then_says_by_how_much_it_is_over(share: float, word: str, look: str) -> None:
    paper = Paper()
    paper.hit = (FunctionHit("voice", paper.now - 900.0 * share, True),)
    voice = next(clock for clock in _view(paper, age=0.0).clocks if clock.name == "Voice Call Processing")
    assert (voice.verdict, voice.verdict_state) == (word, look)
    assert voice.forecast == "unknown: no run is under way"


def test_a_forecast_that_breaks_the_promise_puts_the_clock_at_risk_at_once() -> None:
    clocks = {clock.name: clock for clock in _view(_lost()).clocks}
    assert clocks["Voice Call Processing"].verdict == "at risk"  # 15 minutes promised, the plan's windows take 30
    assert clocks["Configuration Management"].verdict == "in time"


def test_what_was_seen_before_an_incident_is_a_suspicion() -> None:
    paper = Paper()
    paper.alarms = (Alarm(PRIMARY, "region-score", False, paper.now - 12.0, "the score is 40", 40.0),)
    assert _text(_view(paper, age=0.0))[0] == f"EXERCISE ? {PRIMARY} is suspected (region-score, for 12 s): the score is 40"


def test_each_component_says_what_it_may_lose_against_its_own_rpo_and_unknown_is_no_zero() -> None:
    paper = Paper(exercise=None)
    losses = (
        ComponentLoss("database", 1.3, paper.now - 1.2, 13, 300.0, "seen"),
        ComponentLoss("cache", 1200.0, paper.now - 1200.0, None, 900.0, "seen"),
        ComponentLoss("storage", None, None, None, 3600.0, "nobody has seen a time stamp"),
    )
    paper.loss = LossBound(None, None, losses)
    told = _told(paper)["loss"]
    assert [(one["component"], one["bound_seconds"], one["rpo_seconds"]) for one in told["components"]] == [
        ("database", 1.3, 300.0),
        ("cache", 1200.0, 900.0),
        ("storage", None, 3600.0),
    ]
    said = next(line for line in _text(_view(paper), 120) if line.startswith("  each now:"))
    assert said == "  each now: ✓ PostgreSQL 1.3 s ✕ Redis 20 min, above its RPO of 15 min ? Object storage unknown"
    assert not any("each now" in line for line in _text(_view(paper, silent=9.0))), "what was known is no proof of anything now"


def test_a_small_window_keeps_what_matters_and_counts_what_it_leaves_out() -> None:
    paper, world = _lost(), World(fault=cut(PRIMARY, 5.0))
    lines = _text(_view(paper, world), 80, 12)
    assert len(lines) == 12
    assert lines[0].startswith("⏸ inc-1-1")
    assert lines[-1].startswith("next: holdfast approve")
    assert any("not shown, the window is too small" in line and "6 components" in line for line in lines)
    assert any("Voice" in line for line in lines)


@given(any_.integers(20, 200), any_.integers(1, 60), any_.sampled_from(["well", "lost", "silent", "stuck"]))
@settings(max_examples=60, deadline=None)
def test_no_frame_is_wider_or_higher_than_the_window(width: int, height: int, story: str) -> None:
    shown = _STORIES[story]
    lines = frame(shown, width, height)
    assert len(lines) <= max(height, 6)
    assert all(cells(plain(line)) <= max(width, 40) for line in lines)
    assert plain(lines[-1]).startswith("next: ")


def _stuck() -> Paper:
    paper = _lost()
    paper.outcomes["postgres.promote"] = "refused"
    paper.approve("aoife-brennan", "matteo-ricci")
    return paper


_STORIES = {
    "well": _view(Paper()),
    "lost": _view(_lost(), World(fault=cut(PRIMARY, 5.0))),
    "silent": _view(_lost(), age=9.0, silent=9.0),
    "stuck": _view(_stuck()),
}


def test_every_state_has_an_icon_so_that_nothing_is_lost_without_colour() -> None:
    for shown in _STORIES.values():
        for line in frame(shown, 140, 50):
            for text, look in line:
                if look in ("done", "failed", "unknown", "needs-person", "running") and text.strip() and text is line[0][0]:
                    assert text.strip()[0] in "✓✕?⏸▶", text


def test_a_frame_is_data_too() -> None:
    told = json.loads(json.dumps(asdict(_STORIES["lost"])))
    assert told["headline"]["state"] == "needs-person"
    assert told["clocks"][0]["name"] == "Voice Call Processing"
    assert replace(_STORIES["lost"]).next_command == told["next_command"]
