"""What every StoreGiver and every Giver must do. A subclass says what the writer has, and how it falls silent."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

import pytest

from contract.suite import Suite
from holdfast.ports.divergence import Giver, StoreGiver, Wish

SILENT_SECONDS = 20.0
WHEN = {"before": (0, 1), "after": (0, 3), "another era": (1, 2)}


@dataclass(frozen=True)
class Offer:
    """Entries of an export by what the writer has under each: nothing (`absent`), the same (`alike`), something else (`other`)."""

    giver: StoreGiver
    entries: Mapping[str, tuple[Mapping[str, Any], str]]
    """Identifier → entry and line."""
    absent: tuple[str, str]
    alike: str
    other: str
    region: str
    epoch: tuple[int, int]
    contents: Callable[[], Any]
    """What the writer holds."""
    cut: Callable[[], None]

    def look(self, *names: str, region: str | None = None, epoch: tuple[int, int] | None = None) -> list[str]:
        entries, lines = self._of(names)
        return [one.result for one in self.giver.look(entries, lines, region or self.region, epoch or self.epoch)]

    def give(self, *names: str, region: str | None = None, epoch: tuple[int, int] | None = None) -> list[str]:
        entries, lines = self._of(names)
        return [one.result for one in self.giver.give(entries, lines, region or self.region, epoch or self.epoch)]

    def _of(self, names: Sequence[str]) -> tuple[list[Mapping[str, Any]], list[str]]:
        return [self.entries[name][0] for name in names], [self.entries[name][1] for name in names]


Offers = Callable[[], AbstractContextManager[Offer]]


class StoreGiverSuite(Suite):
    """`offers` is a fixture: it opens a fresh offer."""

    port = StoreGiver

    def test_looking_tells_what_would_become_of_each_in_order_and_changes_nothing(self, offers: Offers) -> None:
        with offers() as offer:
            self.held(offer.giver)
            before = offer.contents()
            first, second = offer.absent
            assert offer.look(offer.other, first, offer.alike, second) == ["conflict", "applied", "already", "applied"]
            assert offer.look() == offer.give() == []
            assert offer.contents() == before

    def test_all_are_given_and_given_again_they_are_there_already(self, offers: Offers) -> None:
        with offers() as offer:
            before = offer.contents()
            assert offer.give(*offer.absent, offer.alike) == ["applied", "applied", "already"]
            after = offer.contents()
            assert after != before
            assert offer.give(*offer.absent, offer.alike) == ["already", "already", "already"]
            assert offer.look(*offer.absent) == ["already", "already"]
            assert offer.contents() == after

    def test_one_that_cant_be_taken_keeps_the_others_out_and_what_is_there_stays(self, offers: Offers) -> None:
        with offers() as offer:
            before = offer.contents()
            first, second = offer.absent
            assert offer.give(first, offer.other, offer.alike, second) == ["withheld", "conflict", "already", "withheld"]
            assert offer.contents() == before

    def test_under_any_other_epoch_or_in_another_region_nothing_is_written(self, offers: Offers) -> None:
        with offers() as offer:
            before = offer.contents()
            for when, epoch in WHEN.items():
                assert offer.look(*offer.absent, epoch=epoch) == ["refused", "refused"], when
                assert offer.give(*offer.absent, epoch=epoch) == ["refused", "refused"], when
            assert offer.look(*offer.absent, region="mars") == ["refused", "refused"]
            assert offer.give(*offer.absent, region="mars") == ["refused", "refused"]
            assert offer.contents() == before

    def test_a_silent_store_answers_unknown_for_all_within_its_time(self, offers: Offers) -> None:
        with offers() as offer:
            offer.cut()

            async def bounded(ask: Callable[..., list[str]]) -> list[str]:
                async with asyncio.timeout(SILENT_SECONDS):
                    return await asyncio.to_thread(ask, *offer.absent, offer.other)

            for ask in (offer.look, offer.give):
                assert asyncio.run(bounded(ask)) == ["unknown", "unknown", "unknown"]


@dataclass(frozen=True)
class Desk:
    """A giver over an export of two stores. `wish` names two entries of the first store and one of the second; `other` the writer has
    otherwise."""

    giver: Giver
    wish: Wish
    other: str
    contents: Callable[[], Any]
    silence: Callable[[], None]
    """The second store answers nothing any more."""
    spoil: Callable[[], None]
    """The export can't be read any more."""

    def give(self, *only: str, **changes: Any) -> dict[str, str]:
        wish = replace(self.wish, only=only or self.wish.only, **changes)
        return {name: answer.result for name, answer in asyncio.run(self.giver.give_back(wish)).items()}


class GiverSuite(Suite):
    port = Giver

    @pytest.fixture
    def desk(self) -> Desk:
        raise AssertionError("a subclass provides the desk")

    def test_what_was_chosen_is_given_and_given_again_it_is_there_already(self, desk: Desk) -> None:
        self.held(desk.giver)
        before = desk.contents()
        assert desk.give() == dict.fromkeys(desk.wish.only, "applied")
        after = desk.contents()
        assert after != before
        assert desk.give() == dict.fromkeys(desk.wish.only, "already")
        assert desk.contents() == after

    def test_one_that_cant_be_taken_holds_the_rest_back_unless_the_person_said_to_leave_it(self, desk: Desk) -> None:
        before = desk.contents()
        for bad, why in ((desk.other, "conflict"), ("nobody's/1", "refused")):
            assert desk.give(*desk.wish.only, bad) == {**dict.fromkeys(desk.wish.only, "withheld"), bad: why}
            assert desk.contents() == before
        assert desk.give(*desk.wish.only, desk.other, objections="leave") == {
            **dict.fromkeys(desk.wish.only, "applied"),
            desk.other: "conflict",
        }

    def test_one_store_that_is_silent_keeps_the_other_from_being_written(self, desk: Desk) -> None:
        before = desk.contents()
        desk.silence()
        first, second, third = desk.wish.only
        assert desk.give() == {first: "withheld", second: "withheld", third: "unknown"}
        assert desk.contents() == before

    @pytest.mark.parametrize("changes", [{"incident": "inc-9"}, {"run": "way-back"}])
    def test_what_was_never_exported_is_never_given(self, desk: Desk, changes: dict[str, str]) -> None:
        before = desk.contents()
        assert desk.give(**changes) == dict.fromkeys(desk.wish.only, "refused")
        assert desk.contents() == before

    def test_an_export_that_cant_be_read_gives_nothing(self, desk: Desk) -> None:
        before = desk.contents()
        desk.spoil()
        assert desk.give() == dict.fromkeys(desk.wish.only, "refused")
        assert desk.contents() == before

    def test_under_an_epoch_that_is_over_nothing_is_written(self, desk: Desk) -> None:
        before = desk.contents()
        assert desk.give(epoch=(0, 1)) == dict.fromkeys(desk.wish.only, "refused")
        assert desk.contents() == before
