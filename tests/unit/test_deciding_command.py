"""`holdfast approve` before anything is sent: who may, who was asked, and who answers at all."""

import io
import json
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from holdfast.cli import deciding, messages
from holdfast.cli.main import run
from holdfast.cli.output import CommandError, ExitCode
from holdfast.console.state import state
from holdfast.journal.kinds import Kind
from holdfast.providers.controller.client import ControllerClient, ControllerRefused, ControllerSilent
from unit.conduct_on_paper import DR, Paper


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> Paper:
    """A failover that waits for people; commands reach it."""
    paper = Paper(exercise=None)
    paper.lose_region()

    def give(_: Any, verb: str, by: str, arguments: dict[str, Any]) -> str:
        return paper.command(verb, by, **arguments)

    monkeypatch.setattr(deciding, "controller_of", lambda lab: None)
    monkeypatch.setattr(deciding, "state_of", lambda client: json.loads(json.dumps(state(paper.situation(), 1.0, None, {}))))
    monkeypatch.setattr(deciding, "give", give)
    return paper


def _typed(monkeypatch: pytest.MonkeyPatch, text: str, *, terminal: bool) -> None:
    keyboard = io.StringIO(text)
    keyboard.isatty = lambda: terminal  # type: ignore[method-assign]
    monkeypatch.setattr(sys, "stdin", keyboard)


def test_where_nobody_can_be_asked_it_says_how_to_approve_all_the_same(waiting: Paper, monkeypatch: pytest.MonkeyPatch) -> None:
    _typed(monkeypatch, "", terminal=False)
    with pytest.raises(CommandError, match=r"add --yes to go ahead\. Nothing was changed") as said:
        deciding.approve("inc-1-1", by="aoife-brennan")
    assert said.value.code == ExitCode.BAD_INPUT
    deciding.approve("inc-1-1", by="aoife-brennan", yes=True)
    assert [approval.person for approval in waiting.incident.approvals] == ["aoife-brennan"]


def test_who_types_the_regions_name_approves_and_who_types_another_does_not(waiting: Paper, monkeypatch: pytest.MonkeyPatch) -> None:
    _typed(monkeypatch, "eu-nowhere\n", terminal=True)
    with pytest.raises(CommandError, match="not approved"):
        deciding.approve("inc-1-1", by="aoife-brennan")
    _typed(monkeypatch, f"{DR}\n", terminal=True)
    deciding.approve("inc-1-1", by="aoife-brennan")
    assert len(waiting.incident.approvals) == 1


def test_who_approved_already_is_told_before_being_asked(waiting: Paper, monkeypatch: pytest.MonkeyPatch) -> None:
    deciding.approve("inc-1-1", by="aoife-brennan", yes=True)
    _typed(monkeypatch, "", terminal=True)
    with pytest.raises(CommandError, match=r"aoife-brennan has approved already; 1 other must: .*matteo-ricci \(engineering manager\)"):
        deciding.approve("inc-1-1", by="aoife-brennan")


def test_who_can_not_approve_learns_who_can(waiting: Paper, monkeypatch: pytest.MonkeyPatch) -> None:
    _typed(monkeypatch, "", terminal=True)
    with pytest.raises(CommandError, match=r"nobody can't approve this; who can: aoife-brennan \(platform lead\)"):
        deciding.approve("inc-1-1", by="nobody")


def test_why_it_happened_is_said_from_the_command_line(
    waiting: Paper, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def give(_: Any, verb: str, by: str, arguments: dict[str, Any]) -> str:
        return waiting.command(verb, by, **arguments)

    monkeypatch.setattr(messages, "controller_of", lambda lab: None)
    monkeypatch.setattr(messages, "give", give)
    cause, review = "The region's power failed", "On Monday at 10:00"
    said = run(["messages", "explain", "inc-1-1", "--as", "nadia-haddad", "--cause", cause, "--review", review])
    assert said == ExitCode.FINE
    assert (waiting.incident.cause, waiting.incident.review) == (cause, review)
    assert "accepted: messages say so from now on" in capsys.readouterr().out


def test_a_controller_that_is_not_there_is_said_without_a_programs_words(tmp_path: Path) -> None:
    token = tmp_path / "token"
    with pytest.raises(ControllerSilent, match=r"token is gone. Was the lab stopped\?"):
        ControllerClient("http://127.0.0.1:1", token).state()
    token.write_text("sixteen characters")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nothing answers there
        with pytest.raises(ControllerSilent, match=r"no controller answers at http://127.0.0.1:\d+ \(connection refused\). Start one"):
            ControllerClient(f"http://127.0.0.1:{taken.getsockname()[1]}", token).state()


@pytest.mark.parametrize(
    ("body", "said"),
    [('{"error": "not done, give it again later: the disk is full"}', "not done, give it again later: the disk is full"), ("oh", "oh")],
)
def test_a_controller_that_refuses_is_quoted_in_its_own_words(tmp_path: Path, body: str, said: str) -> None:
    class Refusing(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(503)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: Any) -> None: ...

    token = tmp_path / "token"
    token.write_text("sixteen characters")
    with HTTPServer(("127.0.0.1", 0), Refusing) as server:
        answering = threading.Thread(target=server.handle_request)
        answering.start()
        with pytest.raises(ControllerRefused) as refused:
            ControllerClient(f"http://127.0.0.1:{server.server_port}", token).state()
        answering.join(5)
    assert str(refused.value).endswith(f"answered 503: {said}")


def test_a_scenario_that_people_carry_out_is_declared_by_its_name_and_names_who_does_what(monkeypatch: pytest.MonkeyPatch) -> None:
    paper = Paper(exercise=None)
    monkeypatch.setattr(deciding, "controller_of", lambda lab: None)
    monkeypatch.setattr(deciding, "give", lambda _, verb, by, arguments: paper.command(verb, by, **arguments))
    deciding.declare(by="marek-novak", scenario="security-breach")
    assert (paper.incident.scenario, paper.incident.severity) == ("security-breach", "P1")
    told = json.loads(json.dumps(state(paper.situation(), 1.0, None, {}), allow_nan=False))
    asked = {one["what"].split(":")[0]: one for one in told["acting"]}
    assert asked["do isolate and tick it off"]["who"][0]["role"] == "technical-lead"
    assert asked["do revoke and tick it off"]["command"] == 'holdfast choose revoke done --as aoife-brennan --because "…"'
    with pytest.raises(CommandError, match="leave --scenario or --plan out"):
        deciding.declare(by="marek-novak", scenario="security-breach", plan=Path("x.json"))


def test_an_acknowledgement_given_here_says_so_and_can_claim_no_way_that_only_a_door_proves(
    waiting: Paper, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(messages, "controller_of", lambda lab: None)
    monkeypatch.setattr(messages, "give", lambda _, verb, by, arguments: waiting.command(verb, by, **arguments))
    for way in ("link", "reply", "phone-key", "button"):
        assert run(["ack", "inc-1-1", "--as", "aoife-brennan", "--way", way]) == ExitCode.BAD_INPUT
        assert "--way" in capsys.readouterr().err
    assert Kind.ACKNOWLEDGED not in waiting.kinds()
    assert run(["ack", "inc-1-1", "--as", "aoife-brennan"]) == ExitCode.FINE
    (given,) = (record for record in waiting.records if record.kind == Kind.ACKNOWLEDGED)
    assert (given.body["person"], given.body["way"]) == ("aoife-brennan", "cli")
