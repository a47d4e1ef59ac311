"""`holdfast journal` as a person uses it: in a terminal, and from scripts."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from holdfast.cli.journal import export, show, verify
from holdfast.cli.main import run
from holdfast.cli.output import CommandError
from holdfast.journal.record import following
from holdfast.providers.sqlite.journal import SqliteJournal


@pytest.fixture
def journal_file(tmp_path: Path) -> Path:
    path = tmp_path / "journal.db"
    journal = SqliteJournal(path)
    for kind, incident, body in (
        ("controller.started", "", {"term": 1, "resumed": False}),
        ("incident.opened", "inc-1", {"kind": "exercise", "source": "eu-west-1", "reason": "[red]no markup[/]"}),
        ("step.finished", "inc-1", {"step": "dns", "outcome": "failed", "detail": "REFUSED"}),
        ("step.finished", "inc-2", {"step": "dns", "outcome": "unknown"}),
    ):
        journal.append([following(journal.head(), 1_700_000_000.5, kind, incident, body)])
    journal.close()
    return path


def _tamper(path: Path) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("DROP TRIGGER journal_never_changes")
    connection.execute("""UPDATE journal SET body = '{"term": 2}' WHERE sequence = 1""")
    connection.close()


def test_verify_says_whole_with_the_head(journal_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify(journal_file) == 0
    said = capsys.readouterr().out
    assert "whole: 4 records" in said
    with sqlite3.connect(journal_file) as connection:
        assert connection.execute("SELECT hash FROM journal WHERE sequence = 4").fetchone()[0] in said


def test_verify_says_where_it_is_broken(journal_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _tamper(journal_file)
    assert verify(journal_file) == 1
    assert "record 1 (controller.started) was changed" in capsys.readouterr().out


@pytest.mark.parametrize("command", [verify, show, export])
def test_a_missing_journal_is_said(tmp_path: Path, command: Callable[[Path], int]) -> None:
    with pytest.raises(CommandError, match="there is no journal here"):
        command(tmp_path / "absent.db")


def test_show_prints_a_table_that_marks_exercises_and_states_in_words(journal_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert show(journal_file) == 0
    said = capsys.readouterr().out
    assert "4 records" in said
    assert "EXERCISE" in said
    assert "✕" in said and "?" in said
    assert "[red]no" in said.replace("\n", " "), "what stands in records is data, never markup"
    assert said.rstrip().splitlines()[-1].startswith("next: holdfast journal verify")


def test_show_of_one_incident_as_json(journal_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert show(journal_file, incident="inc-2", output="json") == 0
    records = json.loads(capsys.readouterr().out)
    assert [record["sequence"] for record in records] == [4]


def test_show_of_a_broken_journal_shows_it_and_says_so(journal_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _tamper(journal_file)
    assert show(journal_file, output="json") == 1
    said = capsys.readouterr()
    assert len(json.loads(said.out)) == 4
    assert "broken" in said.err


def test_export_is_a_line_of_json_for_each_record(journal_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert export(journal_file) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["sequence"] for line in lines] == [1, 2, 3, 4]
    assert lines[1]["previous"] == lines[0]["hash"]


def test_the_commands_load_lightly() -> None:
    program = "import sys; import holdfast.cli.journal; sys.exit('sqlite3' in sys.modules or 'rich.table' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == 0


def test_the_command_line_passes_on_exit_codes(journal_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["journal", "verify", str(journal_file), "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["whole"] is True
    _tamper(journal_file)
    assert run(["journal", "verify", str(journal_file), "-o", "json"]) == 1
    assert json.loads(capsys.readouterr().out)["whole"] is False
    assert run(["journal", "verify", str(journal_file.with_name("absent"))]) == 2
