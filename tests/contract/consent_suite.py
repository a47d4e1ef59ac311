"""What every Consent must do. A subclass says where its promises are kept; time is set by the story.

At first epoch 1 is held by the west, every agent was heard, and no promise runs.
"""

from typing import Any, Protocol

import pytest

from contract.suite import Suite
from holdfast.fencing.order import Order
from holdfast.ports.consent import Consent, NoConsent

WEST, CENTRAL = "eu-west-1", "eu-central-1"
TTL_SECONDS, DRIFT, MARGIN_SECONDS = 3.0, 0.05, 0.1
PROMISED_SECONDS = TTL_SECONDS * (1 + DRIFT) + MARGIN_SECONDS
OPENS_TWO, OPENS_THREE = Order(0, 2, 1, 0), Order(0, 3, 1, 0)
CERTIFICATE: dict[str, Any] = {"region": WEST, "era": 0, "epoch": 1, "order": [0, 2, 1, 10], "fenced_at_seconds": 1.0}


class Ground(Protocol):
    """A controller's promise, its clock, and the region that asks for it."""

    @property
    def consent(self) -> Consent:
        """As it is now: after a restart another one."""

    def pass_by(self, seconds: float) -> None:
        """Time goes on."""

    def ask(self, region: str = WEST, epoch: int = 1) -> bool:
        """A region's agent asks for a promise: whether it gets one."""

    def restart(self) -> None:
        """The controller dies and another one takes over on the same disk."""


class ConsentSuite(Suite):
    port = Consent

    @pytest.fixture
    def ground(self) -> Ground:
        raise AssertionError("a subclass provides the ground")

    def test_it_consents_only_when_its_promise_has_run_out_and_promises_nothing_from_the_decision_on(self, ground: Ground) -> None:
        self.held(ground.consent)
        assert ground.ask()
        assert not ground.consent.has_consented() and ground.consent.stray() is None
        ground.consent.prepare(OPENS_TWO)
        assert not ground.ask()
        assert ground.consent.stray() == (0, 2)
        assert ground.consent.remaining_seconds() == pytest.approx(PROMISED_SECONDS)
        ground.pass_by(PROMISED_SECONDS - 0.2)
        assert ground.consent.remaining_seconds() == pytest.approx(0.2)
        assert not ground.consent.has_consented()
        ground.pass_by(0.2)
        assert ground.consent.remaining_seconds() == 0.0
        assert ground.consent.has_consented() and not ground.ask()

    def test_asking_when_the_promise_ends_consents_to_nothing(self, ground: Ground) -> None:
        assert ground.ask()
        ground.consent.prepare(OPENS_TWO)
        assert ground.consent.promise_ends_in_seconds() == pytest.approx(PROMISED_SECONDS)
        ground.pass_by(PROMISED_SECONDS + 60)
        assert ground.consent.promise_ends_in_seconds() < 0
        assert not ground.consent.has_consented()

    def test_each_word_may_be_said_again(self, ground: Ground) -> None:
        ground.ask()
        for _ in range(2):
            ground.consent.prepare(OPENS_TWO)
        ground.pass_by(PROMISED_SECONDS)
        assert [ground.consent.remaining_seconds() for _ in range(2)] == [0.0, 0.0]
        ground.consent.prepare(OPENS_TWO)
        assert ground.consent.has_consented()
        for _ in range(2):
            ground.consent.serve(0, 2, CENTRAL)
        assert ground.consent.stray() is None and ground.ask(CENTRAL, 2)

    @pytest.mark.parametrize("order", [Order(0, 1, 5, 9), Order(0, 0, 9, 9)], ids=["open already", "older"])
    def test_an_epoch_that_is_open_or_older_is_never_consented_to(self, ground: Ground, order: Order) -> None:
        ground.consent.prepare(order)
        ground.pass_by(PROMISED_SECONDS + 60)
        with pytest.raises(NoConsent):
            ground.consent.remaining_seconds()
        assert not ground.consent.has_consented() and ground.ask(), "the writer goes on"

    def test_one_activation_that_it_consented_to_keeps_every_other_out(self, ground: Ground) -> None:
        ground.consent.prepare(OPENS_TWO)
        assert ground.consent.remaining_seconds() == 0.0
        ground.consent.prepare(OPENS_THREE)
        with pytest.raises(NoConsent):
            ground.consent.remaining_seconds()
        assert ground.consent.stray() == (0, 2)

    def test_barred_before_it_consented_it_never_does_and_promises_again_only_when_the_target_knows(self, ground: Ground) -> None:
        ground.ask()
        ground.consent.prepare(OPENS_TWO)
        for _ in range(2):
            ground.consent.bar(OPENS_TWO)
        ground.pass_by(PROMISED_SECONDS + 60)
        assert ground.consent.remaining_seconds() > 0
        assert not ground.consent.has_consented() and not ground.ask()
        for _ in range(2):
            ground.consent.withdraw(OPENS_TWO)
        assert ground.consent.stray() is None and ground.ask()
        ground.consent.prepare(OPENS_TWO)
        ground.pass_by(PROMISED_SECONDS)
        with pytest.raises(NoConsent):
            ground.consent.remaining_seconds()  # a withdrawn epoch is never used again

    def test_a_consent_is_final_and_no_bar_takes_it_back(self, ground: Ground) -> None:
        ground.consent.prepare(OPENS_TWO)
        assert ground.consent.remaining_seconds() == 0.0
        ground.consent.bar(OPENS_TWO)
        assert ground.consent.has_consented() and not ground.ask()

    def test_a_certificate_of_fence_makes_the_promise_void_at_once(self, ground: Ground) -> None:
        ground.ask()
        ground.consent.prepare(OPENS_TWO)
        for _ in range(2):
            ground.consent.fenced(CERTIFICATE)
        assert ground.consent.remaining_seconds() == 0.0

    @pytest.mark.parametrize(
        "change",
        [{"region": CENTRAL}, {"epoch": 7}, {"order": [0, 3, 1, 10]}, {"order": [0, 1, 9, 9]}],
        ids=["another region's", "under another epoch", "for another activation", "of the time before"],
    )
    def test_any_other_certificate_makes_nothing_void(self, ground: Ground, change: dict[str, Any]) -> None:
        ground.ask()
        ground.consent.prepare(OPENS_TWO)
        ground.consent.fenced({**CERTIFICATE, **change})
        assert ground.consent.remaining_seconds() == pytest.approx(PROMISED_SECONDS)

    def test_a_certificate_that_came_before_the_decision_makes_nothing_void(self, ground: Ground) -> None:
        ground.ask()
        ground.consent.fenced(CERTIFICATE)
        ground.consent.prepare(OPENS_TWO)
        assert ground.consent.remaining_seconds() == pytest.approx(PROMISED_SECONDS)

    @pytest.mark.parametrize(
        "given", [{}, {**CERTIFICATE, "order": "2"}, {**CERTIFICATE, "epoch": None}], ids=["empty", "no order", "no epoch"]
    )
    def test_what_is_no_certificate_raises_and_changes_nothing(self, ground: Ground, given: dict[str, Any]) -> None:
        ground.ask()
        ground.consent.prepare(OPENS_TWO)
        with pytest.raises((KeyError, TypeError, ValueError)):
            ground.consent.fenced(given)
        assert ground.consent.remaining_seconds() == pytest.approx(PROMISED_SECONDS)

    def test_whom_it_serves_never_goes_back(self, ground: Ground) -> None:
        ground.consent.serve(0, 3, CENTRAL)
        ground.consent.serve(0, 2, WEST)
        assert not ground.ask(WEST, 2) and ground.ask(CENTRAL, 3)

    def test_a_promise_to_the_one_holds_off_a_promise_to_the_other(self, ground: Ground) -> None:
        assert ground.ask()
        ground.consent.serve(0, 2, CENTRAL)
        assert not ground.ask(CENTRAL, 2)
        ground.pass_by(PROMISED_SECONDS)
        assert ground.ask(CENTRAL, 2)

    def test_after_a_restart_a_promise_counts_in_full_again(self, ground: Ground) -> None:
        ground.ask()
        ground.pass_by(PROMISED_SECONDS - 0.1)
        ground.restart()
        ground.consent.prepare(OPENS_TWO)
        assert ground.consent.remaining_seconds() == pytest.approx(PROMISED_SECONDS)

    def test_a_decision_outlives_the_controller(self, ground: Ground) -> None:
        ground.ask()
        ground.consent.prepare(OPENS_TWO)
        ground.restart()
        assert ground.consent.stray() == (0, 2) and not ground.ask()

    def test_a_consent_outlives_the_controller(self, ground: Ground) -> None:
        ground.consent.prepare(OPENS_TWO)
        assert ground.consent.remaining_seconds() == 0.0
        ground.restart()
        assert ground.consent.has_consented() and not ground.ask()

    def test_a_bar_and_a_withdrawal_outlive_the_controller(self, ground: Ground) -> None:
        ground.consent.prepare(OPENS_TWO)
        ground.consent.bar(OPENS_TWO)
        ground.restart()
        ground.pass_by(PROMISED_SECONDS + 60)
        assert ground.consent.remaining_seconds() > 0 and not ground.consent.has_consented()
        ground.consent.withdraw(OPENS_TWO)
        ground.restart()
        assert ground.consent.stray() is None and ground.ask()

    def test_whom_it_serves_outlives_the_controller(self, ground: Ground) -> None:
        ground.consent.serve(0, 2, CENTRAL)
        ground.restart()
        assert not ground.ask() and ground.ask(CENTRAL, 2)
