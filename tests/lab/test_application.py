"""VoiceHive's application on real stores: what it acknowledges is there, and what it cannot know it does not say."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.lab import audit
from holdfast.lab.application.services import RECORDINGS, SESSIONS, TABLES
from holdfast.ledger.contents import StoredRecord
from holdfast.plan.bindings import Bindings
from lab.application_rig import BUCKET, FUNCTIONS, PASSWORD, Rig, eventually, process, running_rig

WRITES = {
    "voice": {"database": "calls/", "cache": "session/call/", "storage": "recordings/"},
    "authentication": {"database": "logins/", "cache": "session/login/"},
    "pms": {"database": "reservations/"},
    "analytics": {"database": "aggregates/"},
    "configuration": {"database": "setting_changes/"},
}


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with running_rig() as running:
        yield running


def bindings_of(rig: Rig) -> Bindings:
    password = str(rig.directory / "password")
    stores: dict[str, dict[str, Any]] = {
        "database": {
            "kind": "postgres",
            "host": rig.host(10),
            "port": 25432,
            "database": "voicehive",
            "user": "holdfast",
            "password_file": password,
            "records": {table: {} for table in TABLES},
        },
        "cache": {"kind": "redis", "host": rig.host(11), "port": 26379, "password_file": password, "records": SESSIONS},
        "storage": {
            "kind": "bucket",
            "endpoint": f"http://{rig.host(12)}:29000",
            "bucket": BUCKET,
            "access_key": "lab",
            "secret_key_file": password,
            "peer_endpoint_from_inside": "http://127.0.0.1:1",
            "records": RECORDINGS,
        },
    }
    return Bindings.model_validate(
        {
            "environment": "lab",
            "site": "outside",
            "resolver_host": rig.host(30),
            "resolver_port": 25353,
            "controller": {"url": "http://127.0.0.1:1", "host": "127.0.0.1", "port": 1, "token_file": password, "lease_key_file": password},
            "agents": {},
            "components": {store: {"eu-west-1": binding} for store, binding in stores.items()},
            "functions": {},
            "observers": {},
            "state_directory": str(rig.directory),
        }
    )


def stored(rig: Rig) -> dict[str, dict[str, StoredRecord]]:
    found = audit.contents(bindings_of(rig), "eu-west-1")
    assert all(store.records is not None for store in found), [store.problem for store in found]
    return {store.store: dict(store.records or {}) for store in found}


def test_each_function_writes_its_stores_and_the_audit_finds_each_key(rig: Rig) -> None:
    answers = {function: rig.post(function, {"request": f"first-{function}"}) for function in FUNCTIONS}
    found = stored(rig)
    for function, (status, body) in answers.items():
        assert status == 200, body
        assert {store: mark["key"] for store, mark in body["stores"].items()} == {
            store: f"{prefix}first-{function}" for store, prefix in WRITES[function].items()
        }
        for store, mark in body["stores"].items():
            assert mark["epoch"] == 1
            assert mark["region"] == "eu-west-1"
            assert abs(mark["written_seconds"] - time.time()) < 30
            if store != "storage":
                assert found[store][mark["key"]] == StoredRecord(1, "eu-west-1", mark["written_seconds"])
            assert mark["key"] in found[store]


def test_a_repeated_request_answers_with_the_first_writers_mark(rig: Rig) -> None:
    first = rig.post("authentication", {"request": "twice"})[1]["stores"]
    assert rig.post("authentication", {"request": "twice"})[1]["stores"] == first


def test_the_epoch_in_an_answer_is_the_one_of_the_same_transaction(rig: Rig) -> None:
    mark = json.dumps({"era": 0, "epoch": 7, "region": "eu-central-1"})
    try:
        rig.sql("UPDATE holdfast.writer SET epoch = 7, region = 'eu-central-1'")
        rig.cache().set("holdfast:writer", mark)
        stores = rig.post("authentication", {"request": "seventh"})[1]["stores"]
        assert {(written["epoch"], written["region"]) for written in stores.values()} == {(7, "eu-central-1")}
    finally:
        rig.sql("UPDATE holdfast.writer SET epoch = 1, region = 'eu-west-1'")
        rig.cache().set("holdfast:writer", mark.replace("7", "1").replace("eu-central-1", "eu-west-1"))


def test_a_wrong_password_and_a_bad_request_are_refused_with_a_sentence(rig: Rig) -> None:
    status, body = rig.post("authentication", {"request": "wrong", "user": "receptionist-1", "password": "guessed"})
    assert (status, body["outcome"]) == (503, "refused")
    assert "receptionist-1" in body["error"]
    assert rig.post("voice", {"caller": "nobody"})[0] == 400
    assert rig.post("configuration", {"request": "odd", "name": "no-such"})[0] == 400
    assert rig.get("voice", "/elsewhere")[0] == 404


def test_settings_are_versioned_and_read_back(rig: Rig) -> None:
    before = rig.get("configuration", "/configuration/settings")[1]["settings"]["greeting"]["version"]
    assert rig.post("configuration", {"request": "hello", "name": "greeting", "value": "Hello."})[0] == 200
    settings = rig.get("configuration", "/configuration/settings")[1]["settings"]
    assert settings["greeting"] == {"value": "Hello.", "version": before + 1}


def test_a_frozen_database_is_unknown_within_a_second_and_never_acknowledged(rig: Rig) -> None:
    assert rig.post("pms", {"request": "warm"})[0] == 200
    children = Path(f"/proc/{rig.postgres.pid}/task/{rig.postgres.pid}/children").read_text().split()
    everyone = [rig.postgres.pid, *map(int, children)]
    try:
        for process in everyone:
            os.kill(process, signal.SIGSTOP)
        started = time.monotonic()
        status, body = rig.post("pms", {"request": "frozen"})
        assert (status, body["outcome"]) == (504, "unknown")
        assert time.monotonic() - started < 1.2
        # The pool has no connection left, and a new one gets no greeting: now nothing was sent.
        status, body = rig.post("pms", {"request": "frozen-2"})
        assert (status, body["outcome"]) == (503, "refused")
    finally:
        for process in everyone:
            os.kill(process, signal.SIGCONT)
    eventually(lambda: rig.post("pms", {"request": "thawed"})[0] == 200, "the database serves again")


def test_a_commit_that_nobody_confirmed_is_no_acknowledgement(rig: Rig) -> None:
    try:
        rig.sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
        rig.sql("SELECT pg_reload_conf()")
        eventually(lambda: rig.post("pms", {"request": f"alone-{time.time():.3f}"})[0] == 504, "commits wait for the standby")
        status, body = rig.post("pms", {"request": "unconfirmed"})
        assert (status, body["outcome"]) == (504, "unknown")
        assert "warning" in body["error"]
        # It is there all the same: that is what unknown means.
        assert rig.sql("SELECT count(*) FROM reservations WHERE request = 'unconfirmed'")[0][0] == 1
    finally:
        rig.sql("ALTER SYSTEM RESET synchronous_standby_names")
        rig.sql("SELECT pg_reload_conf()")


def test_stores_without_a_writer_refuse(rig: Rig) -> None:
    cache = rig.cache()
    mark = cache.get("holdfast:writer")
    try:
        cache.delete("holdfast:writer")
        status, body = rig.post("authentication", {"request": "no-writer"})
        assert (status, body["outcome"]) == (503, "refused")
        assert "holdfast:writer" in body["error"]
        cache.set("holdfast:writer", mark)
        cache.replicaof("127.0.0.1", 1)
        status, body = rig.post("authentication", {"request": "read-only"})
        assert (status, body["outcome"]) == (503, "refused")
    finally:
        cache.replicaof("NO", "ONE")
        cache.set("holdfast:writer", mark)
    assert rig.post("authentication", {"request": "with-writer"})[0] == 200


def test_a_cache_write_needs_the_replicas_that_the_mark_names_whoever_is_online(rig: Rig) -> None:
    unprotected = str(rig.cache().get("holdfast:writer"))
    assert rig.post("authentication", {"request": "unprotected"})[0] == 200
    rig.cache().set("holdfast:writer", json.dumps({**json.loads(unprotected), "replicas": 1}))
    command = [
        "redis-server",
        "--bind",
        rig.host(18),
        "--port",
        "26379",
        "--save",
        "",
        "--masterauth",
        PASSWORD,
        "--dir",
        str(rig.directory),
    ]
    try:
        for _ in range(2):  # a repeat finds the key there, and is no more confirmed than the first time
            status, body = rig.post("authentication", {"request": "nobody-follows"})
            assert (status, body["outcome"]) == (504, "unknown")
            assert "0 of 1 replicas" in body["error"]
        with process([*command, "--replicaof", f"{rig.host(11)} 26379"], stdout=subprocess.DEVNULL) as replica:
            eventually(lambda: _online(rig), "the replica is online")
            eventually(lambda: rig.post("authentication", {"request": f"followed-{time.time_ns()}"})[0] == 200, "the replica confirms")
            os.kill(replica.pid, signal.SIGSTOP)
            status, body = rig.post("authentication", {"request": "unconfirmed-session"})
            assert (status, body["outcome"]) == (504, "unknown")
            assert "0 of 1 replicas" in body["error"]
            status, body = rig.post("authentication", {"request": "unconfirmed-session"})
            assert (status, body["outcome"]) == (504, "unknown"), "a repeat is not confirmed by a replica that hasn't got it"
    finally:
        rig.cache().set("holdfast:writer", unprotected)


def _online(rig: Rig) -> bool:
    return any(isinstance(value, dict) and value.get("state") == "online" for value in rig.cache().info("replication").values())


def test_an_audit_of_a_silent_store_says_unknown_and_the_others_stay_known(rig: Rig, tmp_path: Path) -> None:
    os.kill(rig.redis.pid, signal.SIGSTOP)
    try:
        changed = bindings_of(rig).model_dump(mode="json", by_alias=True)
        changed["components"]["cache"]["eu-west-1"]["port"] = 1
        found = {store.store: store for store in audit.contents(Bindings.model_validate(changed), "eu-west-1")}
    finally:
        os.kill(rig.redis.pid, signal.SIGCONT)
    assert found["cache"].records is None
    assert "could not be read" in found["cache"].problem
    assert found["database"].records is not None
    audit.write(tmp_path / "audit.json", "eu-west-1", tuple(found.values()))
    assert audit.read(tmp_path / "audit.json") == tuple(found.values())
