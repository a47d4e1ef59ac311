"""`holdfast run`: what goes wrong below is one clear line, however deep in tasks it came from."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from holdfast.cli import run as run_command
from holdfast.cli.output import CommandError, ExitCode
from holdfast.lab.layout import Layout
from holdfast.lab.running import Lab
from holdfast.ports.journal_store import JournalBroken, JournalConflict, JournalFull, JournalHeld
from holdfast.providers.sqlite.journal import SqliteJournal
from unit.canary_bindings import some_bindings
from unit.conduct_on_paper import PLAN_FILE

Controller = Callable[..., Coroutine[Any, Any, None]]


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    """The folder of a lab that nobody can reach."""
    (tmp_path / "bindings.witness.json").write_text(some_bindings().model_dump_json())
    (tmp_path / "lab.json").write_text('{"identity": "holdfast-1-aa"}')
    return tmp_path


@pytest.fixture
def run_with(lab: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """`holdfast run` on that lab with another controller, which needs nothing to watch."""

    def begin(controller: Controller, **options: Any) -> int:
        monkeypatch.setattr("holdfast.app_controller.run_controller", controller)
        return run_command.run(PLAN_FILE, lab=lab, **options)

    return begin


def failing(fault: Exception) -> Controller:
    async def controller(*_: Any, **__: Any) -> None:
        raise ExceptionGroup("unhandled errors in a TaskGroup", [fault])

    return controller


@pytest.mark.parametrize("of_a_lab", [True, False], ids=["lab", "site"])
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
def test_a_fault_in_a_task_is_said_in_its_own_words(
    fault: Exception, code: ExitCode, of_a_lab: bool, lab: Path, run_with: Callable[..., int]
) -> None:
    if not of_a_lab:
        (lab / "lab.json").unlink()
    with pytest.raises(CommandError) as said:
        run_with(failing(fault))
    assert (str(said.value), said.value.code) == (str(fault), code), "in its own words, once"


def test_a_lab_that_is_stopped_under_its_controller_is_said_as_that(lab: Path, run_with: Callable[..., int]) -> None:
    async def controller(*_: Any, **__: Any) -> None:
        (lab / "bindings.witness.json").unlink()
        await failing(FileNotFoundError(2, "No such file or directory", str(lab / "secrets" / "agent.eu-west-1.key")))()

    with pytest.raises(CommandError, match=r"the lab in .* was stopped, so its controller ends here; the journal stays in") as said:
        run_with(controller)
    assert said.value.code == ExitCode.NOT_SO
    assert "Errno" not in str(said.value)


@pytest.mark.parametrize("another_came", [True, False], ids=["another", "none"])
def test_a_controller_ends_with_its_lab_so_that_the_next_one_there_hears_nothing_from_it(
    another_came: bool, lab: Path, run_with: Callable[..., int]
) -> None:
    ended: list[str] = []

    async def controller(*_: Any, **__: Any) -> None:
        await asyncio.sleep(0.01)  # it is looked at while all is well, too
        if another_came:
            (lab / "lab.json").write_text('{"identity": "holdfast-1-bb"}')
        else:
            (lab / "lab.json").unlink()
            (lab / "bindings.witness.json").unlink()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            ended.append("in order")
            raise

    with pytest.raises(CommandError, match="was stopped, so its controller ends here") as said:
        run_with(controller)
    assert (ended, said.value.code) == (["in order"], ExitCode.NOT_SO)


def test_it_ends_in_order_with_ctrl_c(run_with: Callable[..., int]) -> None:
    ended: list[str] = []

    async def controller(*_: Any, **__: Any) -> None:
        try:
            signal.raise_signal(signal.SIGINT)
            await asyncio.sleep(60)
        finally:
            ended.append("in order")

    assert run_with(controller) == ExitCode.FINE
    assert ended == ["in order"]


def test_a_description_that_cannot_be_read_ends_nobody(lab: Path, run_with: Callable[..., int]) -> None:
    async def controller(*_: Any, **__: Any) -> None:
        (lab / "lab.json").write_text("{half a")
        await asyncio.sleep(0.1)

    assert run_with(controller) == ExitCode.FINE


def test_without_a_profile_it_takes_the_labs_and_another_one_is_warned_of(
    lab: Path, run_with: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    begun: list[str] = []

    async def controller(*_: Any, profile: str, **__: Any) -> None:
        begun.append(profile)

    run_with(controller)
    (lab / "lab.json").write_text('{"profile": "fast"}')
    run_with(controller)
    assert capsys.readouterr().err == ""
    run_with(controller, profile="default")
    assert begun == ["default", "fast", "default"]
    said = capsys.readouterr().err
    assert "the lab's agents run with the profile fast (lease 3 s), this controller with default (15 s)" in said


def test_whether_a_controller_runs_on_a_lab_is_known_from_its_journal(tmp_path: Path) -> None:
    lab = Lab(Layout(tmp_path), {}, None)
    assert not lab.controller_runs()
    journal = SqliteJournal(lab.layout.controller / "journal.db")
    assert lab.controller_runs()
    journal.close()
    assert not lab.controller_runs()
