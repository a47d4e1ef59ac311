"""`holdfast serve` as a real HTTP server on loopback, in front of a controller on paper; and a lab in which commands find that one."""

import json
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from free_ports import free_port
from holdfast.app_serve import application
from holdfast.cli.main import run
from holdfast.conduct.situation import Command
from holdfast.console.serving.accounts import Accounts
from holdfast.console.serving.patience import server
from holdfast.console.serving.settings import ServeSettings
from holdfast.console.state import state
from holdfast.plan.model import Plan
from unit.canary_bindings import controller_at, some_bindings
from unit.conduct_on_paper import LOADED, Paper

SECRET = "a secret of the tests, long enough"
PASSWORD = "a long enough password"
PHONE, CHAT = "+35312345678", "U0EXERCISE1"


def reachable(plan: Plan = LOADED.plan) -> Plan:
    """The plan with a telephone and a chat name of the first stand-in."""
    people = {**plan.people, "exercise-one": plan.people["exercise-one"].model_copy(update={"phone": PHONE, "chat": CHAT})}
    return plan.model_copy(update={"people": people})


class PaperController:
    """What stands behind the doors: the production policy on paper."""

    def __init__(self, paper: Paper) -> None:
        self.paper = paper
        paper.now = time.time()  # the doors look at the wall clock
        self.commands: list[tuple[str, str]] = []
        self.arguments: list[Mapping[str, Any]] = []
        self.looks = 0
        self._turn = threading.Lock()

    def state(self) -> dict[str, Any]:
        with self._turn:
            self.looks += 1
            shown = state(self.paper.situation(), 1.0, None, {})
        return {**json.loads(json.dumps(shown)), "hears": [], "journal_full": None}

    def command(self, verb: str, by: str, arguments: Mapping[str, Any], identifier: str) -> str:
        from holdfast.conduct.policy import answered

        with self._turn:
            self.commands.append((verb, by))
            self.arguments.append(dict(arguments))
            said, moves = answered(self.paper.situation(), Command(identifier, verb, by, dict(arguments)))
            self.paper._make(moves)
            self.paper.settle()
            return said


def over_http(controller: PaperController, token: str) -> Starlette:
    """The controller's API, as far as `holdfast serve` and people's commands use it."""

    def genuine(request: Request) -> bool:
        return request.headers.get("authorization") == f"Bearer {token}"

    async def shown(request: Request) -> JSONResponse:
        return JSONResponse(controller.state()) if genuine(request) else JSONResponse({"error": "no"}, 401)

    async def given(request: Request) -> JSONResponse:
        body = await request.json()
        if not genuine(request):
            return JSONResponse({"error": "no"}, 401)
        return JSONResponse({"answer": controller.command(body["verb"], body["by"], body["arguments"], body["id"])})

    return Starlette(routes=[Route("/v1/state", shown), Route("/v1/commands", given, methods=["POST"])])


@dataclass
class Served:
    """A running server, a browser that keeps its cookies, and what is behind it."""

    url: str
    browser: httpx.Client
    controller: PaperController
    directory: Path

    def page_with(self, text: str, path: str = "/") -> str:
        """The page once it says this: who looks a moment after another is shown the same."""
        until = time.monotonic() + 20.0
        while text not in (page := self.browser.get(path).text) and time.monotonic() < until:
            time.sleep(0.05)
        assert text in page, page
        return page

    @property
    def paper(self) -> Paper:
        return self.controller.paper


@cache
def _hashed(names: tuple[tuple[str, str, bool], ...]) -> str:
    with tempfile.TemporaryDirectory() as folder:
        accounts = Accounts(Path(folder) / "accounts.json")
        for name, person, break_glass in names:
            accounts.set(name, person, PASSWORD, break_glass=break_glass)
        return (Path(folder) / "accounts.json").read_text()


def with_accounts(directory: Path) -> None:
    """`one` and `two` sign in alone, `glass-1` and `glass-2` together. Passwords are hashed once for all tests: that takes long."""
    people = ("exercise-one", "exercise-two")
    names = [(name, who, False) for name, who in zip(("one", "two"), people, strict=True)]
    names += [(name, who, True) for name, who in zip(("glass-1", "glass-2"), people, strict=True)]
    (directory / "accounts.json").write_text(_hashed(tuple(names)))


@contextmanager
def running(app: Any, port: int) -> Iterator[None]:
    started = server(app, "127.0.0.1", port)
    thread = threading.Thread(target=started.run)
    thread.start()
    try:
        until = time.monotonic() + 20.0
        while not started.started and time.monotonic() < until:
            time.sleep(0.01)
        assert started.started
        yield
    finally:
        started.should_exit = True
        thread.join(20.0)


@dataclass(frozen=True)
class PaperLab:
    """A lab's folder, and the controller that the commands find by it."""

    folder: Path
    controller: PaperController

    def run(self, *words: str) -> int:
        """A command as somebody at the terminal gives it. Returns its exit code."""
        return run([*words, "--lab", str(self.folder)])


@contextmanager
def in_a_lab(folder: Path, controller: PaperController) -> Iterator[PaperLab]:
    """The commands' own way to a controller: the lab's bindings say where it is, and it is asked over HTTP, with its token."""
    port, token = free_port(), folder / "token"
    token.write_text(SECRET)
    bindings = some_bindings(controller=controller_at(port, token), state_directory=folder)
    (folder / "bindings.witness.json").write_text(bindings.model_dump_json(by_alias=True))
    with running(over_http(controller, SECRET), port):
        yield PaperLab(folder, controller)


def settings_with(directory: Path, port: int, **more: Any) -> ServeSettings:
    secret = directory / "secret"
    secret.write_text(SECRET)
    given = {
        "port": port,
        "chat": {"signing_secret_file": secret},
        "phone": {"token_file": secret},
        "paging": {"secret_files": [secret], "people": {"PUSER1": "exercise-one"}},
        "alerts": {
            "alertmanager": [{"label": "alertname", "is": "LoginsFail", "signal": "security-alert"}],
            "aws_health": [{"label": "service", "is": "RDS", "signal": "data-errors"}],
            "keys": {"scanner": secret},
        },
        **more,
    }
    return ServeSettings.model_validate(given)


@contextmanager
def serving(directory: Path, paper: Paper | None = None, **more: Any) -> Iterator[Served]:
    port = free_port()
    controller = PaperController(paper or Paper(plan=reachable()))
    app = application(controller, settings_with(directory, port, **more), controller.paper.plan, directory)
    with running(app, port), httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20.0, trust_env=False) as browser:
        yield Served(f"http://127.0.0.1:{port}", browser, controller, directory)
