"""One function's client: sends at its rate, and writes into its ledger what became of each request.

Rules: an answer counts only if it names this very request; everything else is *refused* when the other side said so or nothing was sent,
and *unknown* otherwise. A connection that was silent once is never used again, nor are its idle sisters to the same address. Nothing
counts, for the client itself too, before its ledger has it. What the client can't vouch for (it was held up itself, or nothing at all
answers it) is written with that fault.
"""

import asyncio
import json
import math
import ssl
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from holdfast.canary.resolver import NoAddressError, Resolver
from holdfast.canary.schedule import LATE_SECONDS, next_arrival
from holdfast.ledger.entry import LedgerEntry, RequestResult
from holdfast.ledger.measure import percentile
from holdfast.plan.bindings import FunctionBinding
from holdfast.providers.http.client import Connection, NotSentError, Response

_IDLE_SECONDS = 2.0
"""How long a connection may lie idle and still be used: well below what load balancers allow, so that none is closed under a request."""
HELD_UP_SECONDS = 0.5
"""A time-out that is noticed so much late tells of this process, not of the other side."""


class LedgerKeeper(Protocol):
    """Keeps entries; what it returned from counts. Raises OSError when it can't."""

    async def keep(self, entries: Sequence[LedgerEntry]) -> None:
        """Keep the entries of one request."""


async def vouched(sent_seconds: float) -> str:  # stands where one that waits may stand
    """A client that never doubts itself."""
    del sent_seconds
    return ""


@dataclass(frozen=True, slots=True)
class ClientSpecification:
    """How one client behaves."""

    function: str
    binding: FunctionBinding
    rate: float
    timeout_seconds: float
    source_address: str | None
    name: Callable[[float, int], str]
    """A request's identifier from when it is sent and its number."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """Sent beside the identifier."""
    headers: Mapping[str, str] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None
    late_seconds: float = LATE_SECONDS
    """Held up for longer, it leaves out what it should have sent meanwhile."""
    first_after_seconds: float = 0.0
    may_send: Callable[[], bool] = lambda: True
    """Whether a transaction that is due is sent at all; one that isn't leaves no entry."""
    doubt: Callable[[float], Awaitable[str]] = vouched
    """Asked about a request that failed, by when it was sent: why that may be this side's own fault, or nothing."""


@dataclass(frozen=True, slots=True)
class _Verdict:
    result: RequestResult
    detail: str
    body: Mapping[str, Any]
    own_fault: str = ""


class Client:
    """One function's client."""

    def __init__(self, specification: ClientSpecification, resolver: Resolver, ledger: LedgerKeeper) -> None:
        self._specification = specification
        self._resolver = resolver
        self._ledger = ledger
        self._tasks: set[asyncio.Task[None]] = set()
        self._outstanding = 0
        self._failure: BaseException | None = None
        self._limit = max(8, math.ceil(2 * specification.rate * specification.timeout_seconds))
        self._idle: deque[tuple[float, str, Connection]] = deque()
        self._address = ""
        self._totals: Counter[RequestResult] = Counter()
        self._recent: list[tuple[RequestResult, float]] = []
        self._last: dict[str, str] = {"region": "", "version": "", "last_error": ""}

    async def run(self, ended: asyncio.Event) -> None:
        """Send until the event is set, then wait for what is outstanding. Raises OSError when the ledger could not be kept: it ends all."""
        loop = asyncio.get_running_loop()
        due, count = loop.time() + self._specification.first_after_seconds, 0
        while True:
            try:
                async with asyncio.timeout_at(due):
                    await ended.wait()
                break
            except TimeoutError:
                pass  # the next request is due
            if self._specification.may_send():
                count += 1
                self._send(count)
            if self._failure is not None:
                raise self._failure
            due = next_arrival(due, loop.time(), self._specification.rate, self._specification.late_seconds)
        if self._tasks:
            await asyncio.wait(self._tasks)
        self._drop_idle()
        if self._failure is not None:
            raise self._failure

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._failure = task.exception()

    def _send(self, count: int) -> None:
        now = time.time()
        request = self._specification.name(now, count)
        if self._outstanding >= self._limit:
            refused = _Verdict(RequestResult.REFUSED, f"not sent: {self._outstanding} requests are outstanding", {})
            work = self._write(request, now, now, refused)
        else:
            self._outstanding += 1
            work = self._request(request, now)
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    async def _request(self, request: str, sent_seconds: float) -> None:
        started = time.monotonic()
        try:
            verdict = await self._judged(request)
        finally:
            self._outstanding -= 1
        took = time.monotonic() - started
        late = took - self._specification.timeout_seconds
        fault = f"the canary itself stood still for {late:.1f} s" if late > HELD_UP_SECONDS else ""
        if not fault and verdict.result is not RequestResult.ACKNOWLEDGED:
            fault = await self._specification.doubt(sent_seconds)
        verdict = replace(verdict, own_fault=fault)
        await self._write(request, sent_seconds, sent_seconds + took, verdict)

    async def _judged(self, request: str) -> _Verdict:
        try:
            async with asyncio.timeout(self._specification.timeout_seconds):
                response = await self._exchange(request)
            return judge(request, response)
        except TimeoutError:
            self._drop_idle()
            return _Verdict(RequestResult.UNKNOWN, f"no answer within {self._specification.timeout_seconds:g} s", {})
        except NoAddressError as error:
            return _Verdict(RequestResult.REFUSED, f"not sent: {error}", {})
        except NotSentError as error:
            return _Verdict(RequestResult.REFUSED, f"not sent: {error}", {})
        except ConnectionError as error:
            self._drop_idle()
            return _Verdict(RequestResult.UNKNOWN, str(error), {})

    async def _exchange(self, request: str) -> Response:
        s = self._specification
        address = (await self._resolver.addresses(s.binding.dns_name))[0]
        connection = await self._connection(address)
        body = json.dumps({**s.values, "request": request}).encode()
        answer = await connection.exchange(
            "POST",
            s.binding.path,
            host_header=s.binding.dns_name,
            timeout_seconds=s.timeout_seconds,
            body=body,
            headers=s.headers,
        )
        if connection.reusable and address == self._address:
            self._idle.append((time.monotonic(), address, connection))
        else:
            connection.drop()
        return answer

    async def _connection(self, address: str) -> Connection:
        if address != self._address:
            self._drop_idle()
            self._address = address
        while self._idle:
            since, to, connection = self._idle.pop()
            if to == address and connection.reusable and time.monotonic() - since < _IDLE_SECONDS:
                return connection
            connection.drop()
        s = self._specification
        return await Connection.open(
            address,
            s.binding.port,
            timeout_seconds=s.timeout_seconds,
            source_address=s.source_address,
            tls=s.tls,
            tls_name=s.binding.dns_name if s.tls else None,
        )

    def _drop_idle(self) -> None:
        while self._idle:
            self._idle.pop()[2].drop()

    async def _write(self, request: str, sent_seconds: float, answered_seconds: float, verdict: _Verdict) -> None:
        s = self._specification
        await self._ledger.keep(entries(s.function, request, sent_seconds, answered_seconds, verdict))
        self._totals[verdict.result] += 1
        self._recent.append((verdict.result, answered_seconds - sent_seconds))
        if verdict.result is RequestResult.ACKNOWLEDGED:
            self._last.update(region=str(verdict.body.get("region", "")), version=str(verdict.body.get("version", "")))
        else:
            self._last["last_error"] = verdict.own_fault or verdict.detail

    def take_status(self) -> dict[str, Any]:
        """What was answered since the last call."""
        counts = Counter(result for result, _ in self._recent)
        latencies = [latency for result, latency in self._recent if result is RequestResult.ACKNOWLEDGED]
        self._recent = []
        return {
            "rate": self._specification.rate,
            **{result.value: counts[result] for result in RequestResult},
            "outstanding": self._outstanding,
            "p95_seconds": round(percentile(latencies, 95.0), 6) if latencies else None,
            "address": self._address,
            **self._last,
            "total": {result.value: self._totals[result] for result in RequestResult},
        }


def judge(request: str, response: Response) -> _Verdict:
    """What an answer says about a request. Only a whole, matching 200 is an acknowledgement."""
    try:
        body = json.loads(response.body)
    except ValueError:
        body = None
    if response.status == 200 and isinstance(body, dict) and body.get("request") == request and _names_stores(body.get("stores")):
        return _Verdict(RequestResult.ACKNOWLEDGED, "", body)
    told = body if isinstance(body, dict) else {}
    detail = f"status {response.status}: {told.get('error', 'no explanation')}"
    # A load balancer without a server says 503 in words of its own; it has sent the request to nobody.
    said_no = told.get("outcome") == "refused" or (response.status == 503 and "outcome" not in told) or 400 <= response.status < 500
    return _Verdict(RequestResult.REFUSED if said_no else RequestResult.UNKNOWN, detail, {})


def _names_stores(stores: Any) -> bool:
    return isinstance(stores, dict) and all(isinstance(write, dict) for write in stores.values())


def entries(function: str, request: str, sent_seconds: float, answered_seconds: float, verdict: _Verdict) -> list[LedgerEntry]:
    """The ledger's entries for one request: one per store that the answer names, or one without a store."""

    def entry(store: str | None, write: Mapping[str, Any]) -> LedgerEntry:
        return LedgerEntry(
            function=function,
            request=request,
            sent_seconds=sent_seconds,
            answered_seconds=answered_seconds,
            result=verdict.result,
            store=store,
            key=write.get("key"),
            region=write.get("region"),
            epoch=write.get("epoch"),
            written_seconds=write.get("written_seconds"),
            detail=verdict.detail,
            own_fault=verdict.own_fault,
        )

    stores: Mapping[str, Mapping[str, Any]] = verdict.body.get("stores", {})
    return [entry(store, write) for store, write in stores.items()] or [entry(None, {})]
