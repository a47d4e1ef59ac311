"""`holdfast status`: short, the one thing that matters first, the next command last."""

import json
from typing import Any

import pytest

from holdfast.cli import deciding
from holdfast.cli import status as command
from holdfast.cli.output import CommandError
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
    assert lines[1] == f"because witness and outside get no answer; {PRIMARY} holds the right to write, epoch 0.1"
    assert lines[2].endswith("at most the last 3.6 s of acknowledged writes, an estimated 40 writes; nobody has approved yet")
    assert "2 of Aoife Brennan (platform lead)" in lines[3]
    assert "must answer for Incident Commander, Technical Lead" in lines[4]
    assert lines[-1] == "next: holdfast approve inc-1-1 --as aoife-brennan"
    assert len(lines) <= 7


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


def test_who_has_approved_is_said_and_a_loss_that_needs_a_name(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    paper = Paper()
    paper.loss = type(paper.loss)(None, None)
    paper.lose_region()
    paper.approve("exercise-one")
    lines = _shown(paper, monkeypatch, capsys)
    assert "nobody can bound what it may lose: one approver must accept that by name" in lines[2]
    assert lines[2].endswith("exercise-one (platform lead) approved so far, 1 of 2")


def test_after_a_refusal_it_says_that_nothing_opens_by_itself_and_how_to_declare(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    paper = Paper(exercise=None)
    paper.lose_region()
    said = paper.command("refuse", "aoife-brennan", reason="the provider is back in five minutes")
    assert "opens nothing by itself until it clears; `holdfast declare` does" in said
    paper.wait(12.0)
    lines = _shown(paper, monkeypatch, capsys)
    assert lines[0].startswith(f"✕ {PRIMARY} is suspected (network-lost, for 15 s)")
    assert "5 of 5 functions out; people decided against acting on this: it opens nothing by itself until it clears" in lines[0]
    asked = lines[-1].removeprefix("next: holdfast declare --as ")
    assert paper.command("declare", asked).startswith("accepted")
    rule = paper.plan.approval.activation
    assert not any(asked in (paper.plan.roles[role].primary, paper.plan.roles[role].backup) for role in rule.of), "could not approve then"


FULL = {"since_seconds": Paper().now - 12.0, "reason": "journal.db: database or disk is full; free space on its disk"}


def test_a_journal_that_can_not_be_written_is_the_first_thing_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    paper = Paper(exercise=None)
    told = {**json.loads(json.dumps(state(paper.situation(), 1.0, None, {"witness": paper.now}))), "journal_full": FULL}
    monkeypatch.setattr(command, "controller_of", lambda lab: None)
    monkeypatch.setattr(command, "state_of", lambda client: told)
    command.status()
    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith(
        "✕ the journal can't be written for 12 s, so nothing is decided or ordered: journal.db: database or disk is full"
    )
    monkeypatch.setattr(deciding, "controller_of", lambda lab: None)
    monkeypatch.setattr(deciding, "state_of", lambda client: told)
    with pytest.raises(CommandError, match=r"can't write its journal .*disk is full"):
        deciding.approve("inc-1-1", by="exercise-one", yes=True)
