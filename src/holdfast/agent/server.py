"""The agent's HTTP side: lease, status, orders, records, exports, as docs/architecture.md says.

Rules: nothing is read before its signature matches; bodies are bounded; a connection that sends nothing is dropped; a nonce is used once.
What isn't genuine gets 403, what makes no sense 400, each with one line that says why; a refusal is an answer (200). `/healthz` needs no
signature and says only that the process answers.

Never here: what a request means (`authority`, `orders`).
"""

import http
import json
import socket
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from holdfast.agent.authority import Authority
from holdfast.agent.charge import Charge
from holdfast.agent.configuration import Configuration
from holdfast.agent.exports import piece
from holdfast.agent.keeper import Keeper
from holdfast.agent.orders import BadOrder, Orders
from holdfast.agent.renewal import Renewal
from holdfast.agent.store import Facts
from holdfast.fencing.promise import Ask, Epoch
from holdfast.fencing.signing import SIGNATURE_HEADER, NotGenuine, open_query, open_request, sign_answer

MOST_BODY_BYTES = 65536
_IDLE_SECONDS = 10.0
_NONCES_KEPT = 4096
_STATUS_SECONDS = 1.5


class Service:
    """What the server answers from."""

    def __init__(self, configuration: Configuration, authority: Authority, keeper: Keeper, orders: Orders, renewals: list[Renewal]) -> None:
        self.configuration = configuration
        self.authority = authority
        self.keeper = keeper
        self.orders = orders
        self.renewals = renewals
        self._pool = ThreadPoolExecutor(4, thread_name_prefix="status")
        self._looks: dict[str, Future[Facts]] = {}
        self._nonces: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()

    def use_nonce(self, nonce: str) -> None:
        """Raises NotGenuine for one that was used."""
        with self._lock:
            if nonce in self._nonces:
                raise NotGenuine("this nonce was used before: the message is a repetition")
            self._nonces[nonce] = None
            if len(self._nonces) > _NONCES_KEPT:
                self._nonces.popitem(last=False)

    def lease(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Answer the other agent's request for a promise."""
        try:
            epoch = Epoch(int(payload["era"]), int(payload["epoch"]))
            ask = Ask(str(payload["region"]), epoch, str(payload["instance"]), float(payload["ttl_seconds"]))
        except (KeyError, TypeError, ValueError) as error:
            raise BadOrder(f"no request for a lease: {error!r}") from error
        if ask.region != self.configuration.peer.name:
            raise BadOrder(f"this agent promises only to {self.configuration.peer.name}, not to {ask.region!r}")
        foreign = self.authority.not_ours(payload.get("installation"))
        if foreign is not None:
            raise BadOrder(foreign)
        reply = self.authority.promise(ask)
        memory = self.authority.state.memory
        return {
            "granted": reply.yes,
            "reason": reply.reason,
            "era": memory.epoch.era,
            "epoch": memory.epoch.epoch,
            "holder": memory.holder,
            "installation": self.authority.state.installation,
        }

    def status(self) -> dict[str, Any]:
        """What is true now. Stores are asked side by side; one that doesn't answer in time is unknown."""
        futures = {name: self._look(charge) for name, charge in self.keeper.charges.items()}
        facts = self.authority.facts()
        facts["lease"] = {renewal.name: renewal.last for renewal in self.renewals}
        facts["guard"] = {"ticking": self.keeper.guard_ticks, "fences": self.keeper.guard_fences}
        facts["stores"] = {}
        for name, future in futures.items():
            charge = self.keeper.charges[name]
            try:
                known = dict(future.result(timeout=_STATUS_SECONDS))
            except NotInTime:
                known = {"running": charge.store.alive(), "role": "unknown", "detail": f"did not answer within {_STATUS_SECONDS} s"}
            facts["stores"][name] = {**known, "duty": self.authority.role(name), "armed": charge.armed, "problem": charge.problem}
        return facts

    def _look(self, charge: Charge) -> "Future[Facts]":
        # One look at a time: a store that hangs must not use the pool up.
        with self._lock:
            running = self._looks.get(charge.name)
            if running is None or running.done():
                running = self._looks[charge.name] = self._pool.submit(charge.store.status)
            return running

    def records(self, after: str) -> dict[str, Any]:
        """Signed local records above a number."""
        if not after.isdecimal():
            raise BadOrder(f"after must be a number, not {after!r}")
        return {"records": self.authority.records.after(int(after)), "last": self.authority.records.last}

    def exports(self, query: Mapping[str, str]) -> dict[str, Any]:
        """A piece of a file of an export."""
        try:
            return piece(self.configuration.exports, query.get("export", ""), query.get("file", ""), query.get("offset", "0"))
        except ValueError as error:
            raise BadOrder(str(error)) from error


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    timeout = _IDLE_SECONDS
    service: Service
    server_version = "holdfast-agent"
    sys_version = ""

    def do_POST(self) -> None:
        """/v1/lease and /v1/orders."""
        service, path = self.service, self.path
        keys = {"/v1/lease": service.configuration.peer.key, "/v1/orders": service.configuration.key}
        if path not in keys:
            self._say(http.HTTPStatus.NOT_FOUND, f"no such path: POST {path[:100]}")
            return
        body = self._body()
        if body is None:
            return
        try:
            payload = open_request(keys[path], path, body, self.headers.get(SIGNATURE_HEADER))
            service.use_nonce(payload["nonce"])
            answer = service.lease(payload) if path == "/v1/lease" else service.orders.carry_out(payload)
        except NotGenuine as error:
            self._say(http.HTTPStatus.FORBIDDEN, str(error))
        except BadOrder as error:
            self._say(http.HTTPStatus.BAD_REQUEST, str(error))
        else:
            self._answer(keys[path], path, answer, payload["nonce"])

    def do_GET(self) -> None:
        """/v1/status, /v1/records, /v1/exports, /healthz."""
        service, path = self.service, urlsplit(self.path).path
        if path == "/healthz":
            self._send(http.HTTPStatus.OK, b"ok\n", {"Content-Type": "text/plain"})
            return
        answers: dict[str, Callable[[Mapping[str, str]], dict[str, Any]]] = {
            "/v1/status": lambda query: service.status(),
            "/v1/records": lambda query: service.records(query.get("after", "0")),
            "/v1/exports": service.exports,
        }
        if path not in answers:
            self._say(http.HTTPStatus.NOT_FOUND, f"no such path: GET {path[:100]}")
            return
        try:
            query = open_query(service.configuration.key, self.path, self.headers.get(SIGNATURE_HEADER))
            service.use_nonce(query["nonce"])
            answer = answers[path](query)
        except NotGenuine as error:
            self._say(http.HTTPStatus.FORBIDDEN, str(error))
        except BadOrder as error:
            self._say(http.HTTPStatus.BAD_REQUEST, str(error))
        else:
            self._answer(service.configuration.key, path, answer, query["nonce"])

    def _body(self) -> bytes | None:
        given = self.headers.get("Content-Length", "")
        if not given.isdecimal():
            self.close_connection = True
            self._say(http.HTTPStatus.LENGTH_REQUIRED, "a Content-Length is needed")
            return None
        if int(given) > MOST_BODY_BYTES:
            self.close_connection = True
            self._say(http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a body has at most {MOST_BODY_BYTES} bytes, not {given}")
            return None
        return self.rfile.read(int(given))

    def _answer(self, key: bytes, path: str, payload: Mapping[str, Any], nonce: str) -> None:
        body, signature = sign_answer(key, path, payload, nonce)
        self._send(http.HTTPStatus.OK, body, {"Content-Type": "application/json", SIGNATURE_HEADER: signature})

    def _say(self, status: http.HTTPStatus, why: str) -> None:
        self._send(status, json.dumps({"error": why}).encode(), {"Content-Type": "application/json"})

    def _send(self, status: http.HTTPStatus, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not logged: there are several a second, and what matters is a record."""


class Server(ThreadingHTTPServer):
    """Threads that die with the process; a client that goes away is no error."""

    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that broke is the other side's affair."""

    def server_bind(self) -> None:
        """Without looking the host's name up, which can take seconds where there is no DNS."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])


def serve(service: Service) -> Server:
    """Listen and answer in threads. Raises OSError when the address is taken."""
    handler = type("BoundHandler", (Handler,), {"service": service})
    server = Server((service.configuration.host, service.configuration.port), handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, name="server", daemon=True).start()
    return server
