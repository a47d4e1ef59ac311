"""The controller's HTTP API: leases for agents, the read model, and people's commands. Default deny: every route checks who asks.

| route | who | what |
| --- | --- | --- |
| `POST /v1/lease` | an agent, signed with the lease key | a promise not to consent before its ttl |
| `GET /v1/state` | bearer of the token | the read model |
| `GET /v1/records?after=N` | bearer of the token | journal records |
| `POST /v1/commands` | bearer of the token | `{id, verb, by, arguments}` → `{answer}` |
| `GET /healthz` | anyone | `ok` |
"""

import hmac
import json
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from holdfast.conduct.situation import Command
from holdfast.console.state import state
from holdfast.controller.keeper import Keeper
from holdfast.controller.loop import Controller
from holdfast.fencing.promise import Ask, Epoch
from holdfast.fencing.signing import SIGNATURE_HEADER, NotGenuine, open_request, sign_answer
from holdfast.ports.journal_store import JournalFull, JournalStore

MOST_BODY_BYTES = 65536
_MOST_RECORDS = 1000
_NONCES_KEPT = 4096

Handler = Callable[[Request], Awaitable[Response]]


class BadCommand(ValueError):
    """A body that isn't a command; the text says what is missing."""


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number that a journal can hold")


def command_of(body: bytes) -> Command:
    """The command in a request's body. Raises BadCommand."""
    try:
        given = json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise BadCommand(f"the body is not JSON: {error}") from error
    if not isinstance(given, dict):
        raise BadCommand("the body is not a JSON object")
    for name in ("id", "verb", "by"):
        if not isinstance(given.get(name), str) or not 0 < len(given[name]) <= 200:
            raise BadCommand(f"'{name}' must be a text of 1 to 200 characters")
    arguments = given.get("arguments", {})
    if not isinstance(arguments, dict):
        raise BadCommand("'arguments' must be an object")
    return Command(given["id"], given["verb"], given["by"], arguments)


def _ask(payload: dict[str, Any]) -> Ask:
    try:
        epoch = Epoch(int(payload["era"]), int(payload["epoch"]))
        return Ask(str(payload["region"]), epoch, str(payload["instance"]), float(payload["ttl_seconds"]))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise NotGenuine(f"the lease request lacks or garbles a field: {error!r}") from error


class Api:
    """The routes over one controller."""

    def __init__(self, controller: Controller, keeper: Keeper, store: JournalStore, token: str, lease_key: bytes) -> None:
        self._controller = controller
        self._keeper = keeper
        self._store = store
        self._token = token
        self._lease_key = lease_key
        self._nonces: OrderedDict[str, None] = OrderedDict()

    def application(self) -> Starlette:
        """The ASGI application."""
        return Starlette(
            routes=[
                Route("/v1/lease", self._lease, methods=["POST"]),
                Route("/v1/state", self._for_bearer(self._state), methods=["GET"]),
                Route("/v1/records", self._for_bearer(self._records), methods=["GET"]),
                Route("/v1/commands", self._for_bearer(self._command), methods=["POST"]),
                Route("/healthz", self._health, methods=["GET"]),
            ]
        )

    def _for_bearer(self, handler: Handler) -> Handler:
        async def checked(request: Request) -> Response:
            given = request.headers.get("authorization", "")
            if not hmac.compare_digest(given.encode(), f"Bearer {self._token}".encode()):
                return JSONResponse({"error": "this needs the controller's token"}, status_code=401)
            return await handler(request)

        return checked

    async def _health(self, _: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def _body(self, request: Request) -> bytes:
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > MOST_BODY_BYTES:
                raise NotGenuine(f"the body is larger than {MOST_BODY_BYTES} bytes")
        return body

    def _use_nonce(self, nonce: str) -> None:
        """Raises NotGenuine for one that was used: a repeated request must not renew a dead primary's promise."""
        if nonce in self._nonces:
            raise NotGenuine("this nonce was used before: the message is a repetition")
        self._nonces[nonce] = None
        if len(self._nonces) > _NONCES_KEPT:
            self._nonces.popitem(last=False)

    def _refuse_foreign(self, payload: dict[str, Any]) -> None:
        """Raises NotGenuine for an agent of another installation: it must neither be promised anything nor learn an epoch here."""
        named, own = payload.get("installation"), self._controller.chronicle.installation.identity
        if named and own and named != own:
            raise NotGenuine(f"this controller conducts the installation {own}, and the agent belongs to {named}")

    async def _lease(self, request: Request) -> Response:
        try:
            body = await self._body(request)
            payload = open_request(self._lease_key, "/v1/lease", body, request.headers.get(SIGNATURE_HEADER))
            self._use_nonce(payload["nonce"])
            self._refuse_foreign(payload)
            reply = self._keeper.ask(_ask(payload))
        except JournalFull as full:  # a promise that can't be kept in memory is not given
            self._controller.room.lacks(full)
            return JSONResponse({"error": f"nothing can be promised now: {full}"}, status_code=503)
        except NotGenuine as error:
            return JSONResponse({"error": str(error)}, status_code=403)
        answer = {"granted": reply.yes, "reason": reply.reason, "era": self._keeper.epoch.era, "epoch": self._keeper.epoch.epoch}
        whole = {**answer, "holder": self._keeper.holder, "installation": self._controller.chronicle.installation.identity}
        signed, signature = sign_answer(self._lease_key, "/v1/lease", whole, payload["nonce"])
        return Response(signed, media_type="application/json", headers={SIGNATURE_HEADER: signature})

    async def _state(self, _: Request) -> Response:
        situation = self._controller.situation()
        watch = self._controller.watch
        ends_in = self._keeper.promise_ends_in_seconds()
        shown = state(situation, ends_in, watch.picture, watch.heard_seconds, watch.standings(), watch.served_from())
        return JSONResponse({**shown, "hears": sorted(self._controller.hears), "journal_full": self._controller.room.as_facts()})

    async def _records(self, request: Request) -> Response:
        after = request.query_params.get("after", "0")
        if not after.isdecimal():
            return JSONResponse({"error": "'after' is a sequence number"}, status_code=400)
        records = []
        for record in self._store.read(int(after)):
            records.append(asdict(record))
            if len(records) == _MOST_RECORDS:
                break
        return JSONResponse({"records": records})

    async def _command(self, request: Request) -> Response:
        try:
            command = command_of(await self._body(request))
        except (BadCommand, NotGenuine) as error:
            return JSONResponse({"error": str(error)}, status_code=400)
        try:
            return JSONResponse({"answer": self._controller.submit(command)})
        except JournalFull as full:
            self._controller.room.lacks(full)
            return JSONResponse({"error": f"not done, give it again later: {full}"}, status_code=503)
