"""The doors of `holdfast serve` as people use them: at a desk, by the keyboard alone, on an old phone, and without a script."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from browser.chromium import Chromium, Tab, open_page, program, started
from browser.test_report_page_in_chromium import CONTRASTS
from holdfast.decision.links import Deed, Link, sealed
from holdfast.journal.kinds import Kind
from unit.oidc_provider import signed_on
from unit.serve_rig import PASSWORD, Served, serving, with_accounts

pytestmark = pytest.mark.skipif(program() is None, reason="Chromium is not installed: apt-get install chromium")

TARGETS = """[...document.querySelectorAll('a, button, input:not([type=hidden])')].map(one => {
  const box = (one.type === 'checkbox' ? one.closest('label') : one).getBoundingClientRect();
  return [one.outerHTML.slice(0, 60), box.width, box.height]; })"""
STICKS_OUT = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
ADVICE = "[DOM] Multiple forms should be contained in their own form elements"
"""What the browser's password keeper would like better: two people's passwords belong into one form here."""
FOCUSED = "document.activeElement.name || document.activeElement.textContent"


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with started() as chromium:
        yield chromium


@pytest.fixture
def served(tmp_path: Path, browser: Chromium) -> Iterator[Served]:
    with_accounts(tmp_path)
    browser.ask("Storage.clearCookies")
    with serving(tmp_path) as running:
        yield running


def until(tab: Tab, expression: str, seconds: float = 30.0) -> None:
    """Wait for a condition in the page, also over loading another one."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        try:
            if tab.value(f"Boolean({expression})"):
                return
        except AssertionError:  # the page is being left
            pass
        time.sleep(0.05)
    raise AssertionError(f"never so: {expression}; the page says: {tab.value('document.body.innerText')}")


def press(tab: Tab, key: str) -> None:
    codes = {"Tab": 9, "Enter": 13}
    given: dict[str, Any] = {"key": key, "code": key, "windowsVirtualKeyCode": codes[key]}
    text = {"text": "\r"} if key == "Enter" else {}
    tab.browser.ask("Input.dispatchKeyEvent", tab.session, type="keyDown", **given, **text)
    tab.browser.ask("Input.dispatchKeyEvent", tab.session, type="keyUp", **given)


def write(tab: Tab, text: str) -> None:
    tab.browser.ask("Input.insertText", tab.session, text=text)


def tab_to(tab: Tab, wanted: str) -> None:
    """By the keyboard alone, from wherever it stands."""
    for _ in range(30):
        press(tab, "Tab")
        if wanted in tab.value(FOCUSED):
            assert tab.value("getComputedStyle(document.activeElement).outlineStyle") == "solid", "who uses the keyboard sees where"
            return
    raise AssertionError(f"no way to {wanted} by the keyboard")


def says(text: str) -> str:
    return f"document.body.innerText.includes({text!r})"


def sign_in(tab: Tab, name: str = "one") -> None:
    until(tab, "document.querySelector('[name=password]')")
    tab_to(tab, "name")
    write(tab, name)
    tab_to(tab, "password")
    write(tab, PASSWORD)
    press(tab, "Enter")
    until(tab, "document.getElementById('now')")


def link(served: Served, deed: Deed, who: str = "exercise-two") -> str:
    proposal = served.paper.incident.proposal
    wanted = proposal.hash if proposal is not None and deed is Deed.APPROVE else ""
    made = Link(who, deed, "inc-1-1", wanted, time.time() + 600)
    return f"{served.url}/a/{sealed((served.directory / 'link.key').read_bytes(), made)}"


def well_behaved(tab: Tab, served: Served) -> None:
    """Nothing is asked of anybody else, nothing is blocked, and whoever has thick fingers hits what they mean."""
    asked = {urlsplit(url).netloc for url in tab.requested()}
    assert asked == {urlsplit(served.url).netloc}
    assert [said for said in tab.complaints() if not said.startswith(ADVICE)] == []
    small = [target for target in tab.value(TARGETS) if target[2] < 44 or target[1] < 44]
    assert small == []
    faint = [found for found in tab.value(CONTRASTS) if found[0] < 4.5]
    assert faint == []


def test_a_person_signs_in_and_approves_by_the_keyboard_alone_and_reads_first_what_can_not_be_undone(
    browser: Chromium, served: Served
) -> None:
    served.paper.lose_region()
    tab = open_page(browser, f"{served.url}/")
    sign_in(tab)
    until(tab, says("EXERCISE"))
    order = "document.body.innerText"
    text = tab.value(order)
    assert text.index("Can't be undone") < text.index("May lose") < text.index("Type the region") < text.index("Approve as exercise-one")
    well_behaved(tab, served)
    tab_to(tab, "region")
    write(tab, "eu-central-1")
    tab_to(tab, "Approve as exercise-one")
    press(tab, "Enter")
    until(tab, says("accepted: approval 1 of"))
    assert [one.person for one in served.paper.incident.approvals] == ["exercise-one"]
    assert tab.value("document.querySelector('[role=status]').textContent").startswith("✓")
    tab_to(tab, "Sign out")
    press(tab, "Enter")
    until(tab, "document.querySelector('[name=password]')")


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_a_link_fits_an_old_phone_and_acts_without_a_script(browser: Chromium, served: Served, scheme: str) -> None:
    served.paper.lose_region()
    for deed in (Deed.APPROVE, Deed.ACKNOWLEDGE):
        tab = open_page(browser, link(served, deed), width=320, scheme=scheme)
        assert not tab.value(STICKS_OUT)
        well_behaved(tab, served)
        background = tab.value("getComputedStyle(document.body).backgroundColor")
        assert background == ("rgb(14, 20, 32)" if scheme == "dark" else "rgb(255, 255, 255)"), "as the system has it"
    browser.ask("Emulation.setScriptExecutionDisabled", tab.session, value=True)
    browser.events.clear()
    browser.ask("Page.reload", tab.session)
    browser.until("Page.loadEventFired", tab.session)
    assert Kind.ACKNOWLEDGED not in served.paper.kinds(), "looking never acts"
    tab_to(tab, "I have it as exercise-two")
    press(tab, "Enter")
    until(tab, says("accepted: exercise-two"))
    assert served.paper.kinds().count(Kind.ACKNOWLEDGED) == 1


def test_whoever_may_approve_by_a_link_may_decide_against_it_there(browser: Chromium, served: Served) -> None:
    served.paper.lose_region()
    tab = open_page(browser, link(served, Deed.APPROVE), width=320)
    tab_to(tab, "reason")
    write(tab, "it is a test of the alarm")
    tab_to(tab, "Refuse")
    press(tab, "Enter")
    until(tab, says("accepted: the incident stands down"))
    assert served.paper.incident.ended


def test_the_incident_fits_every_width_in_the_dark_of_a_war_room(browser: Chromium, served: Served) -> None:
    from holdfast.conduct.situation import LossBound

    served.paper.loss = LossBound(None, None)
    served.paper.lose_region()
    tab = open_page(browser, f"{served.url}/", scheme="light")
    sign_in(tab)
    until(tab, says("I accept this loss by name"))
    for width in (320, 375, 768, 1200):
        tab.width(width)
        assert not tab.value(STICKS_OUT), f"at {width} px"
        well_behaved(tab, served)
    assert tab.value("getComputedStyle(document.body).backgroundColor") == "rgb(14, 20, 32)", "dark whatever the system's wish"
    answers = [node for node in tab.accessibility() if node.get("role", {}).get("value") in ("textbox", "checkbox", "button")]
    assert answers and all(node["name"]["value"] for node in answers), "whatever can be answered has a name for who listens"


def test_two_people_break_the_glass_and_everybody_sees_it_in_the_first_line(browser: Chromium, served: Served) -> None:
    served.paper.lose_region()
    tab = open_page(browser, f"{served.url}/break-glass", width=320)
    assert not tab.value(STICKS_OUT)
    well_behaved(tab, served)
    given = {"name": "glass-1", "password": PASSWORD, "name_2": "glass-2", "password_2": PASSWORD, "because": "sso is down"}
    for field, text in given.items():
        tab_to(tab, field)
        assert tab.value(FOCUSED) == field
        write(tab, text)
    press(tab, "Enter")
    until(tab, "document.getElementById('now')")
    assert tab.value("document.querySelector('h1').innerText").startswith("⏸ GLASS BROKEN by exercise-one and exercise-two: sso is down")
    assert tab.value("document.title").startswith("EXERCISE: GLASS BROKEN")
    other = open_page(browser, link(served, Deed.ACKNOWLEDGE))
    assert other.value("document.querySelector('main').innerText").startswith("⏸ GLASS BROKEN")


def test_an_open_page_shows_what_changes_and_never_answers_for_something_else(browser: Chromium, served: Served) -> None:
    tab = open_page(browser, f"{served.url}/")
    sign_in(tab)
    until(tab, "document.getElementById('live').textContent === 'live'")
    tab.value("window.stays = true")
    served.paper.lose_region()
    until(tab, says("waits for approval"))
    tab_to(tab, "region")
    write(tab, "eu-central")
    asked = tab.value("document.getElementById('ask').dataset.key")
    served.paper.approve("exercise-two")
    until(tab, f"document.getElementById('ask').dataset.key !== {asked!r}")
    until(tab, "document.getElementById('live').textContent.includes('was not sent')")
    assert tab.value("window.stays"), "the page was never loaded again"
    assert [one.person for one in served.paper.incident.approvals] == ["exercise-two"]
    well_behaved(tab, served)


def test_a_page_whose_controller_is_gone_says_so_and_shows_nothing_as_green(browser: Chromium, served: Served) -> None:
    from holdfast.console.serving.doors import Unanswered

    tab = open_page(browser, f"{served.url}/")
    sign_in(tab)
    until(tab, "document.getElementById('live').textContent === 'live'")

    def nobody() -> dict[str, Any]:
        raise Unanswered("no controller answers.")

    served.controller.state = nobody  # type: ignore[method-assign]  # as a controller that has died
    until(tab, "document.getElementById('live').textContent.startsWith('no controller answers')")
    assert tab.value("getComputedStyle(document.getElementById('now')).filter") == "grayscale(1)"


def test_single_sign_on_leads_there_and_back(browser: Chromium, tmp_path: Path) -> None:
    browser.ask("Storage.clearCookies")
    with signed_on(tmp_path) as (served, provider):
        tab = open_page(browser, f"{served.url}/")
        tab_to(tab, "Single sign-on")
        press(tab, "Enter")
        until(tab, "document.getElementById('now')")
        assert {urlsplit(url).netloc for url in tab.requested()} == {urlsplit(served.url).netloc, urlsplit(provider.url).netloc}
        served.paper.lose_region()
        until(tab, says("Approve as exercise-one"))


def test_whoever_opens_what_is_void_or_over_reads_why(browser: Chromium, served: Served) -> None:
    for path in ("/a/nonsense", "/nowhere"):
        tab = open_page(browser, f"{served.url}{path}", width=320)
        assert tab.value("document.querySelector('h1').innerText").startswith("✕") and not tab.value(STICKS_OUT)
        assert [complaint for complaint in tab.complaints() if "status of 40" not in complaint] == []
