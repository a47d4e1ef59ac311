"""The exported plan as a page: on a phone, in the dark, on paper, through a screen reader, with nothing from outside."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from browser.chromium import Chromium, open_page, program, started
from browser.test_report_page_in_chromium import CONTRASTS
from holdfast.checks import check
from holdfast.document.writing.booklet import booklet
from holdfast.document.writing.html import html
from holdfast.plan.loader import load

pytestmark = pytest.mark.skipif(program() is None, reason="Chromium is not installed: apt-get install chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with started() as chromium:
        yield chromium


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    loaded = load(Path("examples/voicehive/plan.yaml"))
    file = tmp_path_factory.mktemp("export") / "plan.html"
    file.write_text(html(booklet(loaded.plan, loaded.digest, check(loaded.plan))))
    return file.as_uri()


def test_nothing_but_the_file_is_asked_for_and_nothing_is_blocked(browser: Chromium, address: str) -> None:
    tab = open_page(browser, address)
    assert tab.requested() == [address]
    assert tab.complaints() == []


@pytest.mark.parametrize("width", [320, 375, 768, 1200])
def test_the_page_is_never_wider_than_the_window(browser: Chromium, address: str, width: int) -> None:
    """Wide tables and drawings scroll in a place of their own, which the keyboard reaches."""
    tab = open_page(browser, address, width)
    assert tab.value("document.documentElement.scrollWidth") <= width
    outside = tab.value(
        f"""[...document.querySelectorAll('body :not(svg *):not(.skip)')].filter(e => e.getClientRects().length
        && !e.closest('.scroll > *') && !e.closest('.drawing > *') && e.getBoundingClientRect().right > {width} + 0.5)
        .map(e => e.tagName + ' ' + e.textContent.slice(0, 40))"""
    )
    assert outside == []
    assert tab.value("[...document.querySelectorAll('.scroll, .drawing')].every(e => e.tabIndex === 0)")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_stands_out_from_its_background(browser: Chromium, address: str, scheme: str) -> None:
    tab = open_page(browser, address, 1200, scheme)
    assert [found for found in tab.value(CONTRASTS) if found[0] < 4.5] == []


def test_paper_is_black_on_white_whatever_the_system_wishes(browser: Chromium, address: str) -> None:
    tab = open_page(browser, address, 1200, "dark")
    tab.media("print", "dark")
    assert tab.value("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    assert tab.value("getComputedStyle(document.querySelector('main p')).color") == "rgb(0, 0, 0)"
    assert tab.printed().startswith(b"%PDF")


def test_links_of_the_contents_are_big_enough_to_touch_and_lead_somewhere(browser: Chromium, address: str) -> None:
    tab = open_page(browser, address, 320)
    assert tab.value("[...document.querySelectorAll('nav a')].every(a => a.getBoundingClientRect().height >= 44)")
    assert tab.value("[...document.querySelectorAll('nav a')].every(a => document.querySelector(a.getAttribute('href')))")


def test_both_maps_have_a_name_for_a_screen_reader(browser: Chromium, address: str) -> None:
    tab = open_page(browser, address)
    images = [node for node in tab.accessibility() if node.get("role", {}).get("value") in ("image", "img")]
    names = [node.get("name", {}).get("value", "") for node in images]
    assert "VoiceHive Hotels: what stands on what" in names
    assert "VoiceHive Hotels: regions and links" in names
