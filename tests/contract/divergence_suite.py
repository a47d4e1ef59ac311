"""What every DivergenceSource must do. A subclass says what only the lost side holds, and how its effector says no or nothing."""

import asyncio
import hashlib
import json
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from contract.action_suite import LATER
from contract.suite import Suite
from holdfast.ports.action import Task
from holdfast.ports.divergence import DivergenceSource, Exported, NotExported

SILENT_SECONDS = 8.0
CHANGES = {"only-here", "differs", "deleted-here"}


@dataclass(frozen=True)
class Lost:
    """One component whose region was lost. `only_here`: identifiers that the export must name as held there alone."""

    source: DivergenceSource
    task: Task
    only_here: frozenset[str]
    contents: Callable[[], Awaitable[Any]]
    """What the writer holds, which no export may change."""
    cut: Callable[[], None]
    refusing: Callable[[], Task]
    """A task to which the effector says no, from now on."""
    impatient: DivergenceSource | None = None
    """The same with less patience of its own, where the source's is longer than the suite's."""


Losses = Callable[[], AbstractAsyncContextManager[Lost]]


def entries(exported: Exported, into: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for part in exported.parts for line in (into / part.file).read_bytes().splitlines()]


class DivergenceSourceSuite(Suite):
    """`losses` is a fixture: it opens a fresh loss."""

    port = DivergenceSource
    looks_at_what_was_handed_over = False
    """Whether what was written after an orderly fence would be gone for good with what comes next; a bucket keeps everything."""

    def tell(self, losses: Losses, story: Callable[[Lost], Awaitable[None]]) -> None:
        async def told() -> None:
            async with losses() as lost:
                self.held(lost.source)
                await story(lost)

        asyncio.run(told())

    def test_what_is_held_there_alone_is_written_down_whole_and_again_the_same_and_nothing_is_changed(
        self, losses: Losses, tmp_path: Path
    ) -> None:
        async def story(lost: Lost) -> None:
            before = await lost.contents()
            found = []
            for name, task in (("first", lost.task), ("again", lost.task), ("later", replace(lost.task, order=LATER))):
                into = tmp_path / "exported" / name
                into.mkdir(parents=True)
                exported = await lost.source.collect(task, into)
                self.is_whole(exported, into)
                found.append((exported, entries(exported, into)))
            assert {entry["id"] for entry in found[0][1] if entry["change"] == "only-here"} == lost.only_here
            assert found[0] == found[1] == found[2]
            assert await lost.contents() == before

        self.tell(losses, story)

    def is_whole(self, exported: Exported, into: Path) -> None:
        """Every file is the one that is named, with what is said to be in it, and there is no other."""
        assert exported.how
        assert exported.looked_at
        assert exported.unexamined == (), "an ordinary loss asks nobody to look by hand"
        assert sorted(path.name for path in into.iterdir()) == sorted(part.file for part in exported.parts)
        for part in exported.parts:
            content = (into / part.file).read_bytes()
            assert Path(part.file).name == part.file
            assert (len(content), hashlib.sha256(content).hexdigest()) == (part.bytes, part.sha256)
            lines = [json.loads(line) for line in content.splitlines()]
            counted = [sum(line["change"] == change for line in lines) for change in ("only-here", "differs", "deleted-here")]
            assert counted == [part.only_here, part.differs, part.deleted_here]
            assert len({line["id"] for line in lines}) == len(lines)
            assert all(line["change"] in CHANGES for line in lines)

    def test_what_was_handed_over_says_so_and_a_refusal_to_look_stops_nothing(self, losses: Losses, tmp_path: Path) -> None:
        async def story(lost: Lost) -> None:
            position = {"source_position": {"postgres_lsn": "0/1", "redis_offset": 1}}
            looked, refused = tmp_path / "looked", tmp_path / "refused"
            for into in (looked, refused):
                into.mkdir()
            found = await lost.source.collect(replace(lost.task, parameters=position), looked)
            named = {entry["id"] for entry in entries(found, looked) if entry["change"] == "only-here"}
            looks = self.looks_at_what_was_handed_over
            assert (found.how, found.looked_at, named) == ("handed-over", looks, lost.only_here if looks else set())
            found = await lost.source.collect(replace(lost.refusing(), parameters=position), refused)
            assert (found.how, found.looked_at, found.parts, bool(found.unexamined)) == ("handed-over", False, (), looks)
            assert not list(refused.iterdir())

        self.tell(losses, story)

    def test_silence_says_nothing_of_what_there_is(self, losses: Losses, tmp_path: Path) -> None:
        async def story(lost: Lost) -> None:
            lost.cut()
            began = time.monotonic()
            with pytest.raises((TimeoutError, ConnectionError)):
                await (lost.impatient or lost.source).collect(lost.task, tmp_path)
            assert time.monotonic() - began < SILENT_SECONDS

        self.tell(losses, story)

    def test_a_no_of_the_effector_is_told_in_a_sentence(self, losses: Losses, tmp_path: Path) -> None:
        async def story(lost: Lost) -> None:
            with pytest.raises(NotExported) as said:
                await lost.source.collect(lost.refusing(), tmp_path)
            assert len(str(said.value)) > 20

        self.tell(losses, story)
