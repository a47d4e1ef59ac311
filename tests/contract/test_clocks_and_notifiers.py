"""Clocks and notifiers, the system's and the simulated ones."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contract.clock_suite import ClockSuite
from contract.notifier_suite import MESSAGE, Channel, NotifierSuite
from holdfast.controller.clock_steps import KeptClock
from holdfast.ports.clock import Clock
from holdfast.ports.notifier import Notifier
from holdfast.providers.clock.system import SystemClock
from holdfast.providers.file.notifier import FileNotifier
from holdfast.simulation.clock import SimulationStuckError, VirtualClock, run_virtual
from holdfast.simulation.notifier import ChannelFault, MemoryNotifier


class TestSystemClock(ClockSuite):
    implementations = (SystemClock,)

    @pytest.fixture
    def clock(self) -> Clock:
        return SystemClock()


class TestVirtualClock(ClockSuite):
    implementations = (VirtualClock,)

    @pytest.fixture
    def clock(self) -> Clock:
        return VirtualClock()

    def run(self, main: Callable[[], Coroutine[Any, Any, None]]) -> None:
        run_virtual(main)


class TestKeptClock(ClockSuite):
    implementations = (KeptClock,)

    @pytest.fixture
    def clock(self) -> Clock:
        return KeptClock(SystemClock())


class TestVirtualClockThatIsWrong(TestVirtualClock):
    @pytest.fixture
    def clock(self) -> Clock:
        return VirtualClock(offset_seconds=-3.0, rate=1.01)


def test_a_virtual_hour_takes_no_time_and_a_simulation_that_waits_for_nothing_says_so() -> None:
    async def hour() -> float:
        clock = VirtualClock()
        before = clock.steady_seconds()
        await clock.sleep(3600)
        return clock.steady_seconds() - before

    assert run_virtual(hour) == pytest.approx(3600)

    async def stuck() -> None:
        await asyncio.Event().wait()

    with pytest.raises(SimulationStuckError, match="never happen"):
        run_virtual(stuck)


class FileChannel(Channel):
    def __init__(self, path: Path) -> None:
        self.path = path
        self.notifier: Notifier = FileNotifier(path, SystemClock())

    def reopened(self) -> Notifier:
        return FileNotifier(self.path, SystemClock())

    def arrived(self) -> list[tuple[str, str, str]]:
        if not self.path.exists():
            return []
        rows = [
            json.loads(line) for line in self.path.read_text(encoding="utf-8").splitlines() if line.startswith("{") and line.endswith("}")
        ]
        return [(row["key"], row["subject"], row["body"]) for row in rows]

    def break_down(self) -> None:
        self.path.mkdir()


class TestFileNotifier(NotifierSuite):
    implementations = (FileNotifier,)

    @pytest.fixture
    def channel(self, tmp_path: Path) -> FileChannel:
        return FileChannel(tmp_path / "messages.jsonl")

    def test_a_torn_line_is_closed_off_and_its_message_sent_again(self, channel: FileChannel) -> None:
        channel.path.write_text('{"key": "' + MESSAGE.key)
        assert asyncio.run(channel.notifier.send(MESSAGE)) == "file:messages.jsonl:2"
        assert channel.arrived() == [(MESSAGE.key, MESSAGE.subject, MESSAGE.body)]

    def test_nothing_that_reaches_or_proves_a_person_stays_in_the_file(self, channel: FileChannel) -> None:
        own = replace(
            MESSAGE,
            address="+353 1 555 0100",
            addresses={"email": "a@b.example"},
            acknowledge_url="https://h/a/ack",
            approve_url="https://h/a/yes",
            code="123456",
        )
        asyncio.run(channel.notifier.send(own))
        text = channel.path.read_text(encoding="utf-8")
        assert MESSAGE.recipient in text
        assert not any(value in text for value in ("+353 1 555 0100", "a@b.example", "https://h/a", "123456"))


class MemoryChannel(Channel):
    def __init__(self) -> None:
        self.memory = MemoryNotifier()
        self.notifier = self.memory

    def arrived(self) -> list[tuple[str, str, str]]:
        return [(sent.key, sent.subject, sent.body) for sent in self.memory.sent.values()]

    def break_down(self) -> None:
        self.memory.faults.append(ChannelFault.UNREACHABLE)


class TestMemoryNotifier(NotifierSuite):
    implementations = (MemoryNotifier,)

    @pytest.fixture
    def channel(self) -> Channel:
        return MemoryChannel()
