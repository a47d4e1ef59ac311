"""Both regions' disks as a story has left them: it is played once, and every test begins from a copy of where it ended.

Nothing of a scene runs until it is opened. Whoever opens it says which regions are there; the rest is lost.
"""

import asyncio
import atexit
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import redis

from contract.agents_rig import HOST, Agents, made
from holdfast.fencing.order import Order
from holdfast.fencing.promise import Grantor
from holdfast.providers.agents.client import AgentSilent
from lab.postgres_store_rig import BIN, EAST, OS_USER, PASSWORDS, WEST, processes_in
from lab.removal import remove

REDIS_PASSWORD = "redis password"
_SECONDS = 60.0


@dataclass(frozen=True)
class Scene:
    """One at a time may be open: the places and ports are the same each time."""

    both: Agents
    kept: Path
    grantor: Grantor

    @asynccontextmanager
    async def opened(self, **roles: str) -> AsyncIterator[Agents]:
        """Start the agents of `west` or `east` (or both), and wait until all their stores are what is named."""
        regions = {{"west": WEST, "east": EAST}[side]: role for side, role in roles.items()}
        both = replace(self.both, clients={}, processes={}, frozen=set())
        remove(both.root)
        subprocess.run(["cp", "-a", self.kept, both.root], check=True)
        both.controller.grantor = self.grantor
        both.connect()
        try:
            for region in regions:
                both.start(region)
            for region, role in regions.items():
                await _stores_are(both, region, role)
            yield both
        finally:
            for client in both.clients.values():
                await client.close()
            for region in both.processes:
                both.lose(region)


async def _stores_are(both: Agents, region: str, role: str) -> None:
    found: dict[str, Any] = {}
    try:
        async with asyncio.timeout(_SECONDS):
            while set(found.values()) != {role}:
                await asyncio.sleep(0.05)
                with suppress(AgentSilent):
                    stores = (await both.status(region))["stores"]
                    found = {name: "barred" if store["duty"] == "barred" else store["role"] for name, store in stores.items()}
    except TimeoutError:
        raise AssertionError(f"{region} is {found}\n{(both.root / f'{region}.agent.log').read_text()}") from None


def kept(both: Agents) -> Scene:
    """The scene that these disks hold, now that nothing runs on them."""
    aside = both.root.with_name(f"{both.root.name}.kept-{len(list(both.root.parent.glob(f'{both.root.name}.kept-*')))}")
    subprocess.run(["cp", "-a", both.root, aside], check=True)
    return Scene(replace(both, clients={}, processes={}, frozen=set()), aside, both.controller.grantor)


def end(both: Agents, region: str) -> None:
    """The agent stops its stores orderly and goes."""
    both.processes[region].terminate()
    both.processes[region].wait(_SECONDS)
    both.lose(region)


def address(both: Agents, region: str, user: str) -> str:
    return f"host={HOST} port={both.ports[region, 'postgres']} user={user} dbname=voicehive"


def maintained(both: Agents, region: str) -> None:
    """What autovacuum does by itself on an ordinary night, also in databases where nobody writes."""
    for database in ("voicehive", "template1", "postgres"):
        place = address(both, region, "holdfast").replace("dbname=voicehive", f"dbname={database}")
        with psycopg.connect(place, password=PASSWORDS.admin, autocommit=True) as session:
            session.execute("VACUUM (ANALYZE)")


def rows(both: Agents, region: str, *statements: str) -> None:
    with psycopg.connect(address(both, region, "holdfast"), password=PASSWORDS.admin, autocommit=True) as session:
        for statement in statements:
            session.execute(statement)


def cache_of(both: Agents, region: str) -> "redis.Redis":
    return redis.Redis(HOST, both.ports[region, "redis"], password=REDIS_PASSWORD, decode_responses=True)


def held(both: Agents, region: str) -> Any:
    """What clients find in a region's stores; Holdfast's own marks and heartbeats are left out."""
    with psycopg.connect(address(both, region, "holdfast"), password=PASSWORDS.admin) as session:
        tables = [
            session.execute(query).fetchall() for query in ("SELECT * FROM call ORDER BY id", "SELECT * FROM public.note ORDER BY id")
        ]
    cache = cache_of(both, region)
    return tables, {key: cache.dump(key) for key in sorted(cache.keys()) if not str(key).startswith("holdfast:")}


# -- the stories --------------------------------------------------------------------------------------------------------------


def _as_user(*command: str) -> list[str]:
    prefix = ["setpriv", "--reuid", OS_USER, "--regid", OS_USER, "--init-groups"] if OS_USER else []
    return [*prefix, *command]


@contextmanager
def _archiving(both: Agents) -> Iterator[None]:
    """PostgreSQL's own tools bring a base backup and the log from the west into the east, as the lab's do."""
    backup, received = (both.root / EAST / name for name in ("backup", "received"))
    peer = f"{address(both, WEST, 'replication')} application_name=holdfast-archive".replace(" dbname=voicehive", "")
    secret = {**os.environ, "PGPASSWORD": PASSWORDS.replication}
    receiver = subprocess.Popen(_as_user(f"{BIN}/pg_receivewal", "-D", str(received), "-d", peer, "-w", "-s", "1"), env=secret)
    try:
        copy = _as_user(f"{BIN}/pg_basebackup", "-D", str(backup), "-d", peer, "-w", "-X", "none", "-c", "fast")
        subprocess.run(copy, check=True, capture_output=True, env=secret)
        yield
    finally:
        receiver.send_signal(signal.SIGTERM)
        receiver.wait(_SECONDS)


async def _archived(both: Agents) -> None:
    """Until the log that was written in the west up to now has arrived in the east."""
    arrived = "SELECT coalesce(max(write_lsn) >= %s, false) FROM pg_stat_replication WHERE application_name = 'holdfast-archive'"
    async with asyncio.timeout(_SECONDS):
        with psycopg.connect(address(both, WEST, "holdfast"), password=PASSWORDS.admin, autocommit=True) as session:
            end = session.execute("SELECT pg_current_wal_flush_lsn()").fetchone()
            while session.execute(arrived, end).fetchone() != (True,):
                await asyncio.sleep(0.05)


async def _lost(both: Agents) -> None:
    """The west goes on alone for a while, then it is gone; the east's agent and the controller have consented to its taking over."""
    for region, role in ((WEST, "writer"), (EAST, "replica")):
        both.start(region)
        await _stores_are(both, region, role)
    with _archiving(both):
        rows(
            both, WEST, "INSERT INTO call (id) SELECT generate_series(1, 20)", "CREATE TABLE public.note (id serial PRIMARY KEY, said text)"
        )
        cache_of(both, WEST).set("common", "alike")
        await _follows(both)
        end(both, EAST)
        rows(both, WEST, "INSERT INTO call (id) VALUES (100), (101), (102)", "INSERT INTO public.note (said) VALUES ('grüße')")
        for key, value in (("only", "grüße"), ("more", "still there"), ("alike", "the same"), ("common", "changed in the west")):
            cache_of(both, WEST).set(key, value)
        maintained(both, WEST)
        await _archived(both)
    both.lose(WEST)
    both.start(EAST)
    await _stores_are(both, EAST, "replica")
    both.controller.prepare(Order(0, 2, 1, 0))
    order = both.clients[EAST].order
    assert (await order(Order(0, 2, 1, 1), "prepare", {}, 5)).result == "succeeded"
    async with asyncio.timeout(_SECONDS):
        while (await order(Order(0, 2, 1, 2), "consent", {}, 5)).result != "succeeded" or both.controller.remaining_seconds() > 0:
            await asyncio.sleep(0.1)
    both.controller.serve(2, EAST)
    end(both, EAST)


async def _follows(both: Agents) -> None:
    """Until the east has everything."""
    async with asyncio.timeout(_SECONDS):
        while cache_of(both, EAST).get("common") != "alike":
            await asyncio.sleep(0.05)
        with psycopg.connect(address(both, EAST, "holdfast"), password=PASSWORDS.admin, autocommit=True) as session:
            while session.execute("SELECT count(*) FROM pg_class WHERE relname = 'note'").fetchone() != (1,):
                await asyncio.sleep(0.05)


async def _taken_over(both: Agents) -> None:
    """The east writes under epoch 2, has gone its own way, and the west's agent knows that its stores are old writers."""
    for step, store in enumerate(both.stores, start=10):
        answer = await both.clients[EAST].order(Order(0, 2, 1, step), f"{store}.promote", {}, 60)
        assert answer.result == "succeeded", answer
    rows(both, EAST, "INSERT INTO call (id, epoch) VALUES (101, 5)")  # otherwise than in the west
    cache_of(both, EAST).set("new", "of the east")
    both.start(WEST)
    await _stores_are(both, WEST, "barred")


def _play(both: Agents, story: Callable[[Agents], Awaitable[None]]) -> None:
    async def played() -> None:
        try:
            await story(both)
        finally:
            for client in both.clients.values():
                await client.close()
            for region, process in both.processes.items():
                if process.poll() is None:
                    end(both, region)

    asyncio.run(played())


@cache
def lost() -> Scene:
    """The west is lost with writes that only it has; epoch 2 was consented to, and nobody is promoted yet. The east has backup and log."""
    both = made("postgres", "redis")
    atexit.register(both.controller.close)
    atexit.register(remove, both.root)
    _play(both, _lost)
    scene = kept(both)
    atexit.register(remove, scene.kept)
    return scene


@cache
def taken_over() -> Scene:
    """The east is the writer of epoch 2, the west is back with old writers that nobody has looked into yet."""

    before = lost()

    async def story() -> Scene:
        async with before.opened(east="replica") as both:
            await _taken_over(both)
            for client in both.clients.values():
                await client.close()
            for region in (WEST, EAST):
                end(both, region)
            return kept(both)

    scene = asyncio.run(story())
    atexit.register(remove, scene.kept)
    return scene


def silence(both: Agents, region: str, store: str) -> None:
    """The store's server takes connections and answers nothing."""
    for process in processes_in(both.root / region / store):
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGSTOP)
