"""One instance of one function, as a process: settings, capacity, the service, and an end without loose ends.

On SIGTERM it says that it is not ready, goes on serving for a moment so that load balancers can see it, then stops listening and
finishes what it has in hand. Never here: choosing the address, restarting, or anything that outlives the process.
"""

import asyncio
import re
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from holdfast.lab.application.cache import Cache
from holdfast.lab.application.capacity import Capacity, FullError, Places
from holdfast.lab.application.database import Database
from holdfast.lab.application.outcomes import RefusedError, UnknownError, Written
from holdfast.lab.application.partner import Partner
from holdfast.lab.application.services import SERVICES, BadRequestError, Stores
from holdfast.lab.application.settings import Settings, SettingsFile
from holdfast.lab.application.storage import Storage
from holdfast.lab.application.web import Call, Reply, Server, json_object

DRAIN_SECONDS = 0.8
"""How long an instance that was told to end still serves while it says that it is not ready."""
_LOOK_SECONDS = 0.2
_REQUEST_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")


@dataclass(frozen=True, slots=True)
class InstanceSpecification:
    """Everything that one instance is started with."""

    name: str
    function: str
    region: str
    version: str
    host: str
    port: int
    settings_file: Path
    capacity: Capacity
    zone: str = ""
    routes: dict[str, str] = field(default_factory=dict)
    """First bytes of an address in the settings → the same place as it is reached from this zone."""


def is_older(version: str, needed: str) -> bool:
    """Whether a version of dotted numbers lies below another; anything that is no such version is below all."""
    return _numbers(version) < _numbers(needed)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")) if re.fullmatch(r"\d+(\.\d+)*", version) else ()


class Instance:
    """The state of one instance."""

    def __init__(self, specification: InstanceSpecification) -> None:
        self._specification = specification
        self._service = SERVICES[specification.function]
        self._places = Places(specification.capacity)
        self._file = SettingsFile(specification.settings_file)
        self._settings: Settings | None = None
        self._stores: Stores | None = None
        self._draining = False

    async def run(self, ended: asyncio.Event) -> None:
        """Serve until the event is set, and then to a good end."""
        server = Server(self.answer)
        await self._look_at_settings()
        await server.start(self._specification.host, self._specification.port)
        looking = asyncio.create_task(self._keep_looking())
        await ended.wait()
        self._draining = True
        await asyncio.sleep(DRAIN_SECONDS)  # nobody tells an instance that its load balancers have seen it
        await server.stop(within_seconds=1.0)
        looking.cancel()
        if self._stores is not None:
            await self._stores.close()

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            await self._look_at_settings()

    async def _look_at_settings(self) -> None:
        told = self._file.problem
        settings = self._file.changed()
        if settings is None:
            if self._file.problem != told:
                print(f"{self._specification.name}: {self._file.problem}", file=sys.stderr, flush=True)
            return
        old = self._stores
        self._settings = settings
        here = settings.seen_through(self._specification.routes)
        self._stores = Stores(Database(here), Cache(here), Storage(here), Partner(here.partner_host, here.partner_port))
        if old is not None:
            await old.close()

    async def answer(self, call: Call) -> Reply:
        """One request."""
        if call.path == "/healthz":
            return self._health()
        if call.path == "/version":
            return Reply(200, self._about())
        if call.path != self._service.path:
            return Reply(404, {"error": f"{self._specification.function} serves {self._service.path}, not {call.path}"})
        if self._stores is None:
            return _refused(f"no settings yet: {self._file.problem}")
        if call.method == "GET" and self._service.read is not None:
            return await self._guarded(self._read(self._stores))
        if call.method == "POST":
            return await self._post(self._stores, json_object(call.body))
        return Reply(405, {"error": f"{call.method} is not for {call.path}"})

    def _health(self) -> Reply:
        if self._draining:
            return Reply(503, {"status": "draining"})
        return Reply(200, {"status": "ready"}) if self._stores is not None else Reply(503, {"status": self._file.problem})

    def _about(self) -> dict[str, Any]:
        s, settings = self._specification, self._settings
        about: dict[str, Any] = {"function": s.function, "version": s.version, "instance": s.name, "region": s.region, "zone": s.zone}
        return {**about, "settings": settings.digest, "stores": settings.addresses()} if settings is not None else about

    async def _post(self, stores: Stores, body: dict[str, Any]) -> Reply:
        request, needed = body.get("request"), body.get("needs_version", "")
        if not isinstance(request, str) or not _REQUEST_ID.fullmatch(request):
            return Reply(
                400, {"error": "request: must be the caller's own id, 1 to 64 letters, digits, '_', '.' or '-'", "outcome": "refused"}
            )
        if is_older(self._specification.version, str(needed)):
            told = f"this instance is version {self._specification.version}; the request needs {needed}"
            return Reply(400, {"error": told, "outcome": "refused"})
        return await self._guarded(self._write(stores, request, body))

    async def _write(self, stores: Stores, request: str, body: dict[str, Any]) -> Reply:
        async with self._places.one():
            written: dict[str, Written] = await self._service.write(stores, request, body)
        s = self._specification
        about = {"request": request, "function": s.function, "version": s.version, "instance": s.name, "region": s.region}
        return Reply(200, {**about, "stores": {store: write.as_json() for store, write in written.items()}})

    async def _read(self, stores: Stores) -> Reply:
        assert self._service.read is not None
        async with self._places.one():
            return Reply(200, {"settings": await self._service.read(stores), "version": self._specification.version})

    async def _guarded(self, work: Any) -> Reply:
        try:
            reply: Reply = await work
        except BadRequestError as error:
            return Reply(400, {"error": str(error), "outcome": "refused"})
        except (FullError, RefusedError) as error:
            return _refused(str(error))
        except UnknownError as error:
            return Reply(504, {"error": str(error), "outcome": "unknown"})
        return reply


def _refused(why: str) -> Reply:
    return Reply(503, {"error": why, "outcome": "refused"})


async def serve(specification: InstanceSpecification) -> None:
    """Run one instance until SIGTERM."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    await Instance(specification).run(ended)
