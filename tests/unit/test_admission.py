"""Which word to a load balancer stands: the last one that was obeyed, and never one that lets in a region which lost the write epoch."""

from typing import Any

import pytest

from holdfast.decision.replay import Installation, replayed
from holdfast.journal.kinds import Kind
from holdfast.journal.record import GENESIS, Record, following

HOME, AWAY = "eu-west-1", "eu-central-1"


class Told:
    """A journal that is written by hand."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def write(self, kind: Kind, **body: Any) -> None:
        head = (self.records[-1].sequence, self.records[-1].hash) if self.records else (0, GENESIS)
        self.records.append(following(head, 1_800_000_000.0, kind.value, "", body))

    def opened(self, epoch: int, target: str) -> None:
        self.write(Kind.EPOCH_OPENED, run="r", era=0, epoch=epoch, source=HOME if target == AWAY else AWAY, target=target)

    def intended(self, step: str, block: str, source: str, target: str, epoch: int) -> None:
        about = {"run": f"run-{epoch}", "step": step, "block": f"loadbalancer.{block}", "component": "loadbalancer"}
        order = [0, epoch, 1, len(self.records) + 1]
        self.write(Kind.STEP_INTENDED, **about, source=source, target=target, mode="graceful", attempt=1, order=order, parameters={})

    def finished(self, step: str, block: str, epoch: int, outcome: str = "succeeded") -> None:
        self.write(Kind.STEP_FINISHED, run=f"run-{epoch}", step=step, block=f"loadbalancer.{block}", attempt=1, outcome=outcome)

    def said(self, step: str, block: str, source: str, target: str, epoch: int, outcome: str = "succeeded") -> None:
        self.intended(step, block, source, target, epoch)
        self.finished(step, block, epoch, outcome)

    @property
    def installation(self) -> Installation:
        return replayed(HOME, self.records)

    def stands(self) -> dict[str, str]:
        """Region → what may be said to it again."""
        known = self.installation
        return {
            region: "in" if word.admits else "out"
            for region, word in known.admissions.items()
            if word.stands(known.serving, (known.era, known.epoch))
        }


@pytest.fixture
def told() -> Told:
    return Told()


def test_a_journal_without_such_a_step_says_nothing_to_anybody(told: Told) -> None:
    told.opened(2, AWAY)
    assert told.stands() == {}


def test_the_whole_way_there_and_home(told: Told) -> None:
    told.opened(2, AWAY)
    told.said("switch", "switch", HOME, AWAY, 2)
    assert told.stands() == {AWAY: "in"}
    told.opened(3, HOME)
    assert told.stands() == {}, "the epoch is home's: DR is not let in again, though nobody has held it back yet"
    told.said("drain", "drain", AWAY, HOME, 3)
    assert told.stands() == {AWAY: "out"}
    told.said("home", "switch", AWAY, HOME, 3)
    assert told.stands() == {AWAY: "out", HOME: "in"}
    told.opened(4, AWAY)
    assert told.stands() == {}, "home was lost again, and DR holds the epoch"


@pytest.mark.parametrize("outcome", ["failed", "unknown", "refused", "skipped"])
def test_what_was_not_obeyed_stands_for_nothing_and_neither_does_what_was_said_before_it(told: Told, outcome: str) -> None:
    told.opened(2, AWAY)
    told.said("switch", "switch", HOME, AWAY, 2)
    told.said("again", "switch", HOME, AWAY, 2, outcome)
    assert told.stands() == {}


def test_a_step_that_was_begun_is_its_own_affair_until_it_is_over(told: Told) -> None:
    told.opened(2, AWAY)
    told.intended("switch", "switch", HOME, AWAY, 2)
    assert told.stands() == {}
    told.finished("switch", "switch", 2, "settled")
    assert told.stands() == {AWAY: "in"}


def test_a_run_that_moves_no_writer_lets_in_whom_it_names_until_an_epoch_opens_above_it(told: Told) -> None:
    told.write(Kind.RUN_NUMBERED, run="failover", era=0, epoch=2, source=HOME, target=AWAY)
    told.said("switch", "switch", HOME, AWAY, 2)
    assert told.installation.serving == HOME
    assert told.stands() == {AWAY: "in"}
    told.said("drain", "drain", AWAY, HOME, 3)
    assert told.stands() == {AWAY: "out"}
    told.opened(4, AWAY)
    assert told.stands() == {}, "DR holds the epoch: it is not held back by an older word"


def test_an_epoch_that_was_withdrawn_lets_in_nobody_but_who_writes_again(told: Told) -> None:
    told.opened(2, AWAY)
    told.said("switch", "switch", HOME, AWAY, 2)
    told.opened(3, HOME)
    assert told.stands() == {}
    told.write(Kind.EPOCH_WITHDRAWN, run="way-back", era=0, epoch=3, back=[0, 2], serving=AWAY, detail="")
    assert told.stands() == {AWAY: "in"}
