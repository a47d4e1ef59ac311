"""A canary's request says what it is, an answer counts only when it is this one's and in time, and a canary doubts itself before others."""

import asyncio
import json
import ssl
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from contract.server_rig import place
from holdfast.canary import doubt as doubt_module
from holdfast.canary.client import Client, ClientSpecification
from holdfast.canary.doubt import CUT_OFF, Doubt
from holdfast.canary.naming import HEADER, LAST, request_name, request_sent_at
from holdfast.canary.service import measurable
from holdfast.lab.application.web import Call, Reply, Server
from holdfast.ledger.entry import LedgerEntry, RequestResult
from holdfast.plan.bindings import FunctionBinding
from unit.canary_bindings import some_bindings
from unit.report_facts import voicehive

NAME = "voice.voicehive.test"


class OneAddress:
    """A resolver that knows one address."""

    def __init__(self, host: str) -> None:
        self._host = host

    async def addresses(self, name: str) -> tuple[str, ...]:
        assert name == NAME
        return (self._host,)


class Kept:
    """A ledger in memory."""

    def __init__(self) -> None:
        self.entries: list[LedgerEntry] = []

    async def keep(self, entries: Sequence[LedgerEntry]) -> None:
        self.entries += entries


def specification(port: int, **changes: Any) -> ClientSpecification:
    binding = FunctionBinding(dns_name=NAME, port=port, path="/voice/calls")
    plain = ClientSpecification(
        "voice",
        binding,
        rate=20.0,
        timeout_seconds=5.0,
        source_address=None,
        name=lambda at_seconds, number: request_name(at_seconds, "abc0", number),
        values={"hotel": "canary"},
        headers={HEADER: "voice"},
    )
    return replace(plain, **changes)


async def sent(host: str, made: ClientSpecification, ledger: Kept, seconds: float = 0.4) -> None:
    ended = asyncio.Event()
    asyncio.get_running_loop().call_later(seconds, ended.set)
    await Client(made, OneAddress(host), ledger).run(ended)  # type: ignore[arg-type]


def acknowledging(call: Call) -> Reply:
    body = json.loads(call.body)
    stores = {"database": {"key": f"calls/{body['request']}", "region": "eu-west-1", "epoch": 1, "written_seconds": time.time()}}
    return Reply(200, {"request": body["request"], "stores": stores})


def test_a_request_carries_its_mark_its_name_and_the_test_customers_values() -> None:
    heard: list[Call] = []
    ledger = Kept()

    async def answer(call: Call) -> Reply:
        heard.append(call)
        return acknowledging(call)

    async def story() -> None:
        host, port = place()
        server = Server(answer)
        await server.start(host, port)
        await sent(host, specification(port), ledger)
        await server.stop(0.1)

    asyncio.run(story())
    assert len(heard) >= 2
    for call, entry in zip(heard, ledger.entries, strict=True):
        body = json.loads(call.body)
        assert call.headers["x-holdfast-canary"] == "voice"
        assert body["hotel"] == "canary"
        assert body["request"] == entry.request
        assert entry.request.startswith("canary-20")
        assert (entry.result, entry.key) == (RequestResult.ACKNOWLEDGED, f"calls/{entry.request}")


def test_names_sort_by_time_and_lie_within_what_a_reading_looks_for() -> None:
    names = [request_name(1_790_000_000.0 + second, "abc0", 7) for second in (0, 1, 59, 86_400, 40_000_000)]
    assert names == sorted(names)
    assert all(request_sent_at(1_790_000_000.0) <= name <= LAST for name in names)
    assert all(len(name) <= 64 for name in names)


def test_an_answer_to_another_request_or_none_at_all_is_unknown_and_a_silent_ledger_sends_nothing() -> None:
    ledger, stood = Kept(), Kept()

    async def answer(call: Call) -> Reply:
        reply = acknowledging(call)
        if len(ledger.entries) < 2:
            return Reply(200, {**reply.value, "request": "somebody-else's"})
        await asyncio.sleep(1.0)
        return reply

    async def story() -> None:
        host, port = place()
        server = Server(answer)
        await server.start(host, port)
        await sent(host, specification(port, timeout_seconds=0.3), ledger)
        await sent(host, specification(port, may_send=lambda: False), stood, 0.2)
        await server.stop(0.1)

    asyncio.run(story())
    assert {entry.result for entry in ledger.entries} == {RequestResult.UNKNOWN}
    assert {entry.own_fault for entry in ledger.entries} == {""}
    assert stood.entries == []


def certificate(directory: Path) -> Path:
    """A key and a certificate for NAME in one file, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - timedelta(1), now + timedelta(1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = directory / "server.pem"
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


def test_https_is_spoken_and_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    file = certificate(tmp_path)
    trusting, stranger = Kept(), Kept()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        request = json.loads(await reader.readexactly(length))["request"]
        body = json.dumps({"request": request, "stores": {"database": {"key": "k"}}}).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()

    async def story() -> None:
        host, port = place()
        own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        own.load_cert_chain(file)
        server = await asyncio.start_server(converse, host, port, ssl=own)
        known = ssl.create_default_context(cafile=file)
        await sent(host, specification(port, tls=known), trusting)
        await sent(host, specification(port, tls=ssl.create_default_context()), stranger)
        server.close()

    asyncio.run(story())
    assert {entry.result for entry in trusting.entries} == {RequestResult.ACKNOWLEDGED}
    assert {entry.result for entry in stranger.entries} == {RequestResult.REFUSED}
    assert "self-signed certificate" in stranger.entries[0].detail


@pytest.mark.parametrize(("answers", "fault"), [(True, ""), (False, CUT_OFF)])
def test_a_failure_is_believed_when_somebody_else_answers_and_doubted_when_nobody_does(
    monkeypatch: pytest.MonkeyPatch, answers: bool, fault: str
) -> None:
    monkeypatch.setattr(doubt_module, "EVERY_SECONDS", 0.1)
    monkeypatch.setattr(doubt_module, "ANSWER_SECONDS", 5.0 if answers else 0.2)

    async def healthy(call: Call) -> Reply:
        if not answers:
            await asyncio.sleep(5)
        return Reply(200, "ok")

    async def story() -> str:
        host, port = place()
        server = Server(healthy)
        await server.start(host, port)
        doubt = Doubt({"witness": f"http://{host}:{port}"}, None)
        asking = asyncio.create_task(doubt.run())
        said = await doubt.about(time.time())
        asking.cancel()
        await server.stop(0.05)
        return said

    assert asyncio.run(story()) == fault


def test_an_answer_from_before_the_failure_vouches_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The way out was cut between the reference's last answer and the transaction."""
    monkeypatch.setattr(doubt_module, "EVERY_SECONDS", 0.1)
    monkeypatch.setattr(doubt_module, "ANSWER_SECONDS", 5.0)

    async def story() -> str:
        host, port = place()
        server = Server(lambda _: asyncio.sleep(0, Reply(200, "ok")))
        await server.start(host, port)
        doubt = Doubt({"witness": f"http://{host}:{port}"}, None)
        asking = asyncio.create_task(doubt.run())
        assert await doubt.about(time.time()) == ""
        await server.stop(0.05)
        said = await doubt.about(time.time())
        asking.cancel()
        return said

    assert asyncio.run(story()) == CUT_OFF


def test_without_references_every_failure_is_believed() -> None:
    assert asyncio.run(Doubt({}, None).about(0.0)) == ""


def test_a_function_is_measured_when_plan_and_bindings_both_name_it() -> None:
    plan = voicehive().plan
    functions = {"voice": FunctionBinding(dns_name=NAME, port=1, path="/"), "other": FunctionBinding(dns_name=NAME, port=1, path="/")}
    assert measurable(plan, some_bindings(functions=functions)) == ("voice",)


def test_a_failure_just_before_the_way_came_back_is_doubted_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doubt_module, "EVERY_SECONDS", 0.1)
    monkeypatch.setattr(doubt_module, "ANSWER_SECONDS", 1.5)
    cut = asyncio.Event()

    async def healthy(call: Call) -> Reply:
        if cut.is_set():
            await asyncio.sleep(5)
        return Reply(200, "ok")

    async def story() -> tuple[str, str]:
        host, port = place()
        server = Server(healthy)
        await server.start(host, port)
        doubt = Doubt({"witness": f"http://{host}:{port}"}, None)
        asking = asyncio.create_task(doubt.run())
        assert await doubt.about(time.time()) == ""
        cut.set()
        assert await doubt.about(time.time()) == CUT_OFF
        failed = time.time()
        cut.clear()
        just_before = await doubt.about(failed)
        await doubt.about(time.time())
        later = await doubt.about(time.time())
        asking.cancel()
        await server.stop(0.05)
        return just_before, later

    assert asyncio.run(story()) == (CUT_OFF, "")
