"""Alerts from outside: they raise a suspicion and open or join an incident for people, and execute nothing."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.console.narration import line
from holdfast.journal.kinds import Kind
from holdfast.plan.messages import AccessNotice
from unit.conduct_on_paper import LOADED, PRIMARY, START, Paper

SIGNALS = ["security-alert", "unauthorised-access", "integrity-check-failed", "data-errors"]
COMMANDER, STRANGER = "exercise-one", "nobody-at-all"


def alert(paper: Paper, signal: str = "security-alert", **more: Any) -> str:
    given_now = {"signal": signal, "status": "firing", "source": "alertmanager", "fingerprint": "f1", "says": "log-ins fail", **more}
    return paper.command("alert", "machine:alertmanager", **given_now)


def test_an_alert_opens_the_scenario_that_names_its_signal_and_nothing_begins_before_a_person_confirms_it() -> None:
    paper = Paper()
    assert alert(paper).startswith("accepted: inc-1-1 is open; nothing begins before a person confirms it")
    assert (paper.incident.scenario, paper.incident.trigger) == ("security-breach", "signal:security-alert")
    paper.wait(300.0)
    assert not paper.incident.ended, "no measurement took it away"
    assert not paper.begun and Kind.STEP_WAITING not in paper.kinds()
    assert paper.command("confirm", STRANGER).startswith("refused: 'nobody-at-all' is nobody in the plan")
    assert paper.command("confirm", COMMANDER).startswith("accepted")
    assert paper.begun or Kind.STEP_WAITING in paper.kinds()
    assert paper.command("confirm", COMMANDER).startswith("refused"), "once is enough"


def test_another_alert_joins_and_a_resolved_one_clears_only_the_suspicion() -> None:
    paper = Paper()
    alert(paper)
    assert alert(paper, "data-errors") == "accepted: it joins inc-1-1"
    assert len(paper.installation.incidents) == 1
    assert alert(paper, status="resolved").startswith("accepted: it is over")
    assert set(paper.installation.suspicions) == {(PRIMARY, "signal:data-errors")}
    assert not paper.incident.ended


def test_what_the_sender_left_out_is_in_the_journal_and_in_what_people_read() -> None:
    paper = Paper()
    alert(paper, truncated=3)
    heard = next(record for record in paper.records if record.kind == Kind.ALERT_HEARD)
    assert heard.body["truncated"] == 3
    left_out = "(the sender left out 3 more alerts)"
    said = line(heard)
    assert said is not None and said.text.endswith(left_out)
    opened = next(record for record in paper.records if record.kind == Kind.INCIDENT_OPENED)
    assert opened.body["reason"] == f"alertmanager: log-ins fail {left_out}"
    for odd in (-1, True, "3", 1.5, None):
        again = Paper()
        alert(again, truncated=odd)
        assert next(record for record in again.records if record.kind == Kind.ALERT_HEARD).body["truncated"] == 0


def test_who_decides_against_an_alert_ends_it_and_a_real_outage_still_opens_an_incident() -> None:
    paper = Paper()
    alert(paper)
    assert paper.command("refuse", COMMANDER, reason="a test of the alarm").startswith("accepted: the incident stands down")
    assert paper.incident.ended and not paper.installation.dismissed
    paper.lose_region()
    assert paper.incident.scenario == "regional-outage"


def test_an_alert_that_nobody_confirmed_never_holds_off_what_is_measured() -> None:
    paper = Paper()
    alert(paper)
    paper.lose_region()
    assert [known.scenario for known in paper.installation.incidents.values()] == ["security-breach", "regional-outage"]
    assert paper.incident.trigger != "signal:security-alert"


def test_a_signal_that_counts_is_believed_only_above_the_plans_number_within_its_time() -> None:
    paper = Paper()
    assert "10 were counted, and the plan believes more than 10" in alert(paper, count=10)
    paper.now += 301.0
    assert "were counted" in alert(paper, count=6), "what was counted before the plan's time is over no longer counts"
    assert alert(paper, count=5).startswith("accepted: inc-1-1 is open")


def test_bad_alerts_are_refused_with_a_reason_and_leave_only_the_command() -> None:
    paper = Paper()
    assert alert(paper, "flood").startswith("refused: the plan has no signal 'flood'; it has: integrity-check-failed")
    assert alert(paper, status="maybe").startswith("refused: an alert is firing or resolved, not 'maybe'")
    assert not paper.installation.incidents and not paper.installation.suspicions


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(SIGNALS), st.sampled_from(["firing", "resolved"]), st.integers(0, 200), st.booleans()), max_size=12)
)
def test_no_sequence_of_alerts_begins_a_step_or_counts_as_an_approval(sent: list[tuple[str, str, int, bool]]) -> None:
    paper = Paper()
    for signal, status, count, waits in sent:
        alert(paper, signal, status=status, count=count)
        paper.wait(61.0 if waits else 0.1)
    for forbidden in (Kind.STEP_INTENDED, Kind.STEP_WAITING, Kind.APPROVED, Kind.DECIDED, Kind.EPOCH_OPENED, Kind.ALERT_CONFIRMED):
        assert forbidden not in paper.kinds()
    assert paper.installation.serving == PRIMARY


def test_alerts_add_nothing_to_an_approval_that_is_waited_for() -> None:
    paper = Paper()
    paper.lose_region()
    before = paper.incident
    for number in range(5):
        alert(paper, fingerprint=f"f{number}", person=COMMANDER, hash=before.proposal.hash if before.proposal else "")
    assert paper.incident.approvals == () and paper.incident.proposal == before.proposal


def glass(paper: Paper, minutes: float = 30.0) -> str:
    told = {"with": "exercise-two", "because": "the directory is down with the region", "sign_on": "no answer"}
    return paper.command("break-glass", COMMANDER, **told, until_seconds=paper.now + 60 * minutes)


def test_broken_glass_is_told_to_whom_the_plan_names_once_over_each_channel_and_again_where_it_failed() -> None:
    notice = AccessNotice(audience=("communication-lead", "incident-commander"), channels=("slack", "email"))
    paper = Paper(plan=LOADED.plan.model_copy(update={"access_notice": notice}))
    paper.broken_channels = frozenset({"email"})
    assert glass(paper).startswith("accepted")
    heard = {(tell.channel, tell.recipient) for tell in paper.told}
    stand_ins = {one for role in notice.audience for one in paper.plan.roles[role].stand_ins}
    assert {recipient for channel, recipient in heard if channel == "email"} == stand_ins
    assert {recipient for channel, recipient in heard if channel == "slack"} == {"exercise:communication-lead+incident-commander"}
    assert all(
        tell.subject.startswith("EXERCISE: ") and "GLASS BROKEN by exercise-one and exercise-two" in tell.subject for tell in paper.told
    )
    assert all("the directory is down with the region" in tell.body and "no answer" in tell.body for tell in paper.told)
    before = len(paper.told)
    paper.wait(1.0)
    assert len(paper.told) == before, "nobody is told twice, and what failed waits for its pause"
    paper.broken_channels = frozenset()
    paper.wait(3.0)
    assert not any(tell.again for tell in paper.told), "what failed did not arrive"
    again = {(tell.channel, tell.recipient) for tell in paper.told[before:]}
    assert again == {(channel, recipient) for channel, recipient in heard if channel == "email"}
    paper.restart()
    paper.wait(10.0)
    assert len(paper.told) == before + len(again), "a controller that takes over tells nobody again"


def test_a_notice_that_may_have_gone_out_before_its_controller_died_says_that_it_may_be_a_repeat() -> None:
    paper = Paper()
    glass(paper)
    died = next(index for index, count in enumerate(paper.batches) if paper.records[count - 1].kind == Kind.NOTIFICATION_INTENDED)
    successor = paper.cut_after(died)
    successor.wait(1.0)
    assert [tell.recipient for tell in successor.told] == [tell.recipient for tell in paper.told]
    assert all(tell.again for tell in successor.told) and not any(tell.again for tell in paper.told)


def test_broken_glass_is_told_to_those_who_approve_where_the_plan_names_nobody_for_it_and_not_once_it_is_over() -> None:
    paper = Paper()
    glass(paper)
    may = f"exercise:{'+'.join(paper.plan.approval.activation.of)}"
    assert {(tell.channel, tell.recipient) for tell in paper.told} == {("pagerduty", may), ("slack", may)}
    late = Paper()
    late.broken_channels = frozenset(late.plan.channels())
    glass(late, minutes=0.01)
    tried = len(late.told)
    late.wait(60.0)
    assert len(late.told) == tried, "what is over is no news"


def test_two_people_break_the_glass_together_for_an_hour_at_most() -> None:
    paper = Paper()
    told = {"with": "exercise-two", "because": "the directory is down with the region", "sign_on": "no answer"}
    assert paper.command("break-glass", COMMANDER, **told, until_seconds=paper.now + 1800.0).startswith("accepted")
    assert paper.records[-1].kind == Kind.ACCESS_BROKEN or Kind.ACCESS_BROKEN in paper.kinds()
    for wrong in (
        {"with": COMMANDER},
        {"with": STRANGER},
        {"because": " "},
        {"until_seconds": START + 9e9},
    ):
        assert paper.command("break-glass", COMMANDER, **{**told, "until_seconds": paper.now + 60.0, **wrong}).startswith("refused")
