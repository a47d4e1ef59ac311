"""Whether a failed transaction may be the canary's own fault: does anything at all answer it, elsewhere?

Rules: references are the observers of other sites, asked once a second whether they are there. A failure is vouched for when some reference
answered the last question before the transaction was sent and the first one after it; else the canary's own way may have been cut, and it
doubts itself. Without references it can't, and believes every failure. Decides nothing else.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from holdfast.providers.http.client import request

EVERY_SECONDS = 1.0
ANSWER_SECONDS = 1.0
_REMEMBERED = 600
CUT_OFF = "the canary reached nothing outside its own site"


class Doubt:
    """References of one canary: name to base URL."""

    def __init__(self, references: Mapping[str, str], source_address: str | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._references = references
        self._source = source_address
        self._clock = clock
        self._rounds: deque[tuple[float, bool]] = deque(maxlen=_REMEMBERED)
        """When each question was put, and whether any reference answered it; oldest first."""
        self._news = asyncio.Condition()

    async def run(self) -> None:
        """Ask for ever."""
        while self._references:
            asked = self._clock()
            answered = await self._anybody()
            async with self._news:
                self._rounds.append((asked, answered))
                self._news.notify_all()
            await asyncio.sleep(max(0.0, EVERY_SECONDS - (self._clock() - asked)))

    async def _anybody(self) -> bool:
        """Whether some reference answers; the first one that does is enough."""
        questions = [asyncio.create_task(self._ask(url)) for url in self._references.values()]
        try:
            for question in asyncio.as_completed(questions):
                if await question:
                    return True
            return False
        finally:
            for task in questions:
                task.cancel()

    async def _ask(self, url: str) -> bool:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or 80
        try:
            await request(
                "GET",
                host,
                port,
                "/healthz",
                host_header=parts.netloc,
                timeout_seconds=ANSWER_SECONDS,
                source_address=self._source,
            )
        except (TimeoutError, ConnectionError):
            return False
        return True

    async def about(self, sent_seconds: float) -> str:
        """Why a transaction that failed may have failed on this side, or nothing. `sent_seconds` by the wall clock."""
        if not self._references:
            return ""
        sent = self._clock() - max(0.0, time.time() - sent_seconds)
        try:
            async with asyncio.timeout(EVERY_SECONDS + 2 * ANSWER_SECONDS):
                async with self._news:
                    await self._news.wait_for(lambda: bool(self._rounds) and self._rounds[-1][0] >= sent)
        except TimeoutError:
            return CUT_OFF
        before = next((answered for asked, answered in reversed(self._rounds) if asked < sent), True)
        after = next(answered for asked, answered in self._rounds if asked >= sent)
        return "" if before and after else CUT_OFF
