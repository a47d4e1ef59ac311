"""`holdfast status`: short, the one thing that matters first, the next command last."""

import json
from typing import Any

import pytest

from holdfast.cli import status as command
from holdfast.console.state import state
from unit.conduct_on_paper import DR, PRIMARY, Paper


def _shown(paper: Paper, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], **options: Any) -> list[str]:
    told = json.loads(json.dumps(state(paper.situation(), 1.0, None, {"witness": paper.now})))
    monkeypatch.setattr(command, "controller_of", lambda lab: None)
    monkeypatch.setattr(command, "state_of", lambda client: told)
    command.status(**options)
    return capsys.readouterr().out.rstrip().splitlines()


def test_what_waits_is_first_and_its_command_last(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    paper = Paper(exercise=None)
    paper.lose_region()
    lines = _shown(paper, monkeypatch, capsys)
    assert lines[0].startswith(f"⏸ inc-1-1: failover {PRIMARY} → {DR} waits for approval; 5 of 5 functions out")
    assert "2 of Aoife Brennan (platform lead)" in lines[1]
    assert lines[-1] == "next: holdfast approve inc-1-1 --as aoife-brennan"
    assert len(lines) <= 6


def test_what_is_done_is_counted_and_listed_on_demand(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    paper = Paper()
    paper.lose_region()
    paper.approve("exercise-one", "exercise-two")
    short = _shown(paper, monkeypatch, capsys)
    assert short[0].startswith("EXERCISE ")
    assert any("of 17 steps done" in line for line in short)
    whole = _shown(paper, monkeypatch, capsys, steps=True)
    assert any("promote-database" in line and "✓ succeeded" in line for line in whole)
    assert len(short) < len(whole)


def test_a_step_that_waits_shows_every_way_to_go_on(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    paper = Paper()
    paper.outcomes["postgres.promote"] = "refused"
    paper.lose_region()
    paper.approve("exercise-one", "exercise-two")
    lines = _shown(paper, monkeypatch, capsys)
    assert "promote-database waits for a person" in lines[0]
    assert {"retry", "skip", "done"} <= {line.split(" ")[0] for line in lines}
    assert lines[-1] == "next: holdfast choose promote-database retry --as exercise-one"


def test_calm_is_two_lines(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert len(_shown(Paper(), monkeypatch, capsys)) == 2
