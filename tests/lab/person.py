"""A person at terminals: types `holdfast …`, reads what it prints, and keeps two or three commands running in terminals of their own.

Everything goes through the command line, in a folder of the person's own, so that `var/lab` is meant wherever no folder is named.
"""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lab.lab_rig import PLAN

ANSWER_SECONDS = 120.0
"""How long one command may take: `lab up` and `lab down` take longest."""
MOST_TRIES = 2
"""So often a step may want another try before something is wrong with it."""


class Terminal:
    """A command that goes on until it is ended by Ctrl-C."""

    def __init__(self, process: "subprocess.Popen[bytes]", said: Path) -> None:
        self.process = process
        self._said = said

    def text(self) -> str:
        """All that it has printed so far."""
        return self._said.read_text(encoding="utf-8", errors="replace")

    def ends(self) -> int:
        """Ctrl-C; returns the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(30)


class Person:
    """`home`: the folder to work in. `plan`: the plan that is meant."""

    def __init__(self, home: Path, plan: Path = PLAN) -> None:
        self.home = home
        self.plan = str(plan)

    def types(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """One command, whatever its exit code."""
        command = [sys.executable, "-m", "holdfast", *words]
        wide = {**os.environ, "COLUMNS": "140"}
        return subprocess.run(
            command, cwd=self.home, env=wide, capture_output=True, text=True, check=False, timeout=ANSWER_SECONDS, stdin=subprocess.DEVNULL
        )

    def does(self, *words: str) -> str:
        """One command that must succeed; returns what it printed."""
        ended = self.types(*words)
        assert ended.returncode == 0, f"holdfast {shlex.join(words)}: {ended.stdout}{ended.stderr}"
        return ended.stdout

    def insists(self, *words: str) -> str:
        """One command, typed again as long as it says that the lab is too busy to answer. Anything else that it says is a fault."""
        end = time.monotonic() + ANSWER_SECONDS
        while "the lab does not answer" in (ended := self.types(*words)).stderr and time.monotonic() < end:
            time.sleep(1.0)
        assert ended.returncode == 0, f"holdfast {shlex.join(words)}: {ended.stdout}{ended.stderr}"
        return ended.stdout

    def pastes(self, command: str, *more: str) -> str:
        """A command as Holdfast printed it, without a question on this terminal."""
        program, *words = shlex.split(command)
        assert program == "holdfast", command
        return self.does(*words, *more)

    def reads(self, *words: str) -> dict[str, Any]:
        """What a command says to programs, whatever its exit code."""
        ended = self.types(*words, "-o", "json")
        assert ended.stdout.startswith("{"), f"holdfast {shlex.join(words)}: {ended.stdout}{ended.stderr}"
        found: dict[str, Any] = json.loads(ended.stdout)
        return found

    def sees(self, condition: Callable[[dict[str, Any]], Any], what: str, seconds: float = 120.0) -> dict[str, Any]:
        """`holdfast status` again and again, until what it says meets the condition."""
        end, said = time.monotonic() + seconds, "no controller answered"
        while time.monotonic() < end:
            ended = self.types("status", "-o", "json")
            if ended.returncode == 0:
                now: dict[str, Any] = json.loads(ended.stdout)
                if condition(now):
                    return now
                said = self.types("status").stdout
            time.sleep(0.2)
        raise AssertionError(f"not within {seconds:g} s: {what}\n{said}")

    def approves(self, now: dict[str, Any]) -> list[str]:
        """The people whom Holdfast names approve, one after the other, each by the command that it prints; returns the commands."""
        given = []
        for _ in range(now["incident"]["proposal"]["count"]):
            command = str(now["acting"][0]["command"])
            assert command.startswith("holdfast approve "), now["acting"]
            self.pastes(command, "--yes")
            given.append(command)
            now = self.reads("status")
        return given

    def follows(self, condition: Callable[[dict[str, Any]], Any], what: str, seconds: float = 120.0) -> dict[str, Any]:
        """Does what Holdfast asks for, by the commands that it prints, until what status says meets the condition.

        On a busy machine it may ask more than once: the loss is larger than was approved, or a step wants another try; each try is counted,
        and more than MOST_TRIES are a fault. A question with another answer than these is nobody's here, and so the time runs out.
        """
        tries: list[str] = []

        def met(now: dict[str, Any]) -> Any:
            found = condition(now)
            command = str(now["acting"][0]["command"]) if now["acting"] and not found else ""
            if command.startswith("holdfast approve "):
                self.types(*shlex.split(command)[1:], "--yes")
            elif command.startswith("holdfast choose ") and shlex.split(command)[3] == "retry":
                tries.append(command)
                assert len(tries) <= MOST_TRIES, tries
                self.types(*shlex.split(command)[1:])
            return found

        return self.sees(met, what, seconds)

    @contextmanager
    def keeps(self, name: str, *words: str) -> Iterator[Terminal]:
        """A command in a terminal of its own, ended whatever the test does."""
        said = self.home / f"{name}.said"
        command = [sys.executable, "-m", "holdfast", *words]
        with said.open("wb") as output:
            process = subprocess.Popen(
                command, cwd=self.home, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )
        try:
            yield Terminal(process, said)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()

    @contextmanager
    def has_lab(self, *words: str) -> Iterator[dict[str, Any]]:
        """A lab, taken down whatever the test does."""
        try:
            yield json.loads(self.does("lab", "up", self.plan, *words, "-o", "json"))
        finally:
            self.types("lab", "down")


def is_well(now: dict[str, Any]) -> bool:
    """Every function is served, nothing is suspected, and what may be lost is known."""
    served = {function["health"] for function in now["functions"]}
    return served == {"up"} and not now["alarms"] and now["loss"]["bound_seconds"] is not None


def served_from(region: str) -> Callable[[dict[str, Any]], bool]:
    """Whether observers see every function served, and from there."""
    return lambda now: {(function["health"], function["served_from"]) for function in now["functions"]} == {("up", region)}


def is_in(state: str) -> Callable[[dict[str, Any]], bool]:
    """Whether the incident stands there."""
    return lambda now: now["incident"] is not None and now["incident"]["state"] == state


def asks(now: dict[str, Any]) -> bool:
    """Whether people are asked to approve something."""
    return now["incident"] is not None and now["incident"]["proposal"] is not None
