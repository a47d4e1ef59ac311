"""`holdfast unprotect` and `protect` at the terminal, in front of a real controller's API with the policy on paper behind it."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from free_ports import free_port
from holdfast.cli import protecting as command
from holdfast.cli import status as status_command
from holdfast.cli.main import run
from holdfast.cli.output import ExitCode
from holdfast.providers.controller.client import ControllerClient
from unit.conduct_on_paper import LOADED, PRIMARY, Paper
from unit.serve_rig import SECRET, PaperController, over_http, running
from unit.test_conduct_protecting import APPROVER, NO_APPROVER, WHY, drop, first_line, synchronous

UNPROTECT = ["unprotect", "database", "--as", APPROVER, "--because", WHY]

Answering = Callable[[Paper], PaperController]


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Answering]:
    """Lets the commands find a controller with this paper behind it."""
    token = tmp_path / "token"
    token.write_text(SECRET)
    with ExitStack() as held:

        def with_paper(paper: Paper) -> PaperController:
            controller, port = PaperController(paper), free_port()
            held.enter_context(running(over_http(controller, SECRET), port))
            client = ControllerClient(f"http://127.0.0.1:{port}", token)
            for module in (command, status_command):
                monkeypatch.setattr(module, "controller_of", lambda lab: client)
            return controller

        yield with_paper


def test_the_command_says_first_what_cannot_be_undone_and_asks(answering: Answering, capsys: pytest.CaptureFixture[str]) -> None:
    paper = synchronous()
    controller = answering(paper)
    assert run(UNPROTECT) == ExitCode.BAD_INPUT
    shown = capsys.readouterr()
    assert "can't be undone: writes that wait now are acknowledged at once" in shown.out
    assert "nobody was asked, since this is no terminal" in shown.err
    assert controller.commands == []
    assert run([*UNPROTECT, "--yes"]) == ExitCode.FINE
    assert controller.commands == [("unprotect", APPROVER)]
    assert controller.arguments == [{"component": "database", "reason": WHY}]
    assert run(["status"]) == ExitCode.FINE
    assert "⏸ UNPROTECTED: " in capsys.readouterr().out
    assert run(["protect", "database", "--as", NO_APPROVER]) == ExitCode.FINE
    assert paper.protected["database"] is True


def test_what_the_controller_refuses_is_said_and_ends_with_a_code_of_its_own(
    answering: Answering, capsys: pytest.CaptureFixture[str]
) -> None:
    paper = synchronous()
    answering(paper)
    assert run(["unprotect", "database", "--as", NO_APPROVER, "--because", WHY, "--yes"]) == ExitCode.NOT_SO
    assert f"refused: {NO_APPROVER} fills none of the roles" in capsys.readouterr().err
    assert run(["protect", "database", "--as", APPROVER]) == ExitCode.NOT_SO
    assert "refused: database is protected already" in capsys.readouterr().err
    assert paper.protected == {"database": True, "cache": True}


def test_two_that_are_unprotected_are_both_in_the_first_line_and_neither_is_said_twice(
    answering: Answering, capsys: pytest.CaptureFixture[str]
) -> None:
    paper = synchronous()
    answering(paper)
    for component in ("database", "cache"):
        drop(paper, component=component)
    assert run(["status"]) == ExitCode.FINE
    shown = " ".join(capsys.readouterr().out.split())
    titles = [LOADED.plan.components[component].name for component in ("database", "cache")]
    assert [shown.count(f"{title} in {PRIMARY} acknowledges writes") for title in titles] == [1, 1]
    assert all(f"UNPROTECTED: {title} in {PRIMARY}" in first_line(paper) for title in titles)


def test_programs_get_what_it_means_and_the_answer(answering: Answering, capsys: pytest.CaptureFixture[str]) -> None:
    paper = synchronous()
    answering(paper)
    assert run(["unprotect", "cache", "--as", APPROVER, "--because", WHY, "--yes", "-o", "json"]) == ExitCode.FINE
    found = json.loads(capsys.readouterr().out)
    assert found["outlook"]["region"] == PRIMARY
    assert found["answer"].startswith("accepted")


def test_where_nothing_is_protected_the_command_says_so_before_it_asks(answering: Answering, capsys: pytest.CaptureFixture[str]) -> None:
    controller = answering(Paper(exercise=None))
    assert run(UNPROTECT) == ExitCode.NOT_SO
    assert "replicates asynchronously" in capsys.readouterr().err
    assert controller.commands == []
