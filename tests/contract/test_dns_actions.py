"""dns.switch and the DNS probe against a real Knot."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from subprocess import Popen
from typing import Any

import dns.message
import dns.query
import pytest

from contract.action_suite import LATER, ORDER, ActionSuite, Ground, Opens, ordered
from contract.server_rig import CENTRAL, ENTRIES, FUNCTIONS, KEY_NAME, WEST, ZONE, freeze, knot, new_key
from holdfast.fencing.order import Order
from holdfast.health.observation import Seen
from holdfast.plan.bindings import DnsBinding
from holdfast.ports.action import Answer, Mode, Result, Task
from holdfast.providers.clock.system import SystemClock
from holdfast.providers.dns.probe import DnsProbe
from holdfast.providers.dns.switch import DnsSwitchAction

NAMES = [f"{function}.{ZONE}" for function in FUNCTIONS]
TASK = Task("switch-dns", "dns.switch", "dns", WEST, CENTRAL, Mode.UNGRACEFUL, ORDER)


@dataclass
class Dns:
    binding: DnsBinding
    process: Popen[bytes]

    def ask(self, name: str, kind: str) -> list[str]:
        answer = dns.query.tcp(dns.message.make_query(name, kind), self.binding.host, port=self.binding.port, timeout=3)
        return sorted(record.to_text() for rrset in answer.answer for record in rrset)

    def published(self) -> dict[str, list[str]]:
        return {name: self.ask(name, "A") for name in NAMES} | {"order": self.ask(f"_holdfast.{ZONE}", "TXT")}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Dns]:
    key = new_key()
    (tmp_path / "key").write_text(key)
    with knot(tmp_path, key) as (host, port, process):
        binding = DnsBinding(
            host=host, port=port, zone=ZONE, key_name=KEY_NAME, key_secret_file=tmp_path / "key", ttl_seconds=1, entries=ENTRIES
        )
        yield Dns(binding, process)


class TestDnsSwitch(ActionSuite):
    implementations = (DnsSwitchAction,)
    blocks = ("dns.switch",)

    @pytest.fixture
    def opens(self, server: Dns) -> Opens:
        @asynccontextmanager
        async def ground() -> AsyncIterator[Ground]:
            async def snapshot() -> Any:
                return server.published()

            async def cut() -> None:
                freeze(server.process)

            yield Ground(DnsSwitchAction(server.binding, NAMES, timeout_seconds=1.0), TASK, snapshot, cut)

        return ground


def test_all_names_and_the_order_change_in_one_message(server: Dns) -> None:
    outcome = asyncio.run(DnsSwitchAction(server.binding, NAMES).act(TASK))
    assert outcome.result is Result.SUCCEEDED, outcome.detail
    assert server.published() == {name: [ENTRIES[CENTRAL]] for name in NAMES} | {"order": ['"order=0.2.2.50 region=eu-central-1"']}


def test_two_controllers_at_once_end_with_the_higher_order(server: Dns) -> None:
    async def story() -> None:
        home = replace(ordered(TASK, LATER), target=WEST, source=CENTRAL)
        action = DnsSwitchAction(server.binding, NAMES)
        await asyncio.gather(*(action.act(task) for task in (TASK, home, TASK, home, TASK)))

    asyncio.run(story())
    assert server.published() == {name: [ENTRIES[WEST]] for name in NAMES} | {"order": ['"order=0.2.2.60 region=eu-west-1"']}


def test_a_region_without_an_address_never_empties_a_name(server: Dns) -> None:
    before = server.published()
    for entries in ({WEST: ENTRIES[WEST]}, {**ENTRIES, CENTRAL: ""}, {**ENTRIES, CENTRAL: "somewhere"}):
        action = DnsSwitchAction(server.binding.model_copy(update={"entries": entries}), NAMES)
        outcome = asyncio.run(action.act(TASK))
        assert outcome.result is Result.FAILED
        assert "nothing was changed" in outcome.detail
        assert asyncio.run(action.check(TASK)).answer is Answer.UNKNOWN
    assert server.published() == before


@pytest.mark.parametrize(
    ("key_name", "secret", "said"),
    [
        ("stranger", None, "add it to the server and its zone"),
        (KEY_NAME, new_key(), "make both the same"),
        ("reader", None, "may not update this zone"),
        (KEY_NAME, "no base64 at all!", "must be base64"),
    ],
    ids=["unknown key", "another secret", "a key for reading", "no secret at all"],
)
def test_a_wrong_key_is_said_with_what_to_do(server: Dns, tmp_path: Path, key_name: str, secret: str | None, said: str) -> None:
    key_file = server.binding.key_secret_file
    if secret is not None:
        key_file = tmp_path / "other"
        key_file.write_text(secret)
    before = server.published()
    binding = server.binding.model_copy(update={"key_name": key_name, "key_secret_file": key_file})
    outcome = asyncio.run(DnsSwitchAction(binding, NAMES).act(TASK))
    assert outcome.result is Result.FAILED
    assert said in outcome.detail
    assert server.published() == before


def test_a_server_that_is_not_there_is_unknown(server: Dns) -> None:
    server.process.terminate()
    server.process.wait(5)
    action = DnsSwitchAction(server.binding, NAMES)
    assert asyncio.run(action.act(TASK)).result is Result.UNKNOWN
    assert asyncio.run(action.check(TASK)).answer is Answer.UNKNOWN


def test_the_probe_says_which_region_a_name_leads_to(server: Dns) -> None:
    probe = DnsProbe("outside", "voice", NAMES[0], server.binding, SystemClock(), timeout_seconds=1.0)
    first = asyncio.run(probe.observe())
    assert (first.seen, first.region, first.facts["addresses"]) == (Seen.UP, WEST, [ENTRIES[WEST]])
    asyncio.run(DnsSwitchAction(server.binding, NAMES).act(ordered(TASK, Order(1, 0, 0, 0))))
    second = asyncio.run(probe.observe())
    assert (second.seen, second.region) == (Seen.UP, CENTRAL)
    missing = asyncio.run(DnsProbe("outside", "x", f"absent.{ZONE}", server.binding, SystemClock(), timeout_seconds=1.0).observe())
    assert (missing.seen, missing.region) == (Seen.DOWN, "")
    freeze(server.process)
    assert asyncio.run(probe.observe()).seen is Seen.SILENT
