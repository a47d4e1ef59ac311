"""What two agents do for a region that writes: nothing is acknowledged after the lease's end, whoever was stopped, killed, or cut off."""

import http.client
import json
import os
import signal
import socket
import time
from pathlib import Path

import pytest

from holdfast.agent.pulse import boot_seconds
from holdfast.fencing.order import Order
from holdfast.fencing.promise import Certificate
from holdfast.fencing.signing import SIGNATURE_HEADER, sign_request
from lab.fencing_rig import TTL, rig, wait_for
from lab.fencing_sessions import assert_silent_after
from lab.fencing_surroundings import FIRST
from lab.postgres_store_rig import WEST

GROUPS = ["auto", "none"]


@pytest.mark.parametrize("cgroup", GROUPS)
def test_a_region_cut_off_is_fenced_by_its_agent_and_starts_again_when_the_cut_heals(cgroup: str) -> None:
    with rig(cgroup=cgroup) as made:
        sessions = made.sessions()
        wait_for(lambda: all(session.acknowledged for session in sessions), 5, "sessions write")
        cut = made.isolate_west()
        wait_for(lambda: all(session.over.is_set() for session in sessions), TTL + 2, "sessions end")
        assert_silent_after(sessions, cut + TTL)
        assert all(session.last > cut + TTL / 2 for session in sessions), "the lease lasts, so a short cut stops nothing"
        wait_for(lambda: made.west.did("fenced") + made.west.did("guard-fenced"), 2, "a signed record of the fence")
        made.heal()
        wait_for(made.west.writes, 15, "the fenced primary starts again, unasked")
        status = made.west.status()
        assert (status["role"], status["epoch"]) == ("holder", 1)


@pytest.mark.parametrize("cgroup", GROUPS)
@pytest.mark.parametrize("stopped", ["postmaster", "agent", "agent and postmaster"])
def test_nothing_is_acknowledged_after_the_lease_while_a_process_is_stopped(stopped: str, cgroup: str) -> None:
    with rig(cgroup=cgroup) as made:
        sessions = made.sessions()
        wait_for(lambda: all(session.acknowledged for session in sessions), 5, "sessions write")
        assert made.west.process is not None
        cut = made.isolate_west()
        if "agent" in stopped:
            os.kill(made.west.process.pid, signal.SIGSTOP)
        if "postmaster" in stopped:
            postmaster = made.west.postmaster()
            assert postmaster
            os.kill(postmaster, signal.SIGSTOP)
        wait_for(lambda: all(session.over.is_set() for session in sessions), TTL + 2, "sessions end")
        assert_silent_after(sessions, cut + TTL)
        os.kill(made.west.process.pid, signal.SIGCONT)
        made.heal()
        wait_for(made.west.writes, 15, "starts again, unasked")
        if "agent" in stopped:
            wait_for(lambda: made.west.did("guard-fenced"), 2, "the guard's fence is on record")


def test_a_stopped_guard_is_replaced_and_nothing_stops() -> None:
    with rig() as made:
        sessions = made.sessions()
        guard = made.west.guard()
        assert guard
        os.kill(guard, signal.SIGSTOP)
        wait_for(lambda: made.west.guard() not in (0, guard), TTL, "another guard")
        wait_for(lambda: made.west.status()["guard"]["ticking"], 2, "it ticks")
        time.sleep(TTL)  # a whole lease: whatever was going to be fenced has been
        assert not any(session.over.is_set() for session in sessions)
        cut = made.isolate_west()
        wait_for(lambda: all(session.over.is_set() for session in sessions), TTL + 2, "sessions end")
        assert_silent_after(sessions, cut + TTL)


def test_a_killed_agent_leaves_a_guard_that_fences_and_ends() -> None:
    with rig() as made:
        sessions = made.sessions()
        wait_for(lambda: all(session.acknowledged for session in sessions), 5, "sessions write")
        guard = made.west.guard()
        killed = boot_seconds()
        made.west.kill()
        wait_for(lambda: all(session.over.is_set() for session in sessions), TTL + 2, "sessions end")
        assert_silent_after(sessions, killed + TTL)
        wait_for(lambda: made.west.guard() != guard, 3, "the guard ends when everything is fenced")
        made.west.start()
        wait_for(made.west.writes, 15, "a new agent starts the primary again")
        assert made.west.status()["epoch"] == 1


def test_an_agent_that_is_started_again_in_time_goes_on_with_the_same_writer() -> None:
    with rig() as made:
        sessions = made.sessions()
        postmaster = made.west.postmaster()
        made.west.kill()
        made.west.start()
        wait_for(made.west.answers, 5, "the new agent listens")
        wait_for(lambda: "granted" in made.west.status()["lease"].values(), 5, "the new agent has the lease")
        time.sleep(TTL)  # past the end of what the old agent was promised
        assert not any(session.over.is_set() for session in sessions)
        assert made.west.postmaster() == postmaster


@pytest.mark.parametrize("lost", ["controller", "east"])
def test_the_loss_of_one_grantor_stops_nothing(lost: str) -> None:
    with rig() as made:
        sessions = made.sessions()
        if lost == "controller":
            made.links["west→controller"].cut()
        else:
            made.east.kill()
            made.east.kill_guard()
        time.sleep(2 * TTL)  # two whole leases
        assert not any(session.over.is_set() for session in sessions)
        assert made.west.status()["role"] == "holder"


def test_a_killed_backend_and_a_killed_postmaster_come_back_only_through_the_agent() -> None:
    with rig() as made:
        session = made.west.connect()
        row = session.execute("SELECT pg_backend_pid()").fetchone()
        assert row is not None
        postmaster = made.west.postmaster()
        os.kill(row[0], signal.SIGKILL)
        wait_for(lambda: made.west.postmaster() not in (0, postmaster), 10, "PostgreSQL gives up, and the agent starts it again")
        wait_for(made.west.writes, 10, "it writes")
        made.isolate_west()
        wait_for(lambda: not made.west.postmaster() or not Path(f"/proc/{made.west.postmaster()}").exists(), TTL + 2, "it is fenced")
        time.sleep(1)
        assert not made.west.writes(), "without a lease nobody starts it again"
        assert (made.west.data / "standby.signal").exists()
        session.close()


def test_a_failover_has_no_second_writer_and_the_old_one_stays_fenced_until_it_is_made_a_replica() -> None:
    with rig() as made:
        sessions = made.sessions()
        wait_for(lambda: all(session.acknowledged for session in sessions), 5, "sessions write")
        made.isolate_west()
        promoted = made.fail_over()
        assert_silent_after(sessions, promoted)
        wait_for(made.east.writes, 5, "east writes")
        made.heal()
        wait_for(lambda: made.west.status()["epoch"] == 2, 10, "west hears of the higher epoch")
        time.sleep(1)
        assert not made.west.writes()
        wait_for(lambda: made.west.status()["stores"]["postgres"]["duty"] == "barred", 5, "west stays fenced")
        made.links["postgres"].close()
        for store in ("redis", "postgres"):
            answer = made.west.order(made.next_order(2), f"{store}.reprotect")
            assert answer["result"] == "succeeded", answer
        wait_for(lambda: made.west.status()["stores"]["postgres"]["role"] == "replica", 10, "west follows")


def test_a_planned_move_waits_for_nothing_and_loses_nothing() -> None:
    with rig() as made:
        sessions = made.sessions(1)
        wait_for(lambda: len(sessions[0].acknowledged) > 50, 5, "it writes")
        answer = made.west.order(made.next_order(2), "fence", mode="graceful")
        assert answer["result"] == "succeeded", answer
        assert answer["facts"]["position"]["postgres_lsn"]
        certificate = answer["facts"]["certificate"]
        order = made.next_order(2)
        made.controller.grantor = made.controller.grantor.prepare(order).grantor
        void = made.controller.grantor.fenced(
            Certificate(WEST, FIRST, Order.from_list(certificate["order"]), certificate["fenced_at_seconds"])
        )
        assert void.yes, void.reason
        made.controller.grantor = void.grantor
        started = boot_seconds()
        made.fail_over(certificate=certificate)
        assert boot_seconds() - started < TTL, "with a certificate nobody waits the lease out"
        with made.east.connect() as session:
            row = session.execute("SELECT count(*) FROM written").fetchone()
        assert row is not None
        assert row[0] >= len(sessions[0].acknowledged)
        assert not made.west.writes()


def test_a_withdrawn_activation_gives_the_fenced_writer_back() -> None:
    with rig() as made:
        assert made.east.order(made.next_order(2), "prepare")["result"] == "succeeded"
        made.controller.grantor = made.controller.grantor.prepare(made.next_order(2)).grantor
        assert made.west.order(made.next_order(2), "fence")["result"] == "succeeded"
        assert not made.west.writes()
        made.turn_back()
        wait_for(made.west.writes, 10, "west writes again under its old epoch")
        assert made.west.status()["epoch"] == 1
        old = made.east.order(made.next_order(2), "postgres.promote")
        assert old["result"] == "refused", "an epoch that was withdrawn is never opened"


def test_old_orders_are_refused_and_repeated_ones_have_one_effect() -> None:
    with rig() as made:
        order = made.next_order(2)
        first = made.east.order(order, "prepare")
        assert made.east.order(order, "prepare") == {**first, "repeated": True}
        assert made.east.order(Order(0, 2, 0, 9), "consent")["result"] == "refused"
        assert made.east.order(order, "withdraw")["result"] == "refused"
        promoted = made.east.order(made.next_order(2), "postgres.promote")
        assert promoted["result"] == "refused", "no promotion without the agent's own consent"


def test_an_orderly_end_leaves_nothing_behind_and_a_new_start_goes_on() -> None:
    with rig() as made:
        groups = [target["group"] for target in json.loads((made.west.state / "guard.json").read_text())["targets"]]
        started = boot_seconds()
        assert made.west.end() == 0
        assert boot_seconds() - started < 10
        assert made.west.guard() == 0
        assert not any(group and Path(group).exists() for group in groups)
        made.west.start()
        wait_for(made.west.writes, 15, "west writes again")


def test_an_agent_without_its_state_refuses_and_then_hears_before_it_promises() -> None:
    with rig() as made:
        assert made.east.end() == 0
        (made.east.state / "state.json").unlink()
        made.east.start()
        assert made.east.process is not None
        assert made.east.process.wait(timeout=10) == 2
        assert "--without-memory" in made.east.log.read_text()
        made.links["west→controller"].cut()
        made.east.config["controller"]["url"] = made.west.config["controller"]["url"]
        made.east.start("--without-memory")
        wait_for(made.east.answers, 5, "it listens")
        wait_for(lambda: made.east.status()["unheard"] == ["controller"], 5, "it waits for the controller")
        wait_for(lambda: not made.west.postmaster() or not made.west.writes(), TTL + 3, "so west has nobody's promise")
        made.heal()
        wait_for(lambda: made.east.status()["unheard"] == [], 5, "it hears the controller")
        wait_for(made.west.writes, 15, "west writes again")
        assert made.east.status()["stores"]["postgres"]["duty"] == "barred"
        answer = made.east.order(made.next_order(1), "postgres.reprotect")
        assert answer["result"] == "succeeded", answer


def test_a_second_agent_a_taken_port_and_a_bad_file_are_refused_with_one_line() -> None:
    with rig(started=False) as made:
        made.east.start()
        wait_for(made.east.answers, 5, "it listens")
        first, before = made.east.process, made.east.log.read_text()
        made.east.start()
        second, made.east.process = made.east.process, first
        assert second is not None
        assert second.wait(timeout=10) == 2
        assert "another agent runs with the state directory" in made.east.log.read_text().removeprefix(before)
        made.west.config["listen"] = made.east.config["listen"]
        made.west.start()
        assert made.west.process is not None
        assert made.west.process.wait(timeout=20) == 2
        assert "cannot listen on" in made.west.log.read_text()
        del made.west.config["lease"]
        made.west.start()
        assert made.west.process.wait(timeout=20) == 2
        assert "lease is missing" in made.west.log.read_text()
        assert "Traceback" not in made.west.log.read_text()


def test_what_is_not_signed_or_too_large_or_not_http_gets_a_clear_answer_and_harms_nothing() -> None:
    with rig(started=False) as made:
        made.east.start()
        wait_for(made.east.answers, 5, "it listens")
        host, port = made.east.config["listen"]

        def said(method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> tuple[int, str]:
            connection = http.client.HTTPConnection(host, port, timeout=5)
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            text = answer.read().decode()
            connection.close()
            return answer.status, text

        assert said("GET", "/healthz") == (200, "ok\n")
        assert said("GET", "/v1/status")[0] == 403
        assert said("POST", "/v1/orders", b"{}")[0] == 403
        assert said("POST", "/v1/orders", b"{}", {SIGNATURE_HEADER: "0" * 64})[0] == 403
        assert said("POST", "/v1/orders", b" " * 70000)[0] == 413
        assert said("POST", "/v2/orders", b"{}")[0] == 404
        body, signature = sign_request(made.east.key, "/v1/orders", {"order": [0, 2, 1], "verb": "prepare"}, "n", 1.0)
        assert said("POST", "/v1/orders", body, {SIGNATURE_HEADER: signature}) == (
            400,
            '{"error": "an order is four integers of at least 0, not [0, 2, 1]"}',
        )
        assert said("POST", "/v1/orders", body, {SIGNATURE_HEADER: signature})[0] == 403, "a message is taken once"
        body, signature = sign_request(made.east.key, "/v1/orders", {"order": [0, 2, 1, 1], "verb": "explode"}, "m", 1.0)
        assert "unknown verb 'explode'" in said("POST", "/v1/orders", body, {SIGNATURE_HEADER: signature})[1]
        with socket.create_connection((host, port), timeout=5) as raw:
            raw.sendall(b"\x16\x03\x01 not http\r\n\r\n")
            assert raw.recv(1000)
        assert made.east.status()["pledged"] is None
