"""The clock that a controller goes by, when the machine's is set: told once, and taken up when nobody's times break over it."""

import pytest

from holdfast.controller.clock_steps import KeptClock
from unit.set_clock import SetClock


@pytest.mark.parametrize("by_seconds", [3600.0, -3600.0])
def test_a_clock_that_is_set_is_told_once_goes_on_as_it_was_and_is_taken_up_later(by_seconds: float) -> None:
    machine = SetClock()
    kept = KeptClock(machine)
    before = kept.wall_seconds()
    machine.step(by_seconds)
    machine.seconds += 10.0
    assert kept.untold_step_seconds() == pytest.approx(by_seconds)
    assert kept.untold_step_seconds() is not None, "until it is recorded, it is not told"
    kept.told(by_seconds)
    assert kept.untold_step_seconds() is None
    assert kept.wall_seconds() == pytest.approx(before + 10.0)
    machine.step(-by_seconds)
    assert kept.untold_step_seconds() == pytest.approx(-by_seconds), "set again, it is told again"
    kept.told(-by_seconds)
    machine.step(by_seconds)
    kept.take_up()
    assert kept.wall_seconds() == pytest.approx(machine.wall_seconds()) and kept.untold_step_seconds() is None


def test_a_clock_that_is_steered_a_little_is_no_step() -> None:
    machine = SetClock()
    kept = KeptClock(machine)
    for _ in range(100):
        machine.step(0.5)
        assert kept.untold_step_seconds() is None
        kept.take_up()
    assert kept.wall_seconds() == pytest.approx(machine.wall_seconds())


def test_with_an_incident_open_it_goes_on_from_the_last_record_where_the_machines_clock_was_set_back() -> None:
    machine = SetClock()
    kept = KeptClock(machine)
    kept.go_on_from(kept.wall_seconds() + 3600.0)
    begun = kept.wall_seconds()
    assert begun == pytest.approx(machine.wall_seconds() + 3600.0)
    machine.seconds += 10.0
    assert kept.wall_seconds() == pytest.approx(begun + 10.0)
    assert kept.untold_step_seconds() == pytest.approx(-3600.0), "that it was set is recorded"
    kept.go_on_from(machine.wall_seconds() - 3600.0)
    assert kept.wall_seconds() == pytest.approx(begun + 10.0), "and it never goes back"
