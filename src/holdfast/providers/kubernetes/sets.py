"""What "the application" of a function in a region is: the set of instances that the function's Service selects.

There are at most two sets of a function, each a Deployment: the one that the bindings name (`holdfast/set: first`), and beside it the
one of the same name with `-fresh` (`holdfast/set: fresh`), which `application.fresh` makes. Everything else of their labels is alike, so
that rules of the network and monitoring hold for both. Scaling, deploying and looking mean the set that serves; the other one is only
ever touched by `application.fresh`, which makes it the fresh one of the next activation, and by the scaling of a region that is left,
which sends it to zero. Where the bindings name no Service there is one set.
Never here: changing anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from holdfast.fencing.order import Order
from holdfast.ports.action import Task
from holdfast.providers.kubernetes.cluster import ApiRefusal, Cluster, Found, all_of, compare

LABEL = "holdfast/set"
FIRST, FRESH = "first", "fresh"
BLOCK = "application.fresh"
MADE_FOR = "holdfast/fresh-for"
"""The annotation by which a fresh set's Deployment says which activation made it."""

Deployment = Mapping[str, Any]


def other(which: str) -> str:
    """The set beside this one."""
    return FIRST if which == FRESH else FRESH


def name_of(bound: str, which: str) -> str:
    """The name of a set's Deployment. `bound`: as the bindings name the first one."""
    return f"{bound}-fresh" if which == FRESH else bound


def selected(path: str, service: Found) -> str:
    """Which set a Service selects. One that does not tell sets apart selects the first. Raises ApiRefusal for a value that is none."""
    which = (service.get("spec", {}).get("selector") or {}).get(LABEL, FIRST)
    if which not in (FIRST, FRESH):
        raise ApiRefusal(f"{path} selects {LABEL}={which}, which is neither {FIRST} nor {FRESH}: correct its selector; nothing was changed")
    return str(which)


async def serving_path(cluster: Cluster, function: str) -> str:
    """Where the Deployment stands that serves a function."""
    return cluster.deployment_path(name_of(cluster.deployment_name(function), await _serving(cluster, function)))


async def resting_path(cluster: Cluster, function: str) -> str:
    """Where the Deployment stands, if there is one, that does not serve a function which has a Service."""
    return cluster.deployment_path(name_of(cluster.deployment_name(function), other(await _serving(cluster, function))))


async def _serving(cluster: Cluster, function: str) -> str:
    if function not in cluster.binding.services:
        return FIRST
    path = cluster.service_path(function)
    return selected(path, await cluster.read(path))


@dataclass(frozen=True, slots=True)
class Sets:
    """Both sets of a function as they were read. `fresh`: which of them is the fresh one of the activation that asks."""

    service_path: str
    service: Found
    selected: str
    deployments: Mapping[str, Deployment | None]
    paths: Mapping[str, str]
    fresh: str
    made: Deployment | None
    """The fresh set, if this activation made it: what an earlier one left there is not it."""

    @property
    def fresh_path(self) -> str:
        """Where the fresh set's Deployment stands, or is to stand."""
        return self.paths[self.fresh]


def activation_of(task: Task) -> str:
    """Which activation a task belongs to, whoever carries it out and however often. A run that moves no writer opens no epoch of its
    own, so the epoch alone does not say."""
    return f"{task.order.era}.{task.order.epoch}/{task.incident}/{task.run}"


async def look(cluster: Cluster, function: str, activation: str) -> Sets:
    """Read both sets. The fresh one of an activation is the one that says so, else the one that does not serve: however
    often it is asked, and wherever it was broken off, the answer is the same."""
    bound, service_path = cluster.deployment_name(function), cluster.service_path(function)
    paths = {which: cluster.deployment_path(name_of(bound, which)) for which in (FRESH, FIRST)}
    service, *found = await all_of([cluster.read(service_path), *(cluster.read_if_there(path) for path in paths.values())])
    deployments = dict(zip(paths, found, strict=True))
    now = selected(service_path, service)
    made = next((which for which, one in deployments.items() if one is not None and _made_for(one) == activation), None)
    fresh = made or other(now)
    return Sets(service_path, service, now, deployments, paths, fresh, deployments[made] if made else None)


def refuse_lower(sets: Sets, order: Order) -> None:
    """Raises HigherOrder when the Service or either set has obeyed a higher order."""
    compare(sets.service_path, sets.service, BLOCK, order)
    for which, one in sets.deployments.items():
        if one is not None:
            compare(sets.paths[which], one, BLOCK, order)


def tell_apart(sets: Sets) -> Deployment:
    """The Deployment that serves. Raises ApiRefusal when the label does not tell the sets apart: a second one would get traffic at once."""
    serving = sets.deployments[sets.selected]
    if serving is None:
        raise ApiRefusal(
            f"{sets.paths[sets.selected]} is what the Service selects, and is not there: correct the bindings; nothing was changed"
        )
    places = {
        sets.service_path: sets.service["spec"].get("selector") or {},
        f"the selector of {sets.paths[sets.selected]}": serving["spec"]["selector"].get("matchLabels") or {},
        f"the template of {sets.paths[sets.selected]}": serving["spec"]["template"].get("metadata", {}).get("labels") or {},
    }
    for place, labels in places.items():
        if labels.get(LABEL) != sets.selected:
            raise ApiRefusal(f"{place} lacks the label {LABEL}={sets.selected}, which tells two sets apart: add it; nothing was changed")
    return serving


def _made_for(found: Deployment) -> str | None:
    return (found["metadata"].get("annotations") or {}).get(MADE_FOR)
