"""The cluster of one region, put together: objects, API, runners, the settings file, and a clean end."""

import asyncio
import json
import signal
import uuid
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from functools import partial
from typing import Any

from holdfast.lab.application.web import Call, Reply, Server
from holdfast.lab.cluster.api import Api, Workings
from holdfast.lab.cluster.configuration import ClusterConfiguration, FunctionConfiguration
from holdfast.lab.cluster.deployment import Place, Runner, Slot
from holdfast.lab.cluster.endpoints import Endpoints
from holdfast.lab.cluster.forks import Forks, ZygoteLostError
from holdfast.lab.cluster.objects import (
    ApiError,
    Object,
    image_of,
    image_repository,
    labels_of,
    new_config_map,
    new_deployment,
    new_service,
)
from holdfast.providers.http.client import request

_PROXY_SECONDS = 5.0


class RegionCluster:
    """One region's cluster while it runs."""

    def __init__(self, configuration: ClusterConfiguration) -> None:
        self._configuration = configuration
        self._settings_file = configuration.directory / "settings.json"
        self._forks = Forks(self._exited)
        created = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        namespace = configuration.namespace

        def made(maker: Callable[..., Object], name: str, *content: Any) -> Object:
            return maker(name, namespace, str(uuid.uuid4()), created, *content)

        self._settings = made(new_config_map, configuration.config_map, configuration.settings)
        self._names = {function: of.deployment or function for function, of in configuration.functions.items()}
        deployments = {
            name: made(new_deployment, name, configuration.functions[function].image, configuration.functions[function].replicas)
            for function, name in self._names.items()
        }
        self._services = {name: made(new_service, name, labels_of(deployments[name])) for name in self._names.values()}
        self._runners: dict[str, Runner] = {}
        self._leaving: list[Runner] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._endpoints = Endpoints(*configuration.load_balancer) if configuration.load_balancer else None
        collections = {"deployments": deployments, "configmaps": {configuration.config_map: self._settings}, "services": self._services}
        token = configuration.token_file.read_text(encoding="utf-8").strip()
        self._api = Api(token, namespace, collections, Workings(self._pods, self._changed, self._created, self._deleted, self._ask))
        for function, name in self._names.items():
            self._runners[name] = self._runner(function, _slots(configuration.functions[function]), deployments[name])

    def _runner(self, function: str, slots: tuple[Slot, ...], deployment: Object) -> Runner:
        c = self._configuration
        routes = {zone: known.routes for zone, known in c.zones.items()}
        place = Place(function, c.region, slots, self._settings_file, c.capacity(function), routes)
        return Runner(deployment, place, self._forks, self._api.touch)

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
        for runner in self._runners.values():
            self._go(runner.run())
        self._go(self._tell_when_ready(ready))
        if self._endpoints is not None:
            self._go(self._endpoints.run())
        waits = [asyncio.create_task(ended.wait()), asyncio.create_task(self._forks.lost.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            if not ended.is_set():
                raise ZygoteLostError("the process that forks instances ended; start the cluster again")
        finally:
            for task in (*self._tasks, *waits):
                task.cancel()
            await asyncio.gather(*(listening.stop(within_seconds=0.2) for listening in (server, *nodes)))
            self._end_instances()
            await self._forks.close()

    def _go(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

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
        serving = {name: self._selected(self._services[name]) for name in self._names.values()}
        here = {
            function: [
                instance.ready
                for runner in serving[name]
                for instance in runner.running
                if instance.slot.zone == zone and not instance.ending
            ]
            for function, name in self._names.items()
        }
        instances = {function: sum(ready) for function, ready in here.items()}
        all_failed = any(here.values()) and not any(instances.values())
        return Reply(503 if all_failed else 200, {"zone": zone, "instances": instances})

    async def _tell_when_ready(self, ready: Callable[[], None]) -> None:
        await asyncio.gather(*(runner.first_settled.wait() for runner in self._runners.values()))
        ready()

    def _end_instances(self) -> None:
        """A region that is shut down has no clients left to be gentle with: instances are killed by their zygote's end."""
        for runner in (*self._runners.values(), *self._leaving):
            for instance in runner.running:
                instance.ending = True
                if instance.pid is not None and not self._forks.lost.is_set():
                    self._forks.end(instance.pid, signal.SIGKILL)

    def _exited(self, pid: int, status: int) -> None:
        any(runner.exited(pid, status) for runner in (*self._runners.values(), *self._leaving))

    def _selected(self, service: Object) -> list[Runner]:
        """The sets of instances that a Service leads to."""
        wanted = service["spec"]["selector"].items()
        return [runner for runner in self._runners.values() if wanted <= labels_of(runner.deployment).items()]

    # -- what the API asks for --------------------------------------------------------------------------------------------

    def _changed(self, collection: str, stored: Object) -> None:
        if collection == "configmaps":
            self._write_settings()
        elif collection == "deployments":
            self._runners[stored["metadata"]["name"]].wake()
        else:
            self._lead(stored)

    def _lead(self, service: Object) -> None:
        if self._endpoints is None:
            return
        function = next(function for function, name in self._names.items() if name == service["metadata"]["name"])
        led_to = [slot for runner in self._selected(service)[:1] for slot in runner.slots]
        self._endpoints.lead(function, _slots(self._configuration.functions[function]), led_to)

    def _created(self, deployment: Object) -> None:
        """Run a Deployment that somebody made. Raises ApiError where the lab has no room for it."""
        image = image_of(deployment)
        known = self._configuration.functions.items()
        function = next((function for function, of in known if image_repository(of.image) == image_repository(image)), None)
        if function is None:
            raise ApiError(422, "Invalid", f"the lab has no image {image_repository(image)}")
        of = self._configuration.functions[function]
        taken = {slot for runner in self._runners.values() for slot in runner.slots}
        free = next((slots for slots in (_slots(of), _fresh_slots(of)) if slots and taken.isdisjoint(slots)), None)
        if free is None:
            raise ApiError(422, "Invalid", f"the lab has room for two Deployments of {function} at most; delete one that serves nobody")
        runner = self._runners[deployment["metadata"]["name"]] = self._runner(function, free, deployment)
        self._go(runner.run())

    def _deleted(self, deployment: Object) -> None:
        runner = self._runners.pop(deployment["metadata"]["name"])
        runner.deleted = True
        self._leaving = [*(other for other in self._leaving if other.running), runner]
        runner.wake()

    async def _ask(self, pod: str, port: int, call: Call, path: str) -> Reply:
        """What an instance answers, as the API's proxy passes it on."""
        running = (instance for runner in self._runners.values() for instance in runner.running)
        slot = next((instance.slot for instance in running if instance.name == pod and instance.slot.port == port), None)
        if slot is None:
            raise ApiError(503, "ServiceUnavailable", f"no endpoints available: {pod} has no port {port}")
        try:
            answer = await request(
                call.method, slot.seen_as, port, path, host_header=slot.seen_as, timeout_seconds=_PROXY_SECONDS, body=call.body
            )
        except (TimeoutError, ConnectionError) as error:
            raise ApiError(503, "ServiceUnavailable", f"error trying to reach service: {error}") from None
        return Reply(answer.status, json.loads(answer.body or b"null"))

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
                    "metadata": {"name": instance.name, "namespace": self._configuration.namespace, "labels": labels_of(runner.deployment)},
                    "spec": {
                        "nodeName": instance.slot.zone,
                        "containers": [
                            {"name": name, "image": instance.image, "ports": [{"name": "http", "containerPort": instance.slot.port}]}
                        ],
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
        return _row("", of.address, of.address, of.ports)
    return tuple(slot for zone in of.zones for slot in _row(zone.zone, zone.address, zone.seen_as, zone.ports))


def _fresh_slots(of: FunctionConfiguration) -> tuple[Slot, ...]:
    """Where a second set of a function's instances runs."""
    if not of.zones:
        return _row("", of.address, of.address, of.fresh_ports)
    return tuple(slot for zone in of.zones for slot in _row(zone.zone, zone.address, zone.seen_as, zone.fresh_ports))


def _row(zone: str, host: str, seen_as: str, ports: tuple[int, int]) -> tuple[Slot, ...]:
    return tuple(Slot(zone, host, seen_as, port) for port in range(ports[0], ports[1] + 1))
