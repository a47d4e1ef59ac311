"""A journal conducts only the agents that it was written with: another installation's says who serves there, not here."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest

from holdfast.agent import state as states
from holdfast.agent.authority import Authority
from holdfast.agent.orders import Orders
from holdfast.agent.renewal import Renewal
from holdfast.agent.server import Service
from holdfast.agent.state import Records, StateFile
from holdfast.console.api import Api
from holdfast.controller.hearing import belongs_to
from holdfast.decision.replay import Installation, replayed
from holdfast.fencing.promise import Epoch, Timing
from holdfast.fencing.signing import SIGNATURE_HEADER, sign_request
from holdfast.journal.kinds import Kind
from holdfast.journal.record import GENESIS, following
from holdfast.ports.journal_store import JournalForeign

KEY = b"a key of sixteen bytes"
WEST, CENTRAL = "eu-west-1", "eu-central-1"


def says(installation: str, epoch: int = 1) -> dict[str, Any]:
    return {"installation": installation, "era": 0, "epoch": epoch, "holder": WEST, "unheard": []}


def journal(identity: str, serving: str = WEST, epoch: int = 1) -> Installation:
    return Installation(serving, identity=identity, epoch=epoch)


@pytest.fixture
def agent(tmp_path: Path) -> Authority:
    """A healthy writer of a fresh installation."""
    file = StateFile(tmp_path)
    state = states.fresh(WEST, Epoch(0, 1), WEST, ["postgres"])
    file.write(state)
    return Authority(state, file, Records(tmp_path, WEST, KEY), Timing(0.01, 0.25))


def test_the_journal_of_another_installation_is_refused_before_anything_is_promised_or_ordered() -> None:
    with pytest.raises(JournalForeign, match=r"the journal is of the installation former, but the agent of eu-west-1 of fresh"):
        belongs_to(journal("former", CENTRAL, 4), "", {WEST: says("fresh"), CENTRAL: None})


def test_bindings_of_another_installation_are_refused_also_while_every_agent_is_silent() -> None:
    with pytest.raises(JournalForeign, match=r"the bindings file of fresh.*move the foreign one aside"):
        belongs_to(journal("former"), "fresh", {WEST: None, CENTRAL: None})


def test_agents_without_a_name_do_not_follow_a_journal_that_they_can_not_have_written() -> None:
    with pytest.raises(JournalForeign, match=r"holds epoch 0\.4.*knows only 0\.1"):
        belongs_to(journal("former", CENTRAL, 4), "", {WEST: says(""), CENTRAL: says("")})


def test_a_lost_region_keeps_no_controller_from_taking_over() -> None:
    assert belongs_to(journal("ours", CENTRAL, 4), "ours", {WEST: None, CENTRAL: says("ours", 4)}) == "ours"


def test_whoever_has_no_name_takes_the_first_one_that_is_known() -> None:
    assert belongs_to(journal(""), "", {WEST: says("theirs"), CENTRAL: says("")}) == "theirs"
    assert belongs_to(journal(""), "bound", {WEST: says(""), CENTRAL: says("")}) == "bound"
    assert belongs_to(journal(""), "", {WEST: says(""), CENTRAL: says("")}) == ""


def test_an_old_journal_replays_and_a_new_one_says_which_it_is() -> None:
    body = {"term": 1, "era": 0, "epoch": 1, "serving": WEST}
    old = following((0, GENESIS), 1.0, Kind.CONTROLLER_STARTED, "", body)
    assert replayed(WEST, [old]).identity == ""
    new = following((1, old.hash), 2.0, Kind.CONTROLLER_STARTED, "", {**body, "term": 2, "installation": "ours"})
    after = following((2, new.hash), 3.0, Kind.CONTROLLER_STARTED, "", {**body, "term": 3})
    assert replayed(WEST, [old, new, after]).identity == "ours"


def test_an_agent_keeps_the_first_installation_that_it_hears_of_for_good(agent: Authority, tmp_path: Path) -> None:
    assert agent.not_ours(None) is None and agent.not_ours("") is None
    assert agent.not_ours("fresh") is None
    kept = StateFile(tmp_path).read()
    assert kept is not None and kept.installation == "fresh"
    assert "belongs to the installation fresh, not to former" in str(agent.not_ours("former"))


def test_an_agent_refuses_the_orders_of_another_installation(agent: Authority) -> None:
    agent.not_ours("fresh")
    configuration: Any = SimpleNamespace(region=WEST, peer=None, key=KEY, ttl_seconds=3.0, exports=None, replication="asynchronous")
    orders = Orders(configuration, agent, cast(Any, SimpleNamespace(charges={})))
    order = {"order": [0, 4, 3, 1], "verb": "fence", "arguments": {}}
    answer = orders.carry_out({**order, "installation": "former"})
    assert answer["result"] == "refused" and "not to former" in answer["detail"]
    assert agent.holding and agent.highest is None, "nothing of it was kept"
    assert orders.carry_out({**order, "installation": "fresh"})["result"] == "succeeded"


def test_a_refused_lease_of_another_installation_teaches_no_epoch(agent: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    agent.not_ours("fresh")
    remote = SimpleNamespace(name="controller", url="http://127.0.0.1:1", key=KEY)
    configuration: Any = SimpleNamespace(region=WEST, peer=SimpleNamespace(name=CENTRAL), ttl_seconds=3.0, key=KEY)
    renewal = Renewal(configuration, agent, cast(Any, remote))
    answer = {"granted": False, "reason": "", "era": 0, "epoch": 4, "holder": CENTRAL}
    monkeypatch.setattr(renewal, "_post", lambda _: {**answer, "installation": "former"})
    renewal.once()
    assert agent.holding and "not heard" in renewal.last
    monkeypatch.setattr(renewal, "_post", lambda _: {**answer, "installation": "fresh"})
    renewal.once()
    assert not agent.holding, "its own installation's word counts"


def test_the_peer_of_another_installation_is_promised_nothing(agent: Authority) -> None:
    agent.not_ours("fresh")
    service = Service(cast(Any, SimpleNamespace(peer=SimpleNamespace(name=CENTRAL))), agent, *cast(Any, (None, None, [])))
    ask = {"region": CENTRAL, "era": 0, "epoch": 4, "instance": "other", "ttl_seconds": 3.0}
    with pytest.raises(Exception, match="not to former"):
        service.lease({**ask, "installation": "former"})
    assert agent.holding


def test_the_controller_promises_nothing_to_an_agent_of_another_installation() -> None:
    controller: Any = SimpleNamespace(chronicle=SimpleNamespace(installation=journal("ours")))
    api = Api(controller, cast(Any, None), cast(Any, None), "token", KEY)
    payload = {"region": WEST, "era": 0, "epoch": 1, "instance": "one", "ttl_seconds": 3.0, "installation": "former"}
    body, signature = sign_request(KEY, "/v1/lease", payload, "a nonce of its own", 1.0)

    async def post() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(api.application()), base_url="http://controller") as client:
            return await client.post("/v1/lease", content=body, headers={SIGNATURE_HEADER: signature})

    answer = asyncio.run(post())
    assert answer.status_code == 403 and "conducts the installation ours" in answer.text
