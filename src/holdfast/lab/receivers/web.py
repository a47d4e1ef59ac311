"""The receivers that speak HTTP, and what each checks: the published shape of the request, by schemas of their own."""

import base64
import hashlib
import hmac
import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from xml.etree import ElementTree

import jsonschema

HANG_SECONDS = 30.0
Reply = tuple[int, Mapping[str, Any]]
Answer = Callable[[str, Mapping[str, str], bytes], Reply]
Heard = Callable[[str, bytes, Mapping[str, Any]], None]
"""Called with (behaviour, body, answer) after something was taken: what this far end does later by itself."""

EVENT = {
    "type": "object",
    "required": ["routing_key", "event_action", "dedup_key"],
    "properties": {
        "routing_key": {"type": "string", "minLength": 32, "maxLength": 32},
        "event_action": {"enum": ["trigger", "acknowledge", "resolve"]},
        "dedup_key": {"type": "string", "maxLength": 255},
        "payload": {
            "type": "object",
            "required": ["summary", "source", "severity"],
            "properties": {
                "summary": {"type": "string", "minLength": 1, "maxLength": 1024},
                "severity": {"enum": ["critical", "error", "warning", "info"]},
            },
        },
    },
}
CLOUD_EVENT = {
    "type": "object",
    "required": ["specversion", "id", "source", "type"],
    "properties": {"specversion": {"const": "1.0"}, "id": {"minLength": 1}, "source": {"minLength": 1}, "type": {"minLength": 1}},
}


class Receiver:
    """One far end in a thread of its own; closes with `close`."""

    def __init__(
        self, name: str, directory: Path, answer: Answer, host: str = "127.0.0.1", port: int = 0, heard: Heard | None = None
    ) -> None:
        self.name = name
        self.file = directory / f"{name}.jsonl"
        self._behaviour = directory / f"{name}.behaviour"
        self._answer = answer
        self._heard = heard
        self._mutex = threading.Lock()
        self._server = ThreadingHTTPServer((host, port), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://{host}:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def take(self, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, Mapping[str, str], bytes]:
        """Behave as told, check, and write down."""
        behaviour = self._behaviour.read_text().strip() if self._behaviour.exists() else "ok"
        if behaviour == "hang":
            time.sleep(HANG_SECONDS)
        if behaviour in ("hang", "500"):
            return 500, {}, b"{}"
        if behaviour == "429":
            return 429, {"retry-after": "7"}, b"{}"
        with self._mutex:
            try:
                status, said = self._answer(path, headers, body)
            except Exception as error:  # a check that fails in any way is a request that is wrong
                self._write({"wrong": f"{type(error).__name__}: {error}"[:500], "path": path})
                return 400, {}, json.dumps({"status": "invalid", "message": "the request is not as published"}).encode()
            if behaviour != "drop":
                shown = {name: value for name, value in headers.items() if name != "authorization"}
                self._write({"path": path, "headers": shown, "body": body.decode()})
        if self._heard is not None and status < 300 and behaviour != "drop":
            self._heard(behaviour, body, said)
        return status, {}, json.dumps(said).encode()

    def _write(self, fields: Mapping[str, Any]) -> None:
        with self.file.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"at_seconds": time.time(), **fields}, ensure_ascii=False) + "\n")

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, more, said = receiver.take(self.path, headers, body)
            try:
                self.send_response(status)
                for name, value in {**more, "content-length": str(len(said)), "content-type": "application/json"}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(said)
            except OSError:
                self.close_connection = True  # the sender gave up waiting

        def log_message(self, format: str, *arguments: Any) -> None:
            """Nothing: what arrived stands in the file."""

    return Handler


def pagerduty(path: str, headers: Mapping[str, str], body: bytes) -> Reply:
    """The Events API's enqueue."""
    event = json.loads(body)
    jsonschema.validate(event, EVENT)
    if event["event_action"] == "trigger" and "payload" not in event:
        raise ValueError("a trigger has a payload")
    if len(body) > 512 * 1024:
        raise ValueError("larger than 512 KB")
    return 202, {"status": "success", "message": "Event processed", "dedup_key": event["dedup_key"]}


def webhook(key: bytes) -> Callable[[str, Mapping[str, str], bytes], Reply]:
    """A partner's receiver: signature, age, and the envelope."""

    def answer(path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        found = re.fullmatch(r"t=(\d+),k=[^,]+,v1=([0-9a-f]{64})", headers["holdfast-signature"])
        if found is None or abs(time.time() - int(found[1])) > 300:
            raise ValueError("no signature, or an old one")
        if not hmac.compare_digest(hmac.new(key, found[1].encode() + b"." + body, hashlib.sha256).hexdigest(), found[2]):
            raise ValueError("the signature does not fit")
        jsonschema.validate(json.loads(body), CLOUD_EVENT)
        return 202, {}

    return answer


def twilio(account: str, token: str) -> Callable[[str, Mapping[str, str], bytes], Reply]:
    """Messages and Calls of one account."""

    def answer(path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        if headers["authorization"] != "Basic " + base64.b64encode(f"{account}:{token}".encode()).decode():
            return 401, {"code": 20003, "message": "Authenticate"}
        fields = {name: values[0] for name, values in parse_qs(body.decode(), strict_parsing=True).items()}
        if not re.fullmatch(r"\+[1-9]\d{7,14}", fields["To"]):
            return 400, {"code": 21211, "message": "Invalid 'To' Phone Number"}
        if path == f"/2010-04-01/Accounts/{account}/Messages.json" and len(fields["Body"]) <= 1600:
            return 201, {"sid": "SM" + hashlib.md5(body, usedforsecurity=False).hexdigest(), "status": "queued"}
        if path == f"/2010-04-01/Accounts/{account}/Calls.json":
            if ElementTree.fromstring(fields["Twiml"]).tag != "Response":  # noqa: S314 - made by this machine's own sender
                raise ValueError("TwiML begins with Response")
            return 201, {"sid": "CA" + hashlib.md5(body, usedforsecurity=False).hexdigest(), "status": "queued"}
        return 404, {"code": 20404, "message": "no such resource"}

    return answer


class Slack:
    """A workspace: channels, messages and threads in memory."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.rooms: dict[str, str] = {}

    def answer(self, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """One method of the Web API, or the incoming webhook."""
        said, method = json.loads(body), path.rsplit("/", 1)[-1]
        for block in said.get("blocks", ()):
            limit = {"header": 150, "section": 3000}.get(block["type"])
            if limit is not None and not 1 <= len(block["text"]["text"]) <= limit:
                return 200, {"ok": False, "error": "invalid_blocks"}
        if path.startswith("/services/"):
            return 200, {}
        if not headers["authorization"].startswith("Bearer xoxb-"):
            return 200, {"ok": False, "error": "invalid_auth"}
        return 200, getattr(self, "_" + method.replace(".", "_"))(said)

    def _conversations_create(self, said: dict[str, Any]) -> Mapping[str, Any]:
        if not re.fullmatch(r"[a-z0-9_-]{1,80}", said["name"]):
            return {"ok": False, "error": "invalid_name_specials"}
        if said["name"] in self.rooms:
            return {"ok": False, "error": "name_taken"}
        self.rooms[said["name"]] = f"C{len(self.rooms):09d}"
        return {"ok": True, "channel": {"id": self.rooms[said["name"]]}}

    def _conversations_list(self, said: dict[str, Any]) -> Mapping[str, Any]:
        return {"ok": True, "channels": [{"id": room, "name": name} for name, room in self.rooms.items()]}

    def _conversations_join(self, said: dict[str, Any]) -> Mapping[str, Any]:
        return {"ok": said["channel"] in self.rooms.values()}

    def _conversations_history(self, said: dict[str, Any]) -> Mapping[str, Any]:
        found = [one for one in reversed(self.messages) if one["channel"] == said["channel"] and "thread_ts" not in one]
        return {"ok": True, "messages": found}

    def _conversations_replies(self, said: dict[str, Any]) -> Mapping[str, Any]:
        return {"ok": True, "messages": [one for one in self.messages if said["ts"] in (one["ts"], one.get("thread_ts"))]}

    def _chat_postMessage(self, said: dict[str, Any]) -> Mapping[str, Any]:
        self.messages.append({**said, "ts": f"{1_700_000_000 + len(self.messages)}.000100"})
        return {"ok": True, "ts": self.messages[-1]["ts"], "channel": said["channel"]}

    def _chat_update(self, said: dict[str, Any]) -> Mapping[str, Any]:
        next(one for one in self.messages if one["ts"] == said["ts"]).update(said)
        return {"ok": True, "ts": said["ts"]}
