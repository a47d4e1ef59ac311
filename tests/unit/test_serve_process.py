"""`holdfast serve` as a process of its own: how it starts, what it costs when nobody comes, and how it ends."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from free_ports import free_port
from holdfast.console.serving.accounts import Accounts
from unit.canary_bindings import controller_at, some_bindings
from unit.conduct_on_paper import PLAN_FILE, Paper
from unit.serve_rig import PASSWORD, PaperController, over_http, reachable, running, with_accounts

TOKEN = "the controller's token in these tests"
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Site:
    """A controller's address and files, and where the doors shall be."""

    directory: Path
    port: int
    controller_port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def command(self, *arguments: str, **settings: Any) -> list[str]:
        (self.directory / "serve.yaml").write_text(json.dumps({"port": self.port, **settings}))
        places = ["--bindings", str(self.directory / "bindings.json"), "--config", str(self.directory / "serve.yaml")]
        return [sys.executable, "-m", "holdfast", *arguments, *places]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    found = Site(tmp_path, free_port(), free_port())
    (tmp_path / "token").write_text(TOKEN)
    controller = controller_at(found.controller_port, tmp_path / "token")
    (tmp_path / "bindings.json").write_text(some_bindings(controller=controller, state_directory=tmp_path).model_dump_json(by_alias=True))
    (tmp_path / "serve").mkdir()
    with_accounts(tmp_path / "serve")
    return found


@contextmanager
def started(site: Site, **settings: Any) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(site.command("serve", str(PLAN_FILE), **settings), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == f"▶ serving {site.url}\n"
        until = time.monotonic() + 30.0
        while time.monotonic() < until:
            try:
                httpx.get(f"{site.url}/healthz", trust_env=False)
                break
            except httpx.TransportError:
                time.sleep(0.05)
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def ended(process: subprocess.Popen[str], seconds: float = 30.0) -> tuple[int, str]:
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=seconds)
    return process.returncode, errors


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def test_it_says_that_nobody_answers_until_a_controller_does_and_ends_at_once_though_pages_are_open(site: Site) -> None:
    with started(site) as process, httpx.Client(base_url=site.url, trust_env=False, timeout=30.0) as browser:
        assert browser.post("/sign-in", data={"name": "one", "password": PASSWORD}).status_code == 303
        answer = browser.get("/", headers={"accept": "text/html"})
        assert answer.status_code == 503 and "no controller answers" in answer.text and "holdfast run PLAN" in answer.text
        with running(over_http(PaperController(Paper(plan=reachable())), TOKEN), site.controller_port):
            until = time.monotonic() + 30.0
            while (answer := browser.get("/")).status_code != 200 and time.monotonic() < until:
                time.sleep(0.1)
            assert "eu-west-1 writes under epoch" in answer.text
            heard, over = threading.Event(), threading.Event()

            def follow() -> None:
                try:
                    with browser.stream("GET", "/live") as stream:
                        for line in stream.iter_lines():
                            if line.startswith("event: page"):
                                heard.set()
                except httpx.TransportError:
                    pass
                over.set()

            reader = threading.Thread(target=follow)
            reader.start()
            assert heard.wait(30.0)
            code, errors = ended(process)
            assert over.wait(30.0)
            reader.join()
    assert (code, errors) == (0, "")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"phone": {"token_file": "SHORT"}}, "holds 5 bytes; a secret has at least 16"),
        ({"phone": {"token_file": "/nonexistent/token"}}, "/nonexistent/token"),
        ({"alerts": {"webhook": [{"label": "x", "signal": "y"}]}}, "the plan has no signal 'y'; it has:"),
        ({"porte": 1}, "porte: Extra inputs are not permitted"),
        ({"broken_glass_minutes": 600}, "broken_glass_minutes"),
    ],
)
def test_settings_that_can_not_be_used_are_told_by_their_place_and_nothing_is_started(
    site: Site, settings: dict[str, Any], said: str
) -> None:
    (site.directory / "short").write_text("short")
    text = json.dumps(settings).replace("SHORT", str(site.directory / "short"))
    done = subprocess.run(
        site.command("serve", str(PLAN_FILE), **json.loads(text)), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2 and said in " ".join(done.stderr.split()), done.stderr
    assert "Traceback" not in done.stderr


def test_an_address_that_is_taken_is_told_as_that(site: Site) -> None:
    with started(site):
        done = subprocess.run(site.command("serve", str(PLAN_FILE)), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2 and f"127.0.0.1:{site.port} can't be listened on" in " ".join(done.stderr.split())


def test_accounts_are_listed_and_removed_by_their_commands(site: Site) -> None:
    def said(*arguments: str) -> tuple[int, Any]:
        done = subprocess.run(site.command(*arguments, "-o", "json"), capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, json.loads(done.stdout or "null")

    code, listed = said("account", "list")
    assert code == 0 and listed["glass-1"] == {"person": "exercise-one", "break_glass": True}
    assert said("account", "remove", "glass-1") == (0, {"removed": "glass-1"})
    assert said("account", "remove", "glass-1")[0] == 1
    assert "glass-1" not in Accounts(site.directory / "serve" / "accounts.json").all()


@pytest.mark.alone
def test_it_costs_next_to_nothing_when_nobody_comes(site: Site) -> None:
    with started(site) as process:
        start = cpu_seconds(process.pid)
        time.sleep(5.0)
        idle = (cpu_seconds(process.pid) - start) / 5.0
    assert start < 3.0, f"{start:.2f} s of processor time to start"
    assert idle < 0.02, f"{idle:.1%} of a core when idle"
