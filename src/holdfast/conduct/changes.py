"""What each step of a run changes: from what, as far as that was seen, to what. Pure.

Rules: `before` is what was seen when the plan was made, not what an earlier step of the same run leaves; what could have been seen and
was not is the word *unknown*; where nobody looks there is no `before`. A step that only proves, tells or asks changes nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from holdfast.conduct.standing import pointed, settings
from holdfast.conduct.world import World
from holdfast.plan.model import Plan
from holdfast.plan.parameters import region_of, replicas_of
from holdfast.runbook.graph import PlannedStep

UNKNOWN = "unknown"
_MOST_NAMED = 3
_WRITER, _REPLICA = "writer", "replica"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that a step changes. `of`: the function or the component; `what`: version, instances, name, role, traffic or stores."""

    of: str
    region: str | None
    """None for what stands in no region."""
    what: str
    before: str | None
    """None where nobody looks."""
    after: str


@dataclass(frozen=True, slots=True)
class _About:
    """What a block's changes depend on."""

    plan: Plan
    world: World
    step: PlannedStep
    source: str
    target: str

    @property
    def region(self) -> str:
        return region_of(self.step.parameters, self.source, self.target)

    @property
    def title(self) -> str:
        return self.plan.components[self.step.component].name if self.step.component in self.plan.components else "the stores"

    def role(self, region: str) -> str:
        """What the step's store is in a region, as far as that was seen."""
        if region == self.world.serving:
            return _WRITER
        copy = self.world.copies.get(str(self.step.component))
        return UNKNOWN if copy is None or copy.follows is None else _REPLICA if copy.follows else "no replica"


def changes(plan: Plan, step: PlannedStep, world: World, source: str, target: str) -> tuple[Change, ...]:
    """What a step of a run from `source` to `target` changes; nothing for one that only proves, tells or asks."""
    about = _About(plan, world, step, source, target)
    told = _TOLD.get(step.block.name)
    return told(about) if told is not None else ()


def spoken(changed: tuple[Change, ...]) -> str:
    """Changes as one short sentence; `nothing` where there are none."""
    parts: dict[tuple[str, str | None], list[Change]] = {}
    for change in changed:
        parts.setdefault((change.what, change.region), []).append(change)
    return "; ".join(_part(what, region, of) for (what, region), of in parts.items()) or "nothing"


def _part(what: str, region: str | None, changed: list[Change]) -> str:
    pairs: dict[tuple[str | None, str], list[str]] = {}
    for change in changed:
        pairs.setdefault((change.before, change.after), []).append(change.of)
    where = f" in {region}" if region is not None else ""
    if what == "name":
        return "; ".join(f"{_count(len(of), 'name')}: {_turned(*pair)}" for pair, of in pairs.items())
    if what in ("version", "instances"):
        return f"{what}{where}: " + ", ".join(f"{_who(of)} {_turned(*pair)}" for pair, of in pairs.items())
    return "; ".join(f"{_who(of)}{where}: {_turned(*pair)}" for pair, of in pairs.items())


def _who(of: list[str]) -> str:
    return " and ".join(of) if len(of) < _MOST_NAMED else _count(len(of), "function")


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _turned(before: str | None, after: str) -> str:
    if before is None:
        return after
    return f"still {after}" if before == after else f"{before} → {after}"


# -- what each block changes --------------------------------------------------------------------------------------------------


def _fence(about: _About) -> tuple[Change, ...]:
    return (Change("every store", about.source, "role", about.role(about.source), "fenced"),)


def _promoted(about: _About) -> tuple[Change, ...]:
    return (Change(about.title, about.target, "role", about.role(about.target), _WRITER),)


def _follows(about: _About) -> tuple[Change, ...]:
    return (Change(about.title, about.source, "role", about.role(about.source), _REPLICA),)


def _activated(about: _About) -> tuple[Change, ...]:
    before = {_WRITER: "written", _REPLICA: "copy"}.get(about.role(about.target), UNKNOWN)
    return (Change(about.title, about.target, "role", before, "written"),)


def _version(about: _About) -> tuple[Change, ...]:
    wanted = str(about.step.parameters["version"])
    seen = {name: about.world.versions.get(f"{about.target}/{name}") for name in about.plan.functions}
    return tuple(Change(name, about.target, "version", UNKNOWN if image is None else _tag(image), wanted) for name, image in seen.items())


def _tag(image: str) -> str:
    """The tag of an image; the whole of it where it has none. A colon before the last slash belongs to the registry's port."""
    last = image.partition("@")[0].rpartition("/")[2]
    return last.partition(":")[2] or image


def _instances(about: _About) -> tuple[Change, ...]:
    found = []
    for name, wanted in replicas_of(about.step.parameters, about.plan.functions).items():
        seen = about.world.instances.get(f"{about.region}/{name}")
        found.append(Change(name, about.region, "instances", UNKNOWN if seen is None else str(seen), str(wanted)))
    return tuple(found)


def _fresh(about: _About) -> tuple[Change, ...]:
    return (*_version(about), *_instances(about))


def _names(about: _About) -> tuple[Change, ...]:
    seen = ((name, about.world.names.get(name)) for name in about.plan.functions)
    return tuple(Change(name, None, "name", leads or UNKNOWN, about.target) for name, leads in seen)


def _admits(about: _About) -> tuple[Change, ...]:
    return (Change(about.title, about.target, "traffic", None, "admits traffic"),)


def _drained(about: _About) -> tuple[Change, ...]:
    return (Change(about.title, about.source, "traffic", None, "admits no traffic"),)


def _stores(about: _About) -> tuple[Change, ...]:
    region, stores = pointed(about.plan, {"source": about.source, "target": about.target, "parameters": about.step.parameters})
    return (Change(about.title, region, "stores", None, f"uses {settings(stores)}"),)


def _reconciled(about: _About) -> tuple[Change, ...]:
    return (Change(about.title, None, "objects", None, "each side gets what only the other has"),)


def _undeleted(about: _About) -> tuple[Change, ...]:
    return (Change(about.title, about.target, "objects", None, "what was deleted comes back"),)


_TOLD: Mapping[str, Callable[[_About], tuple[Change, ...]]] = {
    "fence": _fence,
    "postgres.promote": _promoted,
    "postgres.restore": _promoted,
    "redis.promote": _promoted,
    "postgres.reprotect": _follows,
    "redis.reprotect": _follows,
    "bucket.activate": _activated,
    "bucket.reconcile": _reconciled,
    "bucket.restore": _undeleted,
    "settings.update": _stores,
    "application.scale": _instances,
    "application.deploy": _version,
    "application.fresh": _fresh,
    "loadbalancer.switch": _admits,
    "loadbalancer.drain": _drained,
    "dns.switch": _names,
}
