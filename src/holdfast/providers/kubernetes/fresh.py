"""Starting a fresh set of a region's application beside the one that serves, and serving from it: block `application.fresh`.

For the night on which the application can't be brought to its version where it stands: a roll-out that doesn't come to its end, a
Deployment that refuses to be changed. In this order, and never another:
1. a second Deployment of each function, named and labelled apart (see `sets`), of the wanted version and size; its instances are made
   after the pattern of the set that serves, and no Service selects them;
2. waited for: every one rolled out and ready, and one real transaction of every function acknowledged by an instance of it (through the
   API's proxy to a Pod, with a request marked as Holdfast's own). The stores must be there for that; it may have to wait for them;
3. only then every function's Service is told to select it.
What served before is left as it is. Broken off anywhere, it is gone on with by doing it again: each part is compared before it is done,
every object made or changed carries the order, and a lower order is refused. All of it can be undone by hand with one label of a Service.
Never here: deleting anything, building images, or mending what is wrong with the first set's own pattern (a copy has it too).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from holdfast.plan.bindings import ClusterBinding, FunctionBinding
from holdfast.ports.action import Answer, Finding, Outcome, Result, Task
from holdfast.ports.clock import Clock
from holdfast.providers.kubernetes.cluster import AlreadyThere, ApiRefusal, Cluster, HigherOrder, Patch, all_of, annotation_of
from holdfast.providers.kubernetes.sets import LABEL, MADE_FOR, Deployment, Sets, activation_of, look, refuse_lower, tell_apart
from holdfast.providers.kubernetes.workloads import counted, counts, in_version, not_rolled_out, other_version, version

_PAUSE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Wish:
    """What the fresh set of a function is to be."""

    version: str
    replicas: int


class FreshAction:
    """`version` and `replicas` say what the fresh set is; `patience_seconds` how long one attempt waits until it serves."""

    def __init__(
        self,
        bindings: Mapping[str, ClusterBinding],
        functions: Mapping[str, FunctionBinding],
        clock: Clock,
        *,
        patience_seconds: float = 270.0,
        timeout_seconds: float = 3.0,
        source_address: str | None = None,
    ) -> None:
        self._bindings = bindings
        self._functions = functions
        self._clock = clock
        self._patience_seconds = patience_seconds
        self._timeout_seconds = timeout_seconds
        self._source_address = source_address

    async def check(self, task: Task) -> Finding:
        """Whether this activation's fresh set is told to be what is wanted, and every Service selects it."""
        try:
            wishes = self._wishes(task)
            async with self._cluster(task.target) as cluster:
                sets = await self._sets(cluster, wishes, task)
        except (ApiRefusal, TimeoutError, ConnectionError) as error:
            return Finding(Answer.UNKNOWN, str(error))
        lacking = _worded({function: _lacks(sets[function], wish) for function, wish in wishes.items()})
        if lacking:
            return Finding(Answer.NO, f"in {task.target}: {lacking}", _facts(sets))
        return Finding(Answer.YES, f"a fresh set of all {len(sets)} functions is told to serve in {task.target}", _facts(sets))

    async def act(self, task: Task) -> Outcome:
        """Make the set, wait for it, switch to it."""
        try:
            wishes = self._wishes(task)
            async with self._cluster(task.target) as cluster:
                sets = await self._sets(cluster, wishes, task)
                for one in sets.values():
                    refuse_lower(one, task.order)
                await all_of([self._make(cluster, sets[function], wish, task) for function, wish in wishes.items()])
                lacking = await self._wait(cluster, sets)
                if lacking:
                    return Outcome(Result.FAILED, f"the fresh set in {task.target} does not serve yet, and no traffic was moved: {lacking}")
                await all_of([self._switch(cluster, one, task) for one in sets.values()])
        except HigherOrder as error:
            return Outcome(Result.REFUSED, str(error), {"highest_order": error.seen.as_list()})
        except ApiRefusal as error:
            return Outcome(Result.FAILED, str(error))
        except (TimeoutError, ConnectionError) as error:
            return Outcome(Result.UNKNOWN, f"{error}: it may or may not have happened")
        detail = f"{len(sets)} functions in {task.target} are served by a fresh set; what served before is left as it is"
        return Outcome(Result.SUCCEEDED, detail, {"highest_order": task.order.as_list()})

    async def verify(self, task: Task) -> Finding:
        """Whether what every Service selects is this set, all of it ready, and answers one more real transaction."""
        try:
            wishes = self._wishes(task)
            async with self._cluster(task.target) as cluster:
                sets = await self._sets(cluster, wishes, task)
                lacking = _worded({function: _lacks(sets[function], wish) for function, wish in wishes.items()})
                lacking = lacking or await self._does_not_serve(cluster, sets)
        except (ApiRefusal, TimeoutError, ConnectionError) as error:
            return Finding(Answer.UNKNOWN, str(error))
        if lacking:
            return Finding(Answer.NO, f"in {task.target}: {lacking}", _facts(sets))
        detail = f"a fresh set of all {len(sets)} functions serves in {task.target}, and a real transaction of each was acknowledged"
        return Finding(Answer.YES, detail, _facts(sets))

    # -- what is wanted, and what is there --------------------------------------------------------------------------------

    def _cluster(self, region: str) -> Cluster:
        if region not in self._bindings:
            raise ApiRefusal(f"the bindings name no cluster in {region}; nothing was changed")
        return Cluster(self._bindings[region], timeout_seconds=self._timeout_seconds, source_address=self._source_address)

    def _wishes(self, task: Task) -> dict[str, Wish]:
        binding = self._bindings.get(task.target)
        functions = () if binding is None else tuple(binding.deployments)
        wanted, tag = counts(task, functions), version(task)
        without = sorted(set(functions) - wanted.keys())
        if without:
            raise ApiRefusal(f"step {task.step}: `replicas` says nothing about {', '.join(without)}; a fresh set is of every function")
        return {function: Wish(tag, replicas) for function, replicas in wanted.items()}

    async def _sets(self, cluster: Cluster, wishes: Mapping[str, Wish], task: Task) -> dict[str, Sets]:
        found = await all_of([look(cluster, function, activation_of(task)) for function in wishes])
        return dict(zip(wishes, found, strict=True))

    # -- the three parts --------------------------------------------------------------------------------------------------

    async def _make(self, cluster: Cluster, sets: Sets, wish: Wish, task: Task) -> None:
        pattern = tell_apart(sets)
        if sets.deployments[sets.fresh] is None:
            collection, _, name = sets.fresh_path.rpartition("/")
            try:
                await cluster.create(collection, _new(pattern, sets.fresh, name, wish, task))
            except AlreadyThere:
                pass  # another attempt at this was faster: what it made is compared and changed like any other
            else:
                return
        noted = {MADE_FOR: activation_of(task)}
        await cluster.replace(
            sets.fresh_path, task.block, task.order, noted, lambda found: _specification(found, pattern, sets.fresh, wish)
        )

    async def _wait(self, cluster: Cluster, sets: Mapping[str, Sets]) -> str:
        """Until all of it serves, as long as the patience lasts. Returns what it lacks at its end, in words."""
        until = self._clock.steady_seconds() + self._patience_seconds
        while lacking := await self._does_not_serve(cluster, sets):
            if self._clock.steady_seconds() + _PAUSE_SECONDS > until:
                return lacking
            await self._clock.sleep(_PAUSE_SECONDS)
        return ""

    async def _does_not_serve(self, cluster: Cluster, sets: Mapping[str, Sets]) -> str:
        """What the fresh set lacks to serve: instances first, and when all are ready, transactions."""
        found = await all_of([cluster.read(one.fresh_path) for one in sets.values()])
        fresh = dict(zip(sets, found, strict=True))
        unready = _worded({function: not_rolled_out(one) for function, one in fresh.items()})
        if unready:
            return unready
        answers = await all_of([self._transact(cluster, function, sets[function], one) for function, one in fresh.items()])
        return _worded(dict(zip(fresh, answers, strict=True)))

    async def _transact(self, cluster: Cluster, function: str, sets: Sets, fresh: Deployment) -> str | None:
        """One real transaction by an instance of the set. Returns why it was not acknowledged, or None. A function of which no
        instance is wanted has nothing to answer with."""
        if fresh["spec"].get("replicas", 1) == 0:
            return None
        pods = [pod for pod in await cluster.pods(fresh["spec"]["selector"]["matchLabels"]) if _is_ready(pod)]
        if not pods:
            return "no instance is ready"
        name = pods[0]["metadata"]["name"]
        body = {"request": f"holdfast-{uuid4().hex}"}
        answer = await cluster.post_to_pod(name, _port(sets, pods[0]), self._functions[function].path, body)
        if answer.status_code == 200:
            return None
        return f"{name} does not acknowledge a transaction: status {answer.status_code}: {_reason(answer.text)}"

    async def _switch(self, cluster: Cluster, sets: Sets, task: Task) -> None:
        await cluster.change(sets.service_path, task.block, task.order, lambda _: {"spec": {"selector": {LABEL: sets.fresh}}})


def _new(pattern: Deployment, which: str, name: str, wish: Wish, task: Task) -> Patch:
    selector = {"matchLabels": {**pattern["spec"]["selector"]["matchLabels"], LABEL: which}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": name,
            # Not the pattern's own: by those a tool that keeps the cluster like its repository would find a stranger to remove.
            "labels": {LABEL: which},
            "annotations": {annotation_of(task.block): task.order.as_text(), MADE_FOR: activation_of(task)},
        },
        "spec": _specification({"spec": {**pattern["spec"], "selector": selector}}, pattern, which, wish),
    }


def _specification(found: Deployment, pattern: Deployment, which: str, wish: Wish) -> Patch:
    """What a set is to be: as it is found where it has a name of its own to keep, its instances like those of the pattern. A set that
    somebody paused would never come: the fresh one is not."""
    template = pattern["spec"]["template"]
    metadata = template.get("metadata") or {}
    kept = {name: value for name, value in found["spec"].items() if name != "paused"}
    return {
        **kept,
        "replicas": wish.replicas,
        "template": {
            "metadata": {**metadata, "labels": {**(metadata.get("labels") or {}), LABEL: which}},
            "spec": {**template["spec"], "containers": in_version(pattern, wish.version)},
        },
    }


def _lacks(sets: Sets, wish: Wish) -> str | None:
    """What is not told so yet, in words."""
    if sets.made is None:
        return "no fresh set was made yet"
    told = sets.made["spec"].get("replicas", 1)
    if told != wish.replicas:
        return f"{told} fresh instances wished for, not {wish.replicas}"
    stale = other_version(sets.made, wish.version)
    if stale is None and sets.selected != sets.fresh:
        return "the Service does not select the fresh set yet"
    return stale


def _worded(lacking: Mapping[str, str | None]) -> str:
    return "; ".join(f"{function}: {lack}" for function, lack in lacking.items() if lack)


def _is_ready(pod: Mapping[str, Any]) -> bool:
    conditions = pod.get("status", {}).get("conditions") or ()
    ready = any(one.get("type") == "Ready" and one.get("status") == "True" for one in conditions)
    return ready and not pod["metadata"].get("deletionTimestamp")


def _port(sets: Sets, pod: Mapping[str, Any]) -> int:
    """Where the Pod takes what its Service gets. Raises ApiRefusal when neither says."""
    ports: list[dict[str, Any]] = sets.service["spec"].get("ports") or [{}]
    wanted = ports[0].get("targetPort", ports[0].get("port"))
    if isinstance(wanted, int):
        return wanted
    named = (port for container in pod["spec"]["containers"] for port in container.get("ports") or () if port.get("name") == wanted)
    port = next(named, None)
    if port is None:
        raise ApiRefusal(f"{sets.service_path} leads to the port {wanted!r}, which {pod['metadata']['name']} has not: correct one of them")
    return int(port["containerPort"])


def _reason(text: str) -> str:
    try:
        value = json.loads(text)
        return str(value.get("error") or value.get("message") or text)[:300]
    except (ValueError, AttributeError):
        return text[:200]


def _facts(sets: Mapping[str, Sets]) -> dict[str, Any]:
    return {
        "serving": {function: one.selected for function, one in sets.items()},
        "fresh": {function: counted(one.made) for function, one in sets.items() if one.made is not None},
    }
