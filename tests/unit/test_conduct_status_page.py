"""What the status page says of an incident, from the first word to its end, and what only people can tell of it."""

from pathlib import Path
from typing import Any

import pytest

from holdfast.conduct.expected import expected_back
from holdfast.conduct.messages import STEPS_FIRST_SECONDS
from holdfast.conduct.situation import Alarm, Tell, Write
from holdfast.conduct.status_page import CHANNEL, MESSAGE, page_state
from holdfast.console.narration import line
from holdfast.decision.replay import replayed
from holdfast.decision.table import State
from holdfast.journal.kinds import Kind
from holdfast.plan.model import StatusPage
from unit.conduct_on_paper import DR, PRIMARY, START, Paper

ONE, TWO, CONDUCTOR = "exercise-one", "exercise-two", "ines-carvalho"
QUARTER = 15 * 60.0


def on_the_page(paper: Paper) -> list[tuple[str, str]]:
    """Every message that went to the page, with the state that it says."""
    return [(tell.message, tell.facts["status"]) for tell in paper.told if tell.channel == CHANNEL]


def told_of_customers() -> Paper:
    """The region is lost, and a quarter of an hour later customers have read of it."""
    paper = Paper()
    paper.lose_region()
    paper.wait(QUARTER + STEPS_FIRST_SECONDS)
    return paper


def test_the_page_says_all_four_states_in_their_order_and_each_once() -> None:
    paper = told_of_customers()
    assert on_the_page(paper) == [("customers", "investigating")], "the first word is the plan's own"
    paper.approve(ONE, TWO)
    assert on_the_page(paper)[1] == (MESSAGE, "identified")
    paper.region_answers()
    assert paper.incident.state is State.RECOVERED
    assert on_the_page(paper)[2:] == [("resolution-customers", "monitoring")], "what the plan tells is not told a second time"
    paper.wait(3600)
    paper.command("failback", ONE)
    paper.approve(TWO, "exercise-four")
    assert paper.incident.state is State.CLOSED
    assert on_the_page(paper)[3:] == [(MESSAGE, "resolved")]
    paper.wait(3600)
    assert len(on_the_page(paper)) == 4


def test_an_incident_that_was_over_before_customers_heard_of_it_opens_no_page() -> None:
    paper = Paper()
    paper.lose_region()
    paper.region_answers()
    paper.wait(600)
    assert paper.incident.state is State.STOOD_DOWN
    assert on_the_page(paper) == []


def test_a_page_that_told_of_an_outage_hears_of_its_end_also_where_nothing_was_moved() -> None:
    paper = told_of_customers()
    paper.region_answers()
    paper.wait(600)
    assert paper.incident.state is State.STOOD_DOWN
    assert on_the_page(paper) == [("customers", "investigating"), (MESSAGE, "resolved")]
    over = paper.told[-1]
    assert (over.purpose, over.body.splitlines()[-1][:13]) == ("resolved", "This is over.")


def test_another_incident_that_begins_at_once_takes_no_end_from_the_page() -> None:
    paper = told_of_customers()
    paper.broken_channels = frozenset({CHANNEL})
    paper.region_answers()
    paper.wait(600)
    paper.broken_channels = frozenset()
    first = paper.incident.incident
    paper.alarms = (Alarm(PRIMARY, "zones-down", True, paper.now, "two zones are down", None),)
    paper.settle()
    assert paper.incident.incident != first
    paper.wait(600)
    ends = [tell for tell in paper.told if tell.channel == CHANNEL and tell.incident == first and tell.facts["status"] == "resolved"]
    assert len(ends) == 2, "what failed was handed over again, beside the new incident"
    assert paper.installation.incidents[first].page.states == ("investigating", "resolved")


def test_a_controller_that_takes_over_tells_the_page_nothing_twice() -> None:
    paper = told_of_customers()
    paper.approve(ONE, TWO)
    before = on_the_page(paper)
    paper.restart()
    paper.settle()
    assert on_the_page(paper) == before
    assert replayed(PRIMARY, paper.records).incidents[paper.incident.incident].page == paper.incident.page


def test_what_may_have_said_another_state_counts_as_neither() -> None:
    paper = told_of_customers()
    key = {"key": "inc-1-1/late/1", "message": "late", "channel": CHANNEL, "recipient": "exercise:customers"}
    owed = {"key": key["key"], "message": "late", "audience": [key["recipient"]], "channels": [CHANNEL], "due_seconds": paper.now}
    paper.write([Write(Kind.NOTIFICATION_DUE, "inc-1-1", {**owed, "reason": "customers are hit"})])
    paper.write([Write(Kind.NOTIFICATION_INTENDED, "inc-1-1", {**key, "attempt": 1, "status": "identified"})])
    paper.write([Write(Kind.NOTIFICATION_INTENDED, "inc-1-1", {**key, "attempt": 2, "status": "monitoring"})])
    paper.write([Write(Kind.NOTIFICATION_SENT, "inc-1-1", {**key, "reference": "paper"})])
    assert paper.incident.page.states == ("investigating",)


def test_where_a_person_is_waited_for_the_page_says_what_it_said() -> None:
    paper = told_of_customers()
    paper.outcomes["postgres.promote"] = "refused"
    paper.approve(ONE, TWO)
    assert paper.incident.state is State.NEEDS_PERSON
    assert page_state(paper.incident) == "identified"


def test_turning_back_a_way_home_never_says_that_service_is_impaired_again() -> None:
    paper = told_of_customers()
    paper.approve(ONE, TWO)
    paper.region_answers()
    paper.hangs = frozenset({"postgres.reprotect"})
    paper.command("failback", ONE)
    assert (paper.incident.state, page_state(paper.incident)) == (State.REPROTECTING, "monitoring")
    paper.command("abort", TWO, reason="not tonight")
    assert page_state(paper.incident) == "monitoring"
    assert paper.installation.serving == DR


def test_the_plans_words_stand_on_the_page_and_the_bindings_where_it_has_none(tmp_path: Path) -> None:
    from holdfast.app_channels import channels_for
    from holdfast.plan.bindings import Bindings

    way: dict[str, Any] = {"kind": "status-page", "folder": str(tmp_path / "page"), "name": "VoiceHive"}
    way["words"] = {"investigating": "Wird untersucht", "identified": "Ist bekannt"}
    bound = {"first": way, "second": {**way, "folder": str(tmp_path / "second")}, "exercise_only": True}
    paper = told_of_customers()
    plan = paper.plan.model_copy(update={"status_page": StatusPage(identified="In Arbeit")})
    written: dict[str, Any] = {"channels": {CHANNEL: _binding(bound)}, "state_directory": tmp_path, "environment": "lab"}
    bindings = Bindings.model_construct(**written)
    paper.approve(ONE, TWO)
    publish([tell for tell in paper.told if tell.channel == CHANNEL], channels_for(plan, bindings, _clock()).notifiers[CHANNEL])
    page = (tmp_path / "page" / "index.html").read_text(encoding="utf-8")
    assert "Wird untersucht" in page and "In Arbeit" in page
    assert "Ist bekannt" not in page


def _binding(bound: dict[str, Any]) -> Any:
    from holdfast.plan.channel_bindings import ChannelBinding

    return ChannelBinding.model_validate(bound)


def _clock() -> Any:
    from holdfast.providers.clock.system import SystemClock

    return SystemClock()


def publish(tells: list[Tell], notifier: Any) -> None:
    import asyncio

    from holdfast.controller.telling import notification_of

    async def all_of_them() -> None:
        for tell in tells:
            await notifier.send(notification_of(tell, "exercise-7", None, START))

    asyncio.run(all_of_them())


def test_a_person_says_why_it_happened_and_messages_say_so_from_then_on() -> None:
    paper = told_of_customers()
    assert paper.command("explain", "nobody", cause="x").startswith("refused: 'nobody' is nobody in the plan")
    assert paper.command("explain", ONE).startswith("refused: say why it happened")
    assert paper.command("explain", ONE, cause="  ").startswith("refused: the cause must be text")
    assert paper.command("explain", ONE, cause="x" * 1001).startswith("refused: the cause must be text of at most 1000")
    assert paper.command("explain", ONE, incident="inc-9-9", cause="x").startswith("refused: inc-1-1 is the open incident")
    paper.command("explain", ONE, cause="A cable")
    assert paper.command("explain", ONE, cause="A cable\nwas cut {elapsed}", review="On Monday") == "accepted: messages say so from now on"
    paper.command("explain", TWO, review="On Tuesday")
    paper.restart()
    paper.approve(ONE, TWO)
    paper.region_answers()
    said = next(tell for tell in paper.told if tell.message == "resolution")
    assert "Cause: A cable was cut {elapsed}" in said.body and "Review: On Tuesday" in said.body
    narrated = [line(record) for record in paper.records if record.kind == Kind.EXPLAINED]
    assert [one.text for one in narrated if one is not None][1] == (
        "exercise-one says what is known, cause: A cable was cut {elapsed}; review: On Monday"
    )


def test_without_a_persons_word_the_cause_is_not_known_yet() -> None:
    paper = told_of_customers()
    paper.approve(ONE, TWO)
    paper.region_answers()
    said = next(tell for tell in paper.told if tell.message == "resolution")
    assert "Cause: not known yet" in said.body and "Review: follows" in said.body


def test_messages_say_what_earlier_runs_took_where_there_were_any() -> None:
    paper = told_of_customers()
    said = next(tell for tell in paper.told if tell.message == "incident-alert")
    assert said.facts["expected_back"].endswith("by the plan"), "nothing was measured yet"
    took = paper.now - paper.incident.opened_seconds
    paper.approve(ONE, TWO)
    paper.region_answers()
    paper.wait(60)
    paper.command("failback", ONE)
    paper.approve(TWO, "exercise-four")
    paper.wait(60)
    paper.lose_region()
    back = expected_back(paper.situation(), paper.incident)
    assert back is not None and not back.by_plan and not back.not_before
    assert back.at_seconds == pytest.approx(paper.now + took, abs=10.0), "people are expected to decide as soon as they did then"
    called = [tell for tell in paper.told if tell.message == "incident-alert"][-1]
    assert called.facts["expected_back"].endswith("by what earlier runs took")


@pytest.mark.parametrize("minutes", [31, 45])
def test_once_the_plans_windows_have_passed_nobody_claims_to_know(minutes: int) -> None:
    paper = Paper()
    paper.lose_region()
    paper.wait(minutes * 60.0)
    latest = [tell for tell in paper.told if tell.message == "status"][-1]
    assert latest.facts["expected_back"].startswith("not known yet, but not before")
