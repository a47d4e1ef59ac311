"""What an outage costs: exact at the edges of the tiers, and the same figure wherever it is asked."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.cli.main import run
from holdfast.forecast.forecast import forecast
from holdfast.forecast.outage import outage
from holdfast.forecast.results import Settings
from holdfast.forecast.tiers import Tiers
from holdfast.plan.model import Credit, ServiceLevel
from holdfast.plan.tiers import cost_so_far, tier_after
from unit.forecast_plans import TIERS, plan_of, step
from unit.plan_texts import REFERENCE

PLAN = plan_of(step("a", "0s, 30m"))


def test_a_tier_holds_from_its_start_until_before_its_end() -> None:
    edge = math.nextafter(900.0, 0.0)
    assert [cost_so_far(PLAN, seconds).usd for seconds in (0.0, edge, 900.0, 3599.0, 3600.0, 1e9)] == [
        1000,
        1000,
        10000,
        10000,
        200000,
        200000,
    ]
    assert cost_so_far(PLAN, 3600.0).at_least
    assert not cost_so_far(PLAN, 3599.0).at_least


def test_an_outage_longer_than_the_last_tier_is_not_free() -> None:
    cost = cost_so_far(plan_of(step("a", "0s, 1s"), tiers=TIERS[:2]), 7200.0)
    assert (cost.usd, cost.tier, cost.at_least) == (10000.0, None, True)


def test_the_next_tier_is_the_one_that_begins_after_now() -> None:
    assert [None if tier is None else tier.start for tier in (tier_after(PLAN, seconds) for seconds in (0.0, 899.0, 900.0, 3600.0))] == [
        900.0,
        900.0,
        3600.0,
        None,
    ]


@given(st.lists(st.integers(min_value=0, max_value=10_000), min_size=1, max_size=50))
def test_many_outages_at_once_cost_what_each_costs_alone(lengths: list[int]) -> None:
    tiers = Tiers.of(PLAN)
    assert tiers is not None
    assert list(tiers.usd(np.array(lengths, dtype=np.float32))) == [cost_so_far(PLAN, float(length)).usd for length in lengths]


def test_the_expected_cost_is_each_tiers_loss_by_the_chance_to_end_in_it() -> None:
    cost = forecast(PLAN, "outage", Settings()).cost
    assert cost is not None
    assert cost.mean_usd == pytest.approx((1000 + 10000) / 2, abs=150)
    assert (cost.p90_usd, cost.at_least_chance) == (10000.0, 0.0)


def test_a_plan_without_tiers_has_a_forecast_without_a_cost() -> None:
    found = forecast(PLAN.model_copy(update={"financial_tiers": ()}), "outage", Settings(runs=100))
    assert found.cost is None
    assert all(change.cost_gain_usd is None for change in found.changes)


def test_an_outage_says_its_tier_the_next_one_and_what_it_breaks() -> None:
    found = outage(PLAN, "shop", 1200.0)
    assert (found.cost_usd, found.tier, found.tiers, found.customer_impact) == (10000.0, 2, 3, "moderate")
    assert (found.next_tier_in_seconds, found.next_tier_usd, found.next_tier_at_least) == (2400.0, 200000.0, True)
    assert [(promise.about, promise.broken) for promise in found.promises] == [("RTO of Shop", True), ("RTO of the plan", False)]


def test_credits_are_owed_below_what_the_service_level_says() -> None:
    level = ServiceLevel(name="Gold", availability_percent=99.95, credits=(Credit(below_percent=99.9, percent=10.0),))
    plan = PLAN.model_copy(update={"service_levels": {"gold": level}})
    assert "credit of 10 %" in outage(plan, "shop", 2700.0).promises[-1].says
    assert "credit" not in outage(plan, "shop", 2000.0).promises[-1].says


def test_messages_that_would_have_fallen_due_are_listed_with_their_repeats(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cost", str(REFERENCE), "--function", "voice", "--down", "45m", "-o", "json"]) == 0
    told = {one["message"]: one for one in json.loads(capsys.readouterr().out)["due"]}
    assert told["status"]["times"] == 3
    assert "partners" not in told


def test_the_command_says_cost_and_broken_promises_first_and_what_to_do_last(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cost", str(REFERENCE), "--function", "voice", "--down", "45m"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("✕ Voice Call Processing down for 45 min costs US$ 10,000 and breaks")
    assert lines[-1].startswith("next: holdfast forecast ")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--function", "phone", "--down", "45m"], "has no function 'phone'; it has: voice"),
        (["--function", "voice", "--down", "45"], "'45' is not a duration"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_to_write(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cost", str(REFERENCE), *arguments]) == 2
    assert says in capsys.readouterr().err
