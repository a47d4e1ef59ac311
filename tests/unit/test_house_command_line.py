"""The command line: quick, every command explained, and errors that say what to do without a traceback."""

import asyncio
import importlib
import inspect
import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cyclopts import App
from rich.console import Console

from holdfast.cli import main as command_line
from holdfast.cli.main import COMMANDS, INTERRUPTED, Command, run
from holdfast.cli.output import CommandError, ExitCode, State, print_json, state_text, table

ROOT = Path(__file__).resolve().parents[2]
NO_JSON = {
    "journal export": "is JSON already, a record a line",
    "observe": "serves until it is told to end, and prints only faults",
}
"""Commands without `-o json`, and why."""


def functions(command: Command) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Every function behind a command, with the words that call it."""
    module, _, attribute = command.where.partition(":")
    found = getattr(importlib.import_module(module), attribute)
    if not isinstance(found, App):
        yield command.name, found
        return
    for name in found:
        if not name.startswith("-"):
            yield f"{command.name} {name}", found[name].default_command  # type: ignore[misc]
    if found.default_command is not None:
        yield command.name, found.default_command


ALL = [pytest.param(words, function, id=words) for command in COMMANDS for words, function in functions(command)]


@pytest.mark.parametrize(("words", "function"), ALL)
def test_every_command_is_explained_with_an_example(words: str, function: Callable[..., Any]) -> None:
    text = inspect.getdoc(function) or ""
    assert text, f"`holdfast {words}` has no docstring"
    assert f"holdfast {words}" in text, f"the help of `holdfast {words}` shows no example of it"


@pytest.mark.parametrize(("words", "function"), ALL)
def test_every_command_speaks_json_or_says_why_not(words: str, function: Callable[..., Any]) -> None:
    assert ("output" in inspect.signature(function).parameters) != (words in NO_JSON)


@pytest.mark.parametrize(("words", "function"), ALL)
def test_every_command_shows_its_help(words: str, function: Callable[..., Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*words.split(), "--help"]) == ExitCode.FINE
    shown = " ".join(capsys.readouterr().out.split())
    assert "Usage" in shown
    assert f"Example: `holdfast {words}" in shown


def test_the_list_of_commands_names_each_once_with_a_sentence() -> None:
    names = [command.name for command in COMMANDS]
    assert len(set(names)) == len(names)
    assert all(command.summary.endswith(".") for command in COMMANDS)


@pytest.mark.alone
def test_help_imports_no_room_and_is_quick() -> None:
    """0.3 s of the processor at most, so that nobody avoids asking. The best of a few: what others do on the machine is not its fault."""
    script = (
        "import resource, sys; from holdfast.cli.main import run; run(['--help']);"
        "used = resource.getrusage(resource.RUSAGE_SELF); print(used.ru_utime + used.ru_stime, file=sys.stderr);"
        "print(sorted(name for name in sys.modules if name.startswith('holdfast.')), file=sys.stderr);"
        "print('markdown_it' in sys.modules, file=sys.stderr)"
    )
    best = 60.0
    for _ in range(5):
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
        seconds, loaded, markdown = done.stderr.splitlines()
        assert loaded == "['holdfast.cli', 'holdfast.cli.main', 'holdfast.cli.output']"
        assert markdown == "False"
        assert all(command.name in done.stdout for command in COMMANDS)
        best = min(best, float(seconds))
        if best < 0.3:
            return
    assert best < 0.3


def failing(error: BaseException) -> Callable[[], None]:
    def command() -> None:
        raise error

    return command


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[..., Any]], None]:
    """Adds one command to the whole command line."""

    def put(function: Callable[..., Any]) -> None:
        app = command_line.application()
        app.command(function, name="try")
        monkeypatch.setattr(command_line, "application", lambda *_: app)

    return put


Given = Callable[[Callable[..., Any]], None]


def test_a_known_error_is_one_clear_text_and_its_code(given: Given, capsys: pytest.CaptureFixture[str]) -> None:
    given(failing(CommandError("the plan is not there; write one", ExitCode.NOT_SO)))
    assert run(["try"]) == 1
    assert capsys.readouterr().err == "holdfast: the plan is not there; write one\n"


def test_an_unknown_error_has_no_traceback_but_says_how_to_get_one(given: Given, capsys: pytest.CaptureFixture[str]) -> None:
    given(failing(ZeroDivisionError("division by zero")))
    assert run(["try"]) == 3
    said = capsys.readouterr().err
    assert "ZeroDivisionError: division by zero" in said
    assert "Traceback" not in said
    assert "HOLDFAST_TRACEBACK=1" in said


def test_the_traceback_comes_on_request(given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    given(failing(ZeroDivisionError()))
    monkeypatch.setenv("HOLDFAST_TRACEBACK", "1")
    with pytest.raises(ZeroDivisionError):
        run(["try"])


@pytest.mark.parametrize("arguments", [["nonsense"], ["observe", "--nonsense", "1"], ["observe"]])
def test_a_command_line_that_makes_no_sense_is_bad_input(arguments: list[str]) -> None:
    assert run(arguments) == 2


@pytest.mark.parametrize(("answer", "code"), [(None, 0), (0, 0), (1, 1), (ExitCode.UNKNOWN, 3), ("text", 0)])
def test_what_a_command_returns_is_its_exit(given: Given, answer: object, code: int) -> None:
    given(lambda: answer)
    assert run(["try"]) == code


def test_ctrl_c_is_no_error_of_holdfast(given: Given, capsys: pytest.CaptureFixture[str]) -> None:
    given(failing(KeyboardInterrupt()))
    assert run(["try"]) == INTERRUPTED
    assert "did not expect" not in capsys.readouterr().err


def test_a_command_may_wait(given: Given) -> None:
    async def command() -> int:
        await asyncio.sleep(0)
        return 1

    given(command)
    assert run(["try"]) == 1


def test_a_reader_that_leaves_early_is_no_error() -> None:
    talk = "main.application = lambda *_: lambda *words, **options: [print('x' * 100) for _ in range(10**5)]"
    script = f"from holdfast.cli import main; {talk}; main.main()"
    command = f'{sys.executable} -c "{script}" | head -n 1'
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_bad_input_to_observe_names_the_file_and_the_next_step(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    plan = ROOT / "examples" / "voicehive" / "plan.yaml"
    missing = tmp_path / "bindings.json"
    assert run(["observe", "--plan", str(plan), "--bindings", str(missing)]) == 2
    said = capsys.readouterr().err
    assert str(missing) in said
    assert "holdfast lab up" in said


def test_states_are_icon_and_word_and_colour() -> None:
    looks = {state: state_text(state) for state in State}
    assert [look.plain for look in looks.values()] == ["✓ done", "▶ running", "⏸ needs a person", "✕ failed", "? unknown"]
    assert len({look.style for look in looks.values()}) == len(State)
    assert state_text(State.UNKNOWN, "silent").plain == "? silent"


def test_numbers_stand_to_the_right() -> None:
    console = Console(width=60, record=True, file=io.StringIO())
    console.print(table(["function", "RTO"], [["voice", "4.3 s"], ["pms", "12 min"]], numbers=["RTO"]))
    lines = [line.rstrip() for line in console.export_text().splitlines()]
    assert lines[2].endswith(" 4.3 s")
    assert lines[3].endswith("12 min")


def test_json_output_is_one_value(capsys: pytest.CaptureFixture[str]) -> None:
    @dataclass(frozen=True)
    class Pair:
        name: str
        tags: frozenset[str]

    print_json({"pair": Pair("é", frozenset({"b", "a"})), "state": State.DONE})
    said = capsys.readouterr().out
    assert json.loads(said) == {"pair": {"name": "é", "tags": ["a", "b"]}, "state": "done"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["check"], "`holdfast check` needs PLAN; `holdfast check --help` shows an example"),
        (["approve", "inc-1-1"], "`holdfast approve` needs --as; `holdfast approve --help` shows an example"),
        (["lab", "cut", "a", "b"], "`holdfast lab cut` takes no b; `holdfast lab cut --help` shows an example"),
        (["nonsense"], "there is no command 'nonsense'; `holdfast --help` lists the commands"),
        (["status", "--labs", "x"], "Did you mean --lab? `holdfast status --help` shows an example"),
    ],
)
def test_a_command_line_is_corrected_in_the_words_of_its_help(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 2
    assert capsys.readouterr().err.rstrip().endswith(said)


@pytest.mark.parametrize("asked", [["-o", "json"], ["--output", "json"], ["--output=json"], ["-o=json"]])
def test_who_asks_for_json_gets_errors_as_json_too(asked: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["journal", "verify", str(tmp_path / "absent"), *asked]) == 2
    said = capsys.readouterr()
    told = json.loads(said.out)
    assert (told["exit_code"], "there is no journal here" in told["error"]) == (2, True)
    assert told["error"] in said.err
    assert run(["check", *asked]) == 2
    assert json.loads(capsys.readouterr().out)["error"].startswith("`holdfast check` needs PLAN")


def test_who_asks_for_text_gets_errors_as_text_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["journal", "verify", str(tmp_path / "absent")]) == 2
    assert capsys.readouterr().out == ""
