"""Controller, doors and far ends as one thing, without regions: what is owed arrives, over real protocols and in time by the plan's clock,
though the controller is killed; and people answer by what reached them."""

import math
import os
import shutil
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

import holdfast
from holdfast.communications.obligations import all_messages
from holdfast.conduct.pagers import HAS_IT
from holdfast.drill.arrivals import arrival_findings, arrivals, refused
from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record
from holdfast.lab.channels import pager_user
from holdfast.lab.running import Lab
from holdfast.plan.loader import load
from holdfast.plan.plan_clock import PlanClock
from holdfast.providers.controller.client import ControllerClient, ControllerRefused, ControllerSilent
from holdfast.providers.sqlite.journal import JournalReader
from holdfast.report.history import History
from holdfast.report.telling import Span, notifications
from holdfast.report.told import NotificationResult
from lab.answers_rig import by_digits, by_link, received
from lab.lab_rig import PLAN, folder, running, until

LOADED = load(PLAN).plan
PARTS = frozenset({"receivers", "serve"})
TESTS = Path(__file__).resolve().parents[1]
ONE, TWO, THREE, SILENT = "exercise-one", "exercise-two", "exercise-three", "exercise-four"
CHAT = "U0EXERCISE1"
MINUTE, SCALE = 60.0, 60.0
OWED = {
    name
    for name, message in all_messages(LOADED).items()
    if message.counts_from == "start" and (not message.scenarios or "regional-outage" in message.scenarios)
}
"""What is owed while the outage lasts: nothing is restored here."""


class Told:
    """A controller over a lab's channels, and what it wrote and what arrived."""

    def __init__(self, lab: Lab, plan: Path) -> None:
        self.lab = lab
        self.plan = plan
        binding = lab.bindings("witness").controller
        self.client = ControllerClient(f"http://{binding.host}:{binding.port}", binding.token_file)
        self.process = self._start()

    def _start(self) -> "subprocess.Popen[bytes]":
        source = Path(str(holdfast.__file__)).parents[1]
        environment = {**self.lab.environment(), "PYTHONPATH": f"{TESTS}{os.pathsep}{source}"}
        command = [sys.executable, "-m", "lab.told_controller", str(self.plan), str(self.lab.directory), f"{SCALE:g}"]
        with self.lab.layout.log_of("controller").open("ab") as log:
            return subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=TESTS)

    def state(self) -> dict[str, Any] | None:
        try:
            return self.client.state()
        except (ControllerSilent, ControllerRefused):
            assert self.process.poll() is None, self.lab.layout.log_of("controller").read_text()[-3000:]
            return None

    def begin(self) -> float:
        """Declare the region lost; returns the moment of the impact."""
        until(lambda: self.state() is not None, 60.0)
        assert self.client.command("declare", THREE).startswith("accepted")
        until(lambda: self.incident() is not None, 20.0)
        incident = self.incident()
        assert incident is not None
        return float(incident["impact_seconds"])

    def incident(self) -> dict[str, Any] | None:
        state = self.state()
        return None if state is None else state["incident"]

    def killed_and_replaced(self) -> None:
        self.process.kill()
        self.process.wait()
        self.process = self._start()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20.0)

    def records(self) -> tuple[Record, ...]:
        return tuple(JournalReader(self.lab.layout.controller / "journal.db").read())

    def rows(self, impact: float, ended: float) -> tuple[NotificationResult, ...]:
        """As the report has them."""
        records, layout = self.records(), self.lab.layout
        span = Span(impact, ended, PlanClock(SCALE), arrivals(layout.received, layout.controller, records))
        return notifications(History(_incident(records), records), LOADED, span)


def _incident(records: tuple[Record, ...]) -> str:
    return next(record.incident for record in records if record.kind == Kind.INCIDENT_OPENED)


@contextmanager
def telling(plan: Path = PLAN, **far_ends: str) -> Iterator[Told]:
    """A lab of channels and doors with a controller before them. `far_ends`: how some of them behave."""
    with folder() as directory, running(directory, PARTS, "default", plan=plan) as lab:
        for name, how in far_ends.items():
            (lab.layout.received / f"{name.replace('_', '-')}.behaviour").write_text(how, encoding="utf-8")
        told = Told(lab, plan)
        try:
            yield told
        finally:
            told.stop()


@pytest.mark.alone
@pytest.mark.prove
@pytest.mark.timeout(400)
def test_an_hour_of_messages_arrives_in_time_though_the_controller_is_killed_twice() -> None:
    with telling() as told:
        impact = told.begin()
        # The first kill falls among what customers are told; what is due next after each leaves a successor time to start.
        kills = [impact + 15.3, impact + 33.0]
        answers = [(0.0, ONE), (0.0, TWO), (8.0, ONE)]  # the last when called as the backup
        while time.time() < impact + 71.0:
            if kills and time.time() >= kills[0]:
                kills.pop(0)
                told.killed_and_replaced()
            after, person = answers[0] if answers else (math.inf, ONE)
            ready = time.time() >= impact + after and told.state() is not None
            if ready and by_link(told.lab.directory, "smtp", LOADED, person, "read it", {}) is not None:
                answers.pop(0)
            time.sleep(0.5)
        told.stop()
        rows = told.rows(impact, time.time())
        due = [row for row in rows if row.due_seconds <= 70 * MINUTE]
        assert {row.rule for row in due} == {*OWED, "call", "decision", HAS_IT}
        late = [(row.rule, row.channel, row.recipient_ref, row.due_seconds, row.sent_seconds, row.failures) for row in due if not row.met]
        assert late == []
        unseen = [(row.rule, row.channel, row.recipient_ref) for row in due if row.arrived_seconds is None and row.rule != HAS_IT]
        assert unseen == [], "what a pager is told when somebody has it carries the alert's key alone"
        assert all((row.arrived_seconds or 0.0) <= 30 * MINUTE for row in due if row.rule == "customers")
        assert all((row.arrived_seconds or 0.0) <= 60 * MINUTE for row in due if row.rule == "partners")
        updates = sorted({row.due_seconds / MINUTE for row in due if row.rule == "status"})
        assert updates == pytest.approx([15, 30, 45, 60], abs=0.1)
        taken = [(record.body["role"], record.body["person"]) for record in told.records() if record.kind == Kind.ROLE_TAKEN]
        assert taken == [("incident-commander", ONE)], "the backup was called, and took the role by the link that it got"
        # Nobody is alerted twice for one cause where the channel drops a repeat; where it can't, the report says that it may have been.
        seen = arrivals(told.lab.layout.received, told.lab.layout.controller, told.records())
        said = {f"{row.rule}/{row.channel}/{row.recipient_ref}" for row in rows if row.may_be_twice}
        twice = [key.split("/") for key, moments in seen.items() if len(moments) > 1]
        assert {f"{rule}/{channel}/{who}" for _, rule, _, channel, who in twice} <= said
        alerts = Counter(row["alert"] for row in received(told.lab.directory, "pagerduty"))
        assert (alerts["opened"], alerts["acknowledged"]) == (1, 1)
        layout = told.lab.layout
        wrong = [
            finding.sentence for finding in arrival_findings(seen, refused(layout.received), told.records()) if "never" in finding.sentence
        ]
        assert wrong == [] and refused(layout.received) == ()


@pytest.mark.timeout(200)
def test_with_first_ways_down_people_are_told_by_the_second_and_answer_by_what_reached_them() -> None:
    with telling(slack="500", smtp="500", twilio="503", pagerduty="503") as told:
        impact = told.begin()
        lab, doors = told.lab.directory, told.lab.bindings("witness").doors
        assert doors is not None
        until(lambda: by_link(lab, "smtp-second", LOADED, ONE, "read it", {}) is not None, 60.0)
        region = {"region": LOADED.dr_region()}
        until(lambda: by_link(lab, "smtp-second", LOADED, ONE, "approve", region) is not None, 60.0)
        until(lambda: by_digits(lab, "twilio-second", LOADED, TWO, doors.public_url) is not None, 60.0)
        until(lambda: any(record.kind == Kind.DECIDED for record in told.records()), 20.0)
        until(
            lambda: (
                {"sms", "phone", "email", "slack", "pagerduty"} <= {row.channel for row in told.rows(impact, time.time()) if row.second_way}
            ),
            30.0,
        )
        records = told.records()
        acknowledged = [(record.body["person"], record.body["way"]) for record in records if record.kind == Kind.ACKNOWLEDGED]
        assert (ONE, "link") in acknowledged
        approved = [(record.body["person"], record.body["through"]) for record in records if record.kind == Kind.APPROVED]
        assert approved == [(ONE, "link"), (TWO, "sms")]
        ways = defaultdict(set)
        for row in told.rows(impact, time.time()):
            if row.second_way is not None:
                ways[row.channel].add(row.second_way.partition(":")[0])
        assert ways == {"slack": {"slack-webhook"}, "email": {"smtp"}, "sms": {"sms"}, "phone": {"voice"}, "pagerduty": {"sms"}}
        assert received(lab, "smtp") == received(lab, "slack") == received(lab, "twilio") == received(lab, "pagerduty") == []
        alerted = [row for row in told.rows(impact, time.time()) if (row.rule, row.channel) == ("incident-alert", "pagerduty")]
        assert alerted and all(row.met for row in alerted), "and by the other kind of way, in time"


@pytest.mark.timeout(200)
def test_what_the_telephone_reports_as_lost_or_never_reports_goes_the_second_way_and_arrived_is_no_answer() -> None:
    with telling() as told:
        (told.lab.layout.received / "twilio.reports").write_text("lost", encoding="utf-8")
        impact = told.begin()

        def called() -> list[NotificationResult]:
            return [row for row in told.rows(impact, time.time()) if row.rule == "call" and row.channel in ("sms", "phone")]

        def all_went_the_second_way() -> bool:
            rows = called()
            return len(rows) >= 6 and all(row.second_way is not None for row in rows[:6])

        until(all_went_the_second_way, 60.0)
        assert received(told.lab.directory, "twilio") and received(told.lab.directory, "twilio-second")
        lost = [record.body["reason"] for record in told.records() if record.kind == Kind.NOTIFICATION_FAILED]
        assert any("the telephone service says undelivered" in reason for reason in lost)
        (told.lab.layout.received / "twilio.reports").write_text("delivered", encoding="utf-8")
        until(lambda: any(row.delivered_seconds is not None and row.second_way is None for row in called()), 60.0)
        assert all(row.acknowledged_seconds is None for row in called())


def with_a_chat(directory: Path) -> Path:
    """The plan with a user of the chat for the first stand-in."""
    for file in PLAN.parent.iterdir():
        if file.is_file():
            shutil.copy(file, directory / file.name)
    plan, line = directory / PLAN.name, f"  {ONE}: {{ "
    text = plan.read_text(encoding="utf-8")
    assert text.count(line) == 1
    plan.write_text(text.replace(line, f"{line}chat: {CHAT}, "), encoding="utf-8")
    return plan


@pytest.mark.timeout(200)
def test_people_answer_by_a_button_by_their_pager_and_by_a_key_of_the_telephone_through_the_doors(tmp_path: Path) -> None:
    with telling(with_a_chat(tmp_path)) as told:
        far_ends = told.lab.layout.received
        (far_ends / "slack.presses").write_text(f"{CHAT} acknowledge\nU0NOBODY00 acknowledge\n", encoding="utf-8")
        (far_ends / "pagerduty.presses").write_text(f"{pager_user(TWO)} acknowledge\nPNOBODY acknowledge\n", encoding="utf-8")
        told.begin()

        def answers() -> set[tuple[str, str]]:
            return {(record.body["person"], record.body["way"]) for record in told.records() if record.kind == Kind.ACKNOWLEDGED}

        until(lambda: len(answers()) == 2, 60.0)
        assert answers() == {(ONE, "button"), (TWO, "reply")}
        (far_ends / "twilio.keys").write_text("1", encoding="utf-8")
        until(lambda: any(way == "phone-key" for _, way in answers()), 60.0)
        rung = {parse_qs(row["body"])["To"][0] for row in received(told.lab.directory, "twilio") if "/Calls" in row["path"]}
        by_key = {person for person, way in answers() if way == "phone-key"}
        assert {(LOADED.people[person].phone or "").replace(" ", "") for person in by_key} <= rung
        until(lambda: {row["alert"] for row in received(told.lab.directory, "pagerduty")} >= {"opened", "acknowledged"}, 20.0)
        wrong = [row for name in ("slack", "pagerduty", "twilio") for row in received(told.lab.directory, name) if "wrong" in row]
        assert wrong == []
        assert not {record.kind for record in told.records()} & {Kind.APPROVED, Kind.DECIDED}, "who has it has approved nothing"
