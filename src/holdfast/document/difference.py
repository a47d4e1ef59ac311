"""Two plans → what the change means: promises, findings, steps, people, in sentences.

Rules: a consequence is said once, the ones that people feel first. What has no sentence of its own is counted by the part of the plan
in which it stands, so no change goes unsaid.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from holdfast.checks import Finding
from holdfast.document.exact.cells import encode
from holdfast.document.exact.shapes import Kind, Shape, fields_of, title_of
from holdfast.document.writing.values import telling_values_of
from holdfast.plan.model import Plan
from holdfast.plan.part import Part
from holdfast.plan.problems import Place, shortened
from holdfast.plan.response import Phase, Step
from holdfast.plan.steps import RUNS
from holdfast.plan.values import spoken_duration

ABSENT = "none"


@dataclass(frozen=True, slots=True)
class Change:
    """One consequence. `about`: promises, findings, steps, people, drills or others. `place`: where it stands in the plan, or ()."""

    about: str
    sentence: str
    place: Place = ()


@dataclass(frozen=True, slots=True)
class Drilled:
    """A recorded drill: on which day, of what, and of which plan."""

    day: str
    scenario: str
    digest: str
    path: str


ORDER = ("promises", "findings", "steps", "people", "drills", "others")
_PEOPLE = frozenset({"people", "roles", "approval", "escalation", "audiences", "rotations"})
_PROMISED = frozenset(
    {"rto", "rpo", "mtpd", "availability_percent", "data_loss_tolerance", "retention", "answer_within", "due", "every", "within"}
)


def difference(before: Plan, after: Plan, found_before: Sequence[Finding], found_after: Sequence[Finding]) -> tuple[Change, ...]:
    """Every consequence of going from one plan to the other."""
    changes = [
        *_values(before, after),
        *_findings(found_before, found_after),
        *_scenarios(before, after),
    ]
    if not changes and before != after:
        changes.append(Change("others", "the plans differ in a phase that has no steps"))
    return tuple(sorted(changes, key=lambda change: ORDER.index(change.about)))


def uncovered(drills: Sequence[Drilled], before_digest: str, after_digest: str) -> tuple[Change, ...]:
    """The recorded drills that were of the first plan and say nothing of the second."""
    if before_digest == after_digest:
        return ()
    return tuple(
        Change("drills", f"drill of {drill.day} ({drill.scenario}) no longer covers this plan; it is in {drill.path}")
        for drill in drills
        if drill.digest == before_digest
    )


def leaves_of(part: Part, place: Place = ()) -> dict[Place, tuple[Shape, Any]]:
    """Every value that a part says otherwise than by default, by its place."""
    found: dict[Place, tuple[Shape, Any]] = {}
    for key, shape, value in telling_values_of(part):
        _collect(found, (*place, key), shape, value)
    return found


def _collect(found: dict[Place, tuple[Shape, Any]], place: Place, shape: Shape, value: Any) -> None:
    if isinstance(value, Part):
        inner = leaves_of(value, place)
        found.update(inner or {place: (shape, "{}")})
    elif shape.is_collection or isinstance(value, Mapping):
        entries = value.items() if isinstance(value, Mapping) else enumerate(value)
        for key, below in entries:
            _collect(found, (*place, key), shape.item() if shape.kind in (Kind.LIST, Kind.MAPPING) else shape, below)
    else:
        found[place] = (shape, value)


def _values(before: Plan, after: Plan) -> list[Change]:
    """Values that changed, came or went; steps have sentences of their own."""
    old, new = leaves_of(before), leaves_of(after)
    changes = []
    named: set[Place] = set()
    for place in dict.fromkeys([*old, *new]):
        if old.get(place) == new.get(place) or _is_step(place):
            continue
        whole = place[:2]
        if len(place) > 2 and _is_entry(before, after, whole):
            if whole not in named:
                named.add(whole)
                changes.append(Change(_about(place), _came_or_went(before, after, whole), whole))
            continue
        changes.append(Change(_about(place), _changed(before, after, place, old.get(place), new.get(place)), place))
    return changes


def _is_step(place: Place) -> bool:
    return len(place) > 3 and place[0] == "scenarios" and place[2] in RUNS


def _is_entry(before: Plan, after: Plan, place: Place) -> bool:
    """Whether a whole named entry, such as a person, stands in one of the plans only."""
    held = [getattr(plan, str(place[0]), None) for plan in (before, after)]
    return all(isinstance(part, Mapping) for part in held) and sum(place[1] in part for part in held if isinstance(part, Mapping)) == 1


def _came_or_went(before: Plan, after: Plan, place: Place) -> str:
    is_new = place[1] in getattr(after, str(place[0]))
    part = getattr(after if is_new else before, str(place[0]))[place[1]]
    name = getattr(part, "name", "") or place[1]
    return f"{title_of(str(place[0])).lower()}: {name} {'is new' if is_new else 'is gone'}"


def _about(place: Place) -> str:
    if place[0] in _PEOPLE:
        return "people"
    return "promises" if place[-1] in _PROMISED and place[0] not in ("indicators", "improvement") else "others"


def _changed(before: Plan, after: Plan, place: Place, old: tuple[Shape, Any] | None, new: tuple[Shape, Any] | None) -> str:
    return f"{_subject(before, after, place)}: {_shown(old)} → {_shown(new)}"


def _subject(before: Plan, after: Plan, place: Place) -> str:
    """What a value belongs to, by name: `Voice Call Processing RTO`."""
    names: list[str] = []
    value: Any = after
    other: Any = before
    for key in place:
        value, other = _below(value, key), _below(other, key)
        holder = value if value is not None else other
        named = getattr(holder, "name", None) if isinstance(holder, Part) else None
        if named:
            names = [str(named)]
        elif isinstance(key, int):
            names.append(str(key + 1))
        else:
            names.append(title_of(key) if len(names) == 0 else _lower(title_of(key)))
    return " ".join(names)


def _lower(title: str) -> str:
    return title if title.isupper() else title[:1].lower() + title[1:]


def _below(value: Any, key: str | int) -> Any:
    if isinstance(value, Part):
        field = next((name for name, found in type(value).model_fields.items() if key in (name, found.alias)), None)
        return getattr(value, field) if field is not None else None
    if isinstance(value, Mapping):
        return value.get(key)
    return value[key] if isinstance(value, tuple) and isinstance(key, int) and key < len(value) else None


def _shown(found: tuple[Shape, Any] | None) -> str:
    if found is None or found[1] is None:
        return ABSENT
    shape, value = found
    if shape.kind is Kind.DURATION:
        return spoken_duration(value)
    return shortened(encode(shape, value).text, 80)


def _findings(before: Sequence[Finding], after: Sequence[Finding]) -> list[Change]:
    """Findings by code and place, since a sentence carries figures that change with the plan."""
    old, new = _by_identity(before), _by_identity(after)
    gone = [finding for key, finding in old.items() if key not in new]
    come = [finding for key, finding in new.items() if key not in old]
    changes = [Change("findings", f"{_count(len(come))} more", ())] if come else []
    changes += [Change("findings", f"new {found.severity.value} {found.code}: {found.sentence}", found.places[0]) for found in come]
    changes += [Change("findings", f"{_count(len(gone))} fewer", ())] if gone else []
    changes += [Change("findings", f"no longer {found.severity.value} {found.code}: {found.sentence}", found.places[0]) for found in gone]
    return changes


def _by_identity(findings: Sequence[Finding]) -> dict[tuple[str, tuple[Place, ...]], Finding]:
    return {(finding.code, finding.places): finding for finding in findings}


def _count(number: int) -> str:
    return "1 finding" if number == 1 else f"{number} findings"


def _scenarios(before: Plan, after: Plan) -> list[Change]:
    changes = []
    for name in (name for name in after.scenarios if name in before.scenarios):
        for run in RUNS:
            changes += _run(f"{after.scenarios[name].name}", ("scenarios", name, run), _steps(before, name, run), _steps(after, name, run))
    return changes


@dataclass(frozen=True, slots=True)
class _Standing:
    step: Step
    phase: Phase
    number: int


def _steps(plan: Plan, scenario: str, run: str) -> dict[str, _Standing]:
    phases: tuple[Phase, ...] = getattr(plan.scenarios[scenario], run)
    return {step.id: _Standing(step, phase, number) for number, phase in enumerate(phases) for step in phase.steps}


def _run(scenario: str, place: Place, old: dict[str, _Standing], new: dict[str, _Standing]) -> list[Change]:
    """Steps that came, went, moved or do something else, and windows that changed."""
    changes = [Change("steps", f"{scenario}: step '{name}' is gone", place) for name in old if name not in new]
    changes += [
        Change("steps", f"{scenario}: step '{name}' is new, in '{at.phase.name}'", place) for name, at in new.items() if name not in old
    ]
    for name in (name for name in new if name in old):
        was, now = old[name], new[name]
        if was.phase.name != now.phase.name:
            changes.append(Change("steps", f"{scenario}: step '{name}' moved from '{was.phase.name}' to '{now.phase.name}'", place))
        keys = [key for key in fields_of(Step) if getattr(was.step, key, None) != getattr(now.step, key, None)]
        if keys:
            changes.append(
                Change("steps", f"{scenario}: step '{name}' differs in {', '.join(_lower(title_of(key)) for key in keys)}", place)
            )
    for phase, window in _windows(new).items():
        earlier = _windows(old).get(phase)
        if earlier is not None and earlier != window:
            changes.append(Change("promises", f"{scenario}, {phase}: {_window(earlier)} → {_window(window)}", place))
    moved = [name for name in old if name in new]
    if moved != [name for name in new if name in old] and not any("moved" in change.sentence for change in changes):
        changes.append(Change("steps", f"{scenario}: the same steps stand in another order", place))
    return changes


def _windows(steps: dict[str, _Standing]) -> dict[str, tuple[float, float]]:
    return {at.phase.name: at.phase.window for at in steps.values()}


def _window(window: tuple[float, float]) -> str:
    return f"{spoken_duration(window[0])} to {spoken_duration(window[1])}"
