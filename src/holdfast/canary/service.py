"""A canary as a service: one client for each function that the plan gives a transaction, until it is told to end.

Nothing is sent while the ledger can't be kept. What happens to the canary itself becomes a mark, so that unmeasured time has its reason.
Everything that it says goes through `say`: outages as they begin and end, full disks, steps of the clock.
"""

import asyncio
import fcntl
import json
import os
import secrets
import signal
import ssl
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast.canary.book import KEEP_BYTES, Book, BookSettings
from holdfast.canary.client import Client, ClientSpecification
from holdfast.canary.doubt import Doubt
from holdfast.canary.files import CanaryFiles, Mark, What, write_mark
from holdfast.canary.naming import HEADER, request_name
from holdfast.canary.resolver import Resolver
from holdfast.canary.survey import Survey
from holdfast.canary.upkeep import ClockWatch, DurableLedger, Say, Standstill, Word
from holdfast.ledger.entry import LedgerEntry, RequestResult
from holdfast.plan.bindings import Bindings, FunctionBinding
from holdfast.plan.model import Canary, Plan

ROUND_SECONDS = 1.0


class CanaryProblem(Exception):
    """It can't start; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class CanarySettings:
    """What a canary is started with."""

    plan: Plan
    bindings: Bindings
    directory: Path
    functions: tuple[str, ...]
    keep_bytes: int = KEEP_BYTES
    duration_seconds: float | None = None


def measurable(plan: Plan, bindings: Bindings) -> tuple[str, ...]:
    """Functions that have a transaction in the plan and an address in the bindings."""
    return tuple(name for name, function in plan.functions.items() if function.canary is not None and name in bindings.functions)


class Service:
    """One canary."""

    def __init__(self, settings: CanarySettings, say: Say) -> None:
        self._settings = settings
        self._files = CanaryFiles(settings.directory)
        self._say = say
        before = _status_before(self._files)
        self._standstill = Standstill(self._files, say)
        self._survey = Survey(self._files, settings.bindings, say, before.get("epoch"), before.get("bucket_epoch"))
        bindings = settings.bindings
        others = {site: url for site, url in bindings.observers.items() if site != bindings.site}
        self._doubt = Doubt(others, bindings.source_address)
        self._failing: dict[str, float] = {}
        self._clients: dict[str, Client] = {}
        self._books = self._opened(before.get("at_seconds"))

    def _opened(self, last_seen_seconds: float | None) -> list[Book]:
        """Books of all functions, with marks for the start and for what the canary before left."""
        settings, books = self._settings, []
        resolver = Resolver(settings.bindings.resolver_host, settings.bindings.resolver_port, settings.bindings.source_address)
        run = secrets.token_hex(3)
        write_mark(self._files, Mark(time.time(), What.STARTED, f"canary {run}: {', '.join(settings.functions)}", last_seen_seconds))
        for place, name in enumerate(settings.functions):
            canary = settings.plan.functions[name].canary
            assert canary is not None, "`measurable` names only functions with one"
            book = Book(self._files, name, BookSettings(canary.every, canary.within, keep_bytes=settings.keep_bytes))
            if book.torn:
                detail = f"{name}: {book.torn} bytes of an unfinished entry were set aside"
                write_mark(self._files, Mark(time.time(), What.TORN, detail))
                self._say(Word(time.time(), "unknown", detail))
            for damaged in book.damaged:
                self._say(Word(time.time(), "failed", f"{damaged} was changed after it was written; its time is unknown"))
            books.append(book)
            specification = self._specification(name, canary, f"{run}{place}", place / len(settings.functions))
            self._clients[name] = Client(specification, resolver, DurableLedger(book, self._standstill, self._kept))
        return books

    def _specification(self, name: str, canary: Canary, run: str, share: float) -> ClientSpecification:
        binding = self._settings.bindings.functions[name]
        return ClientSpecification(
            function=name,
            binding=binding,
            rate=1.0 / canary.every,
            timeout_seconds=canary.within,
            source_address=self._settings.bindings.source_address,
            name=lambda at_seconds, number: request_name(at_seconds, run, number),
            values=canary.values,
            headers=_headers(name, binding),
            tls=_tls(binding),
            late_seconds=0.0,
            first_after_seconds=canary.every * share,
            doubt=self._doubt.about,
            may_send=self._standstill.open.is_set,
        )

    def _kept(self, entries: Sequence[LedgerEntry]) -> None:
        """Entries are on the disk: they count from now."""
        self._survey.acknowledged(entries)
        first = entries[0]
        failed = first.result is not RequestResult.ACKNOWLEDGED
        if failed and first.function not in self._failing and not first.own_fault:
            self._failing[first.function] = first.sent_seconds
            self._say(Word(first.sent_seconds, "failed", f"{first.function} does not serve: {first.detail}"))
        elif not failed and first.function in self._failing:
            lasted = first.answered_seconds - self._failing.pop(first.function)
            self._say(Word(first.answered_seconds, "done", f"{first.function} serves again, {lasted:.1f} s after the first failure"))

    async def run(self) -> None:
        """Measure until a signal, or for the time that was asked for."""
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, ended.set)
        if self._settings.duration_seconds is not None:
            loop.call_later(self._settings.duration_seconds, ended.set)
        try:
            # A canary without its upkeep would measure and not notice itself: when any part ends, all do.
            async with asyncio.TaskGroup() as group:
                work = (self._doubt.run(), self._standstill.run(), self._survey.run(), self._rounds())
                upkeep = [group.create_task(part) for part in work]
                await asyncio.gather(*(group.create_task(client.run(ended)) for client in self._clients.values()))
                for task in upkeep:
                    task.cancel()
        finally:
            self._end()

    async def _rounds(self) -> None:
        clock = ClockWatch()
        while True:
            await asyncio.sleep(ROUND_SECONDS)
            step = clock.look()
            if step is not None:
                self._say(Word(step.at_seconds, "unknown", f"{step.detail}; the time between is not counted"))
                await self._mark(step)
            await asyncio.to_thread(self._write_status)

    async def _mark(self, mark: Mark) -> None:
        try:
            await asyncio.to_thread(write_mark, self._files, mark)
        except OSError as error:
            self._standstill.begin(error, mark.at_seconds)

    def _write_status(self) -> None:
        status = {
            "at_seconds": time.time(),
            "pid": os.getpid(),
            "epoch": self._survey.epoch,
            "bucket_epoch": self._survey.bucket_epoch,
            "standing_since_seconds": self._standstill.since_seconds,
            "standing_reason": self._standstill.reason,
            "functions": {name: client.take_status() for name, client in self._clients.items()},
        }
        fresh = self._files.status.with_suffix(".new")
        try:
            fresh.write_text(json.dumps(status), encoding="utf-8")
            fresh.replace(self._files.status)
        except OSError:
            return  # a status that is not fresh says by its age that something is wrong; the ledger is what counts

    def _end(self) -> None:
        self._write_status()
        for book in self._books:
            book.close()
        try:
            write_mark(self._files, Mark(time.time(), What.ENDED, "told to end"))
        except OSError as error:
            self._say(Word(time.time(), "failed", f"the end could not be marked: {error.strerror}"))


@contextmanager
def only_one(directory: Path) -> Iterator[None]:
    """Holds the directory's lock. Raises CanaryProblem when another canary does, or the directory can't be used."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        lock = CanaryFiles(directory).lock.open("wb")
    except OSError as error:
        raise CanaryProblem(f"{directory} can't be used for ledgers: {error.strerror}. Name another with --ledgers") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise CanaryProblem(f"another canary writes to {directory}; end it, or name another directory with --ledgers") from error
        yield


def _status_before(files: CanaryFiles) -> dict[str, Any]:
    """What the canary before left: when it was last seen, and the epoch that it knew."""
    try:
        found = json.loads(files.status.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _headers(function: str, binding: FunctionBinding) -> dict[str, str]:
    marked = {HEADER: function, "user-agent": "holdfast-canary"}
    if binding.token_file is None:
        return marked
    try:
        return {**marked, "authorization": f"Bearer {binding.token_file.read_text(encoding='utf-8').strip()}"}
    except OSError as error:
        raise CanaryProblem(f"the token of {function} can't be read from {binding.token_file}: {error.strerror}") from error


def _tls(binding: FunctionBinding) -> ssl.SSLContext | None:
    if not binding.tls:
        return None
    try:
        return ssl.create_default_context(cafile=binding.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise CanaryProblem(f"{binding.ca_file} holds no certificates that can be used: {error}") from error
