"""Alerts in over real HTTP: they open incidents for people, a repeat adds nothing, and bad ones are told what is wrong with them."""

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.journal.kinds import Kind
from unit.serve_rig import SECRET, Served, serving, with_accounts
from unit.test_serve import bearer, hidden, sign_in


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with_accounts(tmp_path)
    with serving(tmp_path) as running:
        yield running


GROUP: dict[str, Any] = {
    "version": "4",
    "truncatedAlerts": 3,
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": name},
            "annotations": {"summary": "log-ins fail"},
            "startsAt": "2026-01-05T10:00:00Z",
            "fingerprint": name,
        }
        for name in ("LoginsFail", "DiskFull")
    ],
}
HEALTH: dict[str, Any] = {
    "source": "aws.health",
    "id": "1",
    "time": "2026-01-05T10:00:00Z",
    "detail": {"eventArn": "arn:aws:health:eu-west-1::event/RDS/1", "service": "RDS", "statusCode": "open"},
}


def signed(content: bytes, *, key: str = SECRET, name: str = "scanner", at: float | None = None) -> dict[str, str]:
    stamp = str(int(time.time() if at is None else at))
    return {
        "holdfast-signature": f"t={stamp},k={name},v1={hmac.new(key.encode(), stamp.encode() + b'.' + content, hashlib.sha256).hexdigest()}"
    }


def test_a_group_of_alerts_opens_one_incident_for_people_and_a_repeat_adds_nothing(served: Served) -> None:
    header = bearer(served, "alert")
    answer = served.browser.post("/in/alertmanager", json=GROUP, headers=header).json()
    assert (answer["not_mapped"], answer["truncated_by_sender"], len(answer["alerts"])) == (1, 3, 1)
    assert served.paper.incident.scenario == "security-breach"
    heard = next(record for record in served.paper.records if record.kind == Kind.ALERT_HEARD)
    assert heard.body["truncated"] == 3, "what the sender left out is known to people, not only to the sender"
    before = len(served.paper.records)
    assert served.browser.post("/in/alertmanager", json=GROUP, headers=header).json() == answer
    assert len(served.paper.records) == before
    assert served.browser.post("/in/aws-health", json=HEALTH, headers=header).json()["alerts"][0]["answer"] == "accepted: it joins inc-1-1"
    assert Kind.STEP_INTENDED not in served.paper.kinds()
    sign_in(served)
    page = served.browser.get("/").text
    assert "nothing begins before a person says that it is so" in page
    assert served.browser.post("/answer", data=hidden(page, "confirm")).status_code == 200
    assert Kind.ALERT_CONFIRMED in served.paper.kinds()


def test_an_alert_is_told_to_come_again_while_the_controller_hears_its_agents(served: Served) -> None:
    known = served.controller.state
    served.controller.state = lambda: {**known(), "hears": ["eu-west-1"]}  # type: ignore[method-assign]  # as one without memory has it
    answer = served.browser.post("/in/alertmanager", json=GROUP, headers=bearer(served, "alert"))
    assert answer.status_code == 503 and "eu-west-1" in answer.json()["error"]
    assert served.controller.commands == [], "what isn't journalled is not taken for a repeat later"


def test_a_rule_that_names_a_signal_which_the_plan_does_not_have_stops_the_start(tmp_path: Path) -> None:
    rules = [{"label": "alertname", "signal": "log-ins-fail"}]
    with pytest.raises(ValueError, match="the plan has no signal 'log-ins-fail'; it has: "), serving(tmp_path, alerts={"webhook": rules}):
        pass


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("alertmanager", b"{", "not JSON"),
        ("alertmanager", b"[" * 60000, "not JSON"),
        ("alertmanager", b"[]", "not a JSON object"),
        ("alertmanager", b'{"version": "3"}', "'version' must be"),
        ("alertmanager", b'{"version": "4", "alerts": {}}', "'alerts' must be a list"),
        ("alertmanager", b'{"version": "4", "alerts": [{"status": "odd", "labels": {}}]}', "alerts[0].status"),
        ("alertmanager", b'{"version": "4", "alerts": [{"status": "firing", "labels": {"a": 1}}]}', "alerts[0].labels"),
        ("alertmanager", b'{"version": "4", "alerts": [{"status": "firing"}]}', "fingerprint"),
        ("alertmanager", json.dumps({**GROUP, "alerts": [{**GROUP["alerts"][0], "startsAt": "soon"}]}).encode(), "is no time"),
        ("aws-health", b'{"source": "aws.ec2"}', "aws.health"),
        ("aws-health", b'{"source": "aws.health"}', "'detail' must be"),
        ("aws-health", b'{"source": "aws.health", "detail": {}}', "eventArn"),
    ],
)
def test_a_malformed_alert_is_told_what_is_wrong_with_it(served: Served, path: str, body: bytes, said: str) -> None:
    answer = served.browser.post(f"/in/{path}", content=body, headers=bearer(served, "alert"))
    assert answer.status_code == 400 and said in answer.json()["error"]
    assert served.controller.commands == []


def test_a_webhook_must_be_signed_lately_by_a_known_key_and_be_of_bounded_size(served: Served) -> None:
    body = json.dumps({"specversion": "1.0", "id": "7", "source": "/scan", "type": "alert", "data": {"signal": "data-errors"}}).encode()

    def sent(content: bytes, headers: dict[str, str]) -> int:
        return served.browser.post("/in/webhook", content=content, headers=headers).status_code

    for headers in (
        {},
        signed(body, key="another key entirely"),
        signed(body, name="nobody"),
        signed(body, at=time.time() - 3600),
        signed(b"x"),
    ):
        assert sent(body, headers) == 401
    assert sent(b"x" * 70000, signed(b"x" * 70000)) == 413
    for odd in (
        b"{}",
        b'{"specversion": "0.3", "id": "1"}',
        b'{"id": "1", "status": "maybe"}',
        b'{"id": "1", "data": 1, "specversion": "1.0"}',
    ):
        assert sent(odd, signed(odd)) == 400
    assert served.controller.commands == []
    header = signed(body)
    assert [sent(body, header), sent(body, header)] == [200, 200]
    assert served.paper.kinds().count(Kind.ALERT_HEARD) == 1, "a replay within the window is the same alert"


def test_a_storm_of_alerts_is_told_to_come_back_and_a_large_group_alone_is_taken_whole(tmp_path: Path) -> None:
    with serving(tmp_path, alerts={"most_a_minute": 1, "alertmanager": [{"label": "alertname", "signal": "security-alert"}]}) as served:
        header = bearer(served, "alert")
        assert len(served.browser.post("/in/alertmanager", json=GROUP, headers=header).json()["alerts"]) == 2
        known = len(served.controller.commands)
        answer = served.browser.post("/in/alertmanager", json=GROUP, headers=header)
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")
        assert len(served.controller.commands) == known
