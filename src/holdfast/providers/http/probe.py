"""Looking over HTTP: a function's transaction as a client makes it, a region's entry, its agent, and its zones.

Rules: any answer is an answer; silence, and a connection that breaks before the answer, are `silent`; a refused connection is `down`,
since something there said no. A look keeps its connection for the next one and tries a fresh one when the kept one proves dead. Every look
ends within its time-out. Requests of probes carry ids that begin with `probe-`: no client's ledger ever holds them.
Never here: judging, or following where DNS leads other than by the resolver that was given.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from holdfast.fencing.signing import SIGNATURE_HEADER, NotGenuine, new_nonce, open_answer, sign_query
from holdfast.health.observation import Observation, Seen, Subject
from holdfast.health.protection import FACT
from holdfast.plan.bindings import AgentBinding, FunctionBinding, ZoneBinding
from holdfast.ports.clock import Clock
from holdfast.providers.http.client import Connection, NotSentError, Response

NOWHERE = ""
"""Region of a transaction that DNS sent to no region of the plan."""

Resolve = Callable[[str], Awaitable[str]]
"""Name → address. Raises LookupError when DNS says that there is none, TimeoutError or ConnectionError when it does not say."""


@dataclass(frozen=True, slots=True)
class Site:
    """Who looks, by which clock, from which address, and for how long at most."""

    name: str
    clock: Clock
    timeout_seconds: float
    source_address: str | None = None


class _Line:
    """A connection to one place, kept from look to look."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._kept: tuple[str, int, Connection] | None = None

    async def ask(
        self, method: str, host: str, port: int, path: str, host_header: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Response:
        """One request, also while another look of the same probe still waits. Raises TimeoutError or ConnectionError."""
        ends = self._site.clock.steady_seconds() + self._site.timeout_seconds
        kept, self._kept = self._kept, None
        if kept is not None and kept[:2] == (host, port) and kept[2].reusable:
            try:
                return await self._exchange(kept[2], kept[:2], ends, method, path, host_header, body, headers)
            except ConnectionError:
                pass  # closed between two looks, which says nothing: the fresh connection will tell
        elif kept is not None:
            kept[2].drop()
        left = max(0.001, ends - self._site.clock.steady_seconds())
        fresh = await Connection.open(host, port, timeout_seconds=left, source_address=self._site.source_address)
        return await self._exchange(fresh, (host, port), ends, method, path, host_header, body, headers)

    async def _exchange(
        self,
        connection: Connection,
        place: tuple[str, int],
        ends: float,
        method: str,
        path: str,
        host_header: str,
        body: bytes,
        headers: Mapping[str, str] | None,
    ) -> Response:
        left = max(0.001, ends - self._site.clock.steady_seconds())
        answer = await connection.exchange(method, path, host_header=host_header, timeout_seconds=left, body=body, headers=headers)
        if connection.reusable and self._kept is None:
            self._kept = (*place, connection)
        else:
            connection.drop()
        return answer


def _failure(error: Exception) -> tuple[Seen, str]:
    refused = isinstance(error, NotSentError) and isinstance(error.__cause__, ConnectionRefusedError)
    return (Seen.DOWN if refused else Seen.SILENT), str(error)


class TransactionProbe:
    """One function's transaction, through DNS, from one site. Whatever does not come in time is silent, and counts as failed."""

    def __init__(self, site: Site, function: str, binding: FunctionBinding, resolve: Resolve, regions: Mapping[str, str]) -> None:
        """`regions`: public address → region."""
        self._site = site
        self._function = function
        self._binding = binding
        self._resolve = resolve
        self._regions = regions
        self._line = _Line(site)
        self._count = 0

    async def observe(self) -> Observation:
        """One transaction."""
        at_seconds, started = self._site.clock.wall_seconds(), self._site.clock.steady_seconds()
        region, seen, detail = NOWHERE, Seen.UP, ""
        facts: dict[str, Any] = {}
        try:
            address = await self._resolve(self._binding.dns_name)
            region = self._regions.get(address, NOWHERE)
            answer = await self._line.ask(
                "POST", address, self._binding.port, self._binding.path, self._binding.dns_name, body=self._body(at_seconds)
            )
        except LookupError as error:
            seen, detail = Seen.DOWN, str(error)
        except (TimeoutError, ConnectionError) as error:
            seen, detail = _failure(error)
        else:
            facts = {"status": answer.status}
            if answer.status != 200:
                seen, detail = Seen.DOWN, _first_words(answer)
                facts["error"] = detail
        latency = self._site.clock.steady_seconds() - started
        return Observation(
            self._site.name, 0, at_seconds, region, Subject.TRANSACTION, self._function, seen, latency, detail=detail, facts=facts
        )

    def _body(self, at_seconds: float) -> bytes:
        self._count += 1
        return json.dumps({"request": f"probe-{self._site.name}-{int(at_seconds * 1000):x}-{self._count:x}"}).encode()


class EntryProbe:
    """Whether a region's entry speaks HTTP. Which functions are served there is said by transactions, so any status below 500 is up."""

    def __init__(self, site: Site, region: str, component: str, host: str, port: int) -> None:
        self._site = site
        self._look = Observation(site.name, 0, 0.0, region, Subject.HTTP, component, Seen.UP, 0.0)
        self._place = (host, port)
        self._line = _Line(site)

    async def observe(self) -> Observation:
        """One request for `/`."""
        host, port = self._place
        at_seconds, started = self._site.clock.wall_seconds(), self._site.clock.steady_seconds()
        seen, detail, facts = Seen.UP, "", {}
        try:
            answer = await self._line.ask("GET", host, port, "/", f"{host}:{port}")
        except (TimeoutError, ConnectionError) as error:
            seen, detail = _failure(error)
        else:
            facts = {"status": answer.status}
            if answer.status >= 500:
                seen, detail = Seen.DOWN, _first_words(answer)
        latency = self._site.clock.steady_seconds() - started
        return replace(self._look, at_seconds=at_seconds, seen=seen, latency_seconds=latency, detail=detail, facts=facts)


class ZoneProbe:
    """Whether a zone answers, by something that stands in it, and what it says to run there."""

    def __init__(self, site: Site, region: str, zone: str, binding: ZoneBinding) -> None:
        self._site = site
        self._look = Observation(site.name, 0, 0.0, region, Subject.ZONE, zone, Seen.UP, 0.0)
        self._binding = binding
        self._line = _Line(site)

    async def observe(self) -> Observation:
        """One request. Any status but 200 is the zone's own word that it does not work."""
        at_seconds, started = self._site.clock.wall_seconds(), self._site.clock.steady_seconds()
        seen, detail, facts = Seen.UP, "", {}
        host, port = self._binding.host, self._binding.port
        try:
            answer = await self._line.ask("GET", host, port, self._binding.path, f"{host}:{port}")
        except (TimeoutError, ConnectionError) as error:
            seen, detail = _failure(error)
        else:
            facts = _instances(answer.body)
            if answer.status != 200:
                seen, detail = Seen.DOWN, _first_words(answer)
        latency = self._site.clock.steady_seconds() - started
        return replace(self._look, at_seconds=at_seconds, seen=seen, latency_seconds=latency, detail=detail, facts=facts)


def _instances(body: bytes) -> dict[str, Any]:
    """What a zone's answer says to run there; nothing when it says nothing of the kind."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    counts = told.get("instances") if isinstance(told, dict) else None
    if not isinstance(counts, dict):
        return {}
    return {"instances": {name: count for name, count in counts.items() if isinstance(count, int) and count >= 0}}


class AgentProbe:
    """What the agent beside a region's writers says of itself, proved by its signature."""

    PATH = "/v1/status"

    def __init__(self, site: Site, region: str, name: str, binding: AgentBinding) -> None:
        self._site = site
        self._look = Observation(site.name, 0, 0.0, region, Subject.AGENT, name, Seen.UP, 0.0)
        address = urlsplit(binding.url)
        self._host, self._port = address.hostname or "", address.port or 80
        self._key_file: Path = binding.key_file
        self._line = _Line(site)

    async def observe(self) -> Observation:
        """One signed question."""
        at_seconds, started = self._site.clock.wall_seconds(), self._site.clock.steady_seconds()
        seen, detail, facts = Seen.UP, "", {}
        try:
            facts = await self._status(at_seconds)
        except (NotGenuine, ValueError) as error:
            seen, detail = Seen.DOWN, str(error)
        except (TimeoutError, ConnectionError) as error:
            seen, detail = _failure(error)
        latency = self._site.clock.steady_seconds() - started
        return replace(self._look, at_seconds=at_seconds, seen=seen, latency_seconds=latency, detail=detail, facts=facts)

    async def _status(self, at_seconds: float) -> dict[str, Any]:
        key, nonce = self._key_file.read_bytes().strip(), new_nonce()
        path, signed = sign_query(key, self.PATH, {}, nonce, at_seconds)
        headers = {SIGNATURE_HEADER: signed}
        answer = await self._line.ask("GET", self._host, self._port, path, f"{self._host}:{self._port}", headers=headers)
        if answer.status != 200:
            raise ValueError(_first_words(answer))
        said = open_answer(key, self.PATH, answer.body, answer.headers.get(SIGNATURE_HEADER.lower()), nonce)
        stores = said.get("stores")
        modes = {name: store.get(FACT) for name, store in (stores.items() if isinstance(stores, dict) else ()) if isinstance(store, dict)}
        return {name: value for name, value in said.items() if name not in ("nonce", "stores")} | {FACT: modes}


def _first_words(answer: Response) -> str:
    text = " ".join(answer.body[:300].decode(errors="replace").split())
    return f"answered {answer.status}: {text[:200]}" if text else f"answered {answer.status}"
