"""An hour of people and messages on real servers, in a minute: what the plan demands arrives at the far ends in time, over a second way
where the first is down, and people answer by what reached them."""

import time
from collections import defaultdict
from collections.abc import Callable

import pytest

from holdfast.communications.obligations import all_messages
from holdfast.conduct.pagers import HAS_IT, IS_OVER
from holdfast.conduct.status_page import MESSAGE
from holdfast.console.narration import Line
from holdfast.drill.drilling import RunningDrill
from holdfast.journal.kinds import Kind
from holdfast.plan.loader import load
from holdfast.report.told import NotificationResult
from lab.answers_rig import by_digits, by_link, received
from lab.drill_rig import Drilled, drilled, place
from lab.lab_rig import PLAN

pytestmark = [pytest.mark.alone, pytest.mark.prove]

LOADED = load(PLAN).plan
ASKED = LOADED.exercises["regional-outage"]
MINUTE = 60.0
OWED = {name for name, message in all_messages(LOADED).items() if not message.scenarios or "regional-outage" in message.scenarios}
ONE, TWO, SILENT = "exercise-one", "exercise-two", "exercise-four"


def rows_of(over: Drilled, rule: str) -> list[NotificationResult]:
    return [row for row in over.report.notifications if row.rule == rule]


def unmet(over: Drilled) -> list[tuple[str, str, str, float, float | None]]:
    return [
        (row.rule, row.channel, row.recipient_ref, row.due_seconds, row.sent_seconds)
        for row in over.report.notifications
        if row.met is not True
    ]


@pytest.mark.timeout(900)
def test_at_scale_60_everything_that_the_plan_demands_arrives_inside_its_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    with place() as directory:
        over = drilled(
            directory,
            monkeypatch,
            scale=60.0,
            decide_after_seconds=ASKED.decide_after,
            open_for_seconds=ASKED.open_for,
            unanswered=frozenset(ASKED.unanswered),
        )
        assert over.report.verdict == "pass", over.said()
        assert {row.rule for row in over.report.notifications} == {*OWED, "call", "decision", HAS_IT, IS_OVER, MESSAGE}
        assert unmet(over) == [], over.said()
        # The far ends themselves saw each of them, once, and in time.
        seen = [row for row in over.report.notifications if row.rule not in (HAS_IT, IS_OVER)]  # those carry the alert's key alone
        late = [row for row in seen if row.arrived_seconds is None or row.arrived_seconds > row.due_seconds]
        assert late == [], over.said()
        assert [finding.result for finding in over.report.findings if finding.about == "messages"] == ["pass"]
        assert all(row["wrong"] == [] for row in received(directory / "lab", "smtp"))
        happened = list(dict.fromkeys(row["alert"] for row in received(directory / "lab", "pagerduty")))
        assert happened == ["opened", "acknowledged", "resolved"], "the pager hears of it once, whoever stands behind it"
        # Nobody answers for the commander: the backup is called, and takes the role.
        assert [(call.level, call.recipients) for call in over.report.calls[1:2]] == [("backup", (ONE,))]
        taken = [record.body for record in over.result.evidence.records if record.kind == Kind.ROLE_TAKEN]
        assert [(body["role"], body["instead_of"]) for body in taken] == [("incident-commander", SILENT)]
        # Customers and partners within their windows, and an update every 15 minutes until service was back.
        assert {row.channel for row in rows_of(over, "customers")} == {"status-page", "email", "in-app"}
        assert all((row.arrived_seconds or 0.0) <= 30 * MINUTE for row in rows_of(over, "customers"))
        assert all((row.arrived_seconds or 0.0) <= 60 * MINUTE for row in rows_of(over, "partners"))
        updates = sorted({row.due_seconds for row in rows_of(over, "status")})
        assert len(updates) >= 2 and updates == pytest.approx([15 * MINUTE * (number + 1) for number in range(len(updates))], abs=1.0)
        # A telephone says later that something arrived; that is no answer.
        calls = [row for row in rows_of(over, "call") if row.channel in ("sms", "phone")]
        assert calls and all(row.delivered_seconds is not None for row in calls)
        assert [row for row in calls if row.recipient_ref == SILENT and row.acknowledged_seconds is not None] == []


class ByMessage:
    """Stand-ins who answer nothing by themselves, only by what reached them: the newest link or code that a far end was handed."""

    def __init__(self, mail: str, telephone: str) -> None:
        self._mail = mail
        self._telephone = telephone
        self._done: set[str] = set()
        self.said: list[str] = []

    def answer(self, drill: RunningDrill) -> None:
        incident = drill.state["incident"]
        if incident is None or not drill.deciding:
            return
        directory, doors = drill.lab.directory, drill.lab.bindings("witness").doors
        assert doors is not None
        self._once(f"ack {incident['incident']}", lambda: by_link(directory, self._mail, LOADED, ONE, "read it", {}))
        proposal = incident["proposal"]
        if proposal is None:
            return
        region = {"region": proposal["target"]}
        given = {approval["person"] for approval in proposal["approvals"]}
        if ONE not in given:
            self._once(f"{proposal['hash']} {ONE}", lambda: by_link(directory, self._mail, LOADED, ONE, "approve", region))
        elif TWO not in given:
            self._once(f"{proposal['hash']} {TWO}", lambda: by_digits(directory, self._telephone, LOADED, TWO, doors.public_url))

    def _once(self, what: str, deed: Callable[[], str | None]) -> None:
        if what not in self._done and (said := deed()) is not None:
            self._done.add(what)
            self.said.append(said)


@pytest.mark.timeout(900)
def test_with_chat_the_first_relay_and_the_telephone_down_people_are_told_in_time_and_answer_by_what_reached_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    people = ByMessage("smtp-second", "twilio-second")

    def answer(drill: RunningDrill) -> None:
        people.answer(drill)

    monkeypatch.setattr(RunningDrill, "_answer", answer)
    broken: list[Line] = []

    def break_far_ends(drill: RunningDrill) -> None:
        if not broken:
            broken.append(Line(time.time(), "failed", "the first ways are down"))
            for name, how in (("slack", "500"), ("smtp", "500"), ("twilio", "503"), ("pagerduty", "503")):
                (drill.lab.layout.received / f"{name}.behaviour").write_text(how, encoding="utf-8")

    with place() as directory:
        over = drilled(directory, monkeypatch, interfere=break_far_ends, scale=60.0, open_for_seconds=20 * MINUTE)
        assert over.report.verdict == "pass", over.said()
        assert [said for said in people.said if "by link" in said] and [said for said in people.said if "by text" in said]
        through = {record.body["through"] for record in over.result.evidence.records if record.kind == Kind.APPROVED}
        assert through == {"link", "sms"}
        assert unmet(over) == [], over.said()
        ways = defaultdict(set)
        for row in over.report.notifications:
            ways[row.channel].add(str(row.second_way).partition(":")[0])
        assert {channel: ways[channel] for channel in ("slack", "email", "sms", "phone", "pagerduty")} == {
            "slack": {"slack-webhook"},
            "email": {"smtp"},
            "sms": {"sms"},
            "phone": {"voice"},
            "pagerduty": {"sms"},
        }
        assert received(directory / "lab", "smtp") == [] and received(directory / "lab", "smtp-second")
