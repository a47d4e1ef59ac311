"""`holdfast unprotect` and `protect` at the terminal, in front of a real controller's API with the policy on paper behind it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.cli.output import ExitCode
from unit.conduct_on_paper import LOADED, PRIMARY, Paper
from unit.serve_rig import PaperController, PaperLab, in_a_lab
from unit.test_conduct_protecting import APPROVER, NO_APPROVER, WHY, drop, first_line, synchronous

UNPROTECT = ["unprotect", "database", "--as", APPROVER, "--because", WHY]


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[PaperLab]:
    """Replicates synchronously, and everything is protected."""
    with in_a_lab(tmp_path, PaperController(synchronous())) as found:
        yield found


def test_the_command_says_first_what_cannot_be_undone_and_asks(lab: PaperLab, capsys: pytest.CaptureFixture[str]) -> None:
    assert lab.run(*UNPROTECT) == ExitCode.BAD_INPUT
    shown = capsys.readouterr()
    assert "can't be undone: writes that wait now are acknowledged at once" in shown.out
    assert "nobody was asked, since this is no terminal" in shown.err
    assert lab.controller.commands == []
    assert lab.run(*UNPROTECT, "--yes") == ExitCode.FINE
    assert lab.controller.commands == [("unprotect", APPROVER)]
    assert lab.controller.arguments == [{"component": "database", "reason": WHY}]
    assert lab.run("status") == ExitCode.FINE
    assert "⏸ UNPROTECTED: " in capsys.readouterr().out
    assert lab.run("protect", "database", "--as", NO_APPROVER) == ExitCode.FINE
    assert lab.controller.paper.protected["database"] is True


def test_what_the_controller_refuses_is_said_and_ends_with_a_code_of_its_own(lab: PaperLab, capsys: pytest.CaptureFixture[str]) -> None:
    assert lab.run("unprotect", "database", "--as", NO_APPROVER, "--because", WHY, "--yes") == ExitCode.NOT_SO
    assert f"refused: {NO_APPROVER} fills none of the roles" in capsys.readouterr().err
    assert lab.run("protect", "database", "--as", APPROVER) == ExitCode.NOT_SO
    assert "refused: database is protected already" in capsys.readouterr().err
    assert lab.controller.paper.protected == {"database": True, "cache": True}


def test_two_that_are_unprotected_are_both_in_the_first_line_and_neither_is_said_twice(
    lab: PaperLab, capsys: pytest.CaptureFixture[str]
) -> None:
    for component in ("database", "cache"):
        drop(lab.controller.paper, component=component)
    assert lab.run("status") == ExitCode.FINE
    shown = " ".join(capsys.readouterr().out.split())
    titles = [LOADED.plan.components[component].name for component in ("database", "cache")]
    assert [shown.count(f"{title} in {PRIMARY} acknowledges writes") for title in titles] == [1, 1]
    assert all(f"UNPROTECTED: {title} in {PRIMARY}" in first_line(lab.controller.paper) for title in titles)


def test_programs_get_what_it_means_and_the_answer(lab: PaperLab, capsys: pytest.CaptureFixture[str]) -> None:
    assert lab.run("unprotect", "cache", "--as", APPROVER, "--because", WHY, "--yes", "-o", "json") == ExitCode.FINE
    found = json.loads(capsys.readouterr().out)
    assert found["outlook"]["region"] == PRIMARY
    assert found["answer"].startswith("accepted")


def test_where_nothing_is_protected_the_command_says_so_before_it_asks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with in_a_lab(tmp_path, PaperController(Paper(exercise=None))) as lab:
        assert lab.run(*UNPROTECT) == ExitCode.NOT_SO
        assert "replicates asynchronously" in capsys.readouterr().err
        assert lab.controller.commands == []
