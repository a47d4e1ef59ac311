"""A lab comes up, can be told things, and goes down without a trace, whoever kills what."""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import LiteralString

import dns.message
import dns.query
import dns.tsigkeyring
import dns.update
import psycopg
import pytest

from holdfast.lab import addresses, processes, storage_servers
from holdfast.lab.bucket import Bucket, StoredObject
from holdfast.lab.ground import LabProblem
from holdfast.lab.number import NoNumberError, claim
from holdfast.lab.running import Lab, Lifetime, OneWay, start_lab
from holdfast.lab.storage_servers import StorageServer
from holdfast.plan.bindings import Bindings, BucketBinding, DnsBinding, LoadBalancerBinding, PostgresBinding
from lab.lab_rig import PLAN, QUICK, folder, left_of, running, until


def dns_answer(bindings: Bindings, function: str, seconds: float = 1.0) -> list[str]:
    question = dns.message.make_query(bindings.functions[function].dns_name, "A")
    answer = dns.query.udp(question, bindings.resolver_host, seconds, bindings.resolver_port, source=bindings.source_address)
    return [str(item) for records in answer.answer for item in records]


def bucket_of(bindings: Bindings, region: str) -> Bucket:
    binding = bindings.components["storage"][region]
    assert isinstance(binding, BucketBinding)
    host, _, port = binding.endpoint.removeprefix("http://").rpartition(":")
    return Bucket(host, int(port), binding.bucket, binding.region, binding.access_key, binding.secret_key_file.read_text())


def kinds_left_in(directory: Path) -> set[str]:
    return {entry.name for entry in directory.iterdir()}


def test_a_lab_goes_down_and_leaves_logs_ledgers_and_journal_and_nothing_else() -> None:
    with folder() as directory:
        lab = start_lab(directory, PLAN, "fast", only=QUICK)
        (lab.layout.ledgers / "voice.jsonl").write_text("{}\n")
        assert left_of(lab)
        lab.down()
        assert left_of(lab) == []
        assert kinds_left_in(directory) == {"log", "ledgers", "controller", "received", "holdfast-lab", "lab.lock"}
        with pytest.raises(LabProblem, match="no lab runs in"):
            Lab.attach(directory)


def test_the_next_lab_in_the_same_folder_starts_afresh_and_keeps_what_the_last_one_left_aside() -> None:
    with folder() as directory:
        with running(directory) as lab:
            (lab.layout.ledgers / "voice.jsonl").write_text("{}\n")
        with running(directory) as lab:
            assert list(lab.layout.ledgers.iterdir()) == []
            assert (lab.layout.previous / "ledgers" / "voice.jsonl").exists()


def test_names_lead_to_the_primary_and_a_signed_update_moves_them() -> None:
    with folder() as directory, running(directory) as lab:
        outside = lab.bindings("outside")
        binding = outside.components["dns"]["eu-west-1"]
        assert isinstance(binding, DnsBinding)
        assert dns_answer(outside, "voice") == [binding.entries["eu-west-1"]]

        update = dns.update.UpdateMessage(binding.zone)
        update.replace("voice", binding.ttl_seconds, "A", binding.entries["eu-central-1"])
        refused = dns.query.tcp(update, binding.host, 2, binding.port)
        assert dns.rcode.to_text(refused.rcode()) == "REFUSED" or dns.rcode.to_text(refused.rcode()) == "NOTAUTH"

        secret = binding.key_secret_file.read_text()
        update.use_tsig(dns.tsigkeyring.from_text({binding.key_name: secret}), binding.key_name, algorithm=binding.key_algorithm)
        assert dns.query.tcp(update, binding.host, 2, binding.port).rcode() == 0
        assert dns_answer(outside, "voice") == [binding.entries["eu-central-1"]]
        assert dns_answer(outside, "pms") == [binding.entries["eu-west-1"]]


def test_a_site_that_is_cut_off_gets_no_answer_and_the_others_do() -> None:
    with folder() as directory, running(directory) as lab:
        primary, outside = lab.bindings("eu-west-1"), lab.bindings("outside")
        lab.cut("eu-west-1")
        with pytest.raises(dns.exception.Timeout):
            dns_answer(primary, "voice", 0.3)
        assert dns_answer(outside, "voice")
        assert {(link["from"], link["to"]) for link in lab.status()["links"] if not link["open"]} == {
            *((site, "eu-west-1") for site in ("eu-central-1", "witness", "outside")),
            *(("eu-west-1", site) for site in ("eu-central-1", "witness", "outside")),
        }
        lab.heal()
        assert dns_answer(primary, "voice")
        lab.cut("eu-west-1", OneWay.IN)
        assert len([link for link in lab.status()["links"] if not link["open"]]) == 3
        with pytest.raises(LabProblem, match="no region 'mars'"):
            lab.cut("mars")


@pytest.mark.alone
@pytest.mark.parametrize("storage", list(StorageServer))
def test_objects_are_copied_across_and_wait_for_the_link_and_the_direction_turns_with_the_epoch(storage: StorageServer) -> None:
    if storage is StorageServer.VERSITYGW and storage_servers.installed() is None:
        pytest.skip("versitygw is not installed: `make storage` builds it where Go is")
    with folder() as directory, running(directory, storage=storage) as lab:
        assert lab.description["storage"] == storage
        west, east = (bucket_of(lab.bindings(region), region) for region in lab.regions)
        west.put("recordings/1", StoredObject(b"one", {"x-amz-meta-epoch": "1"}))
        until(lambda: east.get("recordings/1") is not None)
        copied = east.get("recordings/1")
        assert copied is not None
        assert (copied.content, copied.headers["x-amz-meta-epoch"]) == (b"one", "1")

        lab.cut("eu-west-1")
        west.put("recordings/2", StoredObject(b"two", {}))
        east.put("holdfast/replication.json", StoredObject(json.dumps({"from": "eu-central-1", "epoch": 2}).encode(), {}))
        east.put("recordings/3", StoredObject(b"three", {}))
        time.sleep(0.5)
        assert east.get("recordings/2") is None
        assert west.get("recordings/3") is None

        lab.heal()
        until(lambda: west.get("recordings/3") is not None)
        west.put("recordings/4", StoredObject(b"four", {}))
        time.sleep(1.5)
        assert east.get("recordings/4") is None, "the side that lost its role is copied from no more"
        mark = west.get("holdfast/replication.json")
        assert mark is not None
        assert json.loads(mark.content)["epoch"] == 1, "marks of a bucket are its own"


def test_a_second_lab_in_the_same_folder_is_refused_and_the_first_goes_on() -> None:
    with folder() as directory, running(directory) as lab:
        with pytest.raises(LabProblem, match=r"a lab runs in .* already"):
            start_lab(directory, PLAN, "fast", only=QUICK)
        assert lab.status()["state"] == "up"
        assert dns_answer(lab.bindings("outside"), "voice")


def test_two_labs_beside_each_other_get_different_numbers() -> None:
    with folder() as first, folder() as second, running(first) as one, running(second) as other:
        assert one.description["number"] != other.description["number"]
        assert dns_answer(one.bindings("outside"), "voice") != dns_answer(other.bindings("outside"), "voice")


def test_nothing_is_left_when_the_supervisor_is_killed() -> None:
    with folder() as directory:
        lab = start_lab(directory, PLAN, "fast", only=QUICK, lifetime=Lifetime.STAYS)
        os.kill(lab.description["supervisor"]["pid"], signal.SIGKILL)
        lab.wait_until_gone(5)
        assert left_of(lab) == []
        with pytest.raises(LabProblem, match="ended by force"):
            Lab.attach(directory)
        with running(directory):
            pass


def test_a_killed_sweeper_is_replaced_so_that_nothing_is_left_even_then() -> None:
    with folder() as directory:
        lab = start_lab(directory, PLAN, "fast", only=QUICK, lifetime=Lifetime.STAYS)

        def sweeper() -> int:
            listed = json.loads(lab.layout.processes.read_text())
            return next(int(entry["pid"]) for entry in listed if entry["name"] == "sweeper")

        first = sweeper()
        os.kill(first, signal.SIGKILL)
        until(lambda: sweeper() != first)
        os.kill(lab.description["supervisor"]["pid"], signal.SIGKILL)
        lab.wait_until_gone(5)
        assert left_of(lab) == []


def test_a_lab_ends_with_the_process_that_started_it_for_itself() -> None:
    with folder() as directory:
        program = (
            "import sys, time; from pathlib import Path; from holdfast.lab.running import start_lab; "
            f"start_lab(Path(sys.argv[1]), Path(sys.argv[2]), 'fast', only=frozenset({sorted(QUICK)})); "
            "print('up', flush=True); time.sleep(60)"
        )
        with subprocess.Popen([sys.executable, "-c", program, str(directory), str(PLAN)], stdout=subprocess.PIPE, text=True) as caller:
            assert caller.stdout is not None
            assert caller.stdout.readline() == "up\n"
            lab = Lab.attach(directory)
            caller.kill()
        lab.wait_until_gone(5)
        assert left_of(lab) == []


def test_a_part_that_is_killed_is_reported_and_not_started_again() -> None:
    with folder() as directory, running(directory) as lab:
        part = next(part for part in lab.status()["parts"] if part["name"] == "dns")
        os.kill(part["pid"], signal.SIGKILL)
        until(lambda: any(part["state"] == "ended" for part in lab.status()["parts"]))
        ended = [part for part in lab.status()["parts"] if part["state"] == "ended"]
        assert [(part["name"], part["detail"]) for part in ended] == [("dns", "killed by SIGKILL")]


def test_a_part_that_dies_while_it_is_started_is_named_with_its_last_words_and_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    with folder() as directory, folder() as tools:
        broken = tools / "haproxy"
        broken.write_text("#!/bin/sh\necho no such luck >&2\nexit 7\n")
        broken.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
        with pytest.raises(LabProblem) as refused:
            start_lab(directory, PLAN, "fast", only=QUICK)
        assert "load balancer (loadbalancer.eu-west-1) ended with status 7" in str(refused.value)
        assert "no such luck" in str(refused.value)
        assert kinds_left_in(directory) == {"log", "holdfast-lab", "lab.lock"}
        with pytest.raises(LabProblem, match="no lab runs"):
            Lab.attach(directory)


def test_missing_server_programs_are_all_named_and_nothing_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast.lab.ground._SYSTEM_FOLDERS", ())
    with folder() as above, folder() as tools:
        # What Python imports at its start: so the lab's own process doesn't look into the system's folders either.
        (tools / "sitecustomize.py").write_text("from holdfast.lab import ground\nground._SYSTEM_FOLDERS = ()\n")
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tools), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep))
        monkeypatch.setenv("PATH", str(tools))
        with pytest.raises(LabProblem, match=r"redis-server, haproxy, knotd, setpriv.*make setup"):
            start_lab(above / "lab", PLAN, "fast", only=QUICK)
        assert kinds_left_in(above) == set()
        (above / "lab").mkdir()
        with pytest.raises(LabProblem, match=r"redis-server, haproxy, knotd, setpriv.*make setup"):
            start_lab(above / "lab", PLAN, "fast", only=QUICK)
        assert kinds_left_in(above / "lab") == set()


def test_a_folder_that_holds_something_else_is_left_alone() -> None:
    with folder() as directory:
        (directory / "thesis.txt").write_text("years of work")
        with pytest.raises(LabProblem, match="holds something that is not a lab"):
            start_lab(directory, PLAN, "fast", only=QUICK)
        assert kinds_left_in(directory) == {"thesis.txt"}


@pytest.mark.root
def test_a_folder_that_postgres_cannot_enter_itself_is_refused_by_name() -> None:
    with folder() as above:
        (above / "closed").mkdir(mode=0o700)
        with pytest.raises(LabProblem, match=r"can't enter .*/closed\. Open it with `chmod o\+x .*/closed`"):
            start_lab(above / "closed", PLAN, "fast", only=QUICK)
        assert kinds_left_in(above / "closed") == set()


def test_a_port_that_a_program_holds_on_all_addresses_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    # Another port than a lab's own, so that labs of tests running beside this one are not in the way, nor this in theirs.
    with socket.socket() as squatter:
        squatter.bind(("0.0.0.0", 0))
        squatter.listen()
        port = squatter.getsockname()[1]
        monkeypatch.setattr(addresses, "services", lambda: (addresses.Service(addresses.PRIMARY, addresses.Host.POSTGRES, port),))
        with pytest.raises(NoNumberError, match=rf"port {port} is taken on every loopback address.*ss -ltnup 'sport = :{port}'"):
            claim()


def test_a_folder_with_a_very_long_path_is_fine() -> None:
    with folder() as above:
        directory = above / ("x" * 120) / ("y" * 120)
        with running(directory) as lab:
            assert dns_answer(lab.bindings("outside"), "voice")
        shutil.rmtree(above / ("x" * 120))


def test_a_broken_plan_or_an_unknown_profile_is_refused_before_anything_is_made() -> None:
    with folder() as directory:
        plan = directory / "plan.yaml"
        plan.write_text("schema: holdfast/plan/v1\nname: [\n")
        with pytest.raises(LabProblem, match=r"the plan does not load:\n.*plan\.yaml"):
            start_lab(directory / "lab", plan, "fast")
        with pytest.raises(LabProblem, match="no profile 'slow'; it has default, fast"):
            start_lab(directory / "lab", PLAN, "slow")
        assert kinds_left_in(directory) == {"plan.yaml"}


# --- the whole lab


def ask_postgres(bindings: Bindings, region: str, question: LiteralString) -> object:
    binding = bindings.components["database"][region]
    assert isinstance(binding, PostgresBinding)
    password = binding.password_file.read_text()
    where = psycopg.conninfo.make_conninfo(
        "", host=binding.host, port=binding.port, dbname=binding.database, user=binding.user, password=password, connect_timeout=2
    )
    with psycopg.connect(where) as connection:
        row = connection.execute(question).fetchone()
    assert row is not None
    return row[0]


def call(bindings: Bindings, function: str, region: str = "") -> tuple[int, dict[str, object]]:
    """A client's request: the address from DNS, or that of a region's entry."""
    entries = bindings.components["dns"]["eu-west-1"]
    assert isinstance(entries, DnsBinding)
    binding = bindings.functions[function]
    host = entries.entries[region] if region else dns_answer(bindings, function)[0]
    connection = http.client.HTTPConnection(host, binding.port, timeout=3, source_address=(bindings.source_address or "", 0))
    try:
        body = json.dumps({"request": f"test-{time.time_ns()}"})
        connection.request("POST", binding.path, body, {"Host": binding.dns_name, "Content-Type": "application/json"})
        answer = connection.getresponse()
        content = answer.read()
    finally:
        connection.close()
    return answer.status, json.loads(content) if content.startswith(b"{") else {}


def runtime(bindings: Bindings, region: str, command: str) -> str:
    binding = bindings.components["loadbalancer"][region]
    assert isinstance(binding, LoadBalancerBinding)
    with socket.create_connection((binding.admin_host, binding.admin_port), timeout=2) as connection:
        connection.sendall(f"{command}\n".encode())
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b"")).decode()


@pytest.mark.alone
def test_the_whole_lab_serves_is_cut_and_healed_and_leaves_nothing() -> None:
    with folder() as directory:
        begun = time.monotonic()
        with running(directory, only=None) as lab:
            took = time.monotonic() - begun
            outside = lab.bindings("outside")
            states = {part["name"]: part["state"] for part in lab.status()["parts"]}
            assert set(states.values()) == {"up"}
            for function in outside.functions:
                status, answer = call(outside, function)
                assert (status, answer.get("region")) == (200, "eu-west-1")
            assert ask_postgres(outside, "eu-west-1", "SELECT pg_is_in_recovery()") is False
            assert ask_postgres(outside, "eu-central-1", "SELECT pg_is_in_recovery()") is True
            assert ask_postgres(outside, "eu-central-1", "SELECT count(*) > 0 FROM calls") is True

            assert call(outside, "voice", "eu-central-1")[0] == 503, "the DR region admits nobody before the load balancer is switched"
            for zone in ("eu-central-1a", "eu-central-1b"):
                for place in range(1, 5):
                    runtime(outside, "eu-central-1", f"set server voice/{zone}-{place} state ready")
            until(lambda: call(outside, "voice", "eu-central-1")[0] == 200)

            lab.cut("eu-west-1")
            with pytest.raises(TimeoutError):
                call(outside, "voice")
            lab.heal()
            # Longer than the lease, so the primary fenced itself; nobody was promoted, so it comes back unasked.
            until(lambda: call(outside, "pms")[0] == 200, 30)
            groups = processes.control_groups(directory)
        assert left_of(lab) == []
        assert [group for group in groups if group.exists()] == []
        assert took < 40, "under 15 s on two idle cores; this bound only catches something that waits for a time-out"


@pytest.mark.alone
def test_nothing_of_the_whole_lab_is_left_when_the_supervisor_is_killed() -> None:
    with folder() as directory:
        lab = start_lab(directory, PLAN, "fast", lifetime=Lifetime.STAYS)
        groups = processes.control_groups(directory)
        assert groups or os.geteuid() != 0
        os.kill(lab.description["supervisor"]["pid"], signal.SIGKILL)
        lab.wait_until_gone(10)
        assert left_of(lab) == []
        assert [group for group in groups if group.exists()] == []


def test_nothing_is_left_when_the_one_who_starts_a_lab_is_killed_in_the_middle() -> None:
    program = (
        "import sys; from pathlib import Path; from holdfast.lab.running import start_lab; "
        "start_lab(Path(sys.argv[1]), Path(sys.argv[2]), 'fast', progress=lambda event: print(event['event'], event['part'], flush=True))"
    )
    with folder() as directory:
        with subprocess.Popen([sys.executable, "-c", program, str(directory), str(PLAN)], stdout=subprocess.PIPE, text=True) as caller:
            assert caller.stdout is not None
            for line in caller.stdout:
                if line == "starting stores.eu-west-1\n":
                    break
            lab = Lab.attach(directory)
            groups = processes.control_groups(directory)
            caller.kill()
        lab.wait_until_gone(20)
        assert left_of(lab) == []
        assert [group for group in groups if group.exists()] == []
