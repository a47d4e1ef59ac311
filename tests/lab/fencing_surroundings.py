"""What stands around the agents in the fencing tests: links that can be cut, and a grantor in the controller's place."""

import socket
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from holdfast.agent.pulse import boot_seconds
from holdfast.fencing.promise import Ask, Epoch, Grantor, Memory, Timing
from holdfast.fencing.signing import SIGNATURE_HEADER, open_request, sign_answer
from lab.postgres_store_rig import WEST

TIMING = Timing(drift=0.01, margin_seconds=0.25)
FIRST = Epoch(0, 1)


class Link:
    """A relay that holds the bytes while it is cut, and still accepts connections."""

    def __init__(self, host: str, target: tuple[str, int]) -> None:
        self._target = target
        self._open = threading.Event()
        self._open.set()
        self._listener = socket.create_server((host, 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        self._open.clear()

    def heal(self) -> None:
        self._open.set()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._connect, args=(near,), daemon=True).start()

    def _connect(self, near: socket.socket) -> None:
        self._open.wait()
        try:
            far = socket.create_connection(self._target, timeout=5)
        except OSError:
            near.close()
            return
        far.settimeout(None)
        with near, far:
            there = threading.Thread(target=self._pump, args=(near, far), daemon=True)
            there.start()
            self._pump(far, near)
            there.join()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                self._open.wait()
                sink.sendall(data)
        except OSError:
            pass  # the connection is over
        finally:
            for end in (source, sink):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)


class StandIn:
    """The controller as far as the lease goes: a grantor behind HTTP, and a sender of orders."""

    def __init__(self, host: str, key: bytes) -> None:
        self._key = key
        self.grantor = Grantor.start(Memory(FIRST, WEST), TIMING, boot_seconds())
        self.lock = threading.Lock()
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                payload = open_request(key, self.path, body, self.headers[SIGNATURE_HEADER])
                ask = Ask(payload["region"], Epoch(payload["era"], payload["epoch"]), payload["instance"], payload["ttl_seconds"])
                with stand_in.lock:
                    reply = stand_in.grantor.ask(ask, boot_seconds())
                    stand_in.grantor = reply.grantor
                memory = reply.grantor.memory
                known = {"era": memory.epoch.era, "epoch": memory.epoch.epoch, "holder": memory.holder}
                answer, signature = sign_answer(key, self.path, {"granted": reply.yes, "reason": reply.reason, **known}, payload["nonce"])
                self.send_response(200)
                self.send_header(SIGNATURE_HEADER, signature)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer((host, 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
