"""The system's Chromium, headless, driven over its DevTools pipe: no package, no port, nothing left behind.

Each `Chromium` has a user data directory of its own and is stopped by its process id.
"""

import base64
import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-default-browser-check",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)


def program() -> str | None:
    """Where Chromium is, or None."""
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


@dataclass
class Chromium:
    """One browser with its pipe. `events` holds everything that it said unasked."""

    process: subprocess.Popen[bytes]
    to_browser: int
    from_browser: int
    number: int = 0
    rest: bytes = b""
    events: list[dict[str, Any]] = field(default_factory=list)

    def ask(self, method: str, session: str | None = None, /, **parameters: Any) -> dict[str, Any]:
        """One command and its answer."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters, **({"sessionId": session} if session else {})}
        os.write(self.to_browser, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self.number:
                assert "error" not in answer, (method, answer["error"])
                result: dict[str, Any] = answer["result"]
                return result
            self.events.append(answer)

    def until(self, method: str, session: str) -> dict[str, Any]:
        """The first event of this kind, whether it has come already or not."""
        for event in self.events:
            if event.get("method") == method and event.get("sessionId") == session:
                return event
        while True:
            event = self._next()
            self.events.append(event)
            if event.get("method") == method and event.get("sessionId") == session:
                return event

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self.rest:
            chunk = os.read(self.from_browser, 1 << 16)
            assert chunk, "Chromium ended"
            self.rest += chunk
        first, _, self.rest = self.rest.partition(b"\0")
        message: dict[str, Any] = json.loads(first)
        return message


@dataclass
class Tab:
    """One page, opened with a width and a colour scheme."""

    browser: Chromium
    session: str

    def value(self, expression: str) -> Any:
        """What an expression is in the page."""
        answer = self.browser.ask("Runtime.evaluate", self.session, expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def requested(self) -> list[str]:
        """Every address that the page asked for."""
        return [
            event["params"]["request"]["url"]
            for event in self.browser.events
            if event.get("method") == "Network.requestWillBeSent" and event.get("sessionId") == self.session
        ]

    def complaints(self) -> list[str]:
        """What the browser logged: blocked resources, broken markup, errors."""
        return [
            event["params"]["entry"]["text"]
            for event in self.browser.events
            if event.get("method") == "Log.entryAdded" and event.get("sessionId") == self.session
        ]

    def media(self, media: str, scheme: str = "light") -> None:
        """Show as on `screen` or in `print`, light or dark."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.browser.ask("Emulation.setEmulatedMedia", self.session, media=media, features=features)

    def width(self, pixels: int) -> None:
        """Make the window this wide."""
        metrics: Mapping[str, Any] = {"width": pixels, "height": 800, "deviceScaleFactor": 1, "mobile": pixels < 600}
        self.browser.ask("Emulation.setDeviceMetricsOverride", self.session, **metrics)

    def accessibility(self) -> list[dict[str, Any]]:
        """The tree that a screen reader gets, flat."""
        self.browser.ask("Accessibility.enable", self.session)
        nodes: list[dict[str, Any]] = self.browser.ask("Accessibility.getFullAXTree", self.session)["nodes"]
        return [node for node in nodes if not node.get("ignored")]

    def printed(self) -> bytes:
        """The page as PDF."""
        options = {"preferCSSPageSize": True, "printBackground": False}
        return base64.b64decode(self.browser.ask("Page.printToPDF", self.session, **options)["data"])


def open_page(browser: Chromium, address: str, width: int = 1200, scheme: str = "light") -> Tab:
    """A page that has loaded, watched from its first request on."""
    target = browser.ask("Target.createTarget", url="about:blank")["targetId"]
    tab = Tab(browser, browser.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"])
    for domain in ("Page", "Network", "Runtime", "Log"):
        browser.ask(f"{domain}.enable", tab.session)
    tab.width(width)
    tab.media("screen", scheme)
    browser.ask("Page.navigate", tab.session, url=address)
    browser.until("Page.loadEventFired", tab.session)
    return tab


@contextmanager
def started() -> Iterator[Chromium]:
    """A browser for the length of a test module."""
    found = program()
    assert found is not None, "Chromium is not installed: apt-get install chromium"
    data = Path(tempfile.mkdtemp(prefix="holdfast-chromium-"))
    read_by_browser, to_browser = os.pipe()
    from_browser, written_by_browser = os.pipe()
    # Chromium reads commands from descriptor 3 and answers on 4; a shell puts the pipes there whatever numbers they have here.
    script = 'exec 3<&"$1" 4>&"$2"; shift 2; exec "$@"'
    arguments = ["bash", "-c", script, "chromium", str(read_by_browser), str(written_by_browser), found, *FLAGS, f"--user-data-dir={data}"]
    process = subprocess.Popen(
        arguments,
        pass_fds=(read_by_browser, written_by_browser),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    os.close(read_by_browser)
    os.close(written_by_browser)
    try:
        yield Chromium(process, to_browser, from_browser)
    finally:
        os.close(to_browser)
        os.close(from_browser)
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            # Its own process group, made above: nothing else can be in it.
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        shutil.rmtree(data, ignore_errors=True)
