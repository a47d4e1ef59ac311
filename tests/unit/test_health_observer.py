"""One observer: what its probes make of answers, refusals and silence, and how it keeps and hands out what they saw."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from free_ports import free_port
from holdfast.console.observer import Observer, Rhythm, application
from holdfast.fencing.signing import SIGNATURE_HEADER, open_query, sign_answer
from holdfast.health.observation import Observation, Seen, Subject
from holdfast.lab.application.web import Call, Reply
from holdfast.plan.bindings import AgentBinding, FunctionBinding
from holdfast.providers.clock.system import SystemClock
from holdfast.providers.dns.resolver import CachingResolver, NoAddressError
from holdfast.providers.http.observations import HttpObservationSource
from holdfast.providers.http.probe import AgentProbe, EntryProbe, Site, TransactionProbe
from unit.observer_world import Names, dns_server, http_server, mute_server, request_of

ROOT = Path(__file__).resolve().parents[2]
T = TypeVar("T")
SITE = Site("witness", SystemClock(), 0.3)


def run(story: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(story)


async def transaction(port: int, answer: str | Exception = "127.0.0.1") -> Observation:
    async def resolve(name: str) -> str:
        if isinstance(answer, Exception):
            raise answer
        return answer

    binding = FunctionBinding(dns_name="voice.voicehive.test", port=port, path="/v1/calls")
    return await TransactionProbe(SITE, "voice", binding, resolve, {"127.0.0.1": "eu-west-1"}).observe()


def test_a_transaction_says_which_region_served_it_and_marks_its_request() -> None:
    asked: list[str] = []

    def answer(call: Call) -> Reply:
        asked.append(request_of(call))
        return Reply(200, {})

    async def story() -> Observation:
        async with http_server(answer) as port:
            return await transaction(port)

    seen = run(story())
    assert (seen.seen, seen.region, seen.subject, seen.name) == (Seen.UP, "eu-west-1", Subject.TRANSACTION, "voice")
    assert asked[0].startswith("probe-witness-")


def test_an_answer_that_refuses_is_down_and_keeps_its_words() -> None:
    async def story() -> Observation:
        async with http_server(lambda call: Reply(503, {"error": "the database is read-only"})) as port:
            return await transaction(port)

    seen = run(story())
    assert seen.seen is Seen.DOWN
    assert "read-only" in seen.detail
    assert seen.facts["status"] == 503


def test_a_connection_that_succeeds_and_answers_nothing_is_silent_within_the_time_out() -> None:
    async def story() -> Observation:
        async with mute_server() as port:
            return await transaction(port)

    started = time.monotonic()
    assert run(story()).seen is Seen.SILENT
    assert time.monotonic() - started < 1.0


def test_a_refused_connection_is_an_answer() -> None:
    assert run(transaction(free_port())).seen is Seen.DOWN


@pytest.mark.parametrize(("error", "seen"), [(NoAddressError("no address"), Seen.DOWN), (TimeoutError("no answer"), Seen.SILENT)])
def test_a_name_that_does_not_exist_is_down_and_dns_that_is_silent_is_silent(error: Exception, seen: Seen) -> None:
    found = run(transaction(1, error))
    assert (found.seen, found.region) == (seen, "")


def test_a_kept_connection_that_the_other_side_closed_is_no_failure() -> None:
    connections = 0

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async def story() -> list[Seen]:
        server = await asyncio.start_server(once, "127.0.0.1", 0)
        async with server:
            probe = EntryProbe(SITE, "eu-west-1", "loadbalancer", "127.0.0.1", server.sockets[0].getsockname()[1])
            return [(await probe.observe()).seen for _ in range(3)]

    assert run(story()) == [Seen.UP] * 3
    assert connections == 3


def agent_answer(key: bytes, facts: dict[str, Any]) -> Any:
    def answer(call: Call) -> Reply:
        path = f"{call.path}?{call.query}"
        nonce = open_query(b"key", path, call.headers.get(SIGNATURE_HEADER.lower()))["nonce"]
        body, signed = sign_answer(key, call.path, facts, nonce)
        return Reply(200, body.decode(), {SIGNATURE_HEADER: signed})

    return answer


@pytest.mark.parametrize(("key", "seen"), [(b"key", Seen.UP), (b"another", Seen.DOWN)])
def test_an_agent_is_believed_only_with_its_signature(tmp_path: Path, key: bytes, seen: Seen) -> None:
    (tmp_path / "key").write_bytes(b"key\n")
    facts = {"role": "primary", "epoch": 3, "lease_remaining_seconds": 2.5, "stores": {"postgres": {"synchronous": True}, "redis": {}}}

    async def story() -> Observation:
        async with http_server(agent_answer(key, facts)) as port:
            binding = AgentBinding(url=f"http://127.0.0.1:{port}", key_file=tmp_path / "key")
            return await AgentProbe(SITE, "eu-west-1", "agent", binding).observe()

    found = run(story())
    assert found.seen is seen
    if seen is Seen.UP:
        waiting = {"postgres": True, "redis": None}
        assert found.facts == {"role": "primary", "epoch": 3, "lease_remaining_seconds": 2.5, "synchronous": waiting}


def test_names_are_kept_for_as_long_as_they_say_and_no_longer() -> None:
    names = Names({"voice.voicehive.test": "127.0.0.9"}, ttl=1)

    async def story() -> None:
        async with dns_server(names) as port:
            resolver = CachingResolver("127.0.0.1", port, SystemClock(), timeout_seconds=0.2)
            assert {await resolver.address("voice.voicehive.test") for _ in range(5)} == {"127.0.0.9"}
            assert len(names.asked) == 1
            with pytest.raises(NoAddressError):
                await resolver.address("other.voicehive.test")
            names.silent = True
            await asyncio.sleep(1.05)
            with pytest.raises(TimeoutError):
                await resolver.address("voice.voicehive.test")

    run(story())


class Scripted:
    """A probe whose looks last and fail as told."""

    def __init__(self, seconds: float = 0.0, fault: Exception | None = None) -> None:
        self.seconds = seconds
        self.fault = fault
        self.started = 0
        self.running = 0
        self.most_running = 0

    async def observe(self) -> Observation:
        self.started += 1
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            await asyncio.sleep(self.seconds)
            if self.fault is not None:
                raise self.fault
            return Observation("witness", 0, time.time(), "eu-west-1", Subject.HTTP, "loadbalancer", Seen.UP, 0.0)
        finally:
            self.running -= 1


async def watch(rhythms: list[Rhythm], seconds: float) -> Observer:
    observer = Observer("witness", rhythms, 0.05, SystemClock())
    looking = asyncio.create_task(observer.run())
    await asyncio.sleep(seconds)
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)
    return observer


def test_a_look_that_still_waits_is_not_piled_upon() -> None:
    slow, patient, quick = Scripted(0.2), Scripted(0.2), Scripted()
    run(watch([Rhythm(slow), Rhythm(patient, most_at_once=3), Rhythm(quick)], 0.6))
    assert slow.most_running == 1
    assert patient.most_running == 3
    assert quick.started >= 8
    assert slow.running == patient.running == 0


def test_a_probe_with_a_fault_of_its_own_sees_nothing_and_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    broken, sound = Scripted(fault=RuntimeError("bug")), Scripted()
    observer = run(watch([Rhythm(broken), Rhythm(sound)], 0.4))
    assert broken.started >= 3
    assert len(observer.since(0)) == sound.started
    assert len([record for record in caplog.records if "bug" in str(record.exc_info)]) == 1


def test_what_was_seen_is_handed_out_in_order_and_from_any_place() -> None:
    observer = run(watch([Rhythm(Scripted())], 0.3))
    seen = observer.since(0)
    numbers = [observation.sequence for observation in seen]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert observer.since(numbers[2])[0].sequence == numbers[3]
    assert numbers[0] > 1_700_000_000_000, "numbers grow over a restart"


@pytest.mark.parametrize("after", ["-1", "x", "1e3", "٣", "9" * 30])
def test_a_request_that_makes_no_sense_is_told_so(after: str) -> None:
    async def story() -> httpx.Response:
        observer = Observer("witness", [], 1.0, SystemClock())
        async with httpx.AsyncClient(transport=httpx.ASGITransport(application(observer)), base_url="http://observer") as client:
            return await client.get("/v1/observations", params={"after": after})

    answer = run(story())
    assert answer.status_code == 400
    assert "after" in answer.text


def bindings(tmp_path: Path, dns: int, http: int, listen: int) -> Path:
    (tmp_path / "key").write_text("key")
    base = {"host": "127.0.0.1", "port": dns, "key_name": "k", "key_secret_file": str(tmp_path / "key"), "ttl_seconds": 1}
    zone = {"kind": "dns", **base, "zone": "voicehive.test", "entries": {"eu-west-1": "127.0.0.1", "eu-central-1": "127.0.0.2"}}
    entry = {
        "kind": "loadbalancer",
        "admin_host": "127.0.0.1",
        "admin_port": 1,
        "entry_host": "127.0.0.1",
        "entry_port": http,
        "backends": {},
    }
    controller = {"url": "http://127.0.0.1:1", "host": "127.0.0.1", "port": 1, "token_file": "t", "lease_key_file": "k"}
    value = {
        "environment": "test",
        "site": "witness",
        "resolver_host": "127.0.0.1",
        "resolver_port": dns,
        "controller": controller,
        "agents": {},
        "components": {"loadbalancer": {"eu-west-1": entry}, "dns": {"eu-west-1": zone, "eu-central-1": zone}},
        "functions": {"voice": {"dns_name": "voice.voicehive.test", "port": http, "path": "/v1/calls"}},
        "observers": {"witness": f"http://127.0.0.1:{listen}"},
        "state_directory": str(tmp_path),
    }
    file = tmp_path / "bindings.witness.json"
    file.write_text(json.dumps(value))
    return file


async def first_round(source: HttpObservationSource, subjects: set[Subject]) -> list[Observation]:
    found: list[Observation] = []
    async with asyncio.timeout(20):
        while {observation.subject for observation in found} != subjects:
            try:
                found += await source.since(found[-1].sequence if found else 0)
            except ConnectionError:
                pass  # it is still starting
            await asyncio.sleep(0.05)
    return found


def test_the_program_watches_and_a_controller_reads_it(tmp_path: Path) -> None:
    async def story() -> None:
        listen = free_port()
        async with dns_server(Names({"voice.voicehive.test": "127.0.0.1"}, ttl=1)) as dns, http_server(lambda call: Reply(200, {})) as http:
            file = bindings(tmp_path, dns, http, listen)
            command = ["-m", "holdfast", "observe", "--bindings", str(file), "--plan", str(ROOT / "examples/voicehive/plan.yaml")]
            program = await asyncio.create_subprocess_exec(sys.executable, *command, "--profile", "fast")
            try:
                source = HttpObservationSource("witness", f"http://127.0.0.1:{listen}", timeout_seconds=1.0)
                found = await first_round(source, {Subject.TRANSACTION, Subject.HTTP, Subject.DNS})
                assert {observation.seen for observation in found} == {Seen.UP}
                assert {observation.region for observation in found} == {"eu-west-1"}
                again = await asyncio.create_subprocess_exec(
                    sys.executable, *command, stderr=asyncio.subprocess.PIPE, env={**os.environ, "NO_COLOR": "1"}
                )
                _, said = await again.communicate()
                assert again.returncode == 2
                assert b"cannot listen" in said
            finally:
                program.send_signal(signal.SIGTERM)
                async with asyncio.timeout(5):
                    await program.wait()

    run(story())
