"""What only the lost side held, gathered from every component into one directory an incident: block `divergence.export`.

Rules: the directory's `divergence.json` appears last and durably, and names the digest of every file; an export that is complete is never
made again (after a rewind there is nothing left to find); one that lacks a component keeps what it has and counts as not done. So does
one that leaves something unexamined: a named person looks there, and says with a reason that it may be overwritten. The way back of the
same incident has a directory of its own below. Never here: how a component is looked at (the sources), and judging.
"""

import asyncio
import hashlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from holdfast.ports.action import Answer, Finding, Outcome, Result, Task
from holdfast.ports.clock import Clock
from holdfast.ports.divergence import DivergenceSource, Exported, NotExported
from holdfast.report.divergence import (
    JSON_NAME,
    Divergence,
    DivergenceComponent,
    DivergencePart,
    Entry,
    divergence_json,
    entries_of,
    read_divergence,
)
from holdfast.report.write import write_whole

EXPORTS = "divergence"
"""Name of the directory of all exports, in the controller's state directory."""
FIRST_RUN = "reprotect"
HANDED_OVER = "handed-over"
Missing = NotExported | TimeoutError | ConnectionError


def directory_of(root: Path, incident: str, run: str) -> Path:
    """Where the export of a run stands."""
    return root / incident if run == FIRST_RUN else root / incident / run


def read(directory: Path) -> Divergence:
    """The export in a directory. Raises OSError, and ValueError when it is none."""
    return read_divergence((directory / JSON_NAME).read_text(encoding="utf-8"))


def entries(divergence: Divergence, directory: Path) -> Iterator[Entry]:
    """Every difference, in the order of the files. Raises OSError, and ValueError for a file that is not as it was exported."""
    for component in divergence.components:
        for part in component.parts:
            yield from entries_of(component, part, (directory / part.file).read_bytes())


@dataclass(frozen=True, slots=True)
class Kept:
    """An export as it lies in its directory. `digest`: of `divergence.json`, which names that of every file."""

    divergence: Divergence | None = None
    """None where nobody exported anything, or where it is not as it was exported."""
    entries: tuple[Entry, ...] = ()
    digest: str = ""

    @property
    def held(self) -> dict[tuple[str, str], str]:
        """(Component, identifier) → change of its entries."""
        return {(entry.component, entry.identifier): entry.change for entry in self.entries}


def last_export(root: Path, incidents: Sequence[str], run: str = FIRST_RUN) -> Kept:
    """The export that this run made in the last of these incidents that has one."""
    for incident in reversed(incidents):
        try:
            directory = directory_of(root, incident, run)
            divergence = read(directory)
            return Kept(divergence, tuple(entries(divergence, directory)), _digest(directory))
        except (OSError, ValueError):
            continue
    return Kept()


def _digest(directory: Path) -> str:
    return hashlib.sha256((directory / JSON_NAME).read_bytes()).hexdigest()


class DivergenceExportAction:
    """`sources`: component → (kind, who writes it down)."""

    def __init__(self, root: Path, sources: Mapping[str, tuple[str, DivergenceSource]], clock: Clock) -> None:
        self._root = root
        self._sources = sources
        self._clock = clock

    async def check(self, task: Task) -> Finding:
        """Whether a whole export of this run is there, every file as it was written."""
        return await asyncio.to_thread(self._look, task)

    async def verify(self, task: Task) -> Finding:
        """The same question, asked of the disk again."""
        return await self.check(task)

    async def act(self, task: Task) -> Outcome:
        """Ask every source, side by side, and write down what came of it."""
        directory = directory_of(self._root, task.incident, task.run)
        found = await asyncio.gather(*(self._collect(task, directory, name) for name in self._wanted(task)))
        divergence = Divergence(
            incident=task.incident,
            run=task.run,
            source=task.source,
            target=task.target,
            order=(task.order.era, task.order.epoch, task.order.term, task.order.step),
            exported_seconds=self._clock.wall_seconds(),
            components=tuple(component for component, _ in found),
        )
        text = divergence_json(divergence)
        try:
            await asyncio.to_thread(write_whole, directory / JSON_NAME, text)
        except OSError as error:
            return Outcome(Result.FAILED, f"{directory / JSON_NAME} can't be written: {error.strerror}: make room, then choose retry")
        facts = {"directory": str(directory), "sha256": hashlib.sha256(text.encode()).hexdigest(), **_counts(divergence)}
        errors = [error for _, error in found if error is not None]
        if not errors and _to_look_at(divergence):
            return Outcome(Result.REFUSED, f"{told(divergence)}{_look_at(divergence)}; {_by_hand(divergence)}", facts)
        if not errors:
            return Outcome(Result.SUCCEEDED, told(divergence) + _look_at(divergence), facts)
        known = any(isinstance(error, NotExported) for error in errors)
        return Outcome(Result.FAILED if known else Result.UNKNOWN, "; ".join(map(str, errors)), facts)

    def _wanted(self, task: Task) -> tuple[str, ...]:
        """The components that the step is about: all that keep data, unless it names some."""
        named = task.parameters.get("components")
        return tuple(name for name in self._sources if named is None or name in named)

    async def _collect(self, task: Task, directory: Path, name: str) -> tuple[DivergenceComponent, Missing | None]:
        """Aside first: what was exported before stays, and stays listed, until there is one to take its place: a whole one,
        and never one for which nobody looked, or that finds nothing any more, in place of one that holds more."""
        kind, source = self._sources[name]
        into, making = directory / name, directory / f"{name}.making"
        try:
            await asyncio.to_thread(_made_empty, making)
            found = await source.collect(task, making)
            says_little = not found.looked_at or not _differences(found)
            if says_little and (more := await asyncio.to_thread(_held_before, directory, name, task, found)) is not None:
                await asyncio.to_thread(shutil.rmtree, making)
                return more, None
            await asyncio.to_thread(_put_in_place, making, into)
        except (NotExported, TimeoutError, ConnectionError) as error:
            why: Missing = error
        except OSError as error:
            why = NotExported(f"{into} can't be written: {error.strerror}: make room, then choose retry")
        else:
            return _component(name, kind, found), None
        before = await asyncio.to_thread(_kept, directory, name, task)
        return before or DivergenceComponent(component=name, kind=kind, status="missing", detail=str(why)), why

    def _look(self, task: Task) -> Finding:
        directory = directory_of(self._root, task.incident, task.run)
        try:
            divergence, digest = read(directory), _digest(directory)
            changed = [file for component in divergence.components for file in _changed(directory, component)]
        except FileNotFoundError:
            return Finding(Answer.NO, f"there is no whole export in {directory}")
        except (OSError, ValueError) as error:
            return Finding(Answer.NO, f"the export in {directory} can't be read: {error}")
        lacking = [component for component in divergence.components if component.status == "missing"]
        facts = {"directory": str(directory), **_counts(divergence)}
        # What the lost side held is written down once: it has not written since. Another run's source was the writer until this epoch.
        if task.run != FIRST_RUN and not _same_epoch(divergence, task):
            return Finding(Answer.NO, f"the export in {directory} is of an earlier epoch: what was held since is not in it", facts)
        if changed:
            return Finding(Answer.NO, f"{', '.join(changed)} in {directory} is not as it was exported", facts)
        if lacking or {component.component for component in divergence.components} != set(self._wanted(task)):
            named = "; ".join(f"{component.component}: {component.detail}" for component in lacking)
            return Finding(Answer.NO, f"the export in {directory} is not whole: {named or 'it knows other components'}", facts)
        if _to_look_at(divergence):
            return Finding(Answer.NO, f"{told(divergence)}, in {directory}; {_by_hand(divergence)}", facts)
        return Finding(Answer.YES, f"{told(divergence)}, in {directory}", {**facts, "sha256": digest})


def _changed(directory: Path, component: DivergenceComponent) -> list[str]:
    """Files of a component that are not as they were exported. Raises OSError."""
    parts = ((part.file, part.sha256) for part in component.parts)
    return [file for file, digest in parts if hashlib.sha256((directory / file).read_bytes()).hexdigest() != digest]


def _kept(directory: Path, name: str, task: Task) -> DivergenceComponent | None:
    """What an earlier attempt exported of a component, if it is all there as it was. Of another epoch it says nothing of later."""
    try:
        before = read(directory)
        found = next((one for one in before.components if one.component == name and one.status != "missing"), None)
        if found is None or _changed(directory, found):
            return None
    except (OSError, ValueError):
        return None
    return found if _same_epoch(before, task) else found.model_copy(update={"looked_at": False})


def _same_epoch(divergence: Divergence, task: Task) -> bool:
    return divergence.order[:2] == (task.order.era, task.order.epoch)


def _differences(found: Exported) -> int:
    return sum(part.only_here + part.differs + part.deleted_here for part in found.parts)


def _held_before(directory: Path, name: str, task: Task, found: Exported) -> DivergenceComponent | None:
    """An earlier export of the component that holds more than this one; None where there is none.

    Who was fenced has written nothing since: one that finds nothing after one that found something came when it was overwritten already.
    """
    earlier = _kept(directory, name, task)
    if earlier is None or (found.looked_at and not (earlier.differences and (earlier.looked_at or task.run == FIRST_RUN))):
        return None
    if earlier.looked_at:
        return earlier
    said = tuple(dict.fromkeys((*earlier.unexamined, *found.unexamined)))
    return earlier.model_copy(update={"unexamined": said}) if earlier.parts else None


def _put_in_place(making: Path, into: Path) -> None:
    before = into.with_name(f"{into.name}.before")
    shutil.rmtree(before, ignore_errors=True)
    if into.exists():
        into.replace(before)
    making.replace(into)
    shutil.rmtree(before, ignore_errors=True)


def told(divergence: Divergence) -> str:
    """One sentence for the journal and the console."""
    if not divergence.differences:
        return f"nothing was held by {divergence.source} alone"
    parts = [f"{component.component} {component.differences}" for component in divergence.components if component.differences]
    return f"{divergence.source} alone held, or had otherwise: {', '.join(parts)}"


def _look_at(divergence: Divergence) -> str:
    run = "" if divergence.run == FIRST_RUN else f" --run {divergence.run}"
    return f"; `holdfast divergence {divergence.incident}{run}` shows it" if divergence.differences else ""


def _to_look_at(divergence: Divergence) -> bool:
    """Whether a person must look before anything is overwritten: not where a component was handed over, which lost nothing."""
    return any(component.unexamined for component in divergence.components if component.how != HANDED_OVER)


def _by_hand(divergence: Divergence) -> str:
    return (
        f"but more may be there that could not be looked at ({'; '.join(divergence.unexamined)}): look in {divergence.source} by hand "
        "before it is overwritten, then choose skip and say what you found"
    )


def _component(name: str, kind: str, found: Exported) -> DivergenceComponent:
    parts = tuple(
        DivergencePart(
            name=part.name,
            file=f"{name}/{part.file}",
            bytes=part.bytes,
            sha256=part.sha256,
            only_here=part.only_here,
            differs=part.differs,
            deleted_here=part.deleted_here,
            same=part.same,
        )
        for part in found.parts
    )
    return DivergenceComponent(
        component=name,
        kind=kind,
        status="exported",
        how=found.how,
        since=found.since,
        parts=parts,
        unexamined=found.unexamined,
        notes=found.notes,
        looked_at=found.looked_at,
    )


def _counts(divergence: Divergence) -> dict[str, object]:
    return {"differences": divergence.differences, "complete": divergence.complete, "unexamined": len(divergence.unexamined)}


def _made_empty(directory: Path) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    directory.parent.mkdir(parents=True, exist_ok=True, mode=0o700)  # it holds what clients wrote
    directory.mkdir(mode=0o700)
