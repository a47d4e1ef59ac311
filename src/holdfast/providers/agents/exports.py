"""What only a fenced store held: the region's agent writes it down beside the store, and its files are fetched in pieces.

Rules: a file counts only with the digest that its summary names, and the summary only with the one that the agent's signed answer names. A
store that was handed over whole is looked at too, because what it took after its fence would be gone with what makes it a replica; but that
it can't be looked at is said and stops nothing: its successor was promoted only after it had everything. Never here: comparing.
"""

import asyncio
import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from holdfast.ports.action import Result, Task
from holdfast.ports.clock import Clock
from holdfast.ports.divergence import Exported, ExportedPart, NotExported
from holdfast.providers.agents.actions import give
from holdfast.providers.agents.client import AgentClient, AgentSilent

_POSITION = {"postgres": "postgres_lsn", "redis": "redis_offset"}
_PIECE_SECONDS = 10.0
_MOST_SILENCES = 5


class AgentExport:
    """Implements `DivergenceSource` for one store (`postgres` or `redis`) of the source region."""

    def __init__(self, agents: Mapping[str, AgentClient], store: str, clock: Clock, *, timeout_seconds: float = 600.0) -> None:
        self._agents = agents
        self._store = store
        self._clock = clock
        self._timeout_seconds = timeout_seconds

    async def collect(self, task: Task, into: Path) -> Exported:
        """Order the export, then fetch its files."""
        if _POSITION[self._store] not in (task.parameters.get("source_position") or {}):
            return await self._collected(task, into)
        try:
            return replace(await self._collected(task, into), how="handed-over")
        except NotExported as refused:
            await asyncio.to_thread(_emptied, into)
            return Exported("handed-over", unexamined=(str(refused),))

    async def _collected(self, task: Task, into: Path) -> Exported:
        agent = self._agents[task.source]
        outcome = await give(agent, task.order, f"{self._store}.export", {}, self._clock, self._timeout_seconds)
        if outcome.result is Result.UNKNOWN:
            raise AgentSilent(outcome.detail)
        if outcome.result is not Result.SUCCEEDED:
            raise NotExported(outcome.detail)
        said = outcome.facts
        summary = await self._fetch(agent, str(said["export"]), "summary.json", str(said["summary_sha256"]), into)
        whole: dict[str, Any] = json.loads(summary.read_bytes())
        parts = []
        for part in whole["parts"]:
            await self._fetch(agent, str(said["export"]), str(part["file"]), str(part["sha256"]), into)
            counts = {name.replace("-", "_"): int(part["counts"].get(name, 0)) for name in ("only-here", "differs", "deleted-here", "same")}
            parts.append(ExportedPart(str(part["name"]), str(part["file"]), int(part["bytes"]), str(part["sha256"]), **counts))
        summary.unlink()
        unexamined, notes = (tuple(map(str, whole.get(said) or ())) for said in ("unexamined", "notes"))
        return Exported(str(whole["how"]), tuple(parts), unexamined, dict(whole.get("since") or {}), notes, looked_at=True)

    async def _fetch(self, agent: AgentClient, export: str, file: str, digest: str, into: Path) -> Path:
        if Path(file).name != file:
            raise NotExported(f"the agent of {agent.region} names a file {file!r} that is no plain name")
        path, found, size, at, silences = into / file, hashlib.sha256(), 1, 0, 0
        with path.open("wb") as written:
            while at < size:
                try:
                    piece = await agent.export_piece(export, file, at, _PIECE_SECONDS)
                except AgentSilent:
                    silences += 1
                    if silences > _MOST_SILENCES:
                        raise
                    continue
                content, size = base64.b64decode(piece["content"]), int(piece["bytes"])
                if not content and at < size:
                    raise NotExported(f"the agent of {agent.region} hands out {export}/{file} only up to byte {at} of {size}")
                written.write(content)
                found.update(content)
                at += len(content)
        if found.hexdigest() != digest:
            raise NotExported(
                f"{export}/{file} came with another digest than the agent of {agent.region} named: it was changed on its disk"
            )
        return path


def _emptied(directory: Path) -> None:
    """What was fetched before a file turned out to be another one is no export."""
    for path in directory.iterdir():
        path.unlink()
