"""`holdfast observe`: one observer, at one site, until it is told to end. In the lab and on a real witness alike."""

import asyncio
import logging
import socket
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from holdfast.cli.output import CommandError

if TYPE_CHECKING:
    from holdfast.console.observer import Observer
    from holdfast.plan.bindings import Bindings
    from holdfast.plan.model import Plan, Profile

_LINGER_SECONDS = 1


def observe(*, bindings: Path, plan: Path, profile: str = "default", listen: str | None = None) -> None:
    """Watch everything that the plan names from one site, and answer with what was seen.

    Serves `GET /v1/observations?after=N` and `GET /healthz`. Ends on SIGTERM or Ctrl-C. It prints only faults, so it has no `-o json`.

    Example: `holdfast observe --bindings var/lab/bindings.witness.json --plan examples/voicehive/plan.yaml --profile fast`

    Parameters
    ----------
    bindings:
        Where things are, as this site sees them.
    plan:
        The plan.
    profile:
        Which of the plan's profiles sets the rhythm.
    listen:
        Address to serve at, HOST:PORT; without it the one that the bindings name for this site.
    """
    from holdfast.app import rhythms_for
    from holdfast.console.observer import Observer
    from holdfast.plan.loader import PlanError, load
    from holdfast.providers.clock.system import SystemClock

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    try:
        loaded = load(plan).plan
    except PlanError as error:
        raise CommandError(f"the plan does not load; `holdfast check {plan}` says more:\n{error}") from error
    places = _bindings(bindings)
    timing = _profile(loaded, profile)
    clock = SystemClock()
    with _socket(_address(places, listen)) as ready:
        observer = Observer(places.site, rhythms_for(loaded, places, timing, clock), timing.probe_every, clock)
        asyncio.run(_serve(observer, ready))


def _bindings(file: Path) -> "Bindings":
    from pydantic import ValidationError

    from holdfast.plan.bindings import Bindings

    try:
        return Bindings.model_validate_json(file.read_bytes())
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}. The lab writes this file: `holdfast lab up`") from error
    except ValidationError as error:
        raise CommandError(f"{file} is not a file of bindings: {error}") from error


def _profile(plan: "Plan", name: str) -> "Profile":
    if name not in plan.profiles:
        raise CommandError(f"the plan has no profile '{name}'; it has {', '.join(plan.profiles)}")
    return plan.profiles[name]


def _address(places: "Bindings", listen: str | None) -> tuple[str, int]:
    url = f"//{listen}" if listen is not None else places.observers.get(places.site, "")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if host and port:
        return host, port
    if listen is None:
        raise CommandError(f"the bindings name no observer at {places.site}: say where to serve with --listen HOST:PORT")
    raise CommandError(f"--listen must be HOST:PORT, such as 127.0.0.1:27200, not '{listen}'")


def _socket(address: tuple[str, int]) -> socket.socket:
    try:
        return socket.create_server(address, backlog=64)
    except OSError as error:
        host, port = address
        hint = f"See what does with `ss -ltnp 'sport = :{port}'`, or name another with --listen"
        raise CommandError(f"cannot listen on {host}:{port}: {error.strerror}. {hint}") from error


async def _serve(observer: "Observer", ready: socket.socket) -> None:
    import uvicorn

    from holdfast.console.observer import application

    settings = uvicorn.Config(
        application(observer),
        log_config=None,
        access_log=False,
        lifespan="off",
        loop="asyncio",
        http="h11",
        ws="none",
        timeout_graceful_shutdown=_LINGER_SECONDS,
    )
    # An observer that serves and no longer looks would be a lie: when either ends, both do.
    async with asyncio.TaskGroup() as group:
        looking = group.create_task(observer.run())
        await uvicorn.Server(settings).serve(sockets=[ready])
        looking.cancel()
