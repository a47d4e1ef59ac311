"""`holdfast run`: what goes wrong below is one clear line, however deep in tasks it came from."""

from pathlib import Path
from typing import Any

import pytest

from holdfast.cli import run as run_command
from holdfast.cli.output import CommandError, ExitCode
from holdfast.ports.journal_store import JournalBroken, JournalConflict, JournalFull
from unit.conduct_on_paper import PLAN_FILE


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (JournalConflict("record 7 does not follow"), ExitCode.NOT_SO),
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
    with pytest.raises(CommandError, match=str(fault)[:12]) as said:
        run_command.run(PLAN_FILE, lab=Path("nowhere"))
    assert said.value.code == code
