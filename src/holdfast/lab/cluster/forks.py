"""The cluster's side of the zygote: start instances, signal them, hear of their ends."""

import asyncio
import json
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from holdfast.lab.application.instance import InstanceSpecification


class ZygoteLostError(Exception):
    """The zygote ended on its own: every instance ended with it."""


class Forks:
    """A running zygote."""

    def __init__(self, exited: Callable[[int, int], None]) -> None:
        self._exited = exited
        self._process: asyncio.subprocess.Process | None = None
        self._waiting: dict[str, Callable[[int], None]] = {}
        self._listening: asyncio.Task[None] | None = None
        self.lost = asyncio.Event()

    async def open(self) -> None:
        """Start the zygote."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "holdfast.lab.cluster.zygote", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        self._listening = asyncio.create_task(self._listen())

    def start(self, specification: InstanceSpecification, started: Callable[[int], None]) -> None:
        """Fork an instance; `started` is called with its process id, always before its exit is told. Raises ZygoteLostError."""
        self._waiting[specification.name] = started
        self._command({"start": asdict(specification)})

    def end(self, pid: int, number: signal.Signals = signal.SIGTERM) -> None:
        """Signal an instance that may still live."""
        self._command({"signal": pid, "number": int(number)})

    async def close(self) -> None:
        """End the zygote, and with it what still runs."""
        if self._process is None or self._process.stdin is None:
            return
        self._process.stdin.close()
        await self._process.wait()
        if self._listening is not None:
            await self._listening

    def _command(self, command: dict[str, object]) -> None:
        if self._process is None or self._process.stdin is None or self.lost.is_set():
            raise ZygoteLostError("the process that forks instances is gone; start the cluster again")
        self._process.stdin.write((json.dumps(command, default=_plain) + "\n").encode())

    async def _listen(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            event = json.loads(line)
            if "started" in event:
                self._waiting.pop(event["started"])(event["pid"])
            else:
                self._exited(event["exited"], event["status"])
        self.lost.set()


def _plain(value: object) -> str:
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{value!r} cannot be sent to the zygote")
