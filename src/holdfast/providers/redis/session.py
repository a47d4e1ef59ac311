"""One session with a Redis server whose every use ends within its time-out, whatever the server or the way to it does.

Told apart are TimeoutError and ConnectionError (nothing is known), ServerRefusal (an answer: no), and any other OSError: the password file
can't be read here, which says nothing of the server. Never here: what the commands are for.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar

from redis import exceptions
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from holdfast.plan.bindings import RedisBinding

MARK_KEY = "holdfast:writer"
HEARTBEAT_KEY = "holdfast:heartbeat"

_T = TypeVar("_T")


class ServerRefusal(Exception):
    """The server, or the host that it should run on, said no."""


class Session:
    """A session that is kept from use to use and made anew when it broke. For one task at a time."""

    def __init__(self, binding: RedisBinding, client_name: str) -> None:
        self._binding = binding
        self._client_name = client_name
        self._kept: Redis | None = None

    async def use(self, question: Callable[[Redis], Awaitable[_T]], timeout_seconds: float) -> _T:
        """Ask. A kept session that proves dead says nothing about the server, so a fresh one is tried in the time that is left."""
        loop = asyncio.get_running_loop()
        ends = loop.time() + timeout_seconds
        if self._kept is not None:
            with suppress(ConnectionError):
                return await self._ask(self._kept, question, ends - loop.time())
        self._kept = self._make()
        return await self._ask(self._kept, question, ends - loop.time())

    async def close(self) -> None:
        """Let go of the session, without a word to a server that may be silent."""
        kept, self._kept = self._kept, None
        if kept is not None:
            await kept.connection_pool.disconnect(inuse_connections=True)

    def _make(self) -> Redis:
        password = self._binding.password_file.read_text(encoding="utf-8").strip()  # an OSError here is no word of the server's
        return Redis(
            host=self._binding.host,
            port=self._binding.port,
            password=password,
            client_name=self._client_name,
            decode_responses=True,
            retry=Retry(NoBackoff(), 0),
        )

    async def _ask(self, client: Redis, question: Callable[[Redis], Awaitable[_T]], timeout_seconds: float) -> _T:
        where = f"{self._binding.host}:{self._binding.port}"
        try:
            async with asyncio.timeout(max(0.001, timeout_seconds)):
                return await question(client)
        except TimeoutError:
            await self.close()
            raise TimeoutError(f"{where} gave no answer in time") from None
        except (exceptions.AuthenticationError, exceptions.BusyLoadingError) as error:
            await self.close()
            raise ServerRefusal(str(error)) from error
        except exceptions.TimeoutError as error:
            await self.close()
            raise TimeoutError(f"{where}: {error}") from error
        except (exceptions.ConnectionError, OSError) as error:
            await self.close()
            if _was_refused(error):
                raise ServerRefusal(f"{where} refuses connections") from error
            raise ConnectionError(f"{where}: {error}") from error
        except exceptions.RedisError as error:
            raise ServerRefusal(str(error)) from error


def _was_refused(error: BaseException | None) -> bool:
    """Whether a refused connection is at the bottom of it: the client library wraps what the system said."""
    while error is not None and not isinstance(error, ConnectionRefusedError):
        error = error.__cause__ or error.__context__
    return error is not None


def read_mark(text: str | bytes | None) -> dict[str, Any] | None:
    """The writer mark, or None when there is none or it is no mark."""
    with suppress(ValueError, KeyError, TypeError):
        mark = json.loads(text or "")
        return {"era": int(mark["era"]), "epoch": int(mark["epoch"]), "region": str(mark["region"])}
    return None
