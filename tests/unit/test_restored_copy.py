"""A copy that was restored aside is held to the loss that people approved, by the time of its newest heartbeat."""

from typing import Any

import pytest

from holdfast.agent.orders import copy_lacks

STOPPED = 5000.0
APPROVED = {"loss_bound_seconds": 3.5, "stopped_seconds": STOPPED}


def copy(newest: float | None) -> dict[str, Any]:
    return {"how": "restored", "rows": 80, "restored_heartbeat_seconds": newest}


def test_a_copy_within_the_approved_loss_may_be_swapped_in() -> None:
    assert copy_lacks(copy(STOPPED - 3.4), APPROVED) is None


def test_a_copy_that_ends_forty_minutes_before_is_refused_with_the_figure_that_a_person_may_accept() -> None:
    found = copy_lacks(copy(STOPPED - 2400.0), APPROVED)
    assert found is not None
    assert found[0] == "ends 2400.0 s before the source stopped, and people approved a loss of at most 3.5 s"
    assert found[1] == {"would_lose_seconds": 2400.0, "approved_seconds": 3.5}
    assert copy_lacks(copy(STOPPED - 2400.0), {**APPROVED, "loss_bound_seconds": 2400.0}) is None


def test_a_copy_without_a_heartbeat_is_unknown_and_never_swapped_in_unasked() -> None:
    assert copy_lacks(copy(None), APPROVED) is not None


@pytest.mark.parametrize("arguments", [{}, {"loss_bound_seconds": None, "stopped_seconds": STOPPED}])
def test_who_approved_no_bound_is_held_to_nothing(arguments: dict[str, Any]) -> None:
    assert copy_lacks(copy(None), arguments) is None


def test_a_writer_that_was_made_before_is_not_judged_again() -> None:
    assert copy_lacks({"how": "already"}, APPROVED) is None
