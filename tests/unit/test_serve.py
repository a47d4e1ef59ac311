"""`holdfast serve` over real HTTP: who gets in, who answers, what alerts may do, and what bad input is told."""

import base64
import hashlib
import hmac
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.signature import SignatureVerifier
from twilio.request_validator import RequestValidator

from holdfast.console.serving.accounts import Tokens
from holdfast.console.serving.doors import NEEDS, Doors
from holdfast.console.serving.sessions import Sealer, Sessions
from holdfast.console.serving.signatures import Forged, check_slack, check_twilio
from holdfast.decision.access import NOBODY, Scope, denied, denied_deed, machine, person
from holdfast.decision.links import BadLink, Deed, Link, button, code, opened, sealed
from holdfast.journal.kinds import Kind
from unit.serve_rig import CHAT, PASSWORD, PHONE, SECRET, Served, serving, with_accounts


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with_accounts(tmp_path)
    with serving(tmp_path) as running:
        yield running


def bearer(served: Served, *scopes: str, until: float = 1e12) -> dict[str, str]:
    token = Tokens(served.directory / "tokens.json").create("watcher", frozenset(Scope(one) for one in scopes), until)
    return {"authorization": f"Bearer {token}"}


def sign_in(served: Served, name: str = "one", password: str = PASSWORD) -> int:
    return served.browser.post("/sign-in", data={"name": name, "password": password}).status_code


def hidden(page: str, verb: str) -> dict[str, str]:
    """The hidden fields of the form with this verb."""
    form = next(part for part in page.split("<form")[1:] if f'name="verb" value="{verb}"' in part)
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))


# -- access -------------------------------------------------------------------------------------------------------------------


def test_every_route_refuses_who_brings_nothing_except_those_that_the_table_opens(served: Served) -> None:
    for (method, path), needs in NEEDS.items():
        url = path.replace("{link}", "x").replace("{path:path}", "x")
        status = served.browser.request(method, url).status_code
        if needs is not Scope.OPEN:
            assert status in (401, 403), f"{method} {path} answered {status}"
    assert served.browser.get("/v1/state").status_code == 404, "what isn't in the table doesn't exist"
    assert served.controller.commands == []


EVERYBODY = {"nobody": NOBODY, "person": person("one", "page"), **{scope.value: machine("m", {scope}) for scope in Scope}}


@pytest.mark.parametrize("who", EVERYBODY)
def test_everybody_enters_where_the_table_lets_them_and_nowhere_else(served: Served, who: str) -> None:
    headers = {} if who in ("nobody", "person") else bearer(served, who)
    if who == "person":
        assert sign_in(served) == 303
    for (method, path), needs in NEEDS.items():
        if path in ("/live", "/feed", "/sign-out"):  # two never end and are tried elsewhere, and after the last nobody is signed in
            continue
        url = path.replace("{link}", "x").replace("{path:path}", "x")
        status = served.browser.request(method, url, headers=headers).status_code
        refused = denied(EVERYBODY[who], needs) is not None
        if refused:
            assert status == (401 if who == "nobody" else 403), f"{who} at {method} {path}: {status}"
        elif needs not in (Scope.SIGNED, Scope.LINK, Scope.ANSWER):
            assert status not in (401, 403) or path in ("/sign-in", "/break-glass", "/sign-on/back"), f"{who} at {method} {path}: {status}"
    assert served.controller.commands == []


def test_a_handler_without_a_row_and_a_row_without_a_handler_stop_the_start(tmp_path: Path) -> None:
    sessions = Sessions(Sealer(b"k"), tmp_path / "ended", (), lambda _: None)
    doors = Doors(Tokens(tmp_path / "t"), sessions, time.time, "http://x")

    async def nothing(_: Any) -> Any: ...

    async def nothing_to_end() -> None: ...

    whole = dict.fromkeys(NEEDS, nothing)
    doors.application(whole, nothing_to_end)
    with pytest.raises(ValueError, match="POST /new"):
        doors.application({**whole, ("POST", "/new"): nothing}, nothing_to_end)
    with pytest.raises(ValueError, match="GET /healthz"):
        doors.application({key: value for key, value in whole.items() if key != ("GET", "/healthz")}, nothing_to_end)


scopes = st.frozensets(st.sampled_from(list(Scope)))


@given(st.text(min_size=1), scopes, st.sampled_from(list(Scope)))
def test_no_machine_ever_answers_and_nobody_gets_in_anywhere_that_is_not_open(
    name: str, given_scopes: frozenset[Scope], needs: Scope
) -> None:
    asker = machine(name, given_scopes)
    assert denied(asker, Scope.ANSWER) is not None
    assert denied_deed(asker, name, {name}) is not None
    assert (denied(NOBODY, needs) is None) == (needs in (Scope.OPEN, Scope.SIGNED, Scope.LINK))
    if denied(asker, needs) is None:
        assert needs in (Scope.OPEN, Scope.SIGNED, Scope.LINK) or needs in given_scopes


names = st.sampled_from(["ann", "ben", "cas"])


@given(names, names, st.frozensets(names), st.frozensets(names), names)
def test_a_person_answers_only_for_themself_and_only_with_a_role_of_the_rule(
    who: str, about: str, people: frozenset[str], may: frozenset[str], requester: str
) -> None:
    allowed = denied_deed(person(who, "page"), about, people, may, requester) is None
    assert allowed == (who == about and about in people and about in may and about != requester)


def test_a_token_opens_what_its_scopes_say_until_it_ends_or_is_revoked(served: Served) -> None:
    assert served.browser.get("/api/state", headers=bearer(served, "alert")).status_code == 403
    assert served.browser.get("/api/state", headers=bearer(served, "read", until=1.0)).status_code == 401
    header = bearer(served, "read")
    assert served.browser.get("/api/state", headers=header).json()["schema"] == "holdfast/state/v1"
    tokens = Tokens(served.directory / "tokens.json")
    assert "hash" not in json.dumps(tokens.listed())
    for identifier in list(tokens.listed()):
        tokens.revoke(identifier)
    assert served.browser.get("/api/state", headers=header).status_code == 401
    assert (served.directory / "tokens.json").stat().st_mode & 0o077 == 0


def test_wrong_names_and_wrong_passwords_are_answered_alike_and_lock_the_name(served: Served) -> None:
    answers = [served.browser.post("/sign-in", data={"name": name, "password": "wrong"}).text for name in ("one", "nobody")]
    assert answers[0] == answers[1] and "name or password is wrong" in answers[0]
    for _ in range(4):
        sign_in(served, password="wrong")
    assert sign_in(served) == 401, "the right password does not open a locked name"
    assert sign_in(served, "two") == 303


# -- people answer ------------------------------------------------------------------------------------------------------------


def test_a_person_approves_on_the_page_only_with_the_regions_name_typed(served: Served) -> None:
    served.paper.lose_region()
    assert sign_in(served) == 303
    page = served.browser.get("/").text
    assert "EXERCISE" in page and "waits for approval" in page
    assert re.findall("<script[^>]*>[^<]*", page) == ['<script src="/live.js" defer>'], "nothing stands in the page that could run"
    fields = hidden(page, "approve")
    assert served.browser.post("/answer", data=fields | {"region": "elsewhere"}).status_code == 400
    assert served.browser.post("/answer", data=fields | {"region": "eu-central-1", "word": "another"}).status_code == 403
    foreign = {"origin": "https://elsewhere.example"}
    assert served.browser.post("/answer", data=fields | {"region": "eu-central-1"}, headers=foreign).status_code == 403
    assert not served.paper.incident.approvals
    for _ in range(2):
        assert served.browser.post("/answer", data=fields | {"region": "eu-central-1"}).status_code in (200, 403)
    record = [record for record in served.paper.records if record.kind == Kind.APPROVED]
    assert [(one.body["person"], one.body["through"], one.body["accepts_loss"]) for one in record] == [("exercise-one", "page", False)]


def test_a_link_acts_only_when_it_is_sent_and_is_void_once_the_proposal_changes(served: Served) -> None:
    served.paper.lose_region()
    proposal = served.paper.incident.proposal
    assert proposal is not None
    key = (served.directory / "link.key").read_bytes()

    def path(who: str, proposal_hash: str, until: float) -> str:
        return "/a/" + sealed(key, Link(who, Deed.APPROVE, "inc-1-1", proposal_hash, until))

    soon = time.time() + 600
    link = path("exercise-two", proposal.hash, soon)
    assert served.browser.get(link).status_code == 200
    assert not served.paper.incident.approvals, "looking never acts"
    assert served.browser.post(link, data={"once": "1"}).status_code == 400, "the region's name is missing"
    assert served.browser.get(path("exercise-two", "0" * 64, soon)).status_code == 410
    assert served.browser.post(path("exercise-two", "0" * 64, soon), data={"region": "eu-central-1"}).status_code == 410
    assert served.browser.get(path("exercise-two", proposal.hash, 1.0)).status_code == 403
    assert served.browser.post(path("aoife-brennan", proposal.hash, soon), data={"region": "eu-central-1"}).status_code == 403
    assert served.browser.post(link, data={"once": "1", "region": "eu-central-1"}).status_code == 200
    assert [one.person for one in served.paper.incident.approvals] == ["exercise-two"]


@given(st.text(alphabet=st.characters(codec="ascii"), max_size=200))
def test_no_made_up_link_opens(text: str) -> None:
    with pytest.raises(BadLink):
        opened(b"k" * 32, text, 0.0)


def test_two_break_the_glass_together_and_neither_alone(served: Served) -> None:
    assert sign_in(served, "glass-1") == 401, "it opens nothing alone"
    alone = {"name": "glass-1", "password": PASSWORD, "name_2": "glass-1", "password_2": PASSWORD, "because": "sso is down"}
    assert served.browser.post("/break-glass", data=alone).status_code == 401
    together = alone | {"name_2": "glass-2"}
    assert served.browser.post("/break-glass", data=together | {"password_2": "wrong"}).status_code == 401
    assert served.browser.post("/break-glass", data=together | {"because": " "}).status_code == 403
    assert served.browser.post("/break-glass", data=together).status_code == 303
    broken = next(record for record in served.paper.records if record.kind == Kind.ACCESS_BROKEN)
    assert (broken.body["by"], broken.body["with"], broken.body["because"]) == ("exercise-one", "exercise-two", "sso is down")
    assert "GLASS BROKEN by exercise-one and exercise-two" in served.browser.get("/").text


# -- other systems ------------------------------------------------------------------------------------------------------------


def slack(value: str, user: str = CHAT, at: float | None = None, secret: str = SECRET) -> dict[str, Any]:
    payload = {"type": "block_actions", "user": {"id": user}, "actions": [{"action_id": "go", "value": value, "action_ts": "17.1"}]}
    body = urlencode({"payload": json.dumps(payload)})
    stamp = str(int(time.time() if at is None else at))
    signature = SignatureVerifier(secret).generate_signature(timestamp=stamp, body=body) or ""
    headers = {"x-slack-request-timestamp": stamp, "x-slack-signature": signature}
    return {"content": body, "headers": headers | {"content-type": "application/x-www-form-urlencoded"}}


def test_a_button_approves_for_the_person_of_the_chat_once_and_nobody_else(served: Served) -> None:
    served.paper.lose_region()
    proposal = served.paper.incident.proposal
    assert proposal is not None
    value = button(Deed.APPROVE, "inc-1-1", proposal.hash)
    for wrong, status in (
        (slack(value, secret="another secret entirely"), 401),
        (slack(value, at=time.time() - 3600), 401),
        (slack(value, user="UNKNOWN"), 403),
        (slack("nonsense"), 400),
        (slack(button(Deed.APPROVE, "inc-1-1", "0" * 64)), 410),
    ):
        assert served.browser.post("/in/slack", **wrong).status_code == status
    for _ in range(2):
        served.browser.post("/in/slack", **slack(value))
    approved = [record.body for record in served.paper.records if record.kind == Kind.APPROVED]
    assert [(one["person"], one["through"]) for one in approved] == [("exercise-one", "chat")]


def test_a_loss_that_somebody_must_accept_is_never_taken_from_a_button(served: Served) -> None:
    from holdfast.conduct.situation import LossBound

    served.paper.loss = LossBound(None, None)
    served.paper.lose_region()
    proposal = served.paper.incident.proposal
    assert proposal is not None
    answer = served.browser.post("/in/slack", **slack(button(Deed.APPROVE, "inc-1-1", proposal.hash)))
    assert answer.status_code == 403 and "accept it on the page" in answer.json()["error"]
    assert not served.paper.incident.approvals


def rung_up(served: Served, fields: dict[str, str], token: str = SECRET, path: str = "/in/twilio") -> httpx.Response:
    signature = RequestValidator(token).compute_signature(f"{served.url}{path}", fields)
    return served.browser.post(path, data=fields, headers={"x-twilio-signature": signature})


def twilio(served: Served, fields: dict[str, str]) -> str:
    """What the telephone says."""
    answer = rung_up(served, fields)
    assert answer.status_code == 200
    return answer.text


def test_six_digits_over_the_persons_own_telephone_approve_exactly_what_is_proposed(served: Served) -> None:
    served.paper.lose_region()
    proposal = served.paper.incident.proposal
    assert proposal is not None
    digits = code((served.directory / "link.key").read_bytes(), "exercise-one", proposal.hash)
    text = {"MessageSid": "SM1", "From": PHONE, "To": "+1", "Body": f"APPROVE {digits}"}
    assert rung_up(served, text, "another token entirely").status_code == 401
    assert "Refused: this number is nobody in the plan" in twilio(served, text | {"From": "+4400000"})
    assert "Not understood" in twilio(served, text | {"Body": "1234567"})
    assert not served.paper.incident.approvals
    assert "accepted" in twilio(served, text)
    assert [one.person for one in served.paper.incident.approvals] == ["exercise-one"]


def test_wrong_digits_stop_counting_after_some_tries(served: Served) -> None:
    served.paper.lose_region()
    text = {"MessageSid": "SM1", "From": PHONE, "To": "+1"}
    said = [twilio(served, text | {"Body": f"{number:06}"}) for number in range(6)]
    assert ["not the digits" in one for one in said] == [True] * 5 + [False] and "too many wrong codes" in said[5]


def test_an_acknowledgement_of_the_pager_must_be_signed_and_by_somebody_known(served: Served) -> None:
    served.paper.lose_region()
    event = {"id": "E1", "event_type": "incident.acknowledged", "agent": {"id": "PUSER1"}, "data": {"incident_key": "holdfast/inc-1-1"}}

    def sent(event: Any, secret: str = SECRET) -> int:
        body = json.dumps({"event": event}).encode()
        signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        return served.browser.post("/in/pagerduty", content=body, headers={"x-pagerduty-signature": f"v1=00,v1={signature}"}).status_code

    assert sent(event, "another secret entirely") == 401
    assert sent({**event, "agent": {"id": "PX"}}) == 403
    assert sent({**event, "data": {"incident_key": "holdfast/inc-9-9"}}) == 409
    assert sent("nonsense") == 400
    assert sent({**event, "event_type": "incident.triggered"}) == 200
    assert served.controller.commands == []
    assert sent(event) == 200
    assert served.controller.commands == [("ack", "exercise-one")]


class MultiDict(dict[str, list[str]]):
    """Fields with several values, as the sender's library reads them."""

    def getall(self, name: str) -> list[str]:
        return self[name]


def test_signatures_are_those_of_the_senders_own_libraries() -> None:
    body, stamp = b"payload=%7B%7D", str(int(time.time()))
    made = SignatureVerifier(SECRET).generate_signature(timestamp=stamp, body=body) or ""
    check_slack(SECRET.encode(), stamp, made, body, time.time())
    with pytest.raises(Forged):
        check_slack(SECRET.encode(), stamp, made, body + b" ", time.time())
    url, fields = "https://holdfast.example.com/in/twilio?key=a%2Fb", {"To": ["+1"], "Digits": ["1"], "Ä": ["ö", "a"]}
    check_twilio(SECRET.encode(), url, fields, RequestValidator(SECRET).compute_signature(url, MultiDict(fields)))
    with pytest.raises(Forged):
        check_twilio(SECRET.encode(), url, fields, base64.b64encode(b"x" * 20).decode())


# -- the feed and the status page -----------------------------------------------------------------------------------------------


def test_the_feed_goes_on_after_what_the_client_saw_and_leaves_torn_lines_out(tmp_path: Path) -> None:
    feed, page = tmp_path / "feed.jsonl", tmp_path / "public"
    page.mkdir()
    (page / "index.html").write_text("all is well")
    rows = [json.dumps({"id": n, "event": "update", "data": {"short": f"n{n}"}}) for n in (1, 2)]
    feed.write_text(f'{rows[0]}\n{{"torn\n{rows[1]}\n{{"unfinished')
    with serving(tmp_path, feed_file=str(feed), status_folder=str(page)) as served:
        with served.browser.stream("GET", "/feed", headers={"last-event-id": "1"}) as answer:
            lines = answer.iter_lines()
            seen = [next(lines) for _ in range(5)]
        assert seen[2:5] == ["id: 3", "event: update", 'data: {"short": "n2"}']
        assert served.browser.get("/status/").text == "all is well"
        assert served.browser.get("/status/%2e%2e/secret").status_code == 404
