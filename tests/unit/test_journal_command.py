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


def _head(path: Path) -> str:
    with sqlite3.connect(path) as connection:
        return ":".join(map(str, connection.execute("SELECT sequence, hash FROM journal ORDER BY sequence DESC LIMIT 1").fetchone()))


def _cut_off_the_end(path: Path) -> None:
    """As somebody would who may write the file: the guard put back, the note of how far it had come taken away."""
    connection = sqlite3.connect(path, isolation_level=None)
    guard = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'journal_never_shrinks'").fetchone()[0]
    connection.execute("DROP TRIGGER journal_never_shrinks")
    connection.execute("DELETE FROM journal WHERE sequence > 2")
    connection.execute(guard)
    connection.close()
    path.with_name("journal.db.lock").unlink()


def test_a_noted_head_proves_that_the_end_is_still_there(journal_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    noted = _head(journal_file)
    assert verify(journal_file, head=noted) == 0
    assert f"the noted head is one of them; head {noted}" in " ".join(capsys.readouterr().out.split())
    assert verify(journal_file, head=f"2:{'0' * 64}") == 1
    assert "record 2 is another one than was noted" in " ".join(capsys.readouterr().out.split())
    _cut_off_the_end(journal_file)
    assert verify(journal_file, head=noted) == 1
    assert "record 4 was noted, and the journal ends with record 2" in " ".join(capsys.readouterr().out.split())
    assert verify(journal_file, head=_head(journal_file)[:18]) == 0


def test_without_a_head_or_a_note_beside_it_the_end_is_unknown(journal_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _cut_off_the_end(journal_file)
    assert verify(journal_file) == 3
    assert "whether there were more can't be told" in " ".join(capsys.readouterr().out.split())
    assert verify(journal_file, output="json") == 3
    assert json.loads(capsys.readouterr().out)["end_known"] is False


@pytest.mark.parametrize("text", ["300", "x:9f2c41d07b3e5a68", "300:9f2c", "300:nonsense-nonsense", "0:9f2c41d07b3e5a68"])
def test_a_head_that_is_none_is_bad_input(journal_file: Path, text: str) -> None:
    with pytest.raises(CommandError, match="RECORD:HASH"):
        verify(journal_file, head=text)


def test_a_journal_whose_guard_is_gone_is_not_called_whole(journal_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    connection = sqlite3.connect(journal_file, isolation_level=None)
    connection.execute("DROP TRIGGER journal_never_shrinks")
    connection.close()
    assert verify(journal_file) == 1
    assert "journal_never_shrinks is gone" in " ".join(capsys.readouterr().out.split())


def test_a_file_that_was_cut_short_is_called_so(journal_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = journal_file.stat().st_size
    with journal_file.open("r+b") as file:
        file.truncate(whole - 1000)
    assert verify(journal_file) == 1
    assert f"the file was cut short: it has {whole - 1000:,} of {whole:,} bytes" in " ".join(capsys.readouterr().out.split())


def test_only_its_owner_reads_a_journal(journal_file: Path) -> None:
    assert {file.stat().st_mode & 0o777 for file in journal_file.parent.iterdir()} == {0o600}


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


def test_what_the_chain_does_not_prove_is_not_shown_as_fine(journal_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    connection = sqlite3.connect(journal_file, isolation_level=None)
    connection.execute("DROP TRIGGER journal_never_changes")
    connection.execute("""UPDATE journal SET body = '{"kind": "incident"}' WHERE sequence = 2""")
    connection.close()
    assert show(journal_file) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("✕ broken: ")
    rows = [line for line in lines if line.lstrip()[:1] in "1234" and ":13:20" in line]
    assert ["not proved" in row for row in rows] == [False, True, True, True]
    assert [row.split()[3] for row in rows] == ["▶", "✕", "?", "?"]


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
