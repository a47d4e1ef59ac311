"""A quiet test of people's channels: who is written to over what, who never is, what is journalled, and what is shown."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from holdfast.cli.output import ExitCode
from holdfast.conduct.policy import answered
from holdfast.conduct.situation import Command, Tell, Write
from holdfast.console.channel_test import channel_test
from holdfast.console.narration import line
from holdfast.console.serving.answering import VERBS
from holdfast.controller.telling import notification_of
from holdfast.decision.links import Deed, Link, sealed
from holdfast.decision.references import FIRST_UNKNOWN, SECOND
from holdfast.decision.replay import replayed
from holdfast.journal.kinds import Kind
from holdfast.ports.notifier import Loudness
from unit.conduct_on_paper import LOADED, PRIMARY, Paper
from unit.serve_rig import PaperController, PaperLab, in_a_lab, serving, with_accounts

AOIFE, TOM = "aoife-brennan", "tom-okafor"
TEST_TOM = ("oncall", "test", TOM, "--as", AOIFE)
NOON, NIGHT = 1_781_604_000.0, 1_781_575_200.0  # 11:00 and 03:00 in Dublin on 16 June 2026
STAND_INS = {person for person, known in LOADED.plan.people.items() if known.exercise}


def paper_at(now: float, *, exercise: str | None = None) -> Paper:
    paper = Paper(exercise=exercise)
    paper.now = now
    return paper


def shown(paper: Paper) -> dict[str, Any]:
    found = channel_test(paper.situation())
    assert found is not None
    return found


def over(paper: Paper, person: str) -> dict[str, str]:
    return {one["channel"]: one["state"] for row in shown(paper)["people"] if row["person"] == person for one in row["over"]}


def test_by_day_a_person_is_written_to_over_what_wakes_nobody_and_no_incident_begins() -> None:
    paper = paper_at(NOON)
    assert paper.command("test-channels", AOIFE, people=[TOM]).startswith("accepted: test-1")
    told = {(tell.channel, tell.recipient, tell.loudest) for tell in paper.told}
    assert told == {("email", TOM, "quiet"), ("sms", TOM, "text")}
    assert all(tell.subject.startswith("EXERCISE: TEST") and tell.short.startswith("EXERCISE: TEST") for tell in paper.told)
    assert all(tell.enrolled and tell.test == "test-1" for tell in paper.told)
    assert paper.installation.incidents == {}
    assert paper.installation.notices == {}, "a test is no news"
    assert not [record for record in paper.records if record.kind in (Kind.ESCALATED, Kind.NOTIFICATION_DUE)], "nobody is called"
    left = {one["channel"]: one["because"] for one in shown(paper)["people"][0]["over"] if one["state"] == "left-out"}
    assert left == {"phone": "rings", "slack": "place"}, "a room that many read is no channel of one person"


def test_at_night_a_text_message_rings_too_unless_somebody_asks_for_it() -> None:
    paper = paper_at(NIGHT)
    paper.command("test-channels", AOIFE, people=[TOM])
    assert {tell.channel for tell in paper.told} == {"email"}
    says = next(one["says"] for one in shown(paper)["people"][0]["over"] if one["channel"] == "sms")
    assert says == "it is 03:00 for Tom Okafor; `--ring sms` tests it too"
    paper.told.clear()
    paper.command("test-channels", AOIFE, people=[TOM], rings=["sms", "phone"])
    assert {(tell.channel, tell.loudest) for tell in paper.told} == {("email", "quiet"), ("sms", "text"), ("phone", "call")}


def test_the_night_is_the_persons_own() -> None:
    people = {**LOADED.plan.people, TOM: LOADED.plan.people[TOM].model_copy(update={"timezone": "America/Los_Angeles"})}
    paper = Paper(exercise=None, plan=LOADED.plan.model_copy(update={"people": people}))
    paper.now = NOON  # 03:00 there
    paper.command("test-channels", AOIFE, people=[TOM, AOIFE])
    assert {tell.recipient for tell in paper.told if tell.channel == "sms"} == {AOIFE}


def test_everybody_with_a_role_or_a_turn_is_tested_and_neither_customers_nor_partners_nor_vendors_nor_stand_ins() -> None:
    paper = paper_at(NOON)
    paper.command("test-channels", AOIFE)
    told = {tell.recipient for tell in paper.told}
    roles, turns = LOADED.plan.roles.values(), LOADED.plan.rotations.values()
    assert told == {one for role in roles for one in (role.primary, role.backup) if one} | {one for turn in turns for one in turn.people}
    assert {tell.channel for tell in paper.told} <= {"email", "sms", "slack"}, "never a page, a feed, a webhook or a pager"


@pytest.mark.parametrize("stranger", ["customers", "partners", "vendor.carrier", "on-call", "exercise-one", "nobody-at-all"])
def test_nobody_else_can_be_named(stranger: str) -> None:
    paper = paper_at(NOON)
    answer = paper.command("test-channels", AOIFE, people=[TOM, stranger])
    assert answer.startswith(f"refused: '{stranger}' is nobody whom a test may reach here") and paper.told == []


def test_in_an_exercise_only_who_is_enrolled_is_tested() -> None:
    paper = paper_at(NOON, exercise="exercise-7")
    paper.command("test-channels", "exercise-one")
    assert {tell.recipient for tell in paper.told} <= STAND_INS and paper.told
    answer = paper.command("test-channels", "exercise-one", people=[TOM])
    assert answer.startswith(f"refused: '{TOM}'")


@pytest.mark.parametrize(
    ("by", "arguments", "because"),
    [
        ("a-stranger", {}, "is nobody in the plan"),
        ("exercise-one", {}, "only in exercises"),
        (AOIFE, {"rings": ["pagerduty"]}, "can't be asked to ring"),
        (AOIFE, {"people": "tom-okafor"}, "are lists of names"),
        (AOIFE, {"people": [1]}, "are lists of names"),
    ],
)
def test_what_is_no_test_is_refused_and_nothing_is_sent(by: str, arguments: dict[str, Any], because: str) -> None:
    paper = paper_at(NOON)
    answer = paper.command("test-channels", by, **arguments)
    assert answer.startswith("refused") and because in answer and paper.told == []
    assert not [record for record in paper.records if record.kind == Kind.CHANNELS_TESTED]


def begun(paper: Paper, *people: str) -> list[Write]:
    """The records of a test that somebody asked for, before anything of it is handed over."""
    said, moves = answered(paper.situation(), Command("c1", "test-channels", AOIFE, {"people": list(people)}))
    assert said.startswith("accepted")
    return [move for move in moves if isinstance(move, Write)]


def opened() -> Write:
    paper = paper_at(NOON)
    paper.lose_region()
    record = next(record for record in paper.records if record.kind == Kind.INCIDENT_OPENED)
    return Write(Kind.INCIDENT_OPENED, record.incident, dict(record.body))


def test_while_an_incident_is_open_there_is_no_test() -> None:
    paper = paper_at(NOON)
    paper.lose_region()
    told = len(paper.told)
    assert "a test would be taken for a part of it" in paper.command("test-channels", AOIFE)
    assert [tell for tell in paper.told[told:] if tell.test] == []


def test_an_incident_that_is_opened_ends_a_test_for_good_though_it_be_over_soon() -> None:
    paper = paper_at(NOON)
    paper.write([*begun(paper, TOM), opened()])
    paper.lose_region()
    assert [tell for tell in paper.told if tell.test] == []
    assert not shown(paper)["under_way"] and over(paper, TOM)["email"] == "failed" and shown(paper)["unreached"] == [TOM]
    assert paper.command("refuse", AOIFE, reason="nothing is wrong").startswith("accepted")
    assert paper.incident.ended
    assert [tell for tell in paper.told if tell.test] == [], "nobody gets a test in the minute after an incident"
    assert not shown(paper)["under_way"]
    assert paper.command("test-channels", AOIFE, people=[TOM]).startswith("accepted: test-2")


def handed_over(channel: str, person: str) -> dict[str, str]:
    return {"key": "test-1", "message": "quiet-test", "channel": channel, "recipient": person}


def lines(paper: Paper, person: str) -> dict[str, str]:
    """Channel → state and what is said of it, of the channels that the person was to be tested over."""
    found = next(row for row in shown(paper)["people"] if row["person"] == person)
    return {one["channel"]: f"{one['state']}: {one['says']}" for one in found["over"] if one["state"] != "left-out"}


def test_an_incident_ends_new_hand_overs_and_those_already_made_are_waited_for_so_that_nobody_is_called_lost() -> None:
    paper = paper_at(NOON)
    email = handed_over("email", TOM)
    paper.write([*begun(paper, TOM), Write(Kind.NOTIFICATION_INTENDED, "", {**email, "attempt": 1})])
    paper.now += 0.5
    paper.write([opened()])
    assert lines(paper, TOM) == {"email": "under-way: ", "sms": "failed: an incident was opened before it was handed over"}
    assert shown(paper)["under_way"] and shown(paper)["broken_off"] and shown(paper)["unreached"] == []
    paper.settle()
    assert [tell for tell in paper.told if tell.test] == [], "no new hand-over"
    paper.now += 1.0
    paper.write([Write(Kind.NOTIFICATION_SENT, "", {**email, "reference": "smtp: 250 taken"})])
    assert over(paper, TOM)["email"] == "handed-over" and shown(paper)["unreached"] == []
    assert not shown(paper)["under_way"]


def test_what_nothing_was_heard_of_in_its_minute_says_what_came_between() -> None:
    paper = paper_at(NOON)
    begins = [Write(Kind.NOTIFICATION_INTENDED, "", {**handed_over(channel, TOM), "attempt": 1}) for channel in ("email", "sms")]
    paper.write([*begun(paper, TOM), *begins])
    paper.now += 0.5
    paper.write([opened()])
    paper.now += 60.0
    assert set(lines(paper, TOM).values()) == {"unknown: an incident was opened before the controller knew; it may have arrived"}
    assert not shown(paper)["under_way"] and shown(paper)["unreached"] == [TOM]


def test_an_incident_after_the_minute_broke_nothing_off() -> None:
    paper = paper_at(NOON)
    paper.write([*begun(paper, TOM), Write(Kind.NOTIFICATION_INTENDED, "", {**handed_over("email", TOM), "attempt": 1})])
    paper.now += 3600.0
    paper.write([opened()])
    assert lines(paper, TOM) == {
        "email": "unknown: the controller ended before it knew; it may have arrived",
        "sms": "failed: it was not handed over: no controller was there",
    }
    assert not shown(paper)["broken_off"]


def test_a_test_that_is_waited_for_is_not_replaced_by_another_though_the_incident_be_over() -> None:
    paper = paper_at(NOON)
    paper.write([*begun(paper, TOM), Write(Kind.NOTIFICATION_INTENDED, "", {**handed_over("email", TOM), "attempt": 1}), opened()])
    paper.lose_region()
    assert paper.command("refuse", AOIFE, reason="nothing is wrong").startswith("accepted")
    assert paper.command("test-channels", AOIFE, people=[TOM]).startswith("refused: test-1 is still under way")
    paper.wait(60.0)
    assert paper.command("test-channels", AOIFE, people=[TOM]).startswith("accepted: test-2")


def test_nobody_counts_as_not_reached_before_every_channel_has_said_something_or_had_its_minute() -> None:
    paper = paper_at(NOON)
    paper.write(begun(paper, TOM))
    sms, email = ({"key": "test-1", "message": "quiet-test", "channel": channel, "recipient": TOM} for channel in ("sms", "email"))
    paper.write([Write(Kind.NOTIFICATION_INTENDED, "", {**one, "attempt": 1}) for one in (sms, email)])
    paper.write([Write(Kind.NOTIFICATION_FAILED, "", {**sms, "reason": "down"})])
    assert shown(paper)["under_way"] and shown(paper)["unreached"] == []
    assert paper.command("test-channels", AOIFE).startswith("refused: test-1 is still under way")
    paper.wait(60.0)
    assert not shown(paper)["under_way"] and shown(paper)["unreached"] == [TOM]


def test_what_was_handed_over_arrived_failed_and_was_acknowledged_stands_in_the_journal_and_survives_the_controller() -> None:
    paper = paper_at(NOON)
    paper.broken_channels = frozenset({"sms"})
    paper.command("test-channels", AOIFE, people=[TOM])
    arrived = {"key": "test-1/email/tom-okafor", "result": "delivered", "how": "the mailbox"}
    assert paper.command("receipt", "machine:relay", **arrived) == "accepted: it arrived"
    assert paper.command("ack", TOM, incident="test-1", way="link") == f"accepted: test-1 reached {TOM}"
    assert paper.command("ack", TOM, incident="test-1").startswith(f"accepted: {TOM} had said already")
    assert over(paper, TOM) == {"email": "delivered", "sms": "failed", "phone": "left-out", "slack": "left-out"}
    [row] = shown(paper)["people"]
    assert row["reached"] and row["acknowledged_by"] == "link"
    before = shown(paper)
    paper.installation = replayed(PRIMARY, paper.records)
    paper.settle()
    assert shown(paper) == before
    said = [
        told.text for record in paper.records if record.kind in (Kind.CHANNELS_TESTED, Kind.TEST_ACKNOWLEDGED) if (told := line(record))
    ]
    assert said == ["aoife-brennan tests the channels of 1 people quietly: test-1", "test-1 reached tom-okafor (by link)"]
    journal = json.dumps([dict(record.body) for record in paper.records])
    assert "@voicehive.example" not in journal, "no address stands in a record"


def test_a_failed_hand_over_is_not_tried_again() -> None:
    paper = paper_at(NOON)
    paper.broken_channels = frozenset({"email", "sms"})
    paper.command("test-channels", AOIFE, people=[TOM])
    for _ in range(10):
        paper.wait(60.0)
    assert len(paper.told) == 2
    assert shown(paper)["unreached"] == [TOM]


def test_nobody_answers_for_another_or_for_a_test_that_is_over() -> None:
    paper = paper_at(NOON)
    paper.command("test-channels", AOIFE, people=[TOM])
    assert paper.command("ack", AOIFE, incident="test-1") == f"refused: test-1 was not for '{AOIFE}'"
    assert paper.command("ack", TOM, incident="test-2") == "refused: test-2 is not the last test"
    paper.wait(86400.0)
    assert paper.command("ack", TOM, incident="test-1") == "refused: test-1 is over; ask for another"


def test_a_person_without_an_address_is_said_to_be_out_of_reach_and_why() -> None:
    people = {**LOADED.plan.people, TOM: LOADED.plan.people[TOM].model_copy(update={"email": None, "phone": None, "chat": None})}
    paper = Paper(exercise=None, plan=LOADED.plan.model_copy(update={"people": people}))
    paper.now = NOON
    paper.command("test-channels", AOIFE, people=[TOM])
    found = shown(paper)
    assert found["unreached"] == [TOM]
    assert {(one["channel"], one["says"]) for one in found["people"][0]["over"] if one["because"] == "no-address"} >= {
        ("email", "the plan has no email for Tom Okafor"),
        ("sms", "the plan has no phone for Tom Okafor"),
    }


def test_a_channel_that_is_bound_to_nothing_reaches_nobody() -> None:
    paper = paper_at(NOON)
    paper.command("test-channels", AOIFE, people=[TOM])
    named = {"key": "test-1", "message": "quiet-test", "recipient": TOM, "reference": "file:messages.sms.jsonl:7"}
    paper.write([Write(Kind.NOTIFICATION_SENT, "", {**named, "channel": channel}) for channel in ("email", "sms")])
    assert shown(paper)["unreached"] == [TOM]
    assert over(paper, TOM)["email"] == "not-bound"


def test_the_message_is_practice_for_its_channel_and_never_louder_than_it_may_be() -> None:
    paper = paper_at(NOON)
    paper.command("test-channels", AOIFE, people=[TOM])
    mail = next(tell for tell in paper.told if tell.channel == "email")
    sent = notification_of(mail, mail.test, None, paper.now)
    assert sent.exercise and sent.enrolled and sent.loudest is Loudness.QUIET and sent.incident == "test-1"


def test_no_door_can_begin_a_test() -> None:
    assert "test-channels" not in VERBS


def test_a_person_says_by_the_messages_link_that_it_arrived_and_looking_says_nothing(tmp_path: Path) -> None:
    with_accounts(tmp_path)
    with serving(tmp_path) as served:
        served.paper.command("test-channels", "exercise-one", people=["exercise-one"])
        key = (tmp_path / "link.key").read_bytes()

        def path(person: str, test: str = "test-1") -> str:
            return "/a/" + sealed(key, Link(person, Deed.ACKNOWLEDGE, test, "", time.time() + 600))

        page = served.browser.get(path("exercise-one"))
        assert page.status_code == 200 and "nothing has happened" in page.text and "EXERCISE" in page.text
        assert shown(served.paper)["people"][0]["acknowledged_by"] is None
        assert served.browser.post(path("exercise-one", "test-2"), data={"once": "1"}).status_code == 409
        assert "was not for" in served.browser.post(path("exercise-two"), data={"once": "1"}).text
        assert "test-1 reached exercise-one" in served.browser.post(path("exercise-one"), data={"once": "1"}).text
        assert shown(served.paper)["people"][0]["acknowledged_by"] == "link"
        assert served.paper.installation.incidents == {}


# -- the command -----------------------------------------------------------------------------------------------------------------


class PatientPaper(Paper):
    """One whose channels take their time: what was handed over is held until they say something."""

    def __init__(self) -> None:
        super().__init__(exercise=None)
        self.held: list[Tell] = []

    def _tell(self, move: Tell) -> None:
        self.held.append(move)

    def say(self) -> None:
        for move in self.held:
            super()._tell(move)


class Patient(PaperController):
    """A controller over such channels, which say something after somebody has looked twice."""

    def __init__(self) -> None:
        self.patient = PatientPaper()
        super().__init__(self.patient)

    def state(self) -> dict[str, Any]:
        if self.looks == 2:
            self.patient.say()
        return super().state()


class Interrupted(Patient):
    """An incident is opened before anybody looks again."""

    def state(self) -> dict[str, Any]:
        if self.looks == 1:
            self.paper.write([opened()])
        return super().state()


@contextmanager
def at_noon(folder: Path, controller: PaperController) -> Iterator[PaperLab]:
    controller.paper.now = NOON
    with in_a_lab(folder, controller) as lab:
        yield lab


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[PaperLab]:
    """One whose channels say at once whether they took a message."""
    with at_noon(tmp_path, PaperController(Paper(exercise=None))) as found:
        yield found


def test_the_command_says_who_was_reached_over_what_and_what_was_left_out(lab: PaperLab, capsys: pytest.CaptureFixture[str]) -> None:
    assert lab.run(*TEST_TOM) == ExitCode.FINE
    said = capsys.readouterr().out
    assert "EXERCISE ✓ test-1 reached 1 of 1" in said and "a call rings" in said
    assert lab.controller.paper.command("ack", TOM, incident="test-1").startswith("accepted")
    assert lab.run("oncall", "tested") == ExitCode.FINE
    assert "by cli" in capsys.readouterr().out


def test_who_is_not_reached_makes_it_fail_and_a_program_reads_it_as_json(lab: PaperLab, capsys: pytest.CaptureFixture[str]) -> None:
    lab.controller.paper.broken_channels = frozenset({"email", "sms"})
    assert lab.run(*TEST_TOM, "--output", "json") == ExitCode.NOT_SO
    found = json.loads(capsys.readouterr().out)
    assert found["unreached"] == [TOM] and found["rings"] == []
    assert {one["channel"]: one["state"] for one in found["people"][0]["over"]} == {
        "email": "failed",
        "sms": "failed",
        "phone": "left-out",
        "slack": "left-out",
    }
    assert lab.run("oncall", "tested") == ExitCode.NOT_SO
    assert "NOT reached: tom-okafor" in capsys.readouterr().out


@pytest.mark.parametrize(("made", "ends"), [(Patient, ""), (Interrupted, "; an incident was opened and broke it off")])
def test_the_command_looks_again_until_every_channel_has_said_something_of_what_was_handed_over(
    made: type[Patient], ends: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with at_noon(tmp_path, made()) as lab:
        assert lab.run(*TEST_TOM) == ExitCode.FINE
    assert lab.controller.looks == 3
    said = capsys.readouterr().out
    assert said.splitlines()[0].rstrip() == f"EXERCISE ✓ test-1 reached 1 of 1{ends}"
    assert "controller ended" not in said


def test_a_command_that_does_not_wait_says_that_it_is_under_way_and_fails_nobody(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with at_noon(tmp_path, Patient()) as lab:
        assert lab.run(*TEST_TOM, "--wait", "0") == ExitCode.UNKNOWN
    said = capsys.readouterr().out
    assert "test-1 is under way; not every channel has said something" in said and "NOT reached" not in said


def test_what_the_controller_refuses_is_said_as_it_says_it(lab: PaperLab, capsys: pytest.CaptureFixture[str]) -> None:
    assert lab.run("oncall", "test", TOM, "--as", "a-stranger") == ExitCode.NOT_SO
    assert "refused: 'a-stranger' is nobody in the plan" in capsys.readouterr().err
    assert lab.controller.paper.told == []


def test_before_the_first_test_there_is_nothing_to_show(lab: PaperLab, capsys: pytest.CaptureFixture[str]) -> None:
    assert lab.run("oncall", "tested") == ExitCode.NOT_SO
    assert "nobody's channels were tested yet" in capsys.readouterr().err


@pytest.mark.parametrize("receipt_first", [False, True])
def test_what_nobody_knew_the_end_of_and_then_arrived_reached_the_person(receipt_first: bool) -> None:
    paper = paper_at(NOON)
    paper.broken_channels = frozenset({"email"})
    paper.command("test-channels", AOIFE, people=[TOM])
    named = {"key": "test-1", "channel": "sms", "recipient": TOM}
    begun = Write(Kind.NOTIFICATION_INTENDED, "", {**named, "message": "quiet-test", "attempt": 1})
    unknown = Write(Kind.NOTIFICATION_UNKNOWN, "", {**named, "message": "quiet-test", "reason": "no answer within 8 s"})
    arrived = Write(Kind.NOTIFICATION_DELIVERED, "", {**named, "at_seconds": paper.now, "how": "Twilio says delivered"})
    paper.write([begun, *((arrived, unknown) if receipt_first else (unknown, arrived))])
    assert over(paper, TOM)["sms"] == "delivered"
    assert shown(paper)["unreached"] == []


def test_a_second_way_that_is_a_file_reaches_nobody() -> None:
    paper = paper_at(NOON)
    paper.command("test-channels", AOIFE, people=[TOM])
    named = {"key": "test-1", "message": "quiet-test", "recipient": TOM, "reference": f"{SECOND}file:messages.sms.jsonl:7{FIRST_UNKNOWN}"}
    paper.write([Write(Kind.NOTIFICATION_SENT, "", {**named, "channel": channel}) for channel in ("email", "sms")])
    assert shown(paper)["unreached"] == [TOM]
    assert over(paper, TOM)["sms"] == "not-bound"


def test_a_contact_and_whom_only_an_audience_names_are_never_tested_also_not_by_name() -> None:
    plan = LOADED.plan
    contact = plan.people[TOM].model_copy(update={"name": "A customer's own"})
    customers = plan.audiences["customers"].model_copy(update={"people": ("hotel-manager",)})
    audiences = {**plan.audiences, "customers": customers}
    paper = Paper(exercise=None, plan=plan.model_copy(update={"people": {**plan.people, "hotel-manager": contact}, "audiences": audiences}))
    paper.now = NOON
    answer = paper.command("test-channels", AOIFE, people=["hotel-manager"])
    assert answer.startswith("refused: 'hotel-manager' is nobody whom a test may reach here") and paper.told == []
    paper.command("test-channels", AOIFE)
    assert paper.told and "hotel-manager" not in {tell.recipient for tell in paper.told}
