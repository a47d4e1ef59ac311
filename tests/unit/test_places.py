"""One post for one place: a status page, a feed, a pager and a room are told once, however many people look at them."""

import asyncio
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from holdfast.communications import Directory, DueMessage, IncidentFacts, Member, Membership, due
from holdfast.communications.escalation import Called, next_call
from holdfast.communications.previewing import previewed
from holdfast.conduct.messages import STEPS_FIRST_SECONDS
from holdfast.conduct.situation import Tell
from holdfast.controller.telling import notification_of
from holdfast.journal.kinds import Kind
from holdfast.plan.model import Audience, Escalation, Plan
from holdfast.ports.notifier import Notifier
from holdfast.providers.clock.system import SystemClock
from holdfast.providers.inapp.notifier import InAppNotifier
from holdfast.providers.statuspage.notifier import StatusPageNotifier
from holdfast.report.history import History
from holdfast.report.telling import Span, notifications
from unit.conduct_on_paper import LOADED, Paper

START = 1_700_000_000.0
PLAN = LOADED.plan
OVER = IncidentFacts(
    "inc-7", START, "eu-west-1", "eu-central-1", severity="P1", functions=("voice", "pms"), aware_seconds=START, restored_seconds=START + 60
)
LASTING = replace(OVER, restored_seconds=None)
ROW = {"answer_within": "30m", "level": "Team leads", "audience": ["technical-lead", "platform-lead"], "channels": ["email", "slack"]}


def saying(rule: str, plan: Plan = PLAN, facts: IncidentFacts = LASTING, directory: Directory | None = None) -> DueMessage:
    found = due(plan, "regional-outage", facts, START + 3600, directory)
    return next(message for message in found if message.message == rule)


def over(message: DueMessage, channel: str) -> list[tuple[str, str | None]]:
    return [(one.identifier, one.address(channel)) for found, one in message.deliveries if found == channel]


def with_everywhere(*rules: str) -> Plan:
    """The reference plan, with these messages going over the feed and the webhook too."""
    more = {name: PLAN.messages[name].model_copy(update={"channels": ("slack", "status-page", "in-app", "webhook")}) for name in rules}
    return PLAN.model_copy(update={"messages": {**PLAN.messages, **more}})


def hotels(number: int) -> Directory:
    members = tuple(Member(f"h-{one}", f"Hotel {one}", {"email": f"desk@h{one}.example"}) for one in range(number))
    return Directory({"customers": Membership(members, START)})


def published(tells: list[Tell], tmp_path: Path) -> tuple[list[str], list[str]]:
    """Subjects on the status page and in the feed, by the channels themselves."""

    async def send() -> None:
        clock = SystemClock()
        page, feed = StatusPageNotifier(tmp_path, clock, "x"), InAppNotifier(tmp_path / "feed", clock)
        channels: dict[str, Notifier] = {"status-page": page, "in-app": feed}
        for tell in tells:
            if tell.channel in channels:
                await channels[tell.channel].send(notification_of(tell, None, None, START))

    asyncio.run(send())
    page = [update["subject"] for updates in json.loads((tmp_path / "history.json").read_text()).values() for update in updates]
    return page, [json.loads(line)["data"]["subject"] for line in (tmp_path / "feed").read_text().splitlines()]


def test_a_real_incidents_resolution_is_one_update_of_the_page_and_one_entry_of_the_feed(tmp_path: Path) -> None:
    paper = Paper(exercise=None, plan=with_everywhere("resolution"))
    paper.lose_region()
    paper.approve("aoife-brennan", "matteo-ricci")
    paper.region_answers()
    paper.wait(STEPS_FIRST_SECONDS)
    told = [tell for tell in paper.told if tell.message == "resolution"]
    page, feed = published(told, tmp_path)
    assert (len(page), len(feed)) == (1, 1)
    assert page[0].startswith("inc-1-1 is over after")
    assert Counter(tell.channel for tell in told) == {"slack": 1, "status-page": 1, "in-app": 1, "webhook": 1}


def test_a_directory_of_a_thousand_is_one_update_of_the_page_and_a_thousand_mails() -> None:
    hosted = PLAN.model_copy(update={"audiences": {**PLAN.audiences, "customers": Audience(name="Hotels", source="hotels.csv")}})
    message = saying("customers", hosted, directory=hotels(1000))
    assert over(message, "status-page") == [("customers", None)]
    assert over(message, "in-app") == [("customers", None)]
    assert len(over(message, "email")) == 1000


@pytest.mark.parametrize("directory", [hotels(0), hotels(1), hotels(2), Directory({"customers": Membership(None, None, "down")})])
def test_a_page_is_told_under_one_name_whoever_is_in_the_directory_so_that_it_is_told_once(directory: Directory) -> None:
    hosted = PLAN.model_copy(update={"audiences": {**PLAN.audiences, "customers": Audience(name="Hotels", source="hotels.csv")}})
    assert over(saying("customers", hosted, directory=directory), "status-page") == [("customers", None)]


def test_partners_with_an_address_of_their_own_each_get_their_webhook_and_the_others_the_one_for_all() -> None:
    urls = {name: f"https://{name}.example/hook" for name in ("mews", "opera")}
    circles = {name: Audience(name=name, address=url) for name, url in urls.items()}
    asked = PLAN.messages["partners"].model_copy(update={"audience": ("mews", "opera", "partners", "customers")})
    plan = PLAN.model_copy(update={"audiences": {**PLAN.audiences, **circles}, "messages": {**PLAN.messages, "partners": asked}})
    found = over(saying("partners", plan), "webhook")
    assert found[:2] == list(urls.items())
    assert [address for _, address in found[2:]] == [None]


def test_what_is_for_customers_and_partners_stays_out_of_the_companys_own_room_and_pager() -> None:
    assert over(saying("resolution", facts=OVER), "slack") == [("engineering+management+executives", None)]
    outside = with_everywhere("customers", "partners")
    for rule in ("customers", "partners"):
        paged = outside.messages[rule].model_copy(update={"channels": ("slack", "pagerduty", "webhook")})
        plan = outside.model_copy(update={"messages": {**outside.messages, rule: paged}})
        assert [channel for channel, _ in saying(rule, plan).deliveries] == ["webhook"]
        assert [channel for channel, _ in saying(rule, plan, replace(LASTING, exercise="drill-3")).deliveries] == ["webhook"]


def test_nobody_from_outside_is_called_in_the_room_and_it_is_told_for_nobody_where_all_of_the_company_have_a_chat() -> None:
    row = Escalation.model_validate({**ROW, "audience": ["partners", "vendor.mews"], "channels": ["slack", "email"]})
    plan = PLAN.model_copy(update={"escalation": {"P1": row}})
    (call,) = filter(None, [next_call(plan, LASTING, frozenset(), Called(2, 1, 1, START), START + 3600)])
    assert (call.rung, {out.channel for out in call.calls}) == ("level", {"email"})
    chats = {name: one.model_copy(update={"chat": f"U0000{name.upper()[:4]}"}) for name, one in PLAN.people.items()}
    chatting = PLAN.model_copy(update={"people": chats})
    assert all(address is not None for _, address in over(saying("resolution", chatting, OVER), "slack"))


def test_whoever_has_a_chat_is_written_to_alone_and_the_room_is_told_once_for_the_others() -> None:
    inside = PLAN.people["ines-carvalho"].model_copy(update={"chat": "U0000INES"})
    plan = PLAN.model_copy(update={"people": {**PLAN.people, "ines-carvalho": inside}})
    assert over(saying("status", plan), "slack") == [("ines-carvalho", "U0000INES"), ("engineering+management", None)]


def test_a_pager_hears_of_one_alert_once() -> None:
    assert over(saying("incident-alert"), "pagerduty") == [("on-call+incident-commander", None)]
    exercise = replace(LASTING, exercise="drill-3")
    assert over(saying("incident-alert", facts=exercise), "pagerduty") == [("exercise:on-call+incident-commander", None)]


def test_a_preview_names_those_for_whom_a_place_stands() -> None:
    for_all = PLAN.messages["resolution"].model_copy(
        update={"audience": ("engineering", "customers"), "channels": ("slack", "status-page")}
    )
    shown = previewed(PLAN.model_copy(update={"messages": {"resolution": for_all}}), "resolution", None, None, None)
    by_channel = {one.channel: one.recipients for one in shown.channels}
    assert by_channel == {"status-page": ("Engineering team, Customers",), "slack": ("Engineering team",)}


def calling_over_chat() -> Paper:
    paper = Paper(plan=PLAN.model_copy(update={"escalation": {"P1": Escalation.model_validate(ROW)}}))
    paper.lose_region()
    return paper


def test_who_is_called_in_a_room_is_called_there_by_one_post_until_all_of_them_have_answered() -> None:
    paper = calling_over_chat()
    (call,) = (record for record in paper.records if record.kind == Kind.ESCALATED)
    called = list(dict.fromkeys(person for channel, person, _ in call.body["calls"] if channel == "slack"))
    room = "+".join(called)
    assert len(called) > 1
    assert [tell.recipient for tell in paper.told if (tell.message, tell.channel) == ("call", "slack")] == [room]
    assert {tell.recipient for tell in paper.told if (tell.message, tell.channel) == ("call", "email")} == set(called)
    assert all(tell.enrolled for tell in paper.told if tell.message == "call"), "a room of people who are all enrolled"


def test_the_room_is_called_again_as_long_as_one_of_them_has_not_answered() -> None:
    paper = Paper(plan=PLAN.model_copy(update={"escalation": {"P1": Escalation.model_validate(ROW)}}))
    paper.broken_channels = frozenset({"slack"})
    paper.lose_region()

    def tries() -> int:
        return sum((tell.message, tell.channel) == ("call", "slack") for tell in paper.told)

    first, *others = ("exercise-one", "exercise-two", "exercise-four")
    paper.command("ack", first)
    before = tries()
    paper.wait(30.0)
    assert tries() == before + 1
    for person in others:
        paper.command("ack", person)
    paper.wait(60.0)
    assert tries() == before + 1


def test_in_a_room_whoever_may_decide_can_and_nobodys_own_link_stands_there() -> None:
    paper = calling_over_chat()
    asked = [tell for tell in paper.told if (tell.message, tell.channel) == ("decision", "slack")]
    (room,) = asked
    proposal = paper.incident.proposal
    assert proposal is not None and room.asked is not None
    assert (room.asked.person, room.asked.approve_hash) == (None, proposal.hash)
    made = notification_of(room, "exercise-7", None, paper.now)
    assert (made.approve_hash, made.acknowledge_url, made.approve_url, made.code) == (proposal.hash, None, None, None)


def test_the_report_has_one_row_for_a_place_with_the_names_of_those_it_stands_for_and_is_answered_by_any_of_them() -> None:
    paper = Paper()
    paper.lose_region()
    paper.wait(1.0)
    paper.command("ack", "exercise-one")
    history = History(paper.incident.incident, tuple(paper.records))
    rows = notifications(history, paper.plan, Span(paper.incident.impact_seconds, paper.now))
    (paged,) = [row for row in rows if (row.rule, row.channel) == ("incident-alert", "pagerduty")]
    assert (paged.recipient_ref, paged.recipients) == ("exercise:on-call+incident-commander", ("Engineer on call, Incident Commander",))
    assert paged.acknowledged_seconds is not None


def test_a_place_that_was_not_told_in_time_is_one_late_row() -> None:
    paper = Paper()
    paper.hangs = frozenset({"fence"})
    paper.lose_region()
    kept = [record for record in paper.records if record.kind == Kind.NOTIFICATION_DUE]
    history = History(paper.incident.incident, tuple(kept))
    rows = notifications(history, paper.plan, Span(paper.incident.impact_seconds, 2.0 * paper.now + 86_400.0))
    late = [row.recipient_ref for row in rows if (row.rule, row.channel, row.met) == ("incident-alert", "slack", False)]
    assert late == ["exercise:on-call+incident-commander"]
