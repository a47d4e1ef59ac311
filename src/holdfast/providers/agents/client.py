"""Talks to one agent: signed requests, answers that must be genuine, one deadline a call.

Silence, a broken connection and an answer that isn't genuine all mean that nothing is known: they raise AgentSilent, and what was ordered
may or may not have happened. Only what the agent itself signed is a fact. Never here: retries, and what an answer means.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from holdfast.fencing.order import Order
from holdfast.fencing.signing import SIGNATURE_HEADER, NotGenuine, new_nonce, open_answer, sign_query, sign_request
from holdfast.plan.bindings import AgentBinding
from holdfast.ports.clock import Clock


class AgentSilent(ConnectionError):
    """Nothing genuine came back."""


@dataclass(frozen=True, slots=True)
class OrderAnswer:
    """What an agent said to an order: `succeeded`, `refused`, `failed`, or `waiting` (ask again)."""

    result: str
    detail: str
    facts: Mapping[str, Any] = field(default_factory=dict)


class AgentClient:
    """One region's agent as this site reaches it. Safe to share between tasks."""

    def __init__(self, region: str, binding: AgentBinding, clock: Clock, *, source_address: str | None = None) -> None:
        self.region = region
        self._url = binding.url.rstrip("/")
        self._key_file = binding.key_file
        self._clock = clock
        self.installation = ""
        """What every order says that it belongs to; an agent of another installation refuses it."""
        # trust_env: a proxy of the environment must never stand between the controller and its agents.
        transport = httpx.AsyncHTTPTransport(local_address=source_address, limits=httpx.Limits(max_keepalive_connections=0))
        self._http = httpx.AsyncClient(transport=transport, trust_env=False, timeout=None)  # noqa: S113 - asyncio.timeout bounds every call

    async def status(self, timeout_seconds: float = 2.0) -> dict[str, Any]:
        """Everything that the agent says of itself and its stores. Raises AgentSilent."""
        return await self._get("/v1/status", {}, timeout_seconds)

    async def records(self, after: int, timeout_seconds: float = 3.0) -> dict[str, Any]:
        """Local records with a higher number. Raises AgentSilent."""
        return await self._get("/v1/records", {"after": after}, timeout_seconds)

    async def export_piece(self, export: str, file: str, offset: int, timeout_seconds: float) -> dict[str, Any]:
        """Some bytes of a file of an export, and the file's size. Raises AgentSilent."""
        return await self._get("/v1/exports", {"export": export, "file": file, "offset": offset}, timeout_seconds)

    async def order(self, order: Order, verb: str, arguments: Mapping[str, Any], timeout_seconds: float) -> OrderAnswer:
        """Give an order and wait for the answer. Raises AgentSilent, and then nobody knows whether it was obeyed."""
        path, nonce, key = "/v1/orders", new_nonce(), self._key()
        payload = {"order": order.as_list(), "verb": verb, "arguments": dict(arguments), "installation": self.installation}
        body, signature = sign_request(key, path, payload, nonce, self._clock.wall_seconds())
        headers = {SIGNATURE_HEADER: signature, "Content-Type": "application/json"}
        request = self._http.build_request("POST", self._url + path, content=body, headers=headers)
        answer = await self._exchange(request, key, path, nonce, timeout_seconds)
        return OrderAnswer(str(answer.get("result", "unknown")), str(answer.get("detail", "")), dict(answer.get("facts") or {}))

    async def close(self) -> None:
        """Let go of connections."""
        await self._http.aclose()

    async def _get(self, path: str, query: Mapping[str, Any], timeout_seconds: float) -> dict[str, Any]:
        nonce, key = new_nonce(), self._key()
        whole, signature = sign_query(key, path, query, nonce, self._clock.wall_seconds())
        request = self._http.build_request("GET", self._url + whole, headers={SIGNATURE_HEADER: signature})
        return await self._exchange(request, key, path, nonce, timeout_seconds)

    async def _exchange(self, request: httpx.Request, key: bytes, path: str, nonce: str, timeout_seconds: float) -> dict[str, Any]:
        try:
            async with asyncio.timeout(timeout_seconds):
                response = await self._http.send(request)
        except TimeoutError as error:
            raise AgentSilent(f"the agent of {self.region} at {self._url} did not answer within {timeout_seconds:g} s") from error
        except (httpx.HTTPError, OSError) as error:
            raise AgentSilent(f"the agent of {self.region} at {self._url} cannot be reached: {error!r}") from error
        try:
            return open_answer(key, path, response.content, response.headers.get(SIGNATURE_HEADER), nonce)
        except NotGenuine as error:
            said = f"status {response.status_code}, {response.text[:300]!r}" if response.status_code != httpx.codes.OK else str(error)
            raise AgentSilent(f"no genuine answer from the agent of {self.region} at {self._url}: {said}") from error

    def _key(self) -> bytes:
        try:
            return self._key_file.read_bytes().strip()
        except OSError as error:
            raise AgentSilent(f"the key of the agent of {self.region} cannot be read: {self._key_file}: {error.strerror}") from error
