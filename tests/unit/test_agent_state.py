"""The agent forgets nothing that it said, and never takes a damaged file for an empty one."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from holdfast.agent import state as states
from holdfast.agent.authority import REGION, Authority
from holdfast.agent.configuration import BadConfiguration, load
from holdfast.agent.pulse import boot_seconds
from holdfast.agent.renewal import Renewal
from holdfast.agent.state import DamagedState, Records, Role, StateFile
from holdfast.fencing.order import Order, Verdict
from holdfast.fencing.promise import Ask, Certificate, Epoch, Evidence, Timing
from holdfast.fencing.signing import record_is_genuine

KEY = b"a key of sixteen bytes"
TIMING = Timing(0.01, 0.25)
E1, E2 = Epoch(0, 1), Epoch(0, 2)


STATUS_VERSION_1 = {
    "region",
    "instance",
    "installation",
    "role",
    "era",
    "epoch",
    "holder",
    "highest_order",
    "lease_remaining_seconds",
    "promising",
    "promise_ends_in_seconds",
    "pledged",
    "withdrawn",
    "yielded",
    "unheard",
    "records_after",
}
"""What controllers of version 1 of the agent protocol read in an agent's status: fields are only ever added."""


def wait_for(condition: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < until, what
        time.sleep(0.005)


def authority(folder: Path, region: str = "east") -> Authority:
    file = StateFile(folder)
    state = file.read() or states.fresh(region, E1, "west", ["postgres", "redis"])
    file.write(state)
    return Authority(state, file, Records(folder, region, KEY), TIMING)


def test_everything_survives_a_restart(tmp_path: Path) -> None:
    east = authority(tmp_path)
    assert east.promise(Ask("west", E1, "one", 3.0)).yes
    east.receive(Order(0, 2, 1, 1), "prepare", REGION)
    east.prepare(Order(0, 2, 1, 1))
    east.answered(Order(0, 2, 1, 1), "prepare", REGION, {"result": "succeeded"})
    east.set_role("postgres", Role.PROMOTING)
    again = authority(tmp_path)
    assert again.state == east.state
    assert not again.consent(Order(0, 2, 1, 2), None).yes, "the promise counts in full from the restart"


@pytest.mark.parametrize("damage", ["torn", "changed", "empty", "gone", "not json", "another shape"])
def test_a_state_that_cannot_be_trusted_is_an_error_that_says_what_to_do(tmp_path: Path, damage: str) -> None:
    authority(tmp_path)
    file = tmp_path / states.STATE_FILE
    content = file.read_bytes()
    if damage == "gone":
        file.unlink()
    else:
        changed = {
            "torn": content[: len(content) // 2],
            "changed": content.replace(b'"west"', b'"east"'),
            "empty": b"",
            "not json": b"\xff\xfe",
            "another shape": b"[1]",
        }
        file.write_bytes(changed[damage])
    with pytest.raises(DamagedState, match="--without-memory"):
        StateFile(tmp_path).read()


def test_a_torn_last_record_is_dropped_and_a_damaged_one_before_it_is_said(tmp_path: Path) -> None:
    records = Records(tmp_path, "east", KEY)
    records.append("fenced", "the lease is over", 1.0, killed=3)
    records.append("started", "again", 2.0)
    path = tmp_path / states.RECORDS_FILE
    path.write_bytes(path.read_bytes() + b'{"n": 3, "wh')
    again = Records(tmp_path, "east", KEY)
    again.append("fenced", "and again", 3.0)
    assert [record["n"] for record in again.after(1)] == [2, 3]
    assert all(record_is_genuine(KEY, record) for record in again.after(0))
    path.write_bytes(path.read_bytes().replace(b'"n":1', b'"n":!'))
    with pytest.raises(DamagedState, match=r"records\.jsonl:1"):
        Records(tmp_path, "east", KEY)


def test_an_agent_says_of_itself_all_that_version_1_says(tmp_path: Path) -> None:
    assert set(authority(tmp_path).facts()) >= STATUS_VERSION_1


def test_orders_to_two_stores_may_come_in_any_order_but_not_past_one_to_the_region(tmp_path: Path) -> None:
    east = authority(tmp_path)
    assert east.receive(Order(0, 2, 1, 3), "redis.promote", "redis")[0] is Verdict.ACCEPTED
    assert east.receive(Order(0, 2, 1, 2), "postgres.promote", "postgres")[0] is Verdict.ACCEPTED
    assert east.receive(Order(0, 2, 1, 2), "withdraw", REGION)[0] is Verdict.REFUSED
    assert east.receive(Order(0, 2, 1, 5), "withdraw", REGION)[0] is Verdict.ACCEPTED
    assert east.receive(Order(0, 2, 1, 4), "postgres.promote", "postgres")[0] is Verdict.REFUSED
    assert east.receive(Order(0, 2, 1, 5), "withdraw", REGION)[0] is Verdict.REPEATED
    assert east.receive(Order(0, 2, 1, 5), "fence", REGION)[0] is Verdict.REFUSED, "the same order with another verb is no repetition"


def test_a_holder_that_learns_of_a_higher_epoch_has_no_lease_any_more(tmp_path: Path) -> None:
    west = authority(tmp_path, "west")
    west.granted("controller", E1, boot_seconds(), 3.0)
    assert west.remaining_seconds() > 2
    west.learn(E2, "east")
    assert west.remaining_seconds() == 0
    assert west.asking(3.0) is None
    assert [record["what"] for record in west.records.after(0)] == ["superseded"]


def test_power_that_was_given_up_comes_back_only_by_an_order_and_a_new_promise(tmp_path: Path) -> None:
    west = authority(tmp_path, "west")
    sent = boot_seconds()
    west.granted("controller", E1, sent, 3.0)
    west.yield_power(Order(0, 2, 1, 1))
    assert west.remaining_seconds() == 0
    assert authority(tmp_path).asking(3.0) is None, "durably"
    west.withdraw(Order(0, 2, 1, 2), Evidence.OTHER_NEVER_CONSENTS)
    west.granted("controller", E1, sent, 3.0)
    assert west.remaining_seconds() == 0, "a promise asked for before the certificate may be void"
    west.granted("controller", E1, boot_seconds(), 3.0)
    assert west.remaining_seconds() > 2


def test_the_target_withdraws_on_its_own_knowledge_unless_it_has_taken_the_epoch_up(tmp_path: Path) -> None:
    east = authority(tmp_path)
    east.prepare(Order(0, 2, 1, 1))
    assert east.consent(Order(0, 2, 1, 2), Certificate("west", E1, Order(0, 2, 1, 1), 0.0)).yes
    assert east.withdraw(Order(0, 2, 1, 3), Evidence.UNKNOWN).yes
    assert not east.take_up(Order(0, 2, 1, 4)).yes
    east.prepare(Order(0, 3, 1, 5))
    assert east.consent(Order(0, 3, 1, 6), None).yes
    assert east.take_up(Order(0, 3, 1, 7)).yes
    assert east.take_up(Order(0, 3, 1, 8)).yes, "the second store of the same promotion"
    assert not east.withdraw(Order(0, 3, 1, 9), Evidence.UNKNOWN).yes
    assert east.asking(3.0) is not None


def test_a_region_that_has_just_taken_the_right_to_write_up_asks_for_the_lease_at_once(tmp_path: Path) -> None:
    (tmp_path / "agent.json").write_text(json.dumps(_configuration(tmp_path)))
    configuration = replace(load(tmp_path / "agent.json"), region="east", ttl_seconds=300.0)
    east = authority(tmp_path)
    asked: list[str] = []

    class Asking(Renewal):
        def once(self) -> None:
            asked.append(east.state.memory.holder if east.asking(300.0) is not None else "nobody")

    ended = threading.Event()
    asking = threading.Thread(target=Asking(configuration, east, configuration.controller).run, args=(ended,), daemon=True)
    asking.start()
    wait_for(lambda: asked == ["nobody"], "a first look, and the next one is a minute away")
    east.prepare(Order(0, 2, 1, 1))
    assert east.consent(Order(0, 2, 1, 2), Certificate("west", E1, Order(0, 2, 1, 1), 0.0)).yes
    assert east.take_up(Order(0, 2, 1, 3)).yes
    wait_for(lambda: asked == ["nobody", "east"], "it asks although its pause is not over")
    ended.set()
    east.yield_power(Order(0, 3, 1, 1))
    asking.join(10)
    assert not asking.is_alive()


def _configuration(folder: Path) -> dict[str, Any]:
    (folder / "key").write_bytes(KEY)
    return {
        "region": "west",
        "state_directory": str(folder / "state"),
        "listen": ["127.0.0.1", 0],
        "key_file": str(folder / "key"),
        "controller": {"url": "http://127.0.0.1:1", "key_file": str(folder / "key")},
        "peer": {"region": "east", "url": "http://127.0.0.1:2", "key_file": str(folder / "key")},
        "lease": {"ttl_seconds": 3.0, "drift": 0.01, "margin_seconds": 0.25},
        "initial": {"era": 0, "epoch": 1, "holder": "west"},
        "redis": {"directory": str(folder / "redis")},
    }


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"region": 3}, "region must be a text"),
        ({"listen": ["127.0.0.1"]}, "listen must be [host, port]"),
        ({"lease": {"ttl_seconds": 0, "drift": 0, "margin_seconds": 0}}, "lease.ttl_seconds must be a number from 0.3 to 300"),
        ({"lease": {"ttl_seconds": 3, "drift": 0}}, "lease.margin_seconds is missing"),
        ({"key_file": "/nowhere/key"}, "key_file: /nowhere/key cannot be read"),
        ({"initial": {"era": 0, "epoch": 1, "holder": "south"}}, "initial.holder must be 'west' or 'east'"),
        ({"cgroup": "v3"}, "cgroup must be one of auto"),
        ({"redis": None}, "nothing to look after"),
        ({"peer": []}, "peer must be an object"),
    ],
)
def test_a_bad_configuration_is_one_line_with_its_place(tmp_path: Path, change: dict[str, Any], complaint: str) -> None:
    file = tmp_path / "agent.json"
    file.write_text(json.dumps({**_configuration(tmp_path), **change}))
    with pytest.raises(BadConfiguration) as caught:
        load(file)
    assert complaint in str(caught.value)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "view", [True, "/srv", [], {}, {"closed": "/root"}, {"closed": "root", "opened": "/root/lab"}, {"closed": 1, "opened": 2}]
)
def test_a_view_that_is_none_is_refused_with_its_place_before_anything_is_started(tmp_path: Path, view: object) -> None:
    file = tmp_path / "agent.json"
    store = {"directory": str(tmp_path / "redis"), "view": view}
    file.write_text(json.dumps({**_configuration(tmp_path), "cgroup": "none", "redis": store}))
    agent = [sys.executable, "-m", "holdfast.agent", "--config", str(file)]
    refused = subprocess.run(agent, capture_output=True, text=True, check=False, timeout=60)
    assert refused.returncode == 2
    assert refused.stderr == f"agent: redis.view: it must be an object with closed and opened, both whole paths, not {view!r}\n"
    assert not (tmp_path / "redis").exists()


def test_a_good_configuration_is_read(tmp_path: Path) -> None:
    file = tmp_path / "agent.json"
    file.write_text(json.dumps(_configuration(tmp_path)))
    configuration = load(file)
    assert (configuration.ttl_seconds, configuration.cgroup, configuration.initial_holder) == (3.0, "auto", "west")
    assert configuration.tick_seconds == 0.05


def test_an_old_writer_that_never_heard_of_the_epochs_since_takes_none_up(tmp_path: Path) -> None:
    west = authority(tmp_path, "west")
    west.receive(Order(0, 3, 2, 1), "prepare", REGION)
    assert west.prepare(Order(0, 3, 2, 1))[0].yes
    assert west.consent(Order(0, 3, 2, 2), None).yes
    refused = west.take_up(Order(0, 3, 2, 3))
    assert not refused.yes, "its lease would start the old writer as it is"
    assert "make it one first" in refused.reason
    for store in ("postgres", "redis"):
        west.set_role(store, Role.REPLICA)
    assert west.take_up(Order(0, 3, 2, 3)).yes
    west.set_role("postgres", Role.WRITER)
    assert west.take_up(Order(0, 3, 2, 4)).yes, "the second store of the same promotion"
