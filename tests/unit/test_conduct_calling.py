"""Who is called in an incident, what acknowledging does, and what becomes of hand-overs that nobody knows the end of."""

from holdfast.communications.rendering import EXERCISE
from holdfast.conduct.answering import SEVERITY_WITHIN_SECONDS, answered_roles
from holdfast.conduct.messages import STEPS_FIRST_SECONDS
from holdfast.conduct.situation import Alarm, FunctionHit, Tell, Write
from holdfast.console.headline import headline
from holdfast.console.state import state
from holdfast.journal.kinds import Kind
from holdfast.plan.model import Escalation, Plan
from unit.conduct_on_paper import LOADED, PRIMARY, Paper

P1 = {"answer_within": "5m", "level": "Executive team", "audience": ["executives"], "channels": ["phone", "sms"]}


def calling_plan() -> Plan:
    """The reference plan with one row of the escalation matrix, and two stand-ins for the commander."""
    commander = LOADED.plan.roles["incident-commander"].model_copy(update={"stand_ins": ("exercise-three", "exercise-one")})
    return LOADED.plan.model_copy(
        update={"escalation": {"P1": Escalation.model_validate(P1)}, "roles": {**LOADED.plan.roles, "incident-commander": commander}}
    )


def lost() -> Paper:
    paper = Paper(plan=calling_plan())
    paper.lose_region()
    return paper


def bodies(paper: Paper, kind: Kind) -> list[dict[str, object]]:
    return [dict(record.body) for record in paper.records if record.kind == kind]


def test_those_who_must_answer_are_called_as_soon_as_the_severity_is_known() -> None:
    paper = lost()
    (call,) = bodies(paper, Kind.ESCALATED)
    assert (call["rung"], call["severity"], call["answer_by_seconds"]) == ("primary", "P1", paper.now + 300)
    told = {(tell.channel, tell.recipient) for tell in paper.told if tell.message == "call"}
    assert told == {(channel, person) for channel in ("phone", "sms") for person in ("exercise-one", "exercise-two", "exercise-three")}
    call_ = next(tell for tell in paper.told if tell.message == "call")
    assert (call_.purpose, call_.priority, call_.enrolled) == ("alert", 0, True)
    assert call_.subject.startswith(EXERCISE)
    assert len(call_.short) <= 320


def test_nobody_answers_and_the_ladder_is_climbed_and_begun_again() -> None:
    paper = lost()
    for _ in range(3):
        paper.wait(300)
    assert [body["level"] for body in bodies(paper, Kind.ESCALATED)] == ["primary", "backup", "Executive team", "primary"]
    assert bodies(paper, Kind.ESCALATED)[-1]["starts_over"] is True


def test_whoever_must_answer_is_called_as_for_the_gravest_severity_where_nobody_can_say_how_severe_it_is() -> None:
    paper = Paper(plan=calling_plan())
    paper.alarms = (Alarm(PRIMARY, "network-lost", True, paper.now - 3, "witness and outside get no answer", None),)
    paper.settle()
    assert not bodies(paper, Kind.ESCALATED), "observers get a moment to see what is hit"
    paper.wait(SEVERITY_WITHIN_SECONDS)
    (call,) = bodies(paper, Kind.ESCALATED)
    assert (call["rung"], call["severity"], call["row"]) == ("primary", None, "P1")
    assert any(tell.message == "call" for tell in paper.told)
    why = "nobody knows yet how severe it is, so people are called as for P1"
    assert str(call["reason"]).endswith(why)
    assert headline(state(paper.situation(), 1.0, None, {}), paper.now).text.endswith(why)
    paper.wait(300)
    assert [body["level"] for body in bodies(paper, Kind.ESCALATED)] == ["primary", "backup"], "and it goes on"


def test_a_severity_without_a_row_of_its_own_is_called_as_the_gravest() -> None:
    paper = Paper(plan=calling_plan())
    least = min(paper.plan.functions.values(), key=lambda function: -int(function.priority[1]))
    lost_one = next(name for name, function in paper.plan.functions.items() if function is least)
    paper.alarms = (Alarm(PRIMARY, "network-lost", True, paper.now - 3, "witness and outside get no answer", None),)
    paper.hit = (FunctionHit(lost_one, paper.now - 3, True),)
    paper.settle()
    (call,) = bodies(paper, Kind.ESCALATED)
    assert (call["severity"], call["row"]) == (paper.incident.severity, "P1")
    assert paper.incident.severity != "P1"
    assert f"the matrix has no row for {paper.incident.severity}" in str(call["reason"])


def test_a_planned_move_that_hits_nothing_calls_nobody() -> None:
    paper = Paper(plan=calling_plan())
    paper.command("switchover", "exercise-two")
    paper.wait(SEVERITY_WITHIN_SECONDS * 10)
    assert paper.installation.incidents and not bodies(paper, Kind.ESCALATED)


def test_an_acknowledgement_answers_for_the_persons_roles_and_delivered_is_none() -> None:
    paper = lost()
    key = bodies(paper, Kind.ESCALATED)[0]["key"]
    receipt = {"key": key, "channel": "sms", "recipient": "exercise-two", "at_seconds": paper.now, "how": "receipt"}
    paper.write([Write(Kind.NOTIFICATION_DELIVERED, paper.incident.incident, receipt)])
    assert answered_roles(paper.incident) == frozenset()
    assert paper.command("ack", "exercise-two", incident=paper.incident.incident).startswith("accepted: exercise-two answers for")
    assert answered_roles(paper.incident) == {"communication-lead", "engineering-manager"}
    assert paper.command("ack", "exercise-two") == f"accepted: exercise-two had acknowledged {paper.incident.incident} already"
    assert len(bodies(paper, Kind.ACKNOWLEDGED)) == 1


def test_the_backup_takes_the_role_and_the_late_primary_joins_without_a_new_start() -> None:
    paper = lost()
    paper.wait(300)
    paper.command("ack", "exercise-one")
    taken = bodies(paper, Kind.ROLE_TAKEN)
    assert [(body["role"], body["person"], body["instead_of"]) for body in taken] == [
        ("incident-commander", "exercise-one", "exercise-three")
    ]
    paper.command("ack", "exercise-two")
    calls = len(bodies(paper, Kind.ESCALATED))
    assert paper.command("ack", "exercise-three") == "accepted: exercise-three joins; others had answered already"
    assert bodies(paper, Kind.ACKNOWLEDGED)[-1]["joins"] is True
    paper.wait(3600)
    assert len(bodies(paper, Kind.ESCALATED)) == calls
    assert len(bodies(paper, Kind.ROLE_TAKEN)) == 1


def test_strangers_and_unknown_ways_are_refused() -> None:
    paper = lost()
    assert paper.command("ack", "nobody").startswith("refused: 'nobody' is nobody in the plan")
    assert paper.command("ack", "exercise-one", way="pigeon").startswith("refused: 'pigeon' is no way")
    assert paper.command("ack", "exercise-one", incident="inc-9-9").startswith("refused: ")


def test_who_approves_has_answered() -> None:
    paper = lost()
    paper.approve("exercise-two")
    assert bodies(paper, Kind.ACKNOWLEDGED)[0]["way"] == "approval"
    assert "engineering-manager" in answered_roles(paper.incident)


def test_a_hand_over_is_intended_before_it_is_made() -> None:
    paper = lost()
    order = [
        (record.kind, record.body["key"], record.body["channel"], record.body["recipient"])
        for record in paper.records
        if record.kind in (Kind.NOTIFICATION_INTENDED, Kind.NOTIFICATION_SENT)
    ]
    for place, (kind, *delivery) in enumerate(order):
        if kind == Kind.NOTIFICATION_SENT:
            assert (Kind.NOTIFICATION_INTENDED, *delivery) in order[:place]


def test_a_hand_over_that_was_interrupted_is_made_again_and_one_that_was_sent_is_not() -> None:
    paper = lost()
    cut = next(index for index, record in enumerate(paper.records) if record.kind == Kind.NOTIFICATION_SENT)
    again = Paper(plan=paper.plan)
    again.records = paper.records[: cut + 1]
    again.installation = paper.installation.__class__("eu-west-1")
    from holdfast.decision.replay import replayed

    again.installation = replayed("eu-west-1", again.records)
    again.now = paper.now
    again.restart()
    again.alarms, again.hit = paper.alarms, paper.hit
    again.settle()
    sent = paper.records[cut].body
    told = {(tell.key, tell.channel, tell.recipient) for tell in again.told}
    assert (sent["key"], sent["channel"], sent["recipient"]) not in told
    intended = [body for body in bodies(again, Kind.NOTIFICATION_INTENDED) if body["attempt"] == 2]
    assert intended, "what was begun and not finished is begun a second time, and says so"


def test_what_is_refused_for_good_is_not_tried_again_and_what_is_taken_later_is_tried_then() -> None:
    paper = lost()
    key = bodies(paper, Kind.ESCALATED)[0]["key"]
    tries: dict[str, dict[str, object]] = {
        "phone": {"final": True, "retry_after_seconds": None},
        "sms": {"final": False, "retry_after_seconds": 120.0},
    }
    again = Paper(plan=paper.plan)
    again._tell = lambda move: _refused(again, move, tries)  # type: ignore[method-assign]
    again.lose_region()
    again.wait(60)
    made = [
        body["channel"] for body in bodies(again, Kind.NOTIFICATION_INTENDED) if body["key"] == key and body["recipient"] == "exercise-one"
    ]
    assert sorted(map(str, made)) == ["phone", "sms"]
    again.wait(61)
    made = [
        body["channel"] for body in bodies(again, Kind.NOTIFICATION_INTENDED) if body["key"] == key and body["recipient"] == "exercise-one"
    ]
    assert sorted(map(str, made)) == ["phone", "sms", "sms"]


def _refused(paper: Paper, move: Tell, tries: dict[str, dict[str, object]]) -> None:
    named = {"key": move.key, "message": move.message, "channel": move.channel, "recipient": move.recipient}
    if move.channel in tries:
        paper.write([Write(Kind.NOTIFICATION_FAILED, move.incident, {**named, "reason": "refused", **tries[move.channel]})])
    else:
        paper.write([Write(Kind.NOTIFICATION_SENT, move.incident, {**named, "reference": "paper"})])


def test_a_person_writes_the_words_of_the_next_update_and_the_one_after_is_the_plans_again() -> None:
    paper = lost()
    assert paper.command("edit-message", "exercise-two", message="status", subject="We are on it: {state}").startswith(
        "accepted: inc-1-1/status/1"
    )
    paper.wait(13 * 60)
    paper.wait(15 * 60)
    said = {tell.key: tell.subject for tell in paper.told if tell.message == "status"}
    assert said["inc-1-1/status/1"] == "EXERCISE: We are on it: waiting for a decision"
    assert "after 27 min" in said["inc-1-1/status/2"] or "after 28 min" in said["inc-1-1/status/2"]


def test_words_that_can_not_be_filled_and_messages_that_are_out_are_refused() -> None:
    paper = lost()
    assert "loops" in paper.command("edit-message", "exercise-two", message="status", body="{% for x in state %}{% endfor %}")
    assert "no message 'stats'" in paper.command("edit-message", "exercise-two", message="stats", body="x")
    assert "say what it is to say" in paper.command("edit-message", "exercise-two", message="status")
    paper.settle()
    assert "handed over already" in paper.command("edit-message", "exercise-two", message="incident-alert", body="x")


def test_a_message_that_a_step_sends_goes_out_in_time_also_where_the_step_does_not_come() -> None:
    paper = lost()
    assert not any(tell.message == "stakeholders" for tell in paper.told)
    paper.wait(9 * 60)
    assert any(tell.message == "stakeholders" for tell in paper.told), "nobody has decided, and it is due after ten minutes"


def test_no_address_stands_in_the_journal() -> None:
    paper = Paper(plan=calling_plan(), exercise=None)
    paper.lose_region()
    paper.wait(STEPS_FIRST_SECONDS)
    assert any(tell.address and "@" in tell.address for tell in paper.told)
    addresses = [value for person in paper.plan.people.values() for value in (person.email, person.phone) if value]
    text = "\n".join(str(record.body) for record in paper.records)
    assert [address for address in addresses if address in text] == []
