"""The controller as a grantor: what its contract (tests/contract/consent_suite.py) leaves open."""

import json

import pytest

from holdfast.controller.keeper import Keeper
from holdfast.fencing.order import Order
from holdfast.fencing.promise import Ask, Epoch, Timing
from holdfast.ports.consent import NoConsent
from holdfast.simulation.journal import MemoryDisk, MemoryPromises
from unit.set_clock import SetClock

WEST, CENTRAL = "eu-west-1", "eu-central-1"
OPENS_TWO = Order(0, 2, 1, 0)


def keeper_of(clock: SetClock) -> Keeper:
    """One that has heard both regions: epoch 1 is held by the west."""
    keeper = Keeper(MemoryPromises(MemoryDisk()), clock, Timing(0.05, 0.1), 3.0, (WEST, CENTRAL))
    for region in (WEST, CENTRAL):
        keeper.hear(region, Epoch(0, 1), WEST, None)
    clock.seconds += 60
    return keeper


def ask(keeper: Keeper) -> bool:
    return keeper.ask(Ask(WEST, Epoch(0, 1), "one", 3.0)).yes


def test_a_promise_made_void_ends_at_a_moment_that_can_be_written_down() -> None:
    keeper = keeper_of(SetClock())
    assert ask(keeper)
    keeper.prepare(OPENS_TWO)
    keeper.fenced({"region": WEST, "era": 0, "epoch": 1, "order": OPENS_TWO.as_list(), "fenced_at_seconds": 1.0})
    assert json.dumps({"ends": keeper.promise_ends_in_seconds()}, allow_nan=False)


def test_what_was_not_prepared_is_never_said_to_be_consented_to() -> None:
    """The epoch that another activation has consented to is no consent to this one, and a promise that ran out is none either."""
    clock = SetClock()
    keeper = keeper_of(clock)
    keeper.prepare(OPENS_TWO)
    assert keeper.remaining_seconds() == 0.0
    keeper.prepare(Order(0, 3, 1, 0))
    with pytest.raises(NoConsent, match="withdraw that first"):
        keeper.remaining_seconds()


def test_an_epoch_that_is_open_already_is_not_consented_to() -> None:
    clock = SetClock()
    keeper = keeper_of(clock)
    keeper.prepare(Order(0, 1, 1, 0))
    with pytest.raises(NoConsent, match="which is open"):
        keeper.remaining_seconds()
    assert ask(keeper), "the writer goes on"
    keeper.prepare(OPENS_TWO)
    clock.seconds += 10
    assert keeper.remaining_seconds() == 0.0
    assert not ask(keeper)
