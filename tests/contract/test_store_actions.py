"""What is done to the stores of a region pair that was parted: promotion, restore, proof, reprotection and export, on real servers.

The scenes are those of `scene_rig`: the west lost with writes that only it has, and the east that took over.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from contract.action_suite import ORDER, ActionSuite, Ground, Opens
from contract.agents_rig import CLOCK, Agents
from contract.scene_rig import Scene, lost, silence, taken_over
from holdfast.ports.action import Action, Mode, Task
from holdfast.providers.agents.actions import PostgresPromoteAction, PostgresReprotectAction, PostgresRestoreAction
from holdfast.providers.agents.exports import AgentExport
from holdfast.providers.file.divergence import DivergenceExportAction
from holdfast.providers.postgres.verify import PostgresVerifyAction, prove_writer
from lab.postgres_store_rig import EAST, WEST

PATIENCE_SECONDS, SILENCE_SECONDS = 60.0, 1.0
"""How long an action waits for an agent that works, and for one that is silent."""


def task(block: str) -> Task:
    component = "database" if block.startswith("postgres") else None
    return Task(block, block, component, WEST, EAST, Mode.UNGRACEFUL, ORDER, incident="inc-1", run="reprotect")


async def snapshot(both: Agents) -> Any:
    """What looking must not change: the durable state of the agents that are there, and what their stores are."""
    seen = []
    for region in both.processes:
        status = await both.status(region)
        roles = {name: (store["role"], store["duty"], store.get("epoch")) for name, store in status["stores"].items()}
        seen.append((status["epoch"], status["pledged"], status["yielded"], status["withdrawn"], status["highest_order"], roles))
    return seen


def ground(
    scene: Scene,
    roles: dict[str, str],
    make: Callable[[Agents, float], Action],
    block: str,
    cut: Callable[[Agents], None] | None = None,
    look: Callable[[Agents], Awaitable[Any]] = snapshot,
) -> Opens:
    @asynccontextmanager
    async def opened() -> AsyncIterator[Ground]:
        async with scene.opened(**roles) as both:

            async def silenced() -> None:
                for region in both.processes if cut is None else ():
                    both.freeze(region)
                if cut is not None:
                    cut(both)

            yield Ground(make(both, PATIENCE_SECONDS), task(block), lambda: look(both), silenced, make(both, SILENCE_SECONDS))

    return opened


class TestPostgresPromote(ActionSuite):
    implementations = (PostgresPromoteAction,)
    blocks = ("postgres.promote",)

    @pytest.fixture
    def opens(self) -> Opens:
        def make(both: Agents, seconds: float) -> Action:
            return PostgresPromoteAction(both.clients, CLOCK, prove_writer(both.databases), timeout_seconds=seconds)

        return ground(lost(), {"east": "replica"}, make, "postgres.promote")


class TestPostgresRestore(ActionSuite):
    implementations = (PostgresRestoreAction,)
    blocks = ("postgres.restore",)

    @pytest.fixture
    def opens(self) -> Opens:
        def make(both: Agents, seconds: float) -> Action:
            return PostgresRestoreAction(both.clients, CLOCK, prove_writer(both.databases), timeout_seconds=seconds)

        return ground(lost(), {"east": "replica"}, make, "postgres.restore")


class TestPostgresVerify(ActionSuite):
    implementations = (PostgresVerifyAction,)
    blocks = ("postgres.verify",)

    @pytest.fixture
    def opens(self) -> Opens:
        def cut(both: Agents) -> None:
            silence(both, EAST, "postgres")

        def make(both: Agents, seconds: float) -> Action:
            return PostgresVerifyAction(both.databases, timeout_seconds=seconds)

        return ground(taken_over(), {"east": "writer"}, make, "postgres.verify", cut)


class TestPostgresReprotect(ActionSuite):
    implementations = (PostgresReprotectAction,)
    blocks = ("postgres.reprotect",)

    @pytest.fixture
    def opens(self) -> Opens:
        def make(both: Agents, seconds: float) -> Action:
            return PostgresReprotectAction(both.clients, CLOCK, timeout_seconds=seconds)

        return ground(taken_over(), {"east": "writer", "west": "barred"}, make, "postgres.reprotect")


class TestDivergenceExport(ActionSuite):
    implementations = (DivergenceExportAction,)
    blocks = ("divergence.export",)

    @pytest.fixture
    def opens(self, tmp_path: Path) -> Opens:
        def make(both: Agents, seconds: float) -> Action:
            sources = {store: (store, AgentExport(both.clients, store, CLOCK, timeout_seconds=seconds)) for store in both.stores}
            return DivergenceExportAction(tmp_path, sources, CLOCK)

        async def look(both: Agents) -> Any:
            return await snapshot(both), sorted(str(path) for path in tmp_path.rglob("*"))

        return ground(taken_over(), {"east": "writer", "west": "barred"}, make, "divergence.export", look=look)
