"""What a real agent did by itself, as a controller imports it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from contract.agents_rig import agents
from contract.local_records_suite import Desk, Desks, LocalRecordsSuite
from holdfast.fencing.order import Order
from holdfast.providers.agents.client import AgentClient
from holdfast.providers.agents.records import AgentRecords
from lab.postgres_store_rig import WEST


class TestAgentRecords(LocalRecordsSuite):
    implementations = (AgentRecords,)

    @pytest.fixture
    def desks(self, tmp_path: Path) -> Desks:
        @asynccontextmanager
        async def opened() -> AsyncIterator[Desk]:
            key = tmp_path / "key"
            async with agents("redis") as both:
                key.write_bytes(both.agent_binding(WEST).key_file.read_bytes())
                steps = count(1)

                async def act() -> None:
                    """Fenced by an order and ordered back: both are written down."""
                    epoch = next(steps) + 1
                    for step, verb in ((1, "fence"), (2, "withdraw")):
                        arguments = {"controller_consented": False} if verb == "withdraw" else {"mode": "ungraceful"}
                        answer = await both.clients[WEST].order(Order(0, epoch, 1, step), verb, arguments, 20)
                        assert answer.result == "succeeded", answer

                async def restart() -> None:
                    both.processes[WEST].terminate()
                    both.processes[WEST].wait(20)
                    both.start(WEST)

                def forge() -> None:
                    key.write_text("the key of somebody else")

                yield Desk(AgentRecords(both.clients[WEST], key), act, restart, lambda: both.freeze(WEST), forge)

        return opened


class Saying(AgentClient):
    """A client whose agent said this, genuinely."""

    def __init__(self, said: dict[str, Any]) -> None:
        self.region = WEST
        self._said = said

    async def records(self, after: int, timeout_seconds: float = 3.0) -> dict[str, Any]:
        return self._said


@pytest.mark.parametrize("said", [{}, {"records": None}, {"records": 7}, {"records": ["one"]}, {"records": [{"n": 1}]}])
def test_an_answer_that_holds_no_records_is_nobodys_word(tmp_path: Path, said: dict[str, Any]) -> None:
    (tmp_path / "key").write_text("the key of the agent")
    with pytest.raises(ConnectionError, match="nothing was imported"):
        asyncio.run(AgentRecords(Saying(said), tmp_path / "key").after(0))


def test_a_key_that_cant_be_read_ends_no_import_for_good(tmp_path: Path) -> None:
    """Whoever imports asks again after silence, and ends at any other error."""
    with pytest.raises(ConnectionError, match="key of the agent of eu-west-1 can't be read"):
        asyncio.run(AgentRecords(Saying({"records": []}), tmp_path / "absent").after(0))
