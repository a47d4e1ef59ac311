"""A grantor's promises and consents, told one by one. That they add up to one writer is `test_fencing_writers`' story."""

from dataclasses import replace

import pytest

from holdfast.fencing.lease import Lease
from holdfast.fencing.order import Order, Verdict, accept
from holdfast.fencing.promise import Ask, Certificate, Epoch, Evidence, Grantor, Memory, Stage, Timing, next_epoch

TIMING = Timing(drift=0.01, margin_seconds=0.25)
E1, E2 = Epoch(0, 1), Epoch(0, 2)
ASK = Ask("west", E1, "one", 3.0)
RUN_OUT = 3.0 * 1.01 + 0.25
OPEN = Order(0, 2, 1, 1)


def grantor(now: float = 0.0) -> Grantor:
    return Grantor.start(Memory(E1, "west"), TIMING, now)


def promised(now: float = 0.0) -> Grantor:
    return grantor(now).ask(ASK, now).grantor


def test_it_promises_to_the_holder_and_to_nobody_else() -> None:
    assert grantor().ask(ASK, 0).yes
    assert grantor().ask(replace(ASK, region="east"), 0).reason == "epoch 0.1 is held by west"
    assert not grantor().ask(replace(ASK, epoch=Epoch(0, 0)), 0).yes
    assert not promised().ask(replace(ASK, instance="two"), 1).yes
    assert promised().ask(replace(ASK, instance="two"), RUN_OUT).yes


@pytest.mark.parametrize("ttl", [0.0, -1.0, 301.0, float("nan"), float("inf")])
def test_it_promises_for_no_odd_time(ttl: float) -> None:
    assert not grantor().ask(replace(ASK, ttl_seconds=ttl), 0).yes


def test_it_consents_only_after_its_promise_has_run_out_and_then_for_good() -> None:
    prepared = promised().prepare(OPEN).grantor
    early = prepared.consent(OPEN, 1.0)
    assert (early.yes, early.wait_seconds) == (False, pytest.approx(RUN_OUT - 1.0))
    late = early.grantor.consent(OPEN, RUN_OUT)
    assert late.yes
    assert late.grantor.consent(Order(0, 2, 2, 1), RUN_OUT).yes
    assert not late.grantor.ask(ASK, RUN_OUT).yes
    assert not late.grantor.bar(OPEN).yes


def test_a_prepared_one_promises_nothing_from_that_moment_on() -> None:
    prepared = promised().prepare(OPEN).grantor
    assert not prepared.ask(ASK, 0.1).yes
    assert not prepared.promising
    assert not promised().consent(OPEN, 100).yes, "no consent without having stopped to promise first"


def test_a_restart_counts_the_longest_promise_in_full() -> None:
    memory = promised().ask(replace(ASK, ttl_seconds=10.0), 0.1).grantor.ask(ASK, 0.2).grantor.memory
    again = Grantor.start(memory, TIMING, 1000.0).prepare(OPEN).grantor
    assert not again.consent(OPEN, 1000 + 10.0).yes
    assert again.consent(OPEN, 1000 + 10 * 1.01 + 0.25).yes
    assert grantor(1000).prepare(OPEN).grantor.consent(OPEN, 1000).yes, "nothing was ever promised"


def test_renewing_the_same_promise_needs_no_new_writing_to_disk() -> None:
    before = promised()
    assert before.ask(ASK, 1.0).grantor.memory is before.memory


def test_a_certificate_voids_the_promise_at_once_but_only_within_its_activation() -> None:
    paper = Certificate("west", E1, OPEN, 0.0)
    assert not promised().fenced(paper).yes, "nothing is being opened"
    void = promised().prepare(OPEN).grantor.fenced(paper)
    assert void.yes
    assert void.grantor.consent(OPEN, 0.1).yes
    assert Grantor.start(void.grantor.memory, TIMING, 5).consent(OPEN, 5).yes, "durably"
    again = void.grantor.withdraw(OPEN, Evidence.OTHER_NEVER_CONSENTS).grantor.ask(ASK, 1).grantor
    later = again.prepare(Order(0, 3, 1, 9)).grantor
    assert not later.fenced(paper).yes, "an old certificate says nothing about a promise made after it"
    assert not promised().prepare(OPEN).grantor.fenced(replace(paper, region="east")).yes


def test_turning_back_needs_to_know_that_the_other_does_not_consent() -> None:
    consented = promised().prepare(OPEN).grantor.consent(OPEN, RUN_OUT).grantor
    unknown = consented.withdraw(OPEN, Evidence.UNKNOWN)
    assert not unknown.yes
    assert not unknown.grantor.ask(ASK, RUN_OUT).yes
    known = consented.withdraw(OPEN, Evidence.OTHER_NEVER_CONSENTS)
    assert known.grantor.ask(ASK, RUN_OUT).yes
    assert not known.grantor.prepare(OPEN).yes, "a withdrawn epoch is never used again"
    assert known.grantor.prepare(Order(0, 3, 1, 5)).yes


def test_a_barred_activation_is_never_consented_to() -> None:
    barred = promised().prepare(OPEN).grantor.bar(OPEN)
    assert barred.yes
    assert not barred.grantor.consent(OPEN, 100).yes
    assert not barred.grantor.prepare(OPEN).yes
    assert not barred.grantor.ask(ASK, 100).yes, "barred is not withdrawn: it does not promise yet"


def test_two_activations_are_never_under_way_at_once() -> None:
    consented = grantor().prepare(OPEN).grantor.consent(OPEN, 0).grantor
    assert not consented.prepare(Order(0, 3, 1, 1)).yes
    assert grantor().prepare(OPEN).grantor.prepare(Order(0, 3, 1, 1)).yes, "one that was only prepared gives way to a later one"
    assert not consented.withdraw(Order(0, 1, 1, 1), Evidence.OTHER_NEVER_CONSENTS).yes


def test_taking_up_opens_the_epoch_and_an_open_one_is_not_withdrawn() -> None:
    consented = grantor().prepare(OPEN).grantor.consent(OPEN, 0).grantor
    taken = consented.take_up("east").grantor
    assert (taken.memory.epoch, taken.memory.holder, taken.memory.activation) == (E2, "east", None)
    assert not taken.withdraw(OPEN, Evidence.OTHER_NEVER_CONSENTS).yes
    assert not grantor().prepare(OPEN).grantor.take_up("east").yes


def test_a_running_promise_delays_the_first_grant_to_another_holder() -> None:
    asked = promised().ask(Ask("east", E2, "x", 3.0), 1.0)
    assert not asked.yes
    assert asked.grantor.memory.holder == "east", "it has learnt of the higher epoch all the same"
    assert not asked.grantor.ask(ASK, 1.0).yes
    assert asked.grantor.ask(Ask("east", E2, "x", 3.0), RUN_OUT).yes


def test_without_memory_it_hears_everybody_first_and_waits_the_longest_ttl() -> None:
    lost = Grantor.without_memory(TIMING, 0, 3.0, {"west", "east"})
    assert not lost.ask(ASK, 100).yes
    assert not lost.prepare(OPEN).yes
    one = lost.hear("west", E1, "west", None)
    assert not Grantor.start(one.memory, TIMING, 0).ask(ASK, 100).yes, "a restart in between changes nothing"
    both = one.hear("east", E1, "west", None)
    assert both.ask(ASK, 0).yes
    assert not both.prepare(OPEN).grantor.consent(OPEN, 3.0).yes
    assert both.prepare(OPEN).grantor.consent(OPEN, RUN_OUT).yes


def test_without_memory_what_an_agent_has_under_way_counts_as_consented_to() -> None:
    lost = Grantor.without_memory(TIMING, 0, 3.0, {"west", "east"})
    both = lost.hear("west", E1, "west", None).hear("east", E1, "west", E2)
    assert both.memory.activation is not None
    assert both.memory.activation.stage is Stage.CONSENTED
    assert not both.ask(ASK, 100).yes
    assert both.withdraw(Order(0, 2, 2, 1), Evidence.OTHER_NEVER_CONSENTS).grantor.ask(ASK, 100).yes


def test_the_next_epoch_is_above_all_that_is_known() -> None:
    assert next_epoch([Epoch(0, 7), Epoch(1, 2), Epoch(0, 9)]) == Epoch(1, 3)


def test_the_lease_counts_from_the_sending_and_from_the_later_grantor() -> None:
    lease = Lease(E1).granted("c", E1, 10.0, 3.0).granted("t", E1, 12.0, 3.0).granted("t", E1, 11.0, 3.0)
    assert lease.deadline_seconds == 15.0
    assert lease.may_write(14.99)
    assert not lease.may_write(15.0)
    assert lease.granted("c", E2, 20.0, 3.0) == lease, "a promise for another epoch is none"
    assert not Lease(E1).may_write(0.0)


def test_an_order_is_accepted_once_and_never_a_lower_one() -> None:
    assert accept(OPEN, None) is Verdict.ACCEPTED
    assert accept(OPEN, OPEN) is Verdict.REPEATED
    assert accept(Order(0, 2, 1, 0), OPEN) is Verdict.REFUSED
    assert accept(Order(1, 0, 0, 0), OPEN) is Verdict.ACCEPTED
