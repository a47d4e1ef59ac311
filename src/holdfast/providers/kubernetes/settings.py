"""Pointing a region's application at stores, as a rule the target's at the target's: block `settings.update`.

The ConfigMap that the application reads gets the addresses of the bindings, and the order that brought them. Where the application can be
asked which settings it uses, `verify` asks it: a ConfigMap alone serves nobody.
Never here: secrets, or restarting anything (the application takes new settings up by itself).
"""

from collections.abc import Awaitable, Callable, Mapping

from holdfast.plan.bindings import ClusterBinding
from holdfast.plan.parameters import region_of, side_of
from holdfast.ports.action import Answer, Finding, Outcome, Result, Task
from holdfast.providers.kubernetes.cluster import ApiRefusal, Cluster, HigherOrder

StoresInUse = Callable[[str], Awaitable[Mapping[str, str] | None]]
"""Region → the store addresses that its application says it uses, or None when it can't be asked now."""


class SettingsAction:
    """Writes the addresses of the wanted stores, as the bindings have them, into the ConfigMap of the region that the step is about."""

    def __init__(
        self,
        bindings: Mapping[str, ClusterBinding],
        stores_in_use: StoresInUse | None = None,
        *,
        timeout_seconds: float = 3.0,
        source_address: str | None = None,
    ) -> None:
        self._bindings = bindings
        self._stores_in_use = stores_in_use
        self._timeout_seconds = timeout_seconds
        self._source_address = source_address

    def _cluster(self, region: str) -> Cluster:
        if region not in self._bindings:
            raise ApiRefusal(f"the bindings name no cluster in {region}; nothing was changed")
        return Cluster(self._bindings[region], timeout_seconds=self._timeout_seconds, source_address=self._source_address)

    def _wanted(self, task: Task) -> dict[str, str]:
        """Key of the ConfigMap to the address of the store that it is to name. Raises ApiRefusal."""
        region = _region(task)
        if region not in self._bindings:
            raise ApiRefusal(f"the bindings name no cluster in {region}; nothing was changed")
        binding = self._bindings[region]
        wanted = {}
        for key, own in binding.stores.items():
            side = task.source if side_of(task.parameters, key) == "source" else task.target
            address = own if side == region else binding.other_stores.get(side, {}).get(key)
            if address is None:
                raise ApiRefusal(f"the bindings don't say how the application in {region} reaches {key} in {side} (`other_stores`)")
            wanted[key] = address
        return wanted

    async def check(self, task: Task) -> Finding:
        """Whether the ConfigMap names the wanted stores."""
        region = _region(task)
        try:
            wanted = self._wanted(task)
            async with self._cluster(region) as cluster:
                found = await cluster.read(cluster.settings_path())
        except (ApiRefusal, TimeoutError, ConnectionError) as error:
            return Finding(Answer.UNKNOWN, str(error))
        data = found.get("data") or {}
        facts = {"stores": {key: data.get(key) for key in wanted}}
        other = [f"{key} is {data.get(key) or 'missing'}, not {value}" for key, value in wanted.items() if data.get(key) != value]
        if other:
            return Finding(Answer.NO, f"settings in {region}: {'; '.join(other)}", facts)
        return Finding(Answer.YES, f"the settings in {region} name {_words(task, wanted)}", facts)

    async def act(self, task: Task) -> Outcome:
        """Patch the ConfigMap."""
        region = _region(task)
        try:
            stores = self._wanted(task)
            async with self._cluster(region) as cluster:
                await cluster.change(cluster.settings_path(), task.block, task.order, lambda _: {"data": stores})
        except HigherOrder as error:
            return Outcome(Result.REFUSED, str(error), {"highest_order": error.seen.as_list()})
        except ApiRefusal as error:
            return Outcome(Result.FAILED, str(error))
        except (TimeoutError, ConnectionError) as error:
            return Outcome(Result.UNKNOWN, f"{error}: it may or may not have happened")
        return Outcome(Result.SUCCEEDED, f"settings in {region} point to {_words(task, stores)}", {"highest_order": task.order.as_list()})

    async def verify(self, task: Task) -> Finding:
        """Whether the ConfigMap reads back, and the application uses it as far as it can be asked."""
        stands = await self.check(task)
        if stands.answer is not Answer.YES or self._stores_in_use is None:
            return stands
        region = _region(task)
        used = await self._stores_in_use(region)
        if used is None:
            return Finding(Answer.YES, f"{stands.detail}; the application could not be asked yet", stands.facts)
        wanted = self._wanted(task)
        other = [f"{key} is {used[key]}" for key, value in wanted.items() if key in used and used[key] not in value]
        if other:
            return Finding(Answer.NO, f"the application in {region} has not taken the settings up: {'; '.join(other)}", stands.facts)
        return Finding(Answer.YES, f"{stands.detail}, and the application uses them", stands.facts)


def _region(task: Task) -> str:
    """The region whose application is told."""
    return region_of(task.parameters, task.source, task.target)


def _words(task: Task, stores: Mapping[str, str]) -> str:
    """Whose stores they are."""
    region = _region(task)
    sides = {key: task.source if side_of(task.parameters, key) == "source" else task.target for key in stores}
    if all(side == region for side in sides.values()):
        return f"its own {', '.join(sorted(stores))}"
    return ", ".join(f"{key} in {sides[key]}" for key in sorted(stores))
