"""The application, its cluster and its clients without servers: what is decided, parsed, patched and concluded."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import holdfast.lab.application
from holdfast.canary.client import judge
from holdfast.canary.schedule import LATE_SECONDS, next_arrival
from holdfast.lab.application.capacity import CAPACITIES
from holdfast.lab.application.credentials import hash_password, verify_password
from holdfast.lab.application.instance import is_older
from holdfast.lab.application.services import SERVICES
from holdfast.lab.application.settings import SettingsError, SettingsFile, parse
from holdfast.lab.clients.rates import DEFAULT_RATES, rates
from holdfast.lab.cluster.deployment import Place, Running, Slot, moves
from holdfast.lab.cluster.objects import ApiError, image_version, merge_patch, strategic_patch
from holdfast.ledger.entry import RequestResult
from holdfast.plan.loader import load
from holdfast.providers.http.client import Response

PLAN = load(Path(__file__).parents[2] / "examples" / "voicehive" / "plan.yaml").plan
SIZES = next(
    step.parameters["replicas"]
    for phase in PLAN.scenarios["regional-outage"].phases
    for step in phase.steps
    if step.block == "application.scale"
)
SLOT = Slot("", "127.0.0.1", "127.0.0.1", 1)
PROOFS = 2.0
"""Transactions a second that `performance.watch` asks of each function."""


@pytest.mark.parametrize("function", list(SERVICES))
def test_one_instance_is_too_small_for_the_clients_and_one_zone_of_two_takes_probes_too(function: str) -> None:
    capacity, rate = CAPACITIES[function], DEFAULT_RATES[function]
    assert capacity.per_second < 0.9 * rate
    assert capacity.at_once < 10, "ten successes in a row must be out of reach"
    asked_by_observers = len(PLAN.observers) / min(profile.probe_every for profile in PLAN.profiles.values())
    assert SIZES[function] * capacity.per_second > 1.2 * (rate + asked_by_observers + PROOFS)
    size = PLAN.functions[function].size
    assert size is not None
    assert (size.run, size.needed) == (SIZES[function], SIZES[function] / 2)
    assert size.needed * capacity.per_second > 1.2 * (rate + asked_by_observers)


@given(st.integers(0, 6), st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), max_size=8))
def test_moves_never_go_below_what_is_ready_and_lead_to_the_end(replicas: int, states: list[tuple[bool, bool, bool]]) -> None:
    running = [
        Running(str(n), "new" if new else "old", SLOT, ready=ready and not ending, ending=ending)
        for n, (new, ready, ending) in enumerate(states)
    ]
    for _ in range(40):
        alive = [i for i in running if not i.ending]
        if len(alive) == replicas and all(i.image == "new" and i.ready for i in alive):
            assert moves(replicas, "new", running).start == 0
            assert moves(replicas, "new", running).end == ()
            return
        ready_before = sum(i.ready for i in alive)
        step = moves(replicas, "new", running)
        for instance in step.end:
            assert instance in alive
            instance.ending = True
        assert sum(i.ready for i in running if not i.ending) >= min(ready_before, replicas)
        running += [Running("fresh", "new", SLOT) for _ in range(step.start)]
        assert sum(not i.ending for i in running) <= max(replicas + 1, len(alive))
        for instance in running:
            instance.ready = not instance.ending
    raise AssertionError("the moves did not lead to what was wanted")


@given(st.lists(st.sampled_from(["start", "end"]), max_size=30))
def test_instances_are_spread_over_the_zones_evenly_whatever_ends(events: list[str]) -> None:
    slots = tuple(Slot(zone, "127.0.0.1", "127.0.0.1", port) for zone in ("a", "b") for port in range(4))
    place = Place("voice", "west", slots, Path("/none"), CAPACITIES["voice"])
    running: list[Running] = []
    for event in events:
        slot = place.free_slot(running)
        if event == "end" and running:
            running.pop()  # the youngest goes first
        elif slot is not None:
            assert slot not in {instance.slot for instance in running}
            running.append(Running("x", "new", slot))
    crowd = [sum(instance.slot.zone == zone for instance in running) for zone in ("a", "b")]
    assert abs(crowd[0] - crowd[1]) <= 1
    assert place.free_slot([Running("x", "new", slot) for slot in slots]) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.dictionaries(st.text("ab", max_size=2), inner, max_size=3),
    max_leaves=8,
)


def without_nulls(value: object) -> object:
    return {key: without_nulls(inner) for key, inner in value.items() if inner is not None} if isinstance(value, dict) else value


@given(json_values, json_values)
def test_a_merge_patch_applied_twice_is_applied_once_and_leaves_its_arguments_alone(value: object, patch: object) -> None:
    before = json.dumps([value, patch], sort_keys=True)
    once = merge_patch(value, patch)
    assert merge_patch(once, patch) == once
    assert merge_patch({}, patch) == without_nulls(patch)
    assert json.dumps([value, patch], sort_keys=True) == before


def test_a_strategic_patch_changes_one_container_and_a_merge_patch_replaces_the_list() -> None:
    pod: dict[str, Any] = {
        "containers": [{"name": "voice", "image": "v:1", "env": [{"name": "A", "value": "1"}]}, {"name": "side", "image": "s:1"}]
    }
    patch = {"containers": [{"name": "voice", "image": "v:2"}]}
    assert strategic_patch(pod, patch)["containers"] == [{**pod["containers"][0], "image": "v:2"}, pod["containers"][1]]
    assert merge_patch(pod, patch)["containers"] == patch["containers"]
    assert len(strategic_patch(pod, {"containers": [{"name": "side", "$patch": "delete"}]})["containers"]) == 1
    with pytest.raises(ApiError, match="merge key 'name'"):
        strategic_patch(pod, {"containers": [{"image": "v:2"}]})


def test_versions_and_image_tags() -> None:
    assert is_older("1", "2")
    assert is_older("2.8.0", "2.9.0")
    assert is_older("2.9", "2.10")
    assert not is_older("2.9.0", "2")
    assert not is_older("2", "")
    assert is_older("unheard-of", "1")
    assert image_version("registry:5000/voicehive/voice:2.9.0") == "2.9.0"
    assert image_version("registry:5000/voice") == ""


def test_every_seeded_user_can_log_in_with_the_password_that_the_schema_promises() -> None:
    schema = (Path(holdfast.lab.application.__file__).parent / "schema.sql").read_text()
    users = re.findall(r"\('(receptionist-\d+)', '([0-9a-f]+\$[0-9a-f]+)'\)", schema)
    assert len(users) == 8
    assert all(verify_password(f"password of {name}", stored) for name, stored in users)
    assert not verify_password("password of nobody", hash_password("password of somebody"))


def settings(**changes: str) -> bytes:
    data = {
        "database": "127.1.1.10:25432",
        "cache": "127.1.1.11:26379",
        "storage": "http://127.1.1.12:29000/b",
        "partner": "127.1.4.40:28090",
    }
    return json.dumps({"data": {**data, **changes}, "files": {}}).encode()


def test_addresses_may_be_urls_or_host_and_port() -> None:
    found = parse(settings(database="postgresql://someone@127.1.2.10:25432/other", storage="127.1.1.12:29000", bucket="c"))
    assert (found.database_host, found.database_port, found.database_user, found.database_name) == ("127.1.2.10", 25432, "someone", "other")
    assert (found.storage_host, found.bucket) == ("127.1.1.12", "c")
    assert parse(settings()).database_name == "voicehive"


def test_a_storage_is_asked_in_the_name_of_its_own_region_and_keeps_what_it_is_given() -> None:
    found = parse(settings(storage="http://127.1.2.12:29000/b?region=eu-central-1", storage_retention_seconds="60"))
    assert (found.storage_host, found.bucket, found.storage_region) == ("127.1.2.12", "b", "eu-central-1")
    assert found.storage_retention_seconds == 60.0
    assert parse(settings()).storage_retention_seconds == 0.0, "settings of before hold nothing"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (settings(database="nowhere"), "database: 'nowhere' is no address"),
        (settings(cache="127.1.1.11:99999999"), "cache: "),
        (settings(storage="127.1.1.12:29000"), "bucket: missing"),
        (b"{", "cannot be understood"),
        (b"[]", "cannot be understood"),
        (b'{"data": [], "files": {}}', "cannot be understood"),
    ],
)
def test_settings_that_cannot_be_used_are_named(content: bytes, told: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(told)):
        parse(content)


def test_a_bad_settings_file_is_told_once_and_a_good_one_is_taken_once(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    file = SettingsFile(path)
    assert file.changed() is None
    assert "cannot be read" in file.problem
    path.write_bytes(settings())
    assert file.changed() is not None
    assert (file.changed(), file.problem) == (None, "")
    path.write_bytes(settings(database="nowhere"))
    assert file.changed() is None
    assert "nowhere" in file.problem


@given(st.floats(0.1, 100), st.floats(0, 10))
def test_arrivals_keep_their_rate_whatever_happens_and_skip_only_a_long_stop(rate: float, held_up: float) -> None:
    following = next_arrival(100.0, 100.0 + held_up, rate)
    on_time = 100.0 + 1 / rate
    assert following == (on_time if held_up - 1 / rate <= LATE_SECONDS + 1e-9 else pytest.approx(100.0 + held_up))


def test_rates_are_defaults_unless_told_otherwise() -> None:
    assert rates(["voice", "new"], ["new=2.5"]) == {"voice": DEFAULT_RATES["voice"], "new": 2.5}
    for bad in ("voice", "other=1", "voice=0", "voice=nan"):
        with pytest.raises(ValueError, match=re.escape(bad)):
            rates(["voice"], [bad])


@pytest.mark.parametrize(
    ("status", "body", "result"),
    [
        (200, b'{"request":"r","stores":{"database":{"key":"calls/r"}}}', RequestResult.ACKNOWLEDGED),
        (200, b'{"request":"another","stores":{}}', RequestResult.UNKNOWN),
        (200, b"<html>all is well</html>", RequestResult.UNKNOWN),
        (400, b'{"error":"older","outcome":"refused"}', RequestResult.REFUSED),
        (503, b'{"error":"full","outcome":"refused"}', RequestResult.REFUSED),
        (503, b"<html>No server is available</html>", RequestResult.REFUSED),
        (504, b'{"error":"frozen","outcome":"unknown"}', RequestResult.UNKNOWN),
        (504, b"<html>Gateway Time-out</html>", RequestResult.UNKNOWN),
        (502, b"<html>Bad Gateway</html>", RequestResult.UNKNOWN),
        (500, b'{"error":"KeyError","outcome":"unknown"}', RequestResult.UNKNOWN),
    ],
)
def test_only_a_whole_matching_answer_is_an_acknowledgement(status: int, body: bytes, result: RequestResult) -> None:
    assert judge("r", Response(status, {}, body, 0.1)).result is result
