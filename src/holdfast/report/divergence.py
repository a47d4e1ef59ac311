"""What only the lost side held, as types: the format holdfast/divergence/v1, which later versions only add fields to.

One directory an incident: `divergence.json` and, for every component, a folder with a file of JSON lines for each table or kind of key:

    {"id": "calls/4711", "change": "only-here", "key": {...}, "here": {...}, "there": null}

`id` is what ledgers call the same write. `change`: `only-here` (the writer has nothing under that key), `differs` (it has something else),
`deleted-here` (it still has what was deleted on the lost side). Never here: comparing, files, and giving anything
back to the writer.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import Field

from holdfast.report.part import ReportPart

SCHEMA_NAME: Final = "holdfast/divergence/v1"
JSON_NAME: Final = "divergence.json"

Change = Literal["only-here", "differs", "deleted-here"]


class DivergencePart(ReportPart):
    """One file: all differences of a table, or of a kind of key. `file` is relative to the directory of divergence.json."""

    name: str
    file: str
    bytes: int
    sha256: str
    only_here: int
    differs: int
    deleted_here: int
    same: int = 0
    """Written on the lost side alone and there on the writer alike: nothing is lost of these."""


class DivergenceComponent(ReportPart):
    """One component. `missing`: it could not be exported, and `detail` says why."""

    component: str
    kind: str
    status: Literal["exported", "missing"]
    how: str = ""
    detail: str = ""
    since: Mapping[str, Any] = Field(default_factory=dict)
    parts: tuple[DivergencePart, ...] = ()
    unexamined: tuple[str, ...] = ()
    """Sentences: what could not be looked at, so that more may be held there alone."""
    notes: tuple[str, ...] = ()
    """Sentences: how what was looked at is told, where that isn't plain."""
    looked_at: bool = False
    """Whether anybody looked at the store. Without that (also in exports from before it was said) having no parts says nothing."""

    @property
    def differences(self) -> int:
        """How many entries its files hold."""
        return sum(part.only_here + part.differs + part.deleted_here for part in self.parts)


class Divergence(ReportPart):
    """A whole export, format holdfast/divergence/v1."""

    schema_: Literal["holdfast/divergence/v1"] = Field(alias="schema", default=SCHEMA_NAME)
    incident: str
    run: str
    source: str
    """The region that lost its right to write."""
    target: str
    """The region that it was compared with."""
    order: tuple[int, int, int, int]
    exported_seconds: float
    """Wall clock, seconds since 1970."""
    components: tuple[DivergenceComponent, ...]

    @property
    def complete(self) -> bool:
        """Whether every component was exported."""
        return all(component.status == "exported" for component in self.components)

    @property
    def unexamined(self) -> tuple[str, ...]:
        """What could not be looked at, each with its component in front. With any of it nobody knows that this is all."""
        return tuple(f"{component.component}: {sentence}" for component in self.components for sentence in component.unexamined)

    @property
    def differences(self) -> int:
        """How many entries there are in all files."""
        return sum(component.differences for component in self.components)


@dataclass(frozen=True, slots=True)
class Entry:
    """One difference, with where it was found."""

    component: str
    kind: str
    identifier: str
    change: Change
    value: Mapping[str, Any]
    """Fractions in it are text; `line` is the whole of it, as it was exported."""
    line: str


def divergence_json(divergence: Divergence) -> str:
    """The text of divergence.json."""
    return divergence.model_dump_json(by_alias=True, indent=2) + "\n"


def read_divergence(text: str) -> Divergence:
    """Inverse. Raises ValueError when the text is none of this format."""
    return Divergence.model_validate_json(text)


def entries_of(component: DivergenceComponent, part: DivergencePart, content: bytes) -> Iterator[Entry]:
    """Every difference in one file. Raises ValueError for one that is not as it was exported."""
    if hashlib.sha256(content).hexdigest() != part.sha256:
        raise ValueError(f"{part.file} was changed after it was exported")
    for line in content.splitlines():
        value = json.loads(line, parse_float=str)
        yield Entry(component.component, component.kind, str(value["id"]), value["change"], value, line.decode())


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of divergence.json."""
    schema = Divergence.model_json_schema(by_alias=True, mode="validation")
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "urn:holdfast:divergence:v1"}
    return {**head, **schema, "title": "Holdfast divergence, version 1"}
