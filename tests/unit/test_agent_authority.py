"""Which orders an agent accepts, and which come too late: also around an epoch that was withdrawn."""

from pathlib import Path

import pytest

from holdfast.agent.authority import REGION, WITHDRAW, Authority
from holdfast.fencing.order import Order, Verdict
from holdfast.journal.kinds import Kind
from unit.agent_on_paper import agent
from unit.conduct_on_paper import DR, PRIMARY, Paper
from unit.test_conduct_turning import CONDUCTOR, ONE, TWO, abort, returning


@pytest.fixture
def withdrawn(tmp_path: Path) -> Authority:
    """Epoch 2 is in force; epoch 3 was prepared and withdrawn."""
    one = agent(tmp_path, DR, 2, DR)
    for order, verb, scope in (
        (Order(0, 2, 1, 8), "postgres.promote", "postgres"),
        (Order(0, 3, 1, 24), "fence", REGION),
        (Order(0, 3, 1, 26), WITHDRAW, REGION),
    ):
        assert one.receive(order, verb, scope) == (Verdict.ACCEPTED, None)
    return one


def test_after_a_withdrawal_what_is_ordered_under_the_epoch_in_force_is_obeyed(withdrawn: Authority) -> None:
    order = Order(0, 2, 1, 27)
    assert withdrawn.receive(order, "postgres.synchronous", "postgres") == (Verdict.ACCEPTED, None)
    assert withdrawn.is_newest(order, "postgres")
    assert withdrawn.receive(Order(0, 4, 1, 40), "fence", REGION) == (Verdict.ACCEPTED, None)
    assert not withdrawn.is_newest(order, "postgres")


@pytest.mark.parametrize(
    ("order", "scope"),
    [
        (Order(0, 2, 1, 25), "redis"),  # ordered before the withdrawal, and late
        (Order(0, 3, 1, 25), "redis"),  # of the withdrawn epoch, and late
        (Order(0, 3, 1, 24), REGION),  # the fence itself, once more
        (Order(0, 1, 9, 99), "redis"),  # of an epoch that is long over
        (Order(0, 2, 9, 99), REGION),  # about the right to write itself, of an epoch below the withdrawn one
    ],
)
def test_after_a_withdrawal_what_comes_late_is_refused(withdrawn: Authority, order: Order, scope: str) -> None:
    assert withdrawn.receive(order, "redis.reprotect", scope)[0] is Verdict.REFUSED


def test_a_way_home_that_was_turned_back_can_make_its_copies_anew(tmp_path: Path) -> None:
    paper = returning(Paper())
    abort(paper)
    paper.hangs = frozenset()
    paper.command("failback", CONDUCTOR)
    paper.approve(ONE, TWO)
    home, seen = agent(tmp_path, PRIMARY, 2, DR), []
    for body in (record.body for record in paper.records if record.kind == Kind.STEP_INTENDED):
        order, block = Order.from_list(body["order"]), body["block"]
        if order.epoch in (2, 3) and body["run"] != "failover" and (block == "postgres.reprotect" or block in ("fence", WITHDRAW)):
            scope = "postgres" if block == "postgres.reprotect" else REGION
            seen.append((block, home.receive(order, block, scope)[0]))
    assert {verdict for _, verdict in seen} == {Verdict.ACCEPTED}
    assert [block for block, _ in seen] == ["postgres.reprotect", "fence", WITHDRAW, WITHDRAW, "postgres.reprotect"]
