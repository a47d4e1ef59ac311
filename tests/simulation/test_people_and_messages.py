"""An hour of messages, calls and answers in a minute: the plan's clock in an exercise, with controllers killed in between."""

import asyncio
import itertools
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from holdfast.communications.obligations import all_messages
from holdfast.conduct.pagers import HAS_IT, IS_OVER
from holdfast.conduct.status_page import CHANNEL, MESSAGE
from holdfast.journal.kinds import Kind
from holdfast.ports.notifier import Repeats
from holdfast.providers.clock.system import SystemClock
from holdfast.providers.statuspage.notifier import StatusPageNotifier
from holdfast.report.model import Report
from holdfast.simulation.exercise import Exercised, exercise
from holdfast.simulation.notifier import ChannelFault
from holdfast.simulation.stage import Stage, StageSettings
from simulation.playing import LOADED, PLAN, told

MOST_HANDED_OVER = 1000

MINUTE = 60.0
ASKED = PLAN.exercises["regional-outage"]
SILENT = "exercise-four"
"""The commander's first stand-in, who by the reference plan never answers."""
SCALED = StageSettings(
    LOADED,
    seed=3,
    scale=60.0,
    decide_after_seconds=ASKED.decide_after or 0.0,
    open_for_seconds=ASKED.open_for or 0.0,
    unanswered=frozenset(ASKED.unanswered),
)
OWED = {name for name, message in all_messages(PLAN).items() if not message.scenarios or "regional-outage" in message.scenarios}


@pytest.fixture(scope="module")
def played() -> tuple[Exercised, Report]:
    found = exercise(SCALED)
    return found, found.report()


def test_at_scale_60_every_message_goes_out_inside_its_deadline(played: tuple[Exercised, Report]) -> None:
    exercised, report = played
    assert exercised.ended_early is None, told(*played)
    assert report.verdict == "pass", told(*played)
    assert report.scale == 60.0
    assert {row.rule for row in report.notifications} == {*OWED, "call", "decision", HAS_IT, IS_OVER, MESSAGE}
    assert [row for row in report.notifications if row.met is not True] == []
    assert {row.recipient_ref for row in report.notifications if "@" in row.recipient_ref} == set()


def test_the_exercise_took_as_long_as_it_says_and_no_longer(played: tuple[Exercised, Report]) -> None:
    exercised, report = played
    assert report.outage_seconds is not None
    assert 25.0 <= report.outage_seconds < 40.0, "recovery runs on the wall's clock"
    assert exercised.virtual_seconds < 120.0


def test_an_unanswered_primary_is_escalated_to_the_backup_who_takes_the_role(played: tuple[Exercised, Report]) -> None:
    exercised, report = played
    first, second = report.calls[:2]
    assert SILENT in first.recipients
    assert (second.level, second.recipients, second.roles) == ("backup", ("exercise-one",), ("Incident Commander",))
    assert second.called_seconds - first.called_seconds == pytest.approx(5 * MINUTE, abs=20.0)
    taken = [record.body for record in exercised.facts.records if record.kind == Kind.ROLE_TAKEN]
    assert [(body["role"], body["instead_of"]) for body in taken] == [("incident-commander", SILENT)]


def test_the_plans_own_measures_of_people_are_judged(played: tuple[Exercised, Report]) -> None:
    _, report = played
    assert report.people.acknowledged_within_sla is False, "the commander's first stand-in never said a word"
    assert [person.person_ref for person in report.people.called if person.within is not True] == [SILENT]
    assert report.people.roles_within_sla is True, "the backup answered for the role"
    assert report.people.decision_seconds is not None
    assert report.people.decided_within_sla is False, "25 minutes were asked for, ten are allowed"
    assert {sla.name: sla.met for sla in report.slas} == {
        PLAN.criteria["communication"].name: True,
        PLAN.criteria["team-response"].name: False,
        PLAN.criteria["decision-speed"].name: False,
    }


def test_the_status_page_goes_through_all_four_states_in_the_plans_words(tmp_path: Path) -> None:
    stages: list[Stage] = []
    assert exercise(SCALED, stages.append).ended_early is None
    published = list(stages[0].notifiers[CHANNEL].sent.values())
    assert PLAN.status_page is not None
    words = {str(state): word for state, word in PLAN.status_page.words().items()}
    page = StatusPageNotifier(tmp_path, SystemClock(), "VoiceHive", words=words)

    async def publish() -> None:
        for notification in published:
            await page.send(notification)

    asyncio.run(publish())
    [incident] = json.loads((tmp_path / "api/v2/incidents.json").read_bytes())["incidents"]
    said = [update["status"] for update in reversed(incident["incident_updates"])]
    assert [state for state, _ in itertools.groupby(said)] == ["investigating", "identified", "monitoring", "resolved"]
    shown = (tmp_path / "index.html").read_text(encoding="utf-8")
    places = [shown.index(f"<h4>{word} ·") for word in words.values()]
    assert places == sorted(places, reverse=True), "the latest stands first"


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_a_controller_killed_while_it_tells_people_tells_nobody_twice_over_a_channel_that_drops_repeats(seed: int) -> None:
    stages: list[Stage] = []
    found = exercise(replace(SCALED, seed=seed), lambda stage: _kill_between(stage, stages))
    assert found.ended_early is None, str(found)
    assert found.kills > 0
    sent = Counter(key for channel in stages[0].notifiers.values() for key in channel.sent)
    assert set(sent.values()) == {1}
    report = found.report()
    assert [row for row in report.notifications if row.may_be_twice] == []
    assert [row for row in report.notifications if row.met is not True] == []


def _kill_between(stage: Stage, stages: list[Stage]) -> None:
    """Kill the controller when a hand-over was made and is not recorded yet, three times."""
    stages.append(stage)
    left = [3]
    for notifier in stage.notifiers.values():
        plain = notifier.send

        async def send(notification: object, plain: object = plain) -> str:
            reference = await plain(notification)  # type: ignore[operator]
            if left[0] and stage.random.random() < 0.2:
                left[0] -= 1
                stage.kill_controller()
            return str(reference)

        notifier.send = send  # type: ignore[method-assign]


def test_over_a_channel_that_delivers_repeats_the_report_says_what_may_have_arrived_twice() -> None:
    def lossy(stage: Stage) -> None:
        sms = stage.notifiers["sms"]
        sms.repeats = Repeats.POSSIBLE
        sms.faults.append(ChannelFault.LOST_ANSWER)

    report = exercise(SCALED, lossy).report()
    assert [(row.rule, row.channel) for row in report.notifications if row.may_be_twice] == [("call", "sms")]
    assert any("may have arrived twice" in finding.sentence for finding in report.findings)
    assert [row for row in report.notifications if row.met is not True] == []


def test_without_a_scale_the_clock_is_the_walls() -> None:
    report = exercise(StageSettings(LOADED, seed=5)).report()
    assert report.scale == 1.0
    assert [call.level for call in report.calls] == ["primary"]


def test_channels_that_hang_delay_no_step_of_the_failover() -> None:
    def hanging(stage: Stage) -> None:
        for notifier in stage.notifiers.values():
            notifier.faults.extend([ChannelFault.SILENT] * MOST_HANDED_OVER)

    settings = StageSettings(LOADED, seed=5)
    as_ever, hung = exercise(settings).report(), exercise(settings, hanging).report()
    assert as_ever.outage_seconds is not None
    assert hung.outage_seconds == pytest.approx(as_ever.outage_seconds, abs=0.3)
    assert hung.notifications and all(row.sent_seconds is None for row in hung.notifications)
