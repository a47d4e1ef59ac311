"""The controller's clock is set forward or back while people are told: nobody is told twice, nothing is lost, and the step is said."""

from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest

from holdfast.journal.kinds import Kind
from holdfast.ports.notifier import Notification
from holdfast.report.model import Report
from holdfast.simulation.clock import VirtualClock
from holdfast.simulation.exercise import Exercised, exercise
from holdfast.simulation.stage import Stage
from simulation.test_people_and_messages import OWED, SCALED

MINUTE = 60.0
BY_SECONDS = 20.0
"""Twenty minutes of the plan at its scale."""


def stepped(by_seconds: float, after_message: str, seed: int) -> tuple[Exercised, Report, Counter[str]]:
    """An exercise whose controller's clock is set when the first of a message is handed over; and how often each hand-over was made."""
    made: Counter[str] = Counter()

    def interfere(stage: Stage) -> None:
        stage.controller_clock = VirtualClock()
        for notifier in stage.notifiers.values():
            notifier.send = _counted(stage, notifier.send, made, by_seconds, after_message)  # type: ignore[assignment, method-assign]

    found = exercise(replace(SCALED, seed=seed), interfere)
    return found, found.report(), made


Send = Callable[[Notification], Coroutine[Any, Any, str]]


def _counted(stage: Stage, plain: Send, made: Counter[str], by_seconds: float, after_message: str) -> Send:
    async def send(notification: Notification) -> str:
        if notification.message == after_message and not any(f"/{after_message}/" in key for key in made):
            stage.controller_clock.step(by_seconds)
        made[notification.key] += 1
        return await plain(notification)

    return send


@pytest.mark.parametrize("by_seconds", [BY_SECONDS, -BY_SECONDS])
@pytest.mark.parametrize("after_message", ["incident-alert", "customers"])
def test_nobody_is_told_twice_and_nothing_is_lost_when_the_clock_is_set(by_seconds: float, after_message: str) -> None:
    exercised, report, made = stepped(by_seconds, after_message, seed=4)
    assert exercised.ended_early is None, str(exercised)
    assert set(made.values()) == {1}, [key for key, times in made.items() if times > 1]
    assert {row.rule for row in report.notifications} >= OWED
    assert [(row.rule, row.channel, row.recipient_ref) for row in report.notifications if row.sent_seconds is None] == []
    assert [(row.rule, row.channel, row.due_seconds, row.sent_seconds) for row in report.notifications if not row.met] == []
    moments = [record.at_seconds for record in exercised.facts.records]
    assert moments[: len(moments) // 2] == sorted(moments[: len(moments) // 2]), "an open incident's times don't break over it"
    (step,) = [record for record in exercised.facts.records if record.kind == Kind.CLOCK_STEPPED]
    assert step.body["seconds"] == pytest.approx(by_seconds, abs=0.5) and step.body["kept"] is True
    direction = "forward" if by_seconds > 0 else "back"
    assert any(finding.sentence.startswith(f"It was set {direction} by 20 s while this was open.") for finding in report.findings)
