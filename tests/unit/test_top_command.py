"""`holdfast top` on terminals of all kinds: it draws, it ends with q, and it leaves the terminal as it found it."""

import codecs
import json
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from holdfast.console.state import state
from unit.conduct_on_paper import Paper

DEADLINE_SECONDS = 120.0
"""Nothing here takes a second; a machine that is busy with other things may take its time."""

_PROGRAM = """
import json, sys
from pathlib import Path
from holdfast.cli import top
from holdfast.providers.controller.client import ControllerSilent

class Client:
    def state(self):
        told = Path(sys.argv[1])
        if not told.exists():
            raise ControllerSilent("no controller answers")
        return json.loads(told.read_text())

lines = top._lines

def counted(*arguments):
    with open(sys.argv[1] + ".frames", "a") as frames:
        frames.write(".")
    return lines(*arguments)

top._lines = counted
top.controller_of = lambda lab: Client()
top.EVERY_SECONDS = 0.05
sys.exit(top.top(once="--once" in sys.argv, output="json" if "json" in sys.argv else "text"))
"""


@pytest.fixture
def told(tmp_path: Path) -> Path:
    paper = Paper(exercise=None)
    paper.lose_region()
    file = tmp_path / "state.json"
    file.write_text(json.dumps(state(paper.situation(), 1.0, None, {})))
    return file


class Terminal:
    """A program on a terminal of 80 × 24 of its own. Whoever waits reads: an unread terminal is full soon, and holds the program up."""

    def __init__(self, *arguments: str, **environment: str) -> None:
        self.main, self.side = pty.openpty()
        termios.tcsetwinsize(self.side, (24, 80))
        self.before = termios.tcgetattr(self.side)
        kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS", "LINES", "TERM")}
        self.process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, *arguments],
            stdin=self.side,
            stdout=self.side,
            stderr=self.side,
            env={**kept, "TERM": "xterm", "PYTHONIOENCODING": "utf-8", **environment},
            start_new_session=True,
        )
        self.seen = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def until(self, text: str) -> None:
        """Read until this was shown."""
        self.reads_until(lambda: text in self.seen, text)

    def reads_until(self, met: Callable[[], bool], what: str) -> None:
        """Read until something has come about."""
        end = time.monotonic() + DEADLINE_SECONDS
        while not met() and time.monotonic() < end:
            if select.select([self.main], [], [], 0.02)[0]:
                self.seen += self._decoder.decode(os.read(self.main, 65536))
        assert met(), f"{what} did not come about; shown was {self.seen!r}"

    def type(self, keys: str) -> None:
        os.write(self.main, keys.encode())

    def ended(self) -> int | None:
        """Read until the program has ended, and then what it left to be read; returns its exit code."""
        self.reads_until(lambda: self.process.poll() is not None, "the end")
        self.reads_until(lambda: not select.select([self.main], [], [], 0.1)[0], "the last of it")
        return self.process.returncode

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.main)
        os.close(self.side)


@pytest.mark.parametrize("ending", ["q", "ctrl-c", "terminated"])
def test_it_draws_and_leaves_the_terminal_as_it_was(told: Path, ending: str) -> None:
    terminal = Terminal(str(told))
    try:
        terminal.until("next: holdfast approve inc-1-1 --as aoife-brennan")
        assert "\x1b[?1049h" in terminal.seen
        assert "q ends" in terminal.seen
        if ending == "q":
            terminal.type("q")
        else:
            terminal.process.send_signal(signal.SIGINT if ending == "ctrl-c" else signal.SIGTERM)
        assert terminal.ended() == 0
        terminal.until("\x1b[?1049l")
        assert terminal.seen.rstrip().endswith("\x1b[0m\x1b[?25h\x1b[?1049l")
        assert termios.tcgetattr(terminal.side) == terminal.before
    finally:
        terminal.close()


def test_a_controller_that_falls_silent_is_said_so_and_heard_again(told: Path) -> None:
    terminal = Terminal(str(told))
    try:
        terminal.until("waits for approval")
        aside = told.with_name("aside")
        told.rename(aside)
        terminal.until("the controller has not answered for")
        terminal.seen = ""
        aside.rename(told)
        terminal.until("waits for approval")
        terminal.type("q")
        assert terminal.ended() == 0
    finally:
        terminal.close()


def test_a_dumb_terminal_gets_words_only_and_no_frame_twice(told: Path) -> None:
    terminal = Terminal(str(told), TERM="dumb")
    try:
        terminal.until("next: holdfast approve")
        frames = told.with_name(f"{told.name}.frames")
        drawn = frames.stat().st_size
        terminal.reads_until(lambda: frames.stat().st_size >= drawn + 5, "five more frames")
        terminal.process.send_signal(signal.SIGINT)
        terminal.ended()
        shown = terminal.seen.split("Traceback")[0]
        assert "\x1b" not in shown
        assert shown.count("next: holdfast approve") == 1
    finally:
        terminal.close()


def test_without_colour_there_is_none(told: Path) -> None:
    terminal = Terminal(str(told), "--once", NO_COLOR="1")
    try:
        terminal.until("next: holdfast approve")
        assert terminal.ended() == 0
        assert "\x1b[" not in terminal.seen
        assert "⏸ inc-1-1" in terminal.seen
    finally:
        terminal.close()


def _run(*arguments: str, encoding: str = "utf-8") -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    return subprocess.run(
        [sys.executable, "-c", _PROGRAM, *arguments], capture_output=True, check=False, timeout=DEADLINE_SECONDS, env=environment
    )


def test_into_a_pipe_goes_one_frame_and_as_data_one_value(told: Path) -> None:
    assert _run(str(told)).stdout.decode().splitlines()[-1] == "next: holdfast approve inc-1-1 --as aoife-brennan"
    as_data = json.loads(_run(str(told), "json").stdout)
    assert as_data["schema"] == "holdfast/top/v1"
    assert as_data["answering"] is True
    assert as_data["acting"][0]["state"] == "needs-person"


def test_a_terminal_without_these_characters_gets_others(told: Path) -> None:
    lines = _run(str(told), "--once", encoding="ascii").stdout.decode("ascii").splitlines()
    assert lines[0].startswith("! inc-1-1: failover eu-west-1 > eu-central-1 waits for approval")


def test_once_without_a_controller_is_unknown(tmp_path: Path) -> None:
    assert b"CommandError: no controller answers" in _run(str(tmp_path / "nothing"), "--once").stderr
