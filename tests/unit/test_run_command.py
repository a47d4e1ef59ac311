"""`holdfast run`: what goes wrong below is one clear line, however deep in tasks it came from."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from holdfast.cli import run as run_command
from holdfast.cli.output import CommandError, ExitCode
from holdfast.lab.layout import Layout
from holdfast.lab.running import Lab
from holdfast.ports.journal_store import JournalBroken, JournalConflict, JournalFull, JournalHeld
from holdfast.providers.sqlite.journal import SqliteJournal
from unit.conduct_on_paper import PLAN_FILE


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (JournalConflict("record 7 does not follow"), ExitCode.NOT_SO),
        (JournalHeld("another controller is writing this journal"), ExitCode.BAD_INPUT),
        (JournalFull("free space on its disk"), ExitCode.NOT_SO),
        (JournalBroken("cannot be read"), ExitCode.BAD_INPUT),
        (OSError("the controller can't listen on 127.0.0.1:1"), ExitCode.BAD_INPUT),
    ],
)
def test_a_fault_in_a_task_is_said_in_its_own_words(fault: Exception, code: ExitCode, monkeypatch: pytest.MonkeyPatch) -> None:
    async def failing(*_: Any, **__: Any) -> None:
        raise ExceptionGroup("unhandled errors in a TaskGroup", [fault])

    monkeypatch.setattr("holdfast.app_controller.run_controller", failing)
    monkeypatch.setattr(run_command, "bindings_of", lambda _: None)
    monkeypatch.setattr(run_command, "is_there", lambda _: True)
    with pytest.raises(CommandError) as said:
        run_command.run(PLAN_FILE, lab=Path("nowhere"))
    assert (str(said.value), said.value.code) == (str(fault), code), "in its own words, once"


def _started(monkeypatch: pytest.MonkeyPatch, lab: Path, fault: Exception | None = None, **options: Any) -> str:
    """Run it; returns the profile that the controller was started with."""
    begun: list[str] = []

    async def controller(*_: Any, profile: str, **__: Any) -> None:
        begun.append(profile)
        if fault is not None:
            raise ExceptionGroup("unhandled errors in a TaskGroup", [fault])

    monkeypatch.setattr("holdfast.app_controller.run_controller", controller)
    monkeypatch.setattr(run_command, "bindings_of", lambda _: None)
    run_command.run(PLAN_FILE, lab=lab, **options)
    return begun[0]


def test_a_lab_that_is_stopped_under_its_controller_is_said_as_that(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    gone = FileNotFoundError(2, "No such file or directory", str(tmp_path / "secrets" / "agent.eu-west-1.key"))
    with pytest.raises(CommandError, match=r"the lab in .* was stopped, so its controller ends here; the journal stays in") as said:
        _started(monkeypatch, tmp_path, gone)
    assert said.value.code == ExitCode.NOT_SO
    assert "Errno" not in str(said.value)


@pytest.mark.parametrize("afterwards", ['{"identity": "holdfast-1-bb"}', None], ids=["another", "none"])
def test_a_controller_ends_with_its_lab_so_that_the_next_one_there_hears_nothing_from_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, afterwards: str | None
) -> None:
    ended: list[str] = []
    description = tmp_path / "lab.json"
    description.write_text('{"identity": "holdfast-1-aa"}')

    async def controller(*_: Any, **__: Any) -> None:
        if afterwards is None:
            description.unlink()
        else:
            description.write_text(afterwards)
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            ended.append("in order")
            raise

    monkeypatch.setattr("holdfast.app_controller.run_controller", controller)
    monkeypatch.setattr(run_command, "bindings_of", lambda _: None)
    monkeypatch.setattr(run_command, "LOOK_FOR_LAB_SECONDS", 0.01)
    with pytest.raises(CommandError, match="was stopped, so its controller ends here") as said:
        run_command.run(PLAN_FILE, lab=tmp_path)
    assert (ended, said.value.code) == (["in order"], ExitCode.NOT_SO)


def test_a_description_that_cannot_be_read_ends_nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "lab.json").write_text('{"identity": "holdfast-1-aa"}')
    (tmp_path / "bindings.witness.json").write_text("{}")

    async def controller(*_: Any, **__: Any) -> None:
        (tmp_path / "lab.json").write_text("{half a")
        await asyncio.sleep(0.1)

    monkeypatch.setattr("holdfast.app_controller.run_controller", controller)
    monkeypatch.setattr(run_command, "bindings_of", lambda _: None)
    monkeypatch.setattr(run_command, "LOOK_FOR_LAB_SECONDS", 0.01)
    assert run_command.run(PLAN_FILE, lab=tmp_path) == ExitCode.FINE


def test_without_a_profile_it_takes_the_labs_and_another_one_is_warned_of(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _started(monkeypatch, tmp_path) == "default"
    (tmp_path / "lab.json").write_text('{"profile": "fast"}')
    assert _started(monkeypatch, tmp_path) == "fast"
    assert capsys.readouterr().err == ""
    assert _started(monkeypatch, tmp_path, profile="default") == "default"
    said = capsys.readouterr().err
    assert "the lab's agents run with the profile fast (lease 3 s), this controller with default (15 s)" in said


def test_whether_a_controller_runs_on_a_lab_is_known_from_its_journal(tmp_path: Path) -> None:
    lab = Lab(Layout(tmp_path), {}, None)
    assert not lab.controller_runs()
    journal = SqliteJournal(lab.layout.controller / "journal.db")
    assert lab.controller_runs()
    journal.close()
    assert not lab.controller_runs()
