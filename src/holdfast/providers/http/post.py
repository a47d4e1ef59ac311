"""The port `Post` over httpx: connections are kept between requests, redirects are not followed, proxies are not read from anywhere."""

import asyncio
from collections.abc import Mapping
from urllib.parse import urlsplit

import httpx

from holdfast.ports.post import Answer

TIMEOUT_SECONDS = 8.0
BODY_LIMIT_BYTES = 1024 * 1024


class HttpPost:
    """One for all channels. A request ends within `timeout_seconds`."""

    def __init__(self, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._timeout_seconds = timeout_seconds
        self._client: httpx.AsyncClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def _opened(self) -> httpx.AsyncClient:
        loop = asyncio.get_running_loop()
        if self._client is None or self._loop is not loop:  # connections belong to the loop that opened them
            self._client = httpx.AsyncClient(timeout=self._timeout_seconds, follow_redirects=False, trust_env=False)
            self._loop = loop
        return self._client

    async def __call__(self, url: str, headers: Mapping[str, str], content: bytes) -> Answer:
        """As the port says. The address never stands in an error."""
        received = bytearray()
        try:
            _ = urlsplit(url).port  # one that there can't be would end in an error group
            async with asyncio.timeout(self._timeout_seconds):
                async with self._opened().stream("POST", url, headers=dict(headers), content=content) as response:
                    async for piece in response.aiter_bytes():
                        received += piece
                        if len(received) > BODY_LIMIT_BYTES:
                            raise TimeoutError(f"the answer is longer than {BODY_LIMIT_BYTES} bytes; what it says isn't known")
                    return Answer(response.status_code, {name.lower(): value for name, value in response.headers.items()}, bytes(received))
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise ConnectionError(f"no connection to the channel ({type(error).__name__}); nothing was sent") from None
        except (ValueError, httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise ConnectionError(f"the channel's address is none ({type(error).__name__}); correct its secret or binding") from None
        except httpx.HTTPError as error:
            raise TimeoutError(
                f"the channel did not answer ({type(error).__name__}); it isn't known whether the message was taken"
            ) from None
        except TimeoutError as error:
            said = str(error) or f"the channel did not answer within {self._timeout_seconds:g} s; whether the message was taken isn't known"
            raise TimeoutError(said) from None

    async def close(self) -> None:
        """Let go of the connections."""
        if self._client is not None and self._loop is asyncio.get_running_loop():
            await self._client.aclose()
            self._client = None
