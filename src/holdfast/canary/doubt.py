"""Whether a failed transaction may be the canary's own fault: does anything at all answer it, elsewhere?

Rules: references are the observers of other sites, asked once a second whether they are there. A failure is vouched for as soon as a
reference has answered a question that was put after the transaction was sent; when none did in time, the canary doubts itself.
Without references it can't, and believes every failure. Decides nothing else.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from holdfast.providers.http.client import request

EVERY_SECONDS = 1.0
ANSWER_SECONDS = 1.0
CUT_OFF = "the canary reached nothing outside its own site"


class Doubt:
    """References of one canary: name to base URL."""

    def __init__(self, references: Mapping[str, str], source_address: str | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._references = references
        self._source = source_address
        self._clock = clock
        self._answered_seconds = float("-inf")
        """When the newest question was put that was answered."""
        self._news = asyncio.Condition()

    async def run(self) -> None:
        """Ask for ever."""
        while True:
            asked = self._clock()
            await self._ask_all(asked)
            await asyncio.sleep(max(0.0, EVERY_SECONDS - (self._clock() - asked)))

    async def _ask_all(self, asked_seconds: float) -> None:
        questions = [asyncio.create_task(self._ask(url, asked_seconds)) for url in self._references.values()]
        if questions:
            await asyncio.wait(questions)

    async def _ask(self, url: str, asked_seconds: float) -> None:
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
            return  # no answer: the others may give one
        async with self._news:
            self._answered_seconds = max(self._answered_seconds, asked_seconds)
            self._news.notify_all()

    async def about(self, sent_seconds: float) -> str:
        """Why a transaction that failed may have failed on this side, or nothing. `sent_seconds` by the wall clock."""
        if not self._references:
            return ""
        sent = self._clock() - max(0.0, time.time() - sent_seconds)
        try:
            async with asyncio.timeout(EVERY_SECONDS + 2 * ANSWER_SECONDS):
                async with self._news:
                    await self._news.wait_for(lambda: self._answered_seconds >= sent)
        except TimeoutError:
            return CUT_OFF
        return ""
