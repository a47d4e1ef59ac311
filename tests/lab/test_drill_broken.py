"""A drill that can fail: blocks turned into no-ops on real servers, found by their proofs, or else by what clients measured."""

from typing import Any

import pytest

from lab.drill_rig import drilled, impatient_plan, over_after, place

pytestmark = pytest.mark.alone

prove = pytest.mark.prove
QUICK: dict[str, Any] = {
    "warm_up_seconds": 2.0,
    "settle_seconds": 1.0,
    "well_bound_seconds": 1.0,
    "failover_bound_seconds": 90.0,
    "return_bound_seconds": 5.0,
}


@pytest.mark.parametrize(
    "block",
    [
        "postgres.promote",
        pytest.param("fence", marks=prove),
        pytest.param("application.scale", marks=prove),
        pytest.param("application.deploy", marks=prove),
        pytest.param("dns.switch", marks=prove),
    ],
)
def test_a_block_that_only_says_that_it_acted_is_found_by_its_proof(block: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with place() as aside, place() as directory:
        over = drilled(directory, monkeypatch, plan=impatient_plan(aside, block, 6.0), broken=f"noop:{block}", **QUICK)
        assert over.report.verdict != "pass", over.said()
        unproved = [step.block for step in over.report.steps if step.run == "failover" and step.verified != "yes"]
        assert unproved == [block], over.said()
        assert not over.rule("steps"), over.said()


@pytest.mark.parametrize(
    "block",
    [
        pytest.param("postgres.promote", marks=prove),
        pytest.param("fence", marks=prove),
        pytest.param("application.scale", marks=prove),
        pytest.param("application.deploy", marks=prove),
        pytest.param("dns.switch", marks=prove),
    ],
)
def test_a_block_whose_proof_is_a_lie_too_is_found_by_what_clients_measured(block: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with place() as directory:
        over = drilled(directory, monkeypatch, broken=f"unseen:{block}", interfere=over_after(block, 15.0), **QUICK)
        assert over.report.verdict != "pass", over.said()
        lied = [step for step in over.report.steps if step.run == "failover" and step.block == block]
        assert [step.verified for step in lied] == ["yes"], over.said()
        assert not over.rule("rto"), over.said()
