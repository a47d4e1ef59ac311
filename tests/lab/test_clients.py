"""The clients: steady load through real DNS, and ledgers that say no more than was answered."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dns.query
import dns.tsigkeyring
import dns.update
import pytest

from holdfast.lab import audit
from holdfast.ledger.entry import RequestResult
from holdfast.ledger.measure import acknowledged_writes, loss, outages, requests, single_writer
from holdfast.ledger.reading import read_ledgers
from lab.application_rig import FUNCTIONS, PATHS, Rig, answers, eventually, process, running_rig
from lab.test_application import bindings_of

SECRET = "c2VjcmV0LW9mLXRoZS10ZXN0LXNlY3JldA=="


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with running_rig() as running, knot(running):
        yield running


@contextmanager
def knot(rig: Rig) -> Iterator[None]:
    directory = rig.directory / "dns"
    directory.mkdir()
    hosts = "\n".join(f"{name} 1 A {rig.host(20 + place)}" for place, name in enumerate(FUNCTIONS))
    (directory / "voicehive.test.zone").write_text(
        f"$ORIGIN voicehive.test.\n@ 5 SOA ns hostmaster 1 60 60 600 1\n@ 5 NS ns\nns 5 A 127.0.0.1\n{hosts}\n"
    )
    (directory / "knot.conf").write_text(
        f"""
server:
    listen: {rig.host(30)}@25353
    rundir: {directory}
database:
    storage: {directory}
log:
  - target: stderr
    any: warning
key:
  - id: test
    algorithm: hmac-sha256
    secret: {SECRET}
acl:
  - id: update
    action: update
    key: test
zone:
  - domain: voicehive.test
    storage: {directory}
    file: voicehive.test.zone
    zonefile-sync: -1
    journal-content: none
    acl: update
"""
    )
    with process(["knotd", "-c", str(directory / "knot.conf")]):
        eventually(lambda: answers(rig.host(30), 25353), "the DNS server answers")
        yield


def point(rig: Rig, function: str, address: str) -> None:
    update = dns.update.UpdateMessage("voicehive.test", keyring=dns.tsigkeyring.from_text({"test": SECRET}), keyalgorithm="hmac-sha256")
    update.replace(function, 1, "A", address)
    assert dns.query.udp(update, rig.host(30), port=25353, timeout=2).rcode() == 0


@contextmanager
def running_clients(rig: Rig, ledgers: Path, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    document: dict[str, Any] = bindings_of(rig).model_dump(mode="json", by_alias=True)
    document["source_address"] = rig.host(50)
    document["functions"] = {name: {"dns_name": f"{name}.voicehive.test", "port": 28100, "path": PATHS[name]} for name in FUNCTIONS}
    (rig.directory / "bindings.outside.json").write_text(json.dumps(document))
    command = [sys.executable, "-m", "holdfast.lab.clients", "--bindings", str(rig.directory / "bindings.outside.json")]
    with process([*command, "--ledgers", str(ledgers), *options]) as child:
        yield child


def counts(ledgers: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((ledgers / "status.json").read_text())["functions"]
    except FileNotFoundError:
        return {}
    return found


def gentle(rate: float = 4.0) -> list[str]:
    return [part for name in FUNCTIONS for part in ("--rate", f"{name}={rate}")]


def test_every_acknowledged_request_stands_in_the_stores_that_its_ledger_names(rig: Rig, tmp_path: Path) -> None:
    with running_clients(rig, tmp_path, *gentle()) as clients:
        eventually(
            lambda: all(f["total"]["acknowledged"] >= 12 for f in counts(tmp_path).values() or [{"total": {"acknowledged": 0}}]), "load"
        )
        clients.send_signal(signal.SIGTERM)
        assert clients.wait(5) == 0
    ledgers = read_ledgers(tmp_path)
    assert set(ledgers) == set(FUNCTIONS)
    assert all(ledger.torn is None for ledger in ledgers.values())
    entries = [entry for ledger in ledgers.values() for entry in ledger.entries]
    assert outages(entries) == ()
    assert {entry.store for entry in ledgers["voice"].entries} == {"database", "cache", "storage"}
    found = audit.contents(bindings_of(rig), "eu-west-1")
    measured = loss(entries, found)
    assert measured.lost == ()
    assert measured.unknown == ()
    assert measured.checked == len(acknowledged_writes(entries))
    assert single_writer(entries, found).violations == ()
    told = counts(tmp_path)["voice"]
    assert told["total"]["acknowledged"] == len(requests(ledgers["voice"].entries))
    assert (told["region"], told["version"]) == ("eu-west-1", "2")


def test_what_was_deleted_behind_the_clients_back_is_counted_to_the_write(rig: Rig, tmp_path: Path) -> None:
    with running_clients(rig, tmp_path, "--functions", "pms", "--rate", "pms=5", "--for", "2") as clients:
        clients.wait(8)
    entries = read_ledgers(tmp_path)["pms"].entries
    gone = [entries[3].request, entries[7].request]
    rig.sql("DELETE FROM reservations WHERE request IN ('" + "','".join(gone) + "')")
    measured = loss(entries, audit.contents(bindings_of(rig), "eu-west-1"))
    assert [entry.request for entry in measured.lost] == gone
    assert measured.span_seconds() == entries[7].answered_seconds - entries[3].answered_seconds


def test_a_frozen_system_does_not_slow_the_clients_and_leaves_unknowns(rig: Rig, tmp_path: Path) -> None:
    with running_clients(rig, tmp_path, *gentle(), "--timeout", "0.5") as clients:
        eventually(lambda: counts(tmp_path).get("pms", {}).get("acknowledged", 0) >= 3, "load")
        family = [rig.cluster.pid, *everyone_below(rig.cluster.pid)]
        for one in family:
            os.kill(one, signal.SIGSTOP)
        frozen = time.time()
        time.sleep(2.5)
        thawed = time.time()
        for one in reversed(family):
            os.kill(one, signal.SIGCONT)
        eventually(lambda: all(f["acknowledged"] >= 3 for f in counts(tmp_path).values()), "load again")
        clients.send_signal(signal.SIGTERM)
        assert clients.wait(5) == 0
    for function, ledger in read_ledgers(tmp_path).items():
        inside = [r for r in requests(ledger.entries) if frozen + 0.1 < r.sent_seconds < thawed - 0.6]
        assert len(inside) >= 5, f"{function} was slowed: {len(inside)} requests"
        assert {r.result for r in inside} == {RequestResult.UNKNOWN}
        assert all(0.5 <= r.answered_seconds - r.sent_seconds < 0.8 for r in inside)


def test_a_changed_address_is_used_when_the_old_ones_time_is_over(rig: Rig, tmp_path: Path) -> None:
    home = rig.host(20 + FUNCTIONS.index("pms"))
    nowhere = rig.host(99)
    try:
        with running_clients(rig, tmp_path, "--functions", "pms", "--rate", "pms=5"):
            eventually(lambda: counts(tmp_path).get("pms", {}).get("address") == home, "the first address")
            point(rig, "pms", nowhere)
            changed = time.time()
            eventually(lambda: counts(tmp_path)["pms"]["address"] == nowhere, "the second address", 4)
            point(rig, "pms", home)
            back = time.time()
            eventually(lambda: counts(tmp_path)["pms"]["address"] == home, "the first address again", 4)
    finally:
        point(rig, "pms", home)
    all_requests = requests(read_ledgers(tmp_path)["pms"].entries)
    refused = [r for r in all_requests if r.result is RequestResult.REFUSED]
    assert refused, "a refused connection is no unknown: nothing was sent"
    assert changed - 0.1 <= refused[0].sent_seconds <= changed + 1.4
    assert refused[-1].sent_seconds <= back + 1.4
    assert RequestResult.UNKNOWN not in {r.result for r in all_requests}


def test_clients_demand_a_version_and_say_why_they_cannot_start(rig: Rig, tmp_path: Path) -> None:
    with running_clients(rig, tmp_path, "--functions", "voice", "--needs-version", "3", "--for", "1") as clients:
        assert clients.wait(8) == 0
    entries = read_ledgers(tmp_path)["voice"].entries
    assert {entry.result for entry in entries} == {RequestResult.REFUSED}
    assert "version 2; the request needs 3" in entries[0].detail
    bindings = str(rig.directory / "bindings.outside.json")
    for options, told in ((["--functions", "none"], "none not in"), (["--rate", "voice=fast"], "'fast' is no number")):
        command = [sys.executable, "-m", "holdfast.lab.clients", "--bindings", bindings, "--ledgers", str(tmp_path), *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert told in done.stderr


def everyone_below(parent: int) -> list[int]:
    children = [int(child) for child in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]
    return children + [below for child in children for below in everyone_below(child)]
