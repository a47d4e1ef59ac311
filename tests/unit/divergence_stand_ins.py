"""Stand-ins for what exports of a lost region come from and go to. They keep the contracts of their ports: see tests/contract."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from holdfast.ports.action import Task
from holdfast.ports.divergence import Exported, ExportedPart, GivenBack, NotExported


class StandInSource:
    """One component that was lost with these entries on it (identifier → what stood there), or that can't be asked, for that reason."""

    def __init__(
        self,
        held: Mapping[str, Any],
        *,
        table: str = "all",
        change: str = "only-here",
        fault: Exception | None = None,
        unexamined: tuple[str, ...] = (),
        notes: tuple[str, ...] = (),
        looks_at_what_was_handed_over: bool = False,
    ) -> None:
        self.held, self.table, self.change, self.fault = held, table, change, fault
        self.unexamined, self.notes = unexamined, notes
        self.looks_at_what_was_handed_over = looks_at_what_was_handed_over

    async def collect(self, task: Task, into: Path) -> Exported:
        if not task.parameters.get("source_position"):
            return self._looked("compared", into)
        if not self.looks_at_what_was_handed_over:
            return Exported("handed-over", unexamined=self.unexamined)
        try:
            return self._looked("handed-over", into)
        except NotExported as refused:
            return Exported("handed-over", unexamined=(str(refused),))

    def _looked(self, how: str, into: Path) -> Exported:
        if self.fault is not None:
            raise self.fault
        lines = [json.dumps({"id": one, "change": self.change, "here": here}) + "\n" for one, here in self.held.items()]
        content = "".join(lines).encode()
        file = f"{self.table}.jsonl"
        (into / file).write_bytes(content)
        counts = {name: len(lines) if name == self.change else 0 for name in ("only-here", "differs", "deleted-here")}
        digest = hashlib.sha256(content).hexdigest()
        part = ExportedPart(self.table, file, len(content), digest, counts["only-here"], counts["differs"], counts["deleted-here"], 4)
        return Exported(how, (part,), self.unexamined, notes=self.notes, looked_at=True)


class StandInStore:
    """The store of the region that serves: it has these (identifier → what stands there), and takes the rest, all of it or none."""

    def __init__(self, region: str, epoch: tuple[int, int], has: Mapping[str, Any] | None = None, *, silent: bool = False) -> None:
        self.writer = (region, epoch)
        self.has = dict(has or {})
        self.silent = silent
        self.taken: list[str] = []
        """The lines that it took, as they came."""

    def look(self, entries: Sequence[Mapping[str, Any]], lines: Sequence[str], region: str, epoch: tuple[int, int]) -> list[GivenBack]:
        if self.silent:
            return [GivenBack("unknown", "no answer")] * len(entries)
        if (region, epoch) != self.writer:
            return [GivenBack("refused", f"{region} is not the writer of epoch {epoch[0]}.{epoch[1]} any more")] * len(entries)
        return [self._looked_at(entry["id"], entry["here"]) for entry in entries]

    def give(self, entries: Sequence[Mapping[str, Any]], lines: Sequence[str], region: str, epoch: tuple[int, int]) -> list[GivenBack]:
        answers = self.look(entries, lines, region, epoch)
        if not all(answer.fine for answer in answers):
            return [GivenBack("withheld", "nothing was written") if answer.result == "applied" else answer for answer in answers]
        self.taken += [line for line, answer in zip(lines, answers, strict=True) if answer.result == "applied"]
        self.has |= {entry["id"]: entry["here"] for entry in entries}
        return answers

    def _looked_at(self, name: str, here: Mapping[str, Any]) -> GivenBack:
        if name not in self.has:
            return GivenBack("applied")
        different = [column for column in here if self.has[name].get(column) != here[column]]
        return GivenBack("conflict", f"the writer's row has other values in {', '.join(different)}") if different else GivenBack("already")
