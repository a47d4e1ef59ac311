"""Scaling and deploying a region's application: blocks `application.scale` and `application.deploy`.

Both may run at once: each patches only what it is for, and reads again when the other was faster. `act` ends when the API has taken the
wish; whether it came true is what `verify` says, and the caller looks again until it is.
Never here: building images, or choosing how many instances a load needs (the plan says).
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from holdfast.plan.bindings import ClusterBinding
from holdfast.ports.action import Answer, Finding, Outcome, Result, Task
from holdfast.providers.kubernetes.cluster import ApiRefusal, Cluster, HigherOrder, Patch

Deployment = Mapping[str, Any]


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

    async def _deployments(self, task: Task) -> dict[str, Deployment]:
        wanted = self._wanted(task)
        async with self._cluster(self._region(task)) as cluster:
            found = await asyncio.gather(*(cluster.read(cluster.deployment_path(function)) for function in wanted))
        return dict(zip(wanted, found, strict=True))

    async def check(self, task: Task) -> Finding:
        """Whether every Deployment is already told so."""
        try:
            wanted = self._wanted(task)
            found = await self._deployments(task)
        except (ApiRefusal, TimeoutError, ConnectionError) as error:
            return Finding(Answer.UNKNOWN, str(error))
        lacking = [f"{function}: {lack}" for function in wanted if (lack := self._lacks(found[function], wanted[function]))]
        if lacking:
            return Finding(Answer.NO, f"in {self._region(task)}: {'; '.join(lacking)}", _facts(found))
        return Finding(Answer.YES, f"all {len(wanted)} Deployments in {self._region(task)} are told so", _facts(found))

    async def act(self, task: Task) -> Outcome:
        """Patch every Deployment."""
        block = task.block
        try:
            wanted = self._wanted(task)
            async with self._cluster(self._region(task)) as cluster:
                changes = [
                    cluster.change(cluster.deployment_path(function), block, task.order, _bound(self._patch, wish))
                    for function, wish in wanted.items()
                ]
                results = await asyncio.gather(*changes, return_exceptions=True)
        except ApiRefusal as error:
            return Outcome(Result.FAILED, str(error))
        return _outcome(task, self._region(task), dict(zip(wanted, results, strict=True)))

    async def verify(self, task: Task) -> Finding:
        """Whether every Deployment runs as it was told: rolled out, ready, and nothing of before left."""
        try:
            wanted = self._wanted(task)
            found = await self._deployments(task)
        except (ApiRefusal, TimeoutError, ConnectionError) as error:
            return Finding(Answer.UNKNOWN, str(error))
        lacking = [
            f"{function}: {lack}"
            for function, wish in wanted.items()
            if (lack := self._lacks(found[function], wish) or not_rolled_out(found[function]))
        ]
        if lacking:
            return Finding(Answer.NO, f"in {self._region(task)}: {'; '.join(lacking)}", _facts(found))
        return Finding(Answer.YES, f"all {len(wanted)} Deployments in {self._region(task)} are rolled out and ready", _facts(found))


class ScaleAction(_Workloads):
    """Runs as many instances of each function as the plan says (`replicas`: one number, or a number for each function)."""

    def _region(self, task: Task) -> str:
        return task.source if task.parameters.get("region", "target") == "source" else task.target

    def _wanted(self, task: Task) -> dict[str, Any]:
        replicas = task.parameters.get("replicas")
        binding = self._bindings.get(self._region(task))
        if isinstance(replicas, int) and not isinstance(replicas, bool) and binding is not None:
            return dict.fromkeys(binding.deployments, replicas)
        if isinstance(replicas, Mapping) and replicas and all(type(count) is int and count >= 0 for count in replicas.values()):
            return dict(replicas)
        raise ApiRefusal(f"step {task.step}: `replicas` must be a number, or a number for each function, not {replicas!r}")

    def _lacks(self, found: Deployment, wanted: Any) -> str | None:
        told = found["spec"].get("replicas", 1)
        return None if told == wanted else f"{told} instances wished for, not {wanted}"

    def _patch(self, found: Deployment, wanted: Any) -> Patch:
        del found  # the count is absolute
        return {"spec": {"replicas": wanted}}


class DeployAction(_Workloads):
    """Brings every function of the target region to the version of production (`version`: the tag of its images)."""

    def _wanted(self, task: Task) -> dict[str, Any]:
        version = task.parameters.get("version")
        binding = self._bindings.get(task.target)
        if not isinstance(version, str) or not version or binding is None:
            raise ApiRefusal(f"step {task.step}: `version` must be the images' tag as text (in quotes), not {version!r}")
        return dict.fromkeys(binding.deployments, version)

    def _lacks(self, found: Deployment, wanted: Any) -> str | None:
        images = [container["image"] for container in _containers(found)]
        stale = [image for image in images if image != _tagged(image, wanted)]
        return f"{stale[0]} instead of version {wanted}" if stale else None

    def _patch(self, found: Deployment, wanted: Any) -> Patch:
        # A merge patch replaces lists whole, so the containers are sent back as they were read, but for the image.
        containers = [{**container, "image": _tagged(container["image"], wanted)} for container in _containers(found)]
        return {"spec": {"template": {"spec": {"containers": containers}}}}


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


def _bound(patch: Any, wish: Any) -> Any:
    return lambda found: patch(found, wish)


def _facts(found: Mapping[str, Deployment]) -> dict[str, Any]:
    return {
        "deployments": {
            function: {
                "replicas": value["spec"].get("replicas", 1),
                "ready": value.get("status", {}).get("readyReplicas", 0),
                "image": _containers(value)[0]["image"],
            }
            for function, value in found.items()
        }
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
