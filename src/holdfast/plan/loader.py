"""A plan's file → a typed plan with its digest and the place of every value.

Rules: all problems of a file come out in one run, each with file, line, column, the offending value and a hint; a plan loads whole
or not at all. The digest is SHA-256 over the canonical JSON of the typed plan without its defaults: comments, order of keys and
ways of writing (`60m`, `1h`) don't change it, and neither does a later version of Holdfast that knows more keys.
Never here: whether the plan's promises can be kept (see `checks`).
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from holdfast.plan.comments import Ignore, ignores_of
from holdfast.plan.consistency import check_consistency
from holdfast.plan.contacts import REACHED_BY, Contacts, contacts_of
from holdfast.plan.document import MOST_BYTES, Document, read
from holdfast.plan.findings import Findings
from holdfast.plan.including import INCLUDE, with_included
from holdfast.plan.model import Plan
from holdfast.plan.problems import UNSEEN, Place, PlanError, Positions, Problem
from holdfast.plan.references import check_references
from holdfast.plan.regular_files import NotAFileError, bytes_of
from holdfast.plan.steps import check_steps
from holdfast.plan.unfinished import Unfinished, unfinished
from holdfast.plan.wording import place_of_error, problem_of, told

__all__ = [
    "LoadedPlan",
    "LoadedUnfinished",
    "PlanError",
    "Problem",
    "digest_of",
    "load",
    "load_bytes",
    "load_changed",
    "load_unfinished",
    "misshapen",
    "problems_of",
]


@dataclass(frozen=True, slots=True)
class LoadedPlan:
    """A plan that loads. `positions` knows where each of its values is written."""

    plan: Plan
    digest: str
    positions: Positions
    path: Path
    tree: Any = None
    """The plan's values as they were read, of all its files."""
    ignores: tuple[Ignore, ...] = ()
    """Comments that ask to ignore a finding, of all its files."""


@dataclass(frozen=True, slots=True)
class LoadedUnfinished:
    """A plan that lacks keys and has nothing else wrong with it. It has no digest, and nothing may run on it."""

    unfinished: Unfinished
    positions: Positions
    path: Path
    ignores: tuple[Ignore, ...]


def load(path: Path) -> LoadedPlan:
    """Read a plan with all that it includes. Raises PlanError with every problem of its files, also when they can't be read at all."""
    return load_changed(path, {})


def files_of(path: Path, contents: Mapping[Path, bytes] = MappingProxyType({})) -> Document:
    """What a plan's files say and where, whether or not it means anything: for mending a plan that doesn't load yet.

    `contents`: as in `load_changed`. Raises PlanError when they can't be read as YAML at all.
    """
    document, _ = _read(path, contents)
    if document.problems or not isinstance(document.data, dict):
        raise PlanError(document.problems)
    return document


def load_changed(path: Path, contents: Mapping[Path, bytes]) -> LoadedPlan:
    """As `load`, with other contents in some of its files than those on the disk: to see whether a change would do."""
    loaded = _loaded(*_read(path, contents), path)
    return replace(loaded, plan=_reached(loaded.plan, loaded.positions, path))


def problems_of(data: Any) -> tuple[Problem, ...]:
    """What keeps a plan from loading whose values have no line yet, in the order of the plan's sections."""
    _, of_values, among_themselves = _examined(Document(data, Positions({}, {}), ()), Path())
    return tuple(dict.fromkeys((*of_values, *among_themselves)))


def misshapen(data: Any, places: Sequence[Place]) -> bool:
    """Whether something at these places, or in them, is a key or a value that may not stand there. What they only lack doesn't count."""
    try:
        Plan.model_validate(data)
    except ValidationError as error:
        wrong = [place_of_error(found, data) for found in told(error.errors(include_url=False)) if found["type"] != "missing"]
        return any(found[: len(place)] == place for found in wrong for place in places)
    return False


def load_unfinished(error: PlanError, path: Path) -> LoadedUnfinished | None:
    """A plan that doesn't load because it lacks keys, as far as it is said; None where anything else is wrong with it.

    None too where its contacts are kept apart and lack a key: without them nobody seems to be reached. Raises PlanError where they can't be
    read, as `load` does of a plan that is whole.
    """
    document = error.document
    if document is None or not _says_how_people_are_reached(document.data):
        return None
    found = unfinished(document.data, lambda plan: _reached(plan, document.positions, path))
    return None if found is None else LoadedUnfinished(found, document.positions, path, error.ignores)


def _says_how_people_are_reached(data: Any) -> bool:
    if data.get("contacts") is None:
        return True
    try:
        Contacts.model_validate(data["contacts"])
    except ValidationError:
        return False
    return True


def _read(path: Path, contents: Mapping[Path, bytes]) -> tuple[Document, tuple[Ignore, ...]]:
    """What a plan's files say, and what their comments ask to ignore."""
    seen: dict[Path, bytes] = {}

    def content(of: Path) -> bytes:
        seen[of] = contents[of] if of in contents else _content(of)
        return seen[of]

    document = with_included(read(content(path), str(path)), path, content)
    several = len(seen) > 1
    return document, tuple(wish for file, text in seen.items() for wish in ignores_of(_text(text), str(file) if several else ""))


def load_bytes(content: bytes, path: Path) -> LoadedPlan:
    """As `load`, for content that is already here; `path` is only shown, so no other file is read: what includes one is refused."""
    document = read(content, str(path))
    if isinstance(document.data, dict) and INCLUDE in document.data:
        position = document.positions.key((INCLUDE,))
        said = "a plan that is handed over as text can't include files"
        raise PlanError([Problem(str(path), position.line, position.column, said, None, "hand over one file that holds all of it")])
    return _loaded(document, ignores_of(_text(content)), path)


def _text(content: bytes) -> str:
    """What the reader took; it has refused everything else."""
    return content.decode("utf-8-sig", "replace")


def _loaded(document: Document, ignores: tuple[Ignore, ...], path: Path) -> LoadedPlan:
    if document.has_holes:
        raise PlanError(document.problems, UNSEEN)
    plan, of_values, among_themselves = _examined(document, path)
    problems = (*document.problems, *of_values, *among_themselves)
    if problems or plan is None:
        more = document.problems or among_themselves or not isinstance(document.data, dict)
        raise PlanError(problems, document=None if more else document, ignores=ignores)
    return LoadedPlan(plan, digest_of(plan), document.positions, path, document.data, ignores)


def _examined(document: Document, path: Path) -> tuple[Plan | None, list[Problem], list[Problem]]:
    """The typed plan, what is wrong with its values, and what among themselves."""
    of_values, among_themselves = Findings(document, str(path)), Findings(document, str(path))
    plan = _typed(of_values, document)
    check_references(among_themselves)
    check_consistency(among_themselves)
    check_steps(among_themselves)
    return plan, of_values.problems, among_themselves.problems


def _reached(plan: Plan, positions: Positions, path: Path) -> Plan:
    """The plan whose people can be reached by what stands in the contacts' file, where it names one."""
    if plan.contacts is None:
        return plan
    position = positions.nearest(("contacts",))
    where = Problem(position.path or str(path), position.line, position.column, "")
    found = contacts_of(plan.contacts, plan.people, path.parent, where, _content)
    people = dict(plan.people)
    for name, contact in found.items():
        people[name] = people[name].model_copy(update=contact.model_dump(exclude_none=True))
    return plan.model_copy(update={"people": people})


def digest_of(plan: Plan) -> str:
    """SHA-256 (hex) over what the plan says. Where contacts are kept apart, nobody's e-mail, telephone and chat are part of it."""
    apart = {"people": {"__all__": set(REACHED_BY)}} if plan.contacts is not None else None
    value = plan.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude=apart)
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _content(path: Path) -> bytes:
    shown = str(path)
    try:
        return bytes_of(path, MOST_BYTES + 1)
    except FileNotFoundError:
        problem = Problem(shown, 1, 1, "there is no such file", None, "check the path; the reference plan is examples/voicehive/plan.yaml")
    except IsADirectoryError:
        problem = Problem(shown, 1, 1, "this is a directory", None, f"name the file in it, such as {path / 'plan.yaml'}")
    except NotAFileError as error:
        problem = Problem(shown, 1, 1, str(error), None, "write the plan to a file, and name it")
    except OSError as error:
        problem = Problem(shown, 1, 1, "the file can't be read", error.strerror or str(error), "check its permissions")
    raise PlanError([problem])


def _typed(findings: Findings, document: Document) -> Plan | None:
    """The typed plan, or None after adding what keeps the values from being one.

    Where the text itself has a problem already (an anchor, a key that stands there twice), what the types say about the same spot is only
    its echo.
    """
    spoilt = {(problem.path, problem.line, problem.column) for problem in document.problems}
    try:
        return Plan.model_validate(document.data)
    except ValidationError as error:
        for found in told(error.errors(include_url=False)):
            problem = problem_of(found, document, findings.path)
            if (problem.path, problem.line, problem.column) not in spoilt:
                findings.problems.append(problem)
        return None
