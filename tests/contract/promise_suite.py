"""What every PromiseStore must do. A subclass says how a store is opened on the same ground again and again."""

from typing import Any, Protocol

import pytest

from contract.suite import Suite
from holdfast.ports.consent import PromiseStore
from holdfast.ports.journal_store import JournalFull


class Place(Protocol):
    """Where a store stands: it outlives the store object."""

    def open(self) -> PromiseStore: ...
    def close(self) -> None:
        """The process that had it open is gone."""

    def fill(self) -> None:
        """No more room from now on."""

    def empty(self) -> None:
        """Room again."""


VALUES: list[Any] = [{"until_seconds": 12.5, "epoch": 1, "größer": ["→", None, True]}, [], "", 0, False, 1e300]


class PromiseSuite(Suite):
    port = PromiseStore

    @pytest.fixture
    def ground(self) -> Place:
        raise AssertionError("a subclass provides the ground")

    def test_what_was_put_last_is_there_also_after_a_restart(self, ground: Place) -> None:
        store = ground.open()
        self.held(store)
        assert store.get("grantor") is None
        for value in VALUES:
            store.put("grantor", value)
            assert store.get("grantor") == value
            ground.close()
            store = ground.open()
            assert store.get("grantor") == value
        assert store.get("another") is None

    def test_what_a_caller_does_with_a_value_changes_nothing_that_is_kept(self, ground: Place) -> None:
        store = ground.open()
        value = {"regions": ["eu-west-1"]}
        store.put("grantor", value)
        value["regions"].append("mars")
        found = store.get("grantor")
        assert found == {"regions": ["eu-west-1"]}
        found["regions"].clear()
        assert store.get("grantor") == {"regions": ["eu-west-1"]}

    @pytest.mark.parametrize(
        "value", [float("inf"), {"ends": float("nan")}, {1, 2}, object()], ids=["infinite", "no number", "a set", "an object"]
    )
    def test_what_is_no_plain_value_is_refused_and_the_old_one_stays(self, ground: Place, value: Any) -> None:
        store = ground.open()
        store.put("grantor", "old")
        with pytest.raises((ValueError, TypeError)):
            store.put("grantor", value)
        assert store.get("grantor") == "old"

    def test_without_room_nothing_is_promised_and_the_old_value_stays(self, ground: Place) -> None:
        store = ground.open()
        store.put("grantor", "old")
        ground.fill()
        with pytest.raises(JournalFull):
            store.put("grantor", "new" * 100_000)
        assert store.get("grantor") == "old"
        ground.empty()
        store.put("grantor", "new" * 100_000)
        ground.close()
        assert ground.open().get("grantor") == "new" * 100_000
