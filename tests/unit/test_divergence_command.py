"""`holdfast divergence`: what a person sees of an export and gets back from it, and what is said to one who asks for something else.

The command, the conduct, the files and the journal are the real ones; the controller's loop and the stores are on paper.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from holdfast.cli import divergence as command
from holdfast.cli.main import run
from holdfast.controller.giving_back import given_back
from holdfast.fencing.order import Order
from holdfast.ports.action import Mode, Task
from holdfast.providers.clock.system import SystemClock
from holdfast.providers.file.divergence import DivergenceExportAction
from holdfast.providers.file.give_back import ExportGiver
from unit.conduct_on_paper import DR, PRIMARY, Paper
from unit.divergence_stand_ins import StandInSource, StandInStore
from unit.test_conduct_divergence import LEAD, returning

EPOCH = (0, 2)


class Desk:
    """A controller on paper that carries wishes out at once, over the exports of one directory; what `--lab` leads to."""

    def __init__(self, directory: Path, paper: Paper) -> None:
        self.directory, self.paper = directory, paper
        self.writer = StandInStore(DR, EPOCH, {"calls/3": {"seconds": 999}})  # made there too, and another one
        self.giver = ExportGiver(directory, {"postgres": self.writer})

    @property
    def calls(self) -> dict[str, int]:
        """What the database that serves has."""
        return {name: row["seconds"] for name, row in self.writer.has.items()}

    def command(self, verb: str, by: str, arguments: Mapping[str, Any], identifier: str) -> str:
        said = self.paper.command(verb, by, **arguments)
        for move in self.paper.giving_back.values():
            self.paper.write([asyncio.run(given_back(self.giver, move))])
        self.paper.giving_back.clear()
        self.wish = identifier
        return said

    def records(self, after: int) -> list[dict[str, Any]]:
        return [self._told(record.sequence, record.kind, record.body) for record in self.paper.records if record.sequence > after]

    def _told(self, sequence: int, kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
        # On paper a command has a name of its own.
        last = kind == "divergence.applied" and sequence == len(self.paper.records)
        return {"sequence": sequence, "kind": kind, "body": {**body, "reapply": self.wish} if last else dict(body)}


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Home was lost with 600 calls; the way back was asked for and they are exported."""
    paper = returning()
    task = Task("x", "divergence.export", None, PRIMARY, DR, Mode.GRACEFUL, Order(0, 2, 1, 9), incident="inc-1-1", run="reprotect")
    calls = {f"calls/{number}": {"seconds": number} for number in range(1, 601)}
    source = StandInSource(calls, table="calls", notes=("note has no primary key",))
    export = DivergenceExportAction(tmp_path, {"database": ("postgres", source)}, SystemClock())
    assert asyncio.run(export.act(task)).facts["complete"]
    made = Desk(tmp_path, paper)
    monkeypatch.setattr(command, "controller_of", lambda lab: made)
    return made


def apply(*only: str, by: str = LEAD, incident: str = "inc-1-1", more: Sequence[str] = ()) -> int:
    return run(["divergence", "apply", incident, *(word for one in only for word in ("--only", one)), "--as", by, *more])


def wishes(desk: Desk) -> list[dict[str, Any]]:
    return [dict(record.body) for record in desk.paper.records if record.kind == "divergence.apply-ordered"]


def test_a_person_sees_how_much_there_is_where_it_stands_and_how_to_give_some_back(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["divergence", "inc-1-1", "--directory", str(desk.directory)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"⏸ {PRIMARY} alone held, or had otherwise, 600 rows, keys and objects"
    assert any("database calls" in line and "600" in line for line in lines)
    assert "database: note has no primary key" in lines
    assert lines[-1] == "next: holdfast divergence apply inc-1-1 --only ID --as NAME"

    assert run(["divergence", "inc-1-1", "--directory", str(desk.directory), "--entries", "-o", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["schema"], len(told["entries"]), told["entries"][0]["id"]) == ("holdfast/divergence/v1", 600, "calls/1")


def test_an_export_that_may_not_be_all_says_so_first_and_is_not_fine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    task = Task("x", "divergence.export", None, PRIMARY, DR, Mode.GRACEFUL, Order(0, 2, 1, 9), incident="inc-1-1", run="reprotect")
    source = StandInSource({"calls/1": {}}, table="calls", unexamined=("a table was emptied (TRUNCATE) here alone",))
    asyncio.run(DivergenceExportAction(tmp_path, {"database": ("postgres", source)}, SystemClock()).act(task))
    assert run(["divergence", "inc-1-1", "--directory", str(tmp_path)]) == 3
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"? {PRIMARY} may have held more alone than these 1")
    assert "? database: a table was emptied (TRUNCATE) here alone" in lines


def test_who_names_no_incident_is_told_which_there_are(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    (desk.directory / "inc-0-9").mkdir()
    (desk.directory / "inc-0-9" / "divergence.json").write_text("spoilt")
    assert run(["divergence", "--directory", str(desk.directory)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("inc-1-1") and PRIMARY in line and "600" in line for line in lines)
    assert any(line.startswith("inc-0-9") and "can't be read" in line for line in lines)
    assert lines[-1] == "next: holdfast divergence inc-1-1"
    assert run(["divergence", "--directory", str(desk.directory / "nowhere")]) == 0
    assert capsys.readouterr().out.startswith("Nothing was exported yet")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["inc-9-9"], 1, "nothing was exported for inc-9-9"),
        (["inc-9-9"], 1, "there are exports of inc-1-1"),
        (["inc-1-1", "--run", "way-back"], 1, "nothing was exported for inc-1-1"),
        (["../inc-1-1"], 2, "is no name of an incident"),
        (["inc-1-1", "--run", "home"], 2, ""),
    ],
)
def test_an_export_that_is_not_there_is_said(
    desk: Desk, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, said: str
) -> None:
    assert run(["divergence", *arguments, "--directory", str(desk.directory)]) == code
    captured = capsys.readouterr()
    assert said in captured.err and captured.out == ""


@pytest.mark.parametrize("spoilt", ["{}", "no JSON", '{"schema": "holdfast/divergence/v9"}'])
def test_an_export_that_cannot_be_read_is_unknown_and_gives_nothing_back(
    desk: Desk, capsys: pytest.CaptureFixture[str], spoilt: str
) -> None:
    (desk.directory / "inc-1-1" / "divergence.json").write_text(spoilt)
    assert run(["divergence", "inc-1-1", "--directory", str(desk.directory)]) == 3
    assert "can't be read" in capsys.readouterr().err
    assert apply("calls/1") == 1
    assert "the export can't be read" in capsys.readouterr().out
    assert desk.calls == {"calls/3": 999}


def test_chosen_rows_are_given_back_once_and_every_wish_is_in_the_journal(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert apply("calls/1", "calls/2") == 0
    assert capsys.readouterr().out.startswith("✓ given back: 2 applied")
    assert apply("calls/1") == 0
    assert capsys.readouterr().out.startswith("✓ given back: 1 already")
    assert desk.calls == {"calls/1": 1, "calls/2": 2, "calls/3": 999}
    assert [(wish["by"], wish["only"], wish["objections"]) for wish in wishes(desk)] == [
        (LEAD, ["calls/1", "calls/2"], "stop"),
        (LEAD, ["calls/1"], "stop"),
    ]


@pytest.mark.parametrize(("bad", "said"), [("calls/3", "has other values in seconds"), ("calls/999", "it is not in the export of inc-1-1")])
def test_a_row_that_cannot_be_taken_is_shown_and_nothing_is_given_back(
    desk: Desk, capsys: pytest.CaptureFixture[str], bad: str, said: str
) -> None:
    assert apply("calls/1", bad) == 1
    shown = capsys.readouterr().out
    assert shown.startswith("⏸ nothing was given back: ")
    assert said in " ".join(shown.split()) and "1 withheld" in shown
    assert desk.calls == {"calls/3": 999}
    assert apply("calls/1", bad, more=["--leave-conflicts"]) == 1
    assert capsys.readouterr().out.startswith("⏸ given back in part: ")
    assert desk.calls == {"calls/1": 1, "calls/3": 999}


def test_a_whole_file_of_the_export_is_given_back_in_portions_up_to_the_first_that_cannot_be_taken(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(desk.directory / "inc-1-1" / "database" / "calls.jsonl")
    assert apply(file, more=["-o", "json"]) == 1
    results = json.loads(capsys.readouterr().out)["results"]
    assert len(results) == 600
    assert {result["result"] for result in results} == {"conflict", "withheld"}
    assert len(wishes(desk)) == 1
    assert desk.calls == {"calls/3": 999}
    assert apply(file, more=["--leave-conflicts"]) == 1
    assert [len(wish["only"]) for wish in wishes(desk)] == [500, 500, 100]
    assert (len(desk.calls), desk.calls["calls/3"]) == (600, 999)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"id": "calls/1"}\n{"name": "calls/2"}\n', "chosen.txt:2: no entry of an export"),
        (b'{"id": "calls/1"\n', "chosen.txt:1: no entry of an export"),
        (b"\xff\xfe", "can't be read"),
        (b"\n\n", "nothing was chosen"),
        (None, "there is no file"),
    ],
)
def test_a_file_that_names_no_rows_is_refused_before_anybody_is_asked(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, said: str
) -> None:
    file = tmp_path / "chosen.txt"
    if content is not None:
        file.write_bytes(content)
    assert apply("calls/2", str(file)) == 2 if content != b"\n\n" else apply(str(file)) == 2
    told = capsys.readouterr().err
    assert said in told and "nothing was done" in told
    assert wishes(desk) == []


@pytest.mark.parametrize(
    ("incident", "by", "code", "said"),
    [
        ("inc-9-9", LEAD, 1, "there is no such incident; there are: inc-1-1"),
        ("inc-1-1", "mallory", 1, "nobody in the plan"),
        ("no incident", LEAD, 2, "is no name of an incident"),
    ],
)
def test_who_asks_for_another_incident_or_is_nobody_gets_nothing(
    desk: Desk, capsys: pytest.CaptureFixture[str], incident: str, by: str, code: int, said: str
) -> None:
    assert apply("calls/1", incident=incident, by=by) == code
    assert said in capsys.readouterr().err
    assert wishes(desk) == [] and desk.calls == {"calls/3": 999}


def test_an_incident_of_which_nothing_was_exported_gives_nothing_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    paper = Paper()
    paper.lose_region()
    monkeypatch.setattr(command, "controller_of", lambda lab: Desk(tmp_path, paper))
    assert apply("calls/1", incident=paper.incident.incident) == 1
    assert f"what only {PRIMARY} held in {paper.incident.incident} was not exported" in capsys.readouterr().err
