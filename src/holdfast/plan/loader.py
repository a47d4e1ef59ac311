"""A plan's file → a typed plan with its digest and the place of every value.

Rules: all problems of a file come out in one run, each with file, line, column, the offending value and a hint; a plan loads whole
or not at all. The digest is SHA-256 over the canonical JSON of the typed plan without its defaults: comments, order of keys and
ways of writing (`60m`, `1h`) don't change it, and neither does a later version of Holdfast that knows more keys.
Never here: whether the plan's promises can be kept (see `checks`).
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from holdfast.plan.comments import Ignore, ignores_of
from holdfast.plan.consistency import check_consistency
from holdfast.plan.contacts import REACHED_BY, contacts_of
from holdfast.plan.document import MOST_BYTES, Document, read
from holdfast.plan.findings import Findings
from holdfast.plan.including import INCLUDE, with_included
from holdfast.plan.model import Plan
from holdfast.plan.problems import UNSEEN, PlanError, Positions, Problem
from holdfast.plan.references import check_references
from holdfast.plan.regular_files import NotAFileError, bytes_of
from holdfast.plan.steps import check_steps
from holdfast.plan.unfinished import Unfinished, unfinished
from holdfast.plan.wording import problem_of

__all__ = ["LoadedPlan", "LoadedUnfinished", "PlanError", "Problem", "digest_of", "load", "load_bytes", "load_changed", "load_unfinished"]


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


def files_of(path: Path) -> Document:
    """What a plan's files say and where, whether or not it means anything: for mending a plan that doesn't load yet.

    Raises PlanError when they can't be read as YAML at all.
    """
    document = with_included(read(_content(path), str(path)), path, _content)
    if document.problems or not isinstance(document.data, dict):
        raise PlanError(document.problems)
    return document


def load_changed(path: Path, contents: Mapping[Path, bytes]) -> LoadedPlan:
    """As `load`, with other contents in some of its files than those on the disk: to see whether a change would do."""

    document, ignores = _read(path, contents)
    loaded = replace(_loaded(document, path), ignores=ignores)
    return replace(loaded, plan=_reached(loaded, path.parent)) if loaded.plan.contacts is not None else loaded


def load_unfinished(path: Path) -> LoadedUnfinished | None:
    """A plan that doesn't load because it lacks keys, as far as it is said; None where anything else is wrong with it, or nothing.

    None too where contacts are kept apart: they are read for a plan that loads, and without them nobody seems to be reached.
    Raises PlanError where a file can't be read at all.
    """
    document, ignores = _read(path, {})
    findings = Findings(document, str(path))
    if document.problems or not isinstance(document.data, dict):
        return None
    _among_themselves(findings)
    found = None if findings.problems else unfinished(document.data)
    if found is None or "contacts" in document.data:
        return None
    return LoadedUnfinished(found, document.positions, path, ignores)


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
    return replace(_loaded(document, path), ignores=ignores_of(_text(content)))


def _text(content: bytes) -> str:
    """What the reader took; it has refused everything else."""
    return content.decode("utf-8-sig", "replace")


def _loaded(document: Document, path: Path) -> LoadedPlan:
    if document.has_holes:
        raise PlanError(document.problems, UNSEEN)
    findings = Findings(document, str(path))
    plan = _typed(findings, document)
    _among_themselves(findings)
    if document.problems or findings.problems or plan is None:
        raise PlanError((*document.problems, *findings.problems))
    return LoadedPlan(plan, digest_of(plan), document.positions, path, document.data)


def _among_themselves(findings: Findings) -> None:
    """What the values of a plan say of each other."""
    check_references(findings)
    check_consistency(findings)
    check_steps(findings)


def _reached(loaded: LoadedPlan, folder: Path) -> Plan:
    """The plan whose people can be reached by what stands in the contacts' file."""
    plan, position = loaded.plan, loaded.positions.nearest(("contacts",))
    assert plan.contacts is not None
    where = Problem(position.path or str(loaded.path), position.line, position.column, "")
    found = contacts_of(plan.contacts, plan.people, folder, where, _content)
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
        for found in error.errors(include_url=False):
            problem = problem_of(found, document, findings.path)
            if (problem.path, problem.line, problem.column) not in spoilt:
                findings.problems.append(problem)
        return None
