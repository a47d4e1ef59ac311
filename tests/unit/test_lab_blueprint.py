"""What servers and sites of a lab are told: all from one blueprint, so that no two of them disagree."""

import asyncio
import json
from pathlib import Path

import pytest

from holdfast.app_channels import notifier_for
from holdfast.lab import addresses, servers
from holdfast.lab.bindings_files import bindings_of
from holdfast.lab.blueprint import Blueprint, refuse_unsuitable
from holdfast.lab.ground import LabProblem, Programs
from holdfast.lab.layout import Layout
from holdfast.plan.bindings import Bindings, ClusterBinding, LoadBalancerBinding
from holdfast.plan.channel_bindings import ChannelBinding, SmtpWay
from holdfast.plan.loader import load
from holdfast.ports.notifier import Notification
from holdfast.providers.clock.system import SystemClock
from holdfast.providers.http.post import HttpPost

PLAN = load(Path(__file__).resolve().parents[2] / "examples" / "voicehive" / "plan.yaml").plan
HOME, AWAY = "eu-west-1", "eu-central-1"


@pytest.fixture
def blueprint() -> Blueprint:
    return Blueprint("holdfast-7-abc", 7, PLAN, "fast", "asynchronous", Layout(Path("/lab")))


@pytest.mark.parametrize("site", [HOME, AWAY, "witness", "outside"])
def test_bindings_of_every_site_name_every_component_and_survive_their_file(blueprint: Blueprint, site: str) -> None:
    bindings = bindings_of(blueprint, site)
    assert Bindings.model_validate_json(bindings.model_dump_json(by_alias=True)) == bindings
    assert set(bindings.components) == {name for name, component in PLAN.components.items() if component.kind != "network"}
    assert all(set(places) == {HOME, AWAY} for places in bindings.components.values())
    assert set(bindings.functions) == set(PLAN.functions)
    assert set(bindings.observers) == set(PLAN.observers)


def test_a_relay_listens_wherever_a_binding_leads_to_another_site(blueprint: Blueprint) -> None:
    relayed = {(listener.host, listener.port) for listener in servers.relay(blueprint, "token").listeners}
    for site, number in blueprint.sites.items():
        bindings = bindings_of(blueprint, site)
        reached = {(bindings.resolver_host, bindings.resolver_port)}
        urls = [bindings.controller.url, *(agent.url for agent in bindings.agents.values()), *bindings.observers.values()]
        reached |= {(url.split("//")[1].split(":")[0], int(url.rpartition(":")[2])) for url in urls}
        at_home = addresses.address(7, number, 0).rpartition(".")[0] + "."
        assert {place for place in reached if not place[0].startswith(at_home)} <= relayed


def test_the_controllers_site_binds_every_channel_to_a_far_end_that_it_reaches_through_the_network(blueprint: Blueprint) -> None:
    bindings = bindings_of(blueprint, "witness")
    assert set(bindings.channels) == PLAN.channels()
    assert all(binding.laboratory and not binding.exercise_only for binding in bindings.channels.values())
    assert [name for name, binding in bindings.channels.items() if binding.second is None] == [], "each has a second way"
    assert [binding.second.kind for binding in (bindings.channels["pagerduty"],) if binding.second] == ["sms"], "of another kind"
    listening = {(listener.host, listener.port) for listener in servers.relay(blueprint, "token").listeners}
    mail = bindings.channels["email"].first
    assert isinstance(mail, SmtpWay) and (mail.host, mail.port) in listening
    assert bindings.doors is not None and bindings.doors.public_url == blueprint.doors.url
    assert (blueprint.doors.host, blueprint.doors.port) in listening
    assert bindings_of(blueprint, HOME).channels == {}, "only the controller tells people"


@pytest.mark.parametrize("exercise", [True, False])
def test_a_lab_takes_an_exercises_messages_and_others_and_keeps_the_marks_apart(tmp_path: Path, exercise: bool) -> None:
    way = {"kind": "file", "file": str(tmp_path / "told.jsonl")}
    binding = ChannelBinding.model_validate({"first": way, "laboratory": True, "exercise_address": "{recipient}@exercise.test"})
    made = notifier_for(binding, "lab", HttpPost(), SystemClock())
    mark = "EXERCISE: " if exercise else ""
    message = Notification("k", "inc-1", "told", "email", "exercise:on-call", f"{mark}s", f"{mark}b", exercise, enrolled=exercise)
    assert asyncio.run(made.send(message)) == "file:told.jsonl:1"
    row = json.loads((tmp_path / "told.jsonl").read_text())
    assert (row["recipient"], row["subject"], row["exercise"]) == ("exercise:on-call", f"{mark}s", exercise)


def test_the_dr_region_starts_closed_small_one_version_behind_and_on_the_primarys_stores(blueprint: Blueprint) -> None:
    assert " disabled\n" in servers.haproxy(blueprint, AWAY)
    assert " disabled\n" not in servers.haproxy(blueprint, HOME)
    there, here = servers.cluster(blueprint, AWAY), servers.cluster(blueprint, HOME)
    assert {function["replicas"] for function in there["functions"].values()} == {1}
    assert here["functions"]["voice"] == {
        **there["functions"]["voice"],
        "replicas": 4,
        "image": "voicehive/voice:2",
        "zones": [
            {
                "zone": "eu-west-1a",
                "address": "127.7.5.20",
                "seen_as": "127.7.115.20",
                "ports": [28100, 28103],
                "fresh_ports": [28104, 28107],
            },
            {
                "zone": "eu-west-1b",
                "address": "127.7.6.20",
                "seen_as": "127.7.116.20",
                "ports": [28100, 28103],
                "fresh_ports": [28104, 28107],
            },
        ],
    }
    assert there["functions"]["voice"]["image"] == "voicehive/voice:1"
    assert there["settings"]["database"] == "postgresql://voicehive@127.7.125.10:25432/voicehive"

    own = bindings_of(blueprint, "witness").components["application"][AWAY]
    assert isinstance(own, ClusterBinding)
    assert own.stores["database"] == "postgresql://voicehive@127.7.127.10:25432/voicehive"
    assert own.stores.keys() <= there["settings"].keys()


def test_every_place_that_a_cluster_may_use_is_known_to_its_load_balancer(blueprint: Blueprint) -> None:
    text, cluster = servers.haproxy(blueprint, AWAY), servers.cluster(blueprint, AWAY)
    balancer = bindings_of(blueprint, "witness").components["loadbalancer"][AWAY]
    assert isinstance(balancer, LoadBalancerBinding)
    for function, settings in cluster["functions"].items():
        assert f"backend {balancer.backends[function]}\n" in text
        for zone in settings["zones"]:
            first, last = zone["ports"]
            assert all(f" {zone['seen_as']}:{port}" in text for port in range(first, last + 1))


def test_a_second_set_of_instances_is_reached_from_its_region_and_the_load_balancer_leads_to_the_first(blueprint: Blueprint) -> None:
    relayed = {(listener.host, listener.port) for listener in servers.relay(blueprint, "token").listeners}
    text, cluster = servers.haproxy(blueprint, AWAY), servers.cluster(blueprint, AWAY)
    host, port = cluster["load_balancer"]
    assert f"ipv4@{host}:{port}" in text
    for settings in cluster["functions"].values():
        for zone in settings["zones"]:
            first, last = zone["fresh_ports"]
            places = {(zone["seen_as"], port) for port in range(first, last + 1)}
            assert len(places) == zone["ports"][1] - zone["ports"][0] + 1
            assert places <= relayed
            assert not any(f" {host}:{port}" in text for host, port in places)


def test_instances_in_both_zones_reach_every_store_through_a_listener_of_the_relay_or_at_home(blueprint: Blueprint) -> None:
    relayed = {(listener.host, listener.port) for listener in servers.relay(blueprint, "token").listeners}
    homes = {(listener.target_host, listener.target_port) for listener in servers.relay(blueprint, "token").listeners}
    for region in blueprint.regions:
        cluster = servers.cluster(blueprint, region)
        stores = {**cluster["settings"], **bindings_of(blueprint, "witness").components["application"][region].stores}  # type: ignore[union-attr]
        for zone in cluster["zones"].values():
            for key in ("database", "cache", "storage", "partner"):
                host, port = stores[key].rpartition("@")[2].rpartition("//")[2].partition("/")[0].split(":")
                network, dot, last = host.rpartition(".")
                seen = (zone["routes"][network + dot] + last, int(port))
                assert seen in relayed | homes


def test_each_replica_finds_the_slot_that_the_other_side_keeps_for_it(blueprint: Blueprint) -> None:
    programs = Programs(*(Path("/x") for _ in range(5)))
    home, away = (servers.agent(blueprint, region, programs, None) for region in (HOME, AWAY))
    assert home["postgres"]["slot"] == "holdfast_eu_central_1"
    assert (home["postgres"]["peer_host"], away["postgres"]["peer_host"]) == ("127.7.157.10", "127.7.175.10")
    assert home["peer"]["key_file"] == away["key_file"]
    assert home["lease"]["ttl_seconds"] == 3.0


def test_a_lab_that_cannot_be_built_is_refused_with_what_there_is() -> None:
    with pytest.raises(LabProblem, match="no profile 'slow'; it has default, fast"):
        refuse_unsuitable(PLAN, "slow", "asynchronous")
    with pytest.raises(LabProblem, match="say asynchronous or synchronous"):
        refuse_unsuitable(PLAN, "fast", "sometimes")
    stranger = PLAN.model_copy(update={"functions": {**PLAN.functions, "billing": PLAN.functions["pms"]}})
    three = PLAN.regions[HOME].model_copy(update={"zones": ("a", "b", "c")})
    with pytest.raises(LabProblem, match="2 zones a region; the plan has 3 in eu-west-1"):
        refuse_unsuitable(PLAN.model_copy(update={"regions": {**PLAN.regions, HOME: three}}), "fast", "asynchronous")
    with pytest.raises(LabProblem, match="the plan has billing besides"):
        refuse_unsuitable(stranger, "fast", "asynchronous")
