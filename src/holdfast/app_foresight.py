"""Wires what `holdfast plan` looks at: versions, instances and sizes in both regions, side by side, each look bounded. Only reads."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from holdfast.plan.bindings import Bindings, BucketBinding, ClusterBinding, PostgresBinding, RedisBinding
from holdfast.providers.kubernetes.cluster import ApiRefusal, Cluster
from holdfast.providers.kubernetes.sets import serving_path
from holdfast.providers.postgres.session import ServerRefusal, Session
from holdfast.providers.redis.session import ServerRefusal as RedisRefusal
from holdfast.providers.redis.session import Session as RedisSession
from holdfast.providers.s3.bucket import Bucket, StorageRefusal

LOOK_SECONDS = 4.0
MOST_OBJECTS = 20_000
"""Counting more would take longer than the looking is worth; such a bucket counts as this large."""
_NOTHING_SEEN = (OSError, TimeoutError, ApiRefusal, ServerRefusal, RedisRefusal, StorageRefusal, KeyError)


@dataclass(frozen=True, slots=True)
class Seen:
    """What was found. None where nothing answers."""

    versions: Mapping[str, str | None]
    """`region/function` → image."""
    instances: Mapping[str, int | None]
    """`region/function` → how many instances it is to have."""
    sizes: Mapping[str, int | None]
    """`region/component bytes` or `… objects`, `… keys`."""


async def seen(bindings: Bindings) -> Seen:
    """Look at everything that the bindings name, each for at most `LOOK_SECONDS`."""
    versions: dict[str, str | None] = {}
    instances: dict[str, int | None] = {}
    sizes: dict[str, int | None] = {}
    async with asyncio.TaskGroup() as group:
        for component, regions in bindings.components.items():
            for region, binding in regions.items():
                match binding:
                    case ClusterBinding():
                        group.create_task(_sets(versions, instances, region, binding, bindings.source_address))
                    case PostgresBinding():
                        group.create_task(_size(sizes, f"{region}/{component} bytes", partial(_database, binding)))
                    case RedisBinding():
                        group.create_task(_size(sizes, f"{region}/{component} keys", partial(_keys, binding)))
                    case BucketBinding():
                        group.create_task(_size(sizes, f"{region}/{component} objects", partial(_objects, binding)))
    return Seen(dict(sorted(versions.items())), dict(sorted(instances.items())), dict(sorted(sizes.items())))


async def _sets(
    versions: dict[str, str | None], instances: dict[str, int | None], region: str, binding: ClusterBinding, source_address: str | None
) -> None:
    """Version and size of the set that serves of each function."""

    async def read(cluster: Cluster, function: str) -> Mapping[str, Any]:
        return await cluster.read(await serving_path(cluster, function))

    names = [f"{region}/{function}" for function in binding.deployments]
    versions |= dict.fromkeys(names)
    instances |= dict.fromkeys(names)
    try:
        async with asyncio.timeout(LOOK_SECONDS), Cluster(binding, timeout_seconds=LOOK_SECONDS, source_address=source_address) as cluster:
            found = await asyncio.gather(*(read(cluster, function) for function in binding.deployments))
    except _NOTHING_SEEN:
        return
    for name, one in zip(names, found, strict=True):
        versions[name] = str(one["spec"]["template"]["spec"]["containers"][0]["image"])
        instances[name] = int(one["spec"].get("replicas", 1))  # the API's own default


async def _size(into: dict[str, int | None], name: str, look: Callable[[], Awaitable[int]]) -> None:
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            into[name] = await look()
    except _NOTHING_SEEN:
        into[name] = None


async def _database(binding: PostgresBinding) -> int:
    async def size(connection: Any) -> int:
        row = await (await connection.execute("SELECT pg_database_size(current_database())")).fetchone()
        return int(row[0])

    session = Session(binding, "holdfast-plan")
    try:
        return await session.use(size, LOOK_SECONDS)
    finally:
        await session.close()


async def _keys(binding: RedisBinding) -> int:
    session = RedisSession(binding, "holdfast-plan")
    try:
        return int(await session.use(lambda client: client.dbsize(), LOOK_SECONDS))
    finally:
        await session.close()


async def _objects(binding: BucketBinding) -> int:
    bucket = Bucket(binding, timeout_seconds=LOOK_SECONDS)
    try:
        return len(await bucket.entries(MOST_OBJECTS))
    finally:
        bucket.close()
