"""The application's use of Redis: one script writes a session and reads who the writer is, in one atomic step.

A write counts once as many replicas have it as the writer's mark says (`replicas`), whoever is connected: a write that lacks its replica
is *unknown*, as a commit is that waits for its standby in vain. After a promotion nobody follows yet, and the mark says 0. A mark without
that word is of an agent that knew no such mode.
Never retries: a repeat after a lost answer could hide that the first one was answered by another writer.
"""

import json
from typing import Any

from redis.asyncio import Connection, ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from holdfast.lab.application.outcomes import ANSWER_SECONDS, CONNECT_SECONDS, RefusedError, UnknownError, Written
from holdfast.lab.application.settings import Settings

# The time is put together as text: Lua's own way of writing a number keeps 14 digits, which is milliseconds.
# A repeat of the same key answers with the mark of the first write, and writes it again as it is: what was not confirmed the first time
# must not be so now without having been waited for, and WAIT is about what this connection wrote.
_SCRIPT = """
local writer = redis.call('GET', 'holdfast:writer')
if not writer then return redis.error_reply('NOWRITER holdfast:writer is missing, so nobody may write') end
local mark = cjson.decode(writer)
local now = redis.call('TIME')
local body = '{"region":' .. cjson.encode(mark.region) .. ',"epoch":' .. string.format('%d', mark.epoch)
  .. ',"written_seconds":' .. now[1] .. '.' .. string.format('%06d', now[2]) .. ',"value":' .. ARGV[1] .. '}'
local replicas = mark.replicas or 0
if redis.call('SET', KEYS[1], body, 'NX') then return {body, replicas} end
local first = redis.call('GET', KEYS[1])
redis.call('SET', KEYS[1], first)
return {first, replicas}
"""


class Cache:
    """One Redis server."""

    def __init__(self, settings: Settings) -> None:
        self._address = settings.addresses()["cache"]
        self._pool: ConnectionPool = ConnectionPool(
            host=settings.cache_host,
            port=settings.cache_port,
            password=settings.cache_password or None,
            socket_timeout=ANSWER_SECONDS,
            socket_connect_timeout=CONNECT_SECONDS,
            retry=Retry(NoBackoff(), 0),
            decode_responses=True,
            protocol=2,
        )

    async def write(self, key: str, value: dict[str, Any]) -> Written:
        """Store a session under a key. Raises RefusedError or UnknownError."""
        try:
            connection: Connection = await self._pool.get_connection()  # type: ignore[no-untyped-call]  # redis-py left it out
        except (RedisError, OSError) as error:
            raise RefusedError(f"cache: cannot connect to {self._address}: {error}") from error
        try:
            return await self._write(connection, key, json.dumps(value, separators=(",", ":")))
        except ResponseError as error:
            raise RefusedError(f"cache: {error}") from error
        except (RedisConnectionError, RedisTimeoutError, OSError) as error:
            await connection.disconnect(nowait=True)
            raise UnknownError(f"cache: no answer from {self._address}: {error}") from error
        finally:
            await self._pool.release(connection)

    async def _write(self, connection: Connection, key: str, body: str) -> Written:
        await connection.send_command("EVAL", _SCRIPT, 1, key, body)
        answer, replicas = await connection.read_response()
        mark, needed = json.loads(answer), int(replicas)
        if needed:
            # On the same connection: Redis counts the replicas that have what *this* connection wrote.
            await connection.send_command("WAIT", needed, int(ANSWER_SECONDS * 500))
            confirmed = int(await connection.read_response())
            if confirmed < needed:
                raise UnknownError(f"cache: written, but {confirmed} of {needed} replicas have it")
        return Written(key, str(mark["region"]), int(mark["epoch"]), float(mark["written_seconds"]))

    async def close(self) -> None:
        """No connection stays: idle ones end now, busy ones with their answer."""
        await self._pool.disconnect(inuse_connections=False)
