"""How a zone is looked at: any answer counts, its word about its instances is taken if it makes sense, silence is silence."""

import asyncio

import pytest

from free_ports import free_port
from holdfast.health.observation import Observation, Seen, Subject
from holdfast.lab.application.web import Call, Reply
from holdfast.plan.bindings import ZoneBinding
from holdfast.providers.clock.system import SystemClock
from holdfast.providers.http.probe import Site, ZoneProbe
from unit.observer_world import http_server, mute_server


async def looked(port: int) -> Observation:
    site = Site("witness", SystemClock(), 0.5)
    return await ZoneProbe(site, "eu-west-1", "eu-west-1b", ZoneBinding(host="127.0.0.1", port=port)).observe()


def answered(status: int, body: object) -> tuple[Observation, list[str]]:
    asked: list[str] = []

    def answer(call: Call) -> Reply:
        asked.append(call.path)
        return Reply(status, body)

    async def story() -> Observation:
        async with http_server(answer) as port:
            return await looked(port)

    return asyncio.run(story()), asked


def test_a_zone_that_answers_is_up_and_says_what_runs_in_it() -> None:
    seen, asked = answered(200, {"zone": "eu-west-1b", "instances": {"voice": 2, "pms": 3}})
    assert (seen.seen, seen.subject, seen.region, seen.name) == (Seen.UP, Subject.ZONE, "eu-west-1", "eu-west-1b")
    assert seen.facts == {"instances": {"voice": 2, "pms": 3}}
    assert asked == ["/healthz"]


@pytest.mark.parametrize("body", ["ok", [], {"instances": 7}, {"zone": "eu-west-1b"}])
def test_a_zone_that_says_nothing_of_instances_is_up_all_the_same(body: object) -> None:
    seen, _ = answered(200, body)
    assert (seen.seen, dict(seen.facts)) == (Seen.UP, {})


def test_counts_that_make_no_sense_are_left_out() -> None:
    assert answered(200, {"instances": {"voice": -1, "pms": "many", "analytics": 3}})[0].facts == {"instances": {"analytics": 3}}


def test_a_zone_that_answers_that_nothing_works_is_down() -> None:
    seen, _ = answered(503, {"instances": {"voice": 0}})
    assert seen.seen is Seen.DOWN
    assert "503" in seen.detail


def test_a_zone_behind_a_cut_link_is_silent_and_one_that_refuses_is_down() -> None:
    async def cut_off() -> Observation:
        async with mute_server() as port:
            return await looked(port)

    assert asyncio.run(cut_off()).seen is Seen.SILENT
    assert asyncio.run(looked(free_port())).seen is Seen.DOWN
