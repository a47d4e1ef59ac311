"""Whether a part of the lab does its work: real questions with real answers, never an open port alone.

Each question returns nothing when the part is ready and raises `NotReady` with what is still missing; the supervisor asks again.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from holdfast.lab.blueprint import ADMIN_USER, DATABASE, FIRST_EPOCH, FIRST_ERA, Blueprint, Endpoint
from holdfast.lab.bucket import Bucket, StoredObject
from holdfast.lab.storage_paths import DIRECTION_KEY, WRITER_KEY
from holdfast.plan.bindings import Bindings
from holdfast.providers.http.client import request

TIMEOUT_SECONDS = 1.0
DATAGRAM_SECONDS = 0.2
FRESH_SECONDS = 5.0

_NAMES = {"postgres": "PostgreSQL", "redis": "Redis"}

Question = Callable[[], Awaitable[None]]


class NotReady(Exception):  # not an error: what is still missing
    """What the part does not do yet."""


async def exchange_line(where: Endpoint, *lines: str) -> list[str]:
    """Say lines to a line protocol and return as many answers; the last line is the end. Raises NotReady."""
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            reader, writer = await asyncio.open_connection(where.host, where.port)
            try:
                writer.write("".join(f"{line}\n" for line in lines).encode())
                writer.write_eof()
                return (await reader.read()).decode("utf-8", "replace").splitlines()
            finally:
                writer.close()
    except (OSError, TimeoutError) as error:
        raise NotReady(f"no answer from {where}: {str(error) or 'silence'}") from error


def relay(where: Endpoint, token: str) -> Question:
    """The relay says how its links are."""

    async def ask() -> None:
        answers = await exchange_line(where, token, "status")
        if not answers or not answers[0].startswith("{"):
            raise NotReady(f"the relay answered {answers or 'nothing'}")

    return ask


def dns(blueprint: Blueprint) -> Question:
    """Every function's name has the primary's address, asked over UDP as a client does."""

    async def ask() -> None:
        import dns.asyncquery
        import dns.exception
        import dns.message

        for function in blueprint.functions:
            question = dns.message.make_query(f"{blueprint.dns_name(function)}.", "A")
            where = blueprint.resolver
            try:
                answer = await dns.asyncquery.udp(question, where.host, DATAGRAM_SECONDS, where.port)
            except (OSError, dns.exception.DNSException) as error:
                raise NotReady(f"no answer about {blueprint.dns_name(function)}: {error}") from error
            found = [str(item) for records in answer.answer for item in records]
            if found != [blueprint.entry(blueprint.primary).host]:
                raise NotReady(f"{blueprint.dns_name(function)} is {found or 'unknown'}")

    return ask


def load_balancer(where: Endpoint) -> Question:
    """HAProxy's runtime API says how it is."""

    async def ask() -> None:
        answers = await exchange_line(where, "show info")
        if not any(line.startswith("Version:") for line in answers):
            raise NotReady("HAProxy says nothing about itself yet")

    return ask


def http(where: Endpoint, path: str) -> Question:
    """A GET is answered with 200."""

    async def ask() -> None:
        try:
            answer = await request("GET", where.host, where.port, path, host_header=str(where), timeout_seconds=TIMEOUT_SECONDS)
        except (OSError, TimeoutError) as error:
            raise NotReady(f"no answer from {where}: {error}") from error
        if answer.status != 200:
            raise NotReady(f"{where}{path} answered {answer.status}")

    return ask


def log_says(log: Path, line: str) -> Question:
    """The program said that it is ready; it says so only when it is."""

    async def ask() -> None:
        if line not in await asyncio.to_thread(_lines, log):
            raise NotReady(f"it has not said '{line}' yet")

    return ask


def _lines(log: Path) -> list[str]:
    return log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []


def bucket(made: Bucket, first_writer: str) -> Question:
    """The bucket is there and takes objects; the first writer's carries its marks."""

    def make() -> None:
        made.make()
        if made.region == first_writer:
            mark = {"era": FIRST_ERA, "epoch": FIRST_EPOCH, "region": made.region}
            made.put(WRITER_KEY, _json_object(mark))
            made.put(DIRECTION_KEY, _json_object({"from": made.region, "epoch": FIRST_EPOCH}))
        else:
            made.put("holdfast/made", _json_object({"region": made.region}))

    async def ask() -> None:
        try:
            await asyncio.to_thread(make)
        except OSError as error:
            raise NotReady(str(error)) from error

    return ask


def copying(here: Bucket, there: Bucket) -> Question:
    """An object written to the first side arrives at the other."""

    def look() -> None:
        if there.get("holdfast/copied") is None:
            if here.get("holdfast/copied") is None:
                here.put("holdfast/copied", _json_object({"from": here.region}))
            raise NotReady("what is written to the primary's bucket is not in the other yet")

    async def ask() -> None:
        try:
            await asyncio.to_thread(look)
        except OSError as error:
            raise NotReady(str(error)) from error

    return ask


def _json_object(value: Mapping[str, object]) -> StoredObject:
    return StoredObject(json.dumps(value).encode(), {"content-type": "application/json"})


def stores(region: str, writes: bool, postgres: Endpoint, redis: Endpoint, admin_password: str, redis_password: str) -> Question:
    """Both stores of a region do what their role asks: the writer's commit, the replica's have a fresh heartbeat of the writer."""

    async def ask() -> None:
        await _postgres(region, writes, postgres, admin_password)
        await _redis(writes, redis, redis_password)

    return ask


async def _postgres(region: str, writes: bool, where: Endpoint, password: str) -> None:
    import psycopg

    try:
        async with asyncio.timeout(3 * TIMEOUT_SECONDS):
            connection = await psycopg.AsyncConnection.connect(
                host=where.host, port=where.port, user=ADMIN_USER, password=password, dbname=DATABASE, connect_timeout=2, sslmode="disable"
            )
            async with connection:
                found = await connection.execute(
                    "SELECT pg_is_in_recovery(), (SELECT region FROM holdfast.writer),"
                    " (SELECT extract(epoch FROM clock_timestamp() - max(at)) FROM holdfast.heartbeat)"
                )
                row = await found.fetchone()
    except (psycopg.Error, OSError, TimeoutError) as error:
        raise NotReady(f"PostgreSQL: {str(error).strip() or 'no answer'}") from error
    assert row is not None
    replica, writer, age = row
    if replica is writes or writer is None or (writes and writer != region):
        raise NotReady(f"PostgreSQL is {'a replica' if replica else 'the writer'} and names {writer or 'nobody'} as writer")
    if age is None or age > FRESH_SECONDS:
        raise NotReady("PostgreSQL holds no fresh heartbeat yet")


async def _redis(writes: bool, where: Endpoint, password: str) -> None:
    from redis.asyncio import Redis
    from redis.exceptions import RedisError

    client = Redis(host=where.host, port=where.port, password=password, socket_timeout=TIMEOUT_SECONDS, decode_responses=True)
    try:
        information = await client.info("replication")
        mark, heartbeat = await client.get("holdfast:writer"), await client.get("holdfast:heartbeat")
    except (RedisError, OSError, TimeoutError) as error:
        raise NotReady(f"Redis: {error}") from error
    finally:
        await client.aclose()
    role, wanted = information["role"], "master" if writes else "slave"
    if role != wanted or (not writes and information["master_link_status"] != "up"):
        raise NotReady("Redis has not found its role yet")
    if mark is None or heartbeat is None or time.time() - float(heartbeat) > FRESH_SECONDS:
        raise NotReady("Redis holds no fresh heartbeat yet")


async def stores_in_words(bindings: Bindings, region: str) -> str:
    """What the region's own agent says its stores are now, as a person reads it; unknown when it says nothing."""
    from holdfast.providers.agents.client import AgentClient, AgentSilent
    from holdfast.providers.clock.system import SystemClock

    agent = AgentClient(region, bindings.agents[region], SystemClock())
    try:
        said = await agent.status(2 * TIMEOUT_SECONDS)
    except AgentSilent:
        return "unknown: the agent does not answer"
    finally:
        await agent.close()
    roles = ", ".join(f"{_NAMES.get(name, name)} {store['role']}" for name, store in said["stores"].items())
    return f"{roles}, epoch {said['epoch']}"


def service(blueprint: Blueprint, paths: Mapping[str, str]) -> Question:
    """Every function carries out a transaction behind its public entry."""

    async def ask() -> None:
        entry = blueprint.entry(blueprint.primary)
        source = blueprint.source("outside")
        for function, path in paths.items():
            body = json.dumps({"request": f"{blueprint.identity}-{function}-{time.time_ns()}"}).encode()
            try:
                answer = await request(
                    "POST",
                    entry.host,
                    entry.port,
                    path,
                    host_header=blueprint.dns_name(function),
                    timeout_seconds=3 * TIMEOUT_SECONDS,
                    body=body,
                    source_address=source,
                )
            except (OSError, TimeoutError) as error:
                raise NotReady(f"{function}: {error}") from error
            if answer.status != 200:
                raise NotReady(f"{function} answered {answer.status}: {answer.body[:200].decode('utf-8', 'replace')}")

    return ask
