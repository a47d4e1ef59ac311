"""The cluster of one region, put together: objects, API, runners, the settings file, and a clean end."""

import asyncio
import json
import signal
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from holdfast.lab.application.web import Call, Reply, Server
from holdfast.lab.cluster.api import Api
from holdfast.lab.cluster.configuration import ClusterConfiguration, FunctionConfiguration
from holdfast.lab.cluster.deployment import Place, Runner, Slot
from holdfast.lab.cluster.forks import Forks, ZygoteLostError
from holdfast.lab.cluster.objects import Object, new_config_map, new_deployment


class RegionCluster:
    """One region's cluster while it runs."""

    def __init__(self, configuration: ClusterConfiguration) -> None:
        self._configuration = configuration
        self._settings_file = configuration.directory / "settings.json"
        self._forks = Forks(self._exited)
        created = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self._settings = new_config_map(
            configuration.config_map, configuration.namespace, str(uuid.uuid4()), created, configuration.settings
        )
        deployments = {
            (of.deployment or function): new_deployment(
                of.deployment or function, configuration.namespace, str(uuid.uuid4()), created, of.image, of.replicas
            )
            for function, of in configuration.functions.items()
        }
        self._runners: dict[str, Runner] = {}
        collections = {"deployments": deployments, "configmaps": {configuration.config_map: self._settings}}
        token = configuration.token_file.read_text(encoding="utf-8").strip()
        self._api = Api(token, configuration.namespace, collections, self._pods, self._changed)
        for function, of in configuration.functions.items():
            name = of.deployment or function
            self._runners[name] = Runner(deployments[name], self._place(function, of), self._forks, self._api.touch)

    def _place(self, function: str, of: FunctionConfiguration) -> Place:
        c = self._configuration
        routes = {zone: known.routes for zone, known in c.zones.items()}
        return Place(function, c.region, _slots(of), self._settings_file, c.capacity(function), routes)

    async def run(self, ready: Callable[[], None]) -> None:
        """Serve until SIGTERM or SIGINT. Raises OSError when the address is taken, ZygoteLostError when instances can't be forked."""
        ended = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, ended.set)
        self._configuration.directory.mkdir(parents=True, exist_ok=True)
        self._write_settings()
        server = Server(self._api.answer)
        await server.start(*self._configuration.listen)
        await self._forks.open()
        nodes = await self._open_nodes()
        tasks = [asyncio.create_task(runner.run()) for runner in self._runners.values()]
        tasks.append(asyncio.create_task(self._tell_when_ready(ready)))
        waits = [asyncio.create_task(ended.wait()), asyncio.create_task(self._forks.lost.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            if not ended.is_set():
                raise ZygoteLostError("the process that forks instances ended; start the cluster again")
        finally:
            for task in (*tasks, *waits):
                task.cancel()
            await asyncio.gather(*(listening.stop(within_seconds=0.2) for listening in (server, *nodes)))
            self._end_instances()
            await self._forks.close()

    async def _open_nodes(self) -> list[Server]:
        """Let every zone say what runs in it."""
        nodes = []
        for zone, known in self._configuration.zones.items():
            node = Server(partial(self._zone_says, zone))
            await node.start(*known.listen)
            nodes.append(node)
        return nodes

    async def _zone_says(self, zone: str, call: Call) -> Reply:
        if call.path != "/healthz":
            return Reply(404, {"error": f"a zone answers /healthz, not {call.path}"})
        here = {
            runner.function: [instance.ready for instance in runner.running if instance.slot.zone == zone and not instance.ending]
            for runner in self._runners.values()
        }
        instances = {function: sum(ready) for function, ready in here.items()}
        all_failed = any(here.values()) and not any(instances.values())
        return Reply(503 if all_failed else 200, {"zone": zone, "instances": instances})

    async def _tell_when_ready(self, ready: Callable[[], None]) -> None:
        await asyncio.gather(*(runner.first_settled.wait() for runner in self._runners.values()))
        ready()

    def _end_instances(self) -> None:
        """A region that is shut down has no clients left to be gentle with: instances are killed by their zygote's end."""
        for runner in self._runners.values():
            for instance in runner.running:
                instance.ending = True
                if instance.pid is not None and not self._forks.lost.is_set():
                    self._forks.end(instance.pid, signal.SIGKILL)

    def _exited(self, pid: int, status: int) -> None:
        any(runner.exited(pid, status) for runner in self._runners.values())

    def _changed(self, collection: str, stored: Object) -> None:
        if collection == "configmaps":
            self._write_settings()
        else:
            self._runners[stored["metadata"]["name"]].wake()

    def _write_settings(self) -> None:
        files = {name: str(path) for name, path in self._configuration.files.items()}
        content = json.dumps({"data": self._settings["data"], "files": files}, indent=1, sort_keys=True)
        fresh = self._settings_file.with_suffix(".new")
        fresh.write_text(content, encoding="utf-8")
        fresh.replace(self._settings_file)

    def _pods(self) -> dict[str, Object]:
        pods = {}
        for name, runner in self._runners.items():
            for instance in runner.running:
                ready = "True" if instance.ready else "False"
                pods[instance.name] = {
                    "apiVersion": "v1",
                    "kind": "Pod",
                    "metadata": {"name": instance.name, "namespace": self._configuration.namespace, "labels": {"app": name}},
                    "spec": {
                        "nodeName": instance.slot.zone,
                        "containers": [{"name": name, "image": instance.image, "ports": [{"containerPort": instance.slot.port}]}],
                    },
                    "status": {
                        "phase": "Running",
                        "podIP": instance.slot.host,
                        "conditions": [{"type": "Ready", "status": ready}],
                    },
                }
        return pods


def _slots(of: FunctionConfiguration) -> tuple[Slot, ...]:
    if not of.zones:
        return tuple(Slot("", of.address, of.address, port) for port in range(of.ports[0], of.ports[1] + 1))
    return tuple(Slot(zone.zone, zone.address, zone.seen_as, port) for zone in of.zones for port in range(zone.ports[0], zone.ports[1] + 1))
