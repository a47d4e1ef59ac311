"""Scaling and deploying a region's application: blocks `application.scale` and `application.deploy`.

The application is the set of instances that serves (see `sets`). Both may run at once: each patches only what it is for, and reads again
when the other was faster. `act` ends when the API has taken the wish; whether it came true is what `verify` says, and the caller looks
again until it is.
Never here: building images, or choosing how many instances a load needs (the plan says).
"""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from holdfast.plan.bindings import ClusterBinding
from holdfast.plan.parameters import replicas_of
from holdfast.ports.action import Answer, Finding, Outcome, Result, Task
from holdfast.providers.kubernetes.cluster import ApiRefusal, Cluster, HigherOrder, Patch, all_of
from holdfast.providers.kubernetes.sets import Deployment, resting_path, serving_path


@dataclass(frozen=True, slots=True)
class Place:
    """One Deployment, and what it is to be."""

    path: str
    wish: Any


class _Workloads:
    """What both blocks share: opening the right cluster, all functions at once, and wording what came of it."""

    def __init__(self, bindings: Mapping[str, ClusterBinding], *, timeout_seconds: float = 3.0, source_address: str | None = None) -> None:
        self._bindings = bindings
        self._timeout_seconds = timeout_seconds
        self._source_address = source_address

    def _cluster(self, region: str) -> Cluster:
        if region not in self._bindings:
            raise ApiRefusal(f"the bindings name no cluster in {region}; nothing was changed")
        return Cluster(self._bindings[region], timeout_seconds=self._timeout_seconds, source_address=self._source_address)

    def _region(self, task: Task) -> str:
        return task.target

    def _wanted(self, task: Task) -> dict[str, Any]:
        """What each function is to be. Raises ApiRefusal for parameters that say nothing."""
        raise AssertionError(f"{type(self).__name__} does not say what it wants")

    def _lacks(self, found: Deployment, wanted: Any) -> str | None:
        """What is not yet wished for, in words."""
        raise AssertionError(f"{type(self).__name__} does not say what it looks for")

    def _patch(self, found: Deployment, wanted: Any) -> Patch:
        raise AssertionError(f"{type(self).__name__} does not say what it changes")

    async def _places(self, cluster: Cluster, task: Task) -> dict[str, Place]:
        """Every Deployment that this is about, by what it is called in a sentence."""
        wanted = self._wanted(task)
        paths = await all_of([serving_path(cluster, function) for function in wanted])
        return {function: Place(path, wish) for (function, wish), path in zip(wanted.items(), paths, strict=True)}

    async def _looked(self, task: Task) -> dict[str, tuple[Place, Deployment]]:
        async with self._cluster(self._region(task)) as cluster:
            places = await self._places(cluster, task)
            found = await all_of([cluster.read(place.path) for place in places.values()])
        return {name: (place, one) for (name, place), one in zip(places.items(), found, strict=True)}

    async def check(self, task: Task) -> Finding:
        """Whether every Deployment is already told so."""
        try:
            looked = await self._looked(task)
        except (ApiRefusal, TimeoutError, ConnectionError) as error:
            return Finding(Answer.UNKNOWN, str(error))
        lacking = [f"{name}: {lack}" for name, (place, found) in looked.items() if (lack := self._lacks(found, place.wish))]
        if lacking:
            return Finding(Answer.NO, f"in {self._region(task)}: {'; '.join(lacking)}", _facts(looked))
        return Finding(Answer.YES, f"all {len(looked)} Deployments in {self._region(task)} are told so", _facts(looked))

    async def act(self, task: Task) -> Outcome:
        """Patch every Deployment."""
        try:
            async with self._cluster(self._region(task)) as cluster:
                places = await self._places(cluster, task)
                changes = [
                    cluster.change(place.path, task.block, task.order, partial(self._patch, wanted=place.wish)) for place in places.values()
                ]
                results = await asyncio.gather(*changes, return_exceptions=True)
        except ApiRefusal as error:
            return Outcome(Result.FAILED, str(error))
        except (TimeoutError, ConnectionError) as error:
            return Outcome(Result.UNKNOWN, f"{error}: nothing was sent yet")
        return _outcome(task, self._region(task), dict(zip(places, results, strict=True)))

    async def verify(self, task: Task) -> Finding:
        """Whether every Deployment runs as it was told: rolled out, ready, and nothing of before left."""
        try:
            looked = await self._looked(task)
        except (ApiRefusal, TimeoutError, ConnectionError) as error:
            return Finding(Answer.UNKNOWN, str(error))
        lacking = [
            f"{name}: {lack}"
            for name, (place, found) in looked.items()
            if (lack := self._lacks(found, place.wish) or not_rolled_out(found))
        ]
        if lacking:
            return Finding(Answer.NO, f"in {self._region(task)}: {'; '.join(lacking)}", _facts(looked))
        return Finding(Answer.YES, f"all {len(looked)} Deployments in {self._region(task)} are rolled out and ready", _facts(looked))


class ScaleAction(_Workloads):
    """Runs as many instances of each function as the plan says (`replicas`: one number, or a number for each function).

    In the region that is left the set that does not serve, if there is one, goes to zero: nobody needs it there any more.
    """

    def _region(self, task: Task) -> str:
        return task.source if task.parameters.get("region", "target") == "source" else task.target

    def _wanted(self, task: Task) -> dict[str, Any]:
        binding = self._bindings.get(self._region(task))
        return counts(task, () if binding is None else tuple(binding.deployments))

    async def _places(self, cluster: Cluster, task: Task) -> dict[str, Place]:
        places = await super()._places(cluster, task)
        if self._region(task) != task.source:
            return places
        with_service = [function for function in places if function in cluster.binding.services]
        paths = await all_of([resting_path(cluster, function) for function in with_service])
        there = await all_of([cluster.read_if_there(path) for path in paths])
        resting = zip(with_service, paths, there, strict=True)
        return places | {f"{function}, the set that does not serve": Place(path, 0) for function, path, one in resting if one is not None}

    def _lacks(self, found: Deployment, wanted: Any) -> str | None:
        told = found["spec"].get("replicas", 1)
        return None if told == wanted else f"{told} instances wished for, not {wanted}"

    def _patch(self, found: Deployment, wanted: Any) -> Patch:
        del found  # the count is absolute
        return {"spec": {"replicas": wanted}}


class DeployAction(_Workloads):
    """Brings every function of the target region to the version of production (`version`: the tag of its images)."""

    def _wanted(self, task: Task) -> dict[str, Any]:
        wanted, binding = version(task), self._bindings.get(task.target)
        return dict.fromkeys(() if binding is None else binding.deployments, wanted)

    def _lacks(self, found: Deployment, wanted: Any) -> str | None:
        return other_version(found, wanted)

    def _patch(self, found: Deployment, wanted: Any) -> Patch:
        # A merge patch replaces lists whole, so the containers are sent back as they were read, but for the image.
        return {"spec": {"template": {"spec": {"containers": in_version(found, wanted)}}}}


def counts(task: Task, functions: Collection[str]) -> dict[str, int]:
    """How many instances of each function the step wants. Raises ApiRefusal for parameters that say nothing."""
    replicas = task.parameters.get("replicas")
    asked = replicas.values() if isinstance(replicas, Mapping) else [replicas] if functions else []
    if asked and all(type(count) is int and count >= 0 for count in asked):
        return replicas_of(task.parameters, functions)
    raise ApiRefusal(f"step {task.step}: `replicas` must be a number, or a number for each function, not {replicas!r}")


def version(task: Task) -> str:
    """The tag that the step wants. Raises ApiRefusal for a parameter that is none."""
    wanted = task.parameters.get("version")
    if not isinstance(wanted, str) or not wanted:
        raise ApiRefusal(f"step {task.step}: `version` must be the images' tag as text (in quotes), not {wanted!r}")
    return wanted


def other_version(found: Deployment, wanted: str) -> str | None:
    """What a Deployment is told to run instead of the version, in words."""
    images = [container["image"] for container in _containers(found)]
    stale = [image for image in images if image != _tagged(image, wanted)]
    return f"{stale[0]} instead of version {wanted}" if stale else None


def in_version(found: Deployment, wanted: str) -> list[dict[str, Any]]:
    """A Deployment's containers with the images of another version."""
    return [{**container, "image": _tagged(container["image"], wanted)} for container in _containers(found)]


def not_rolled_out(found: Deployment) -> str | None:
    """What a Deployment still lacks of its own wish, in words."""
    wished = found["spec"].get("replicas", 1)
    status = found.get("status", {})
    if status.get("observedGeneration", 0) < found["metadata"].get("generation", 0):
        return "the cluster has not taken it up yet"
    counts = {name: status.get(name, 0) for name in ("replicas", "updatedReplicas", "readyReplicas")}
    if counts["updatedReplicas"] < wished:
        return f"{counts['updatedReplicas']} of {wished} instances are of the new version"
    if counts["replicas"] > wished:
        return f"{counts['replicas'] - wished} instances of before are still there"
    if counts["readyReplicas"] < wished:
        return f"{counts['readyReplicas']} of {wished} instances are ready"
    return None


def _containers(found: Deployment) -> list[dict[str, Any]]:
    return list(found["spec"]["template"]["spec"]["containers"])


def _tagged(image: str, tag: str) -> str:
    """The image with another tag. A colon before the last slash belongs to the registry's port; a digest is dropped."""
    name = image.partition("@")[0]
    folder, slash, last = name.rpartition("/")
    return f"{folder}{slash}{last.partition(':')[0]}:{tag}"


def _facts(looked: Mapping[str, tuple[Place, Deployment]]) -> dict[str, Any]:
    return {"deployments": {name: counted(found) for name, (_, found) in looked.items()}}


def counted(found: Deployment) -> dict[str, Any]:
    """A Deployment's size and version, as a fact."""
    return {
        "replicas": found["spec"].get("replicas", 1),
        "ready": found.get("status", {}).get("readyReplicas", 0),
        "image": _containers(found)[0]["image"],
    }


def _outcome(task: Task, region: str, results: Mapping[str, Any]) -> Outcome:
    """One outcome of several patches: refused before unknown before failed, since that is what may be done next."""
    errors = {function: result for function, result in results.items() if isinstance(result, BaseException)}
    text = "; ".join(f"{function}: {error}" for function, error in errors.items())
    for error in errors.values():
        if not isinstance(error, (HigherOrder, ApiRefusal, TimeoutError, ConnectionError)):
            raise error
    higher = [error for error in errors.values() if isinstance(error, HigherOrder)]
    if higher:
        return Outcome(Result.REFUSED, text, {"highest_order": max(error.seen for error in higher).as_list()})
    if any(isinstance(error, (TimeoutError, ConnectionError)) for error in errors.values()):
        return Outcome(Result.UNKNOWN, f"{text}: it may or may not have happened")
    if errors:
        return Outcome(Result.FAILED, text)
    return Outcome(Result.SUCCEEDED, f"{len(results)} Deployments in {region} patched", {"highest_order": task.order.as_list()})
