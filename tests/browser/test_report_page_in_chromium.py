"""report.html as people see it: on a phone, on a desk, in the dark, on paper, and through a screen reader."""

import re
import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from browser.chromium import Chromium, Tab, open_page, program, started
from holdfast.report.build import build
from holdfast.report.write import write
from unit.report_facts import ReportStory

pytestmark = pytest.mark.skipif(program() is None, reason="Chromium is not installed: apt-get install chromium")

STORIES = {
    "pass": ReportStory(),
    "stopped": ReportStory(
        kind="incident", way_back=False, failover_outcome=None, outcomes={"deploy": ("failed", "no"), "smoke-test": ("unknown", "unknown")}
    ),
    "unexplained": ReportStory(unexplained=2, lost={"voice": 12, "pms": 3}),
}
# Contrast as WCAG 2.2 defines it, over what the browser really painted: the nearest background that is not transparent.
CONTRASTS = """(() => {
  const channels = text => text.match(/[\\d.]+/g).map(Number);
  const linear = v => v / 255 <= .04045 ? v / 255 / 12.92 : ((v / 255 + .055) / 1.055) ** 2.4;
  const light = colour => { const [r, g, b] = channels(colour).slice(0, 3).map(linear);
    return .2126 * r + .7152 * g + .0722 * b; };
  const behind = element => { for (let e = element; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
    if (channels(c).length < 4 || channels(c)[3] > 0) return c; } return 'rgb(255, 255, 255)'; };
  const found = [];
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
    if (!own || element.closest('svg') || element.closest('.skip')) continue;
    const [a, b] = [light(getComputedStyle(element).color), light(behind(element))].sort((x, y) => y - x);
    found.push([(a + .05) / (b + .05), element.tagName + '.' + element.className, element.textContent.slice(0, 40)]);
  }
  return found;
})()"""
PICTURE_CONTRASTS = """(() => {
  const probe = document.createElement('i'); document.body.append(probe);
  const rgb = name => { probe.style.color = `var(--${name})`; return getComputedStyle(probe).color.match(/[\\d.]+/g).map(Number); };
  const linear = v => v / 255 <= .04045 ? v / 255 / 12.92 : ((v / 255 + .055) / 1.055) ** 2.4;
  const light = name => { const [r, g, b] = rgb(name).map(linear);
    return .2126 * r + .7152 * g + .0722 * b; };
  const contrast = (x, y) => { const [a, b] = [light(x), light(y)].sort((p, q) => q - p); return (a + .05) / (b + .05); };
  const found = {};
  for (const state of ['done', 'running', 'person', 'failed', 'unknown', 'exercise', 'muted', 'text'])
    found[state] = Math.min(contrast(state, 'background'), contrast(state, 'panel'));
  probe.remove(); return found;
})()"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with started() as chromium:
        yield chromium


@pytest.fixture(scope="module")
def addresses() -> Iterator[dict[str, str]]:
    with tempfile.TemporaryDirectory(prefix="holdfast-report-") as directory:
        yield {name: write(build(story.facts()), Path(directory) / name).page.as_uri() for name, story in STORIES.items()}


@pytest.fixture(params=STORIES)
def address(addresses: dict[str, str], request: pytest.FixtureRequest) -> str:
    return addresses[request.param]


def test_nothing_but_the_file_is_asked_for_and_nothing_is_blocked(browser: Chromium, address: str) -> None:
    tab = open_page(browser, address)
    assert [url for url in tab.requested() if not url.startswith("data:image/png;base64,")] == [address]
    assert tab.complaints() == []


@pytest.mark.parametrize("width", [320, 375, 768, 1200])
def test_nothing_sticks_out_at_any_width(browser: Chromium, address: str, width: int) -> None:
    tab = open_page(browser, address, width)
    assert tab.value("document.documentElement.clientWidth") == width
    assert tab.value("document.documentElement.scrollWidth") <= width
    outside = tab.value(
        f"""[...document.querySelectorAll('body :not(svg *):not(.skip)')].filter(e => e.getClientRects().length
        && !e.closest('.cards thead') && e.getBoundingClientRect().right > {width} + 0.5)
        .map(e => e.tagName + ' ' + e.textContent.slice(0, 40))"""
    )
    assert outside == []


def test_words_do_not_lie_on_each_other_on_a_phone(browser: Chromium, address: str) -> None:
    tab = open_page(browser, address, 320)
    overlapping = tab.value(
        """[...document.querySelectorAll('.axis svg')].flatMap(axis => {
          const drawn = [...axis.querySelectorAll('text.tick')].map(t => t.getBoundingClientRect()).filter(b => b.width);
          const boxes = drawn.sort((a, b) => a.left - b.left);
          return boxes.slice(1).filter((box, index) => box.left < boxes[index].right - 0.5).map(box => box.left);
        })"""
    )
    assert overlapping == []


@pytest.mark.parametrize("width", [320, 375, 1200])
def test_the_regions_stand_side_by_side_with_their_words_inside(browser: Chromium, address: str, width: int) -> None:
    tab = open_page(browser, address, width)
    scenes = tab.value(
        """[...document.querySelectorAll('svg.scenes > svg')].map(scene => {
          const boxes = [...scene.querySelectorAll('rect.place')].map(e => e.getBoundingClientRect());
          const words = [...scene.querySelectorAll('text.place-t')].map(e => e.getBoundingClientRect());
          const link = scene.querySelector('.link-t').getBoundingClientRect();
          return {left: boxes[0].left, right: boxes[1].left, gap: boxes[1].left - boxes[0].right,
            inside: words.every((word, i) => word.left > boxes[i].left && word.right < boxes[i].right),
            apart: link.left > boxes[0].right - 0.5 && link.right < boxes[1].left + 0.5}; })"""
    )
    assert len(scenes) >= 6
    assert {(scene["left"], scene["right"]) for scene in scenes} == {(scenes[0]["left"], scenes[0]["right"])}, (
        "no region ever swaps its side"
    )
    assert all(scene["gap"] > 40 and scene["inside"] and scene["apart"] for scene in scenes)


@pytest.mark.parametrize("width", [320, 375, 1200])
def test_no_word_of_a_board_lies_on_another_or_sticks_out(browser: Chromium, address: str, width: int) -> None:
    tab = open_page(browser, address, width)
    found = tab.value(
        """[...document.querySelectorAll('svg.board')].map(board => {
          const frame = board.getBoundingClientRect();
          const boxes = [...board.querySelectorAll('text')].map(e => [e.textContent, e.getBoundingClientRect()]);
          const out = boxes.filter(([, b]) => b.left < frame.left - 2 || b.right > frame.right + 2 || b.bottom > frame.bottom + 2);
          const lies = ([, a], [, b]) => a.left < b.right - 0.5 && b.left < a.right - 0.5 && a.top + 3 < b.bottom && b.top + 3 < a.bottom;
          const on = boxes.flatMap((a, i) => boxes.slice(i + 1).filter(b => lies(a, b)).map(b => a[0] + ' | ' + b[0]));
          const place = [...board.querySelectorAll('rect.place')].map(e => Math.round(e.getBoundingClientRect().left));
          return {out: out.map(([words]) => words), on, place, clocks: board.querySelectorAll('rect.track').length}; })"""
    )
    assert len(found) == 2, "people were asked, and had decided"
    assert [(board["out"], board["on"]) for board in found] == [([], [])] * 2
    assert [board["clocks"] for board in found] == [5, 5]
    assert found[0]["place"] == found[1]["place"]


@pytest.mark.parametrize("width", [320, 1200])
def test_numbers_of_moments_do_not_cover_each_other(browser: Chromium, address: str, width: int) -> None:
    tab = open_page(browser, address, width)
    covered = tab.value(
        """[...document.querySelectorAll('.axis svg')].map(axis => [...axis.querySelectorAll('circle')].map(c => c.getBoundingClientRect()))
        .flatMap(all => all.flatMap((a, i) => all.slice(i + 1).filter(b => Math.hypot(a.x - b.x, a.y - b.y) < 15)))"""
    )
    assert covered == []


def test_a_screen_reader_hears_what_the_pictures_show(browser: Chromium, address: str) -> None:
    tab = open_page(browser, address)
    images = [node for node in tab.accessibility() if node.get("role", {}).get("value") in ("image", "img")]
    names = [node.get("name", {}).get("value", "") for node in images]
    assert all(names)
    regions = next(node for node in images if node["name"]["value"] == "eu-west-1 and eu-central-1 at the moments that decided")
    assert regions["description"]["value"].startswith("Impact at 0 s: eu-west-1 failing, eu-central-1 stands by, lag unknown; 1 of 5")
    boards = [node for node in images if node["name"]["value"].endswith("after impact") and node.get("description")]
    assert [node["name"]["value"].split(",")[0] for node in boards] == ["People are asked", "Decided"]
    asked, decided = (node["description"]["value"] for node in boards)
    assert "Voice Call Processing out 2.2 s of 15 min, at risk, forecast 30 min by plan" in asked
    assert "2 of " in asked
    assert "fence begins" in decided
    assert "Nobody had to act" in decided
    assert sum("answered in time" in name for name in names) == 5 * tab.value(
        "[...document.querySelectorAll('h3')].filter(h => h.textContent.startsWith('Around ')).length"
    )
    voice = next(name for name in names if name.startswith("Voice Call Processing: "))
    assert re.fullmatch(
        r"Voice Call Processing: \d+ answered in time, \d+ slow \(over 5 s\), \d+ failed, \d+ of the acknowledged lost", voice
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_in_pictures_can_be_read(browser: Chromium, address: str, scheme: str) -> None:
    tab = open_page(browser, address, scheme=scheme)
    fills = tab.value("[...new Set([...document.querySelectorAll('svg text:not(.pt):not(.knob-t)')].map(t => getComputedStyle(t).fill))]")
    known = tab.value(
        """(() => { const probe = document.createElement('i'); document.body.append(probe);
        const names = ['text', 'muted', 'done', 'running', 'person', 'failed'];
        const found = names.map(n => { probe.style.color = `var(--${n})`; return getComputedStyle(probe).color; });
        probe.remove(); return found; })()"""
    )
    assert len(fills) >= 5
    assert set(fills) <= set(known), "every colour of a word is one whose contrast is measured below"


@pytest.mark.parametrize("width", [320, 1200])
def test_the_verdict_is_in_the_first_view(browser: Chromium, address: str, width: int) -> None:
    tab = open_page(browser, address, width)
    box = tab.value(
        "(b => ({top: b.top, bottom: b.bottom, height: b.height}))(document.querySelector('#verdict .word').getBoundingClientRect())"
    )
    assert box["height"] > 15
    assert 0 <= box["top"] < box["bottom"] < 640
    assert re.search("PASS|FAIL|UNKNOWN", tab.value("document.querySelector('#verdict').innerText"))


def test_the_page_has_what_a_screen_reader_needs(browser: Chromium, address: str) -> None:
    tab = open_page(browser, address)
    assert tab.value("document.documentElement.lang") == "en"
    assert tab.value("document.title")
    levels = tab.value("[...document.querySelectorAll('h1,h2,h3,h4')].map(h => Number(h.tagName[1]))")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    for landmark in ("header", "nav", "main", "footer"):
        assert tab.value(f"document.querySelectorAll('body > {landmark}').length") == 1
    ids = tab.value("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))
    assert set(tab.value("[...document.querySelectorAll('a[href^=\"#\"]')].map(a => a.hash.slice(1))")) <= set(ids)


@pytest.mark.parametrize("width", [320, 1200])
def test_tables_stay_tables_for_a_screen_reader_on_a_phone_too(browser: Chromium, address: str, width: int) -> None:
    roles = [node["role"]["value"] for node in open_page(browser, address, width).accessibility() if "role" in node]
    assert roles.count("table") >= 6
    assert roles.count("columnheader") >= 20
    assert roles.count("rowheader") >= 20
    assert roles.count("cell") >= 100


def test_links_can_be_hit_with_a_thumb(browser: Chromium, address: str) -> None:
    tab = open_page(browser, address, 320)
    sizes = tab.value("[...document.querySelectorAll('nav a')].map(a => a.getBoundingClientRect()).map(b => [b.width, b.height])")
    assert sizes
    assert all(across >= 44 and down >= 44 for across, down in sizes)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_word_can_be_read(browser: Chromium, address: str, scheme: str) -> None:
    tab = open_page(browser, address, scheme=scheme)
    background = tab.value("getComputedStyle(document.documentElement).backgroundColor")
    assert background == {"light": "rgb(255, 255, 255)", "dark": "rgb(14, 20, 32)"}[scheme]
    weak = [found for found in tab.value(CONTRASTS) if found[0] < 4.5]
    assert weak == []
    assert {state: number for state, number in tab.value(PICTURE_CONTRASTS).items() if number < 4.5} == {}


def test_state_is_never_colour_alone(browser: Chromium, address: str) -> None:
    tab = open_page(browser, address)
    signs = tab.value("[...document.querySelectorAll('.sign:not(:has(svg))')].map(s => s.innerText.trim()).filter(Boolean)")
    assert signs
    # An icon and a word, or in the rows of the steps an icon before the step's own word; where the icon is drawn, the word beside it.
    bare = [sign for sign in signs if not re.match(r"^[✓✕?]( .+)?$", sign) and sign != "noted"]
    drawn = set(tab.value("[...document.querySelectorAll('.sign:has(svg)')].map(s => s.lastChild.textContent)"))
    assert drawn and drawn <= {"at risk", "in time"}
    assert bare == []
    shapes = tab.value("[...new Set([...document.querySelectorAll('figure rect')].map(r => r.className.baseVal))]")
    heights = {shape: tab.value(f"document.querySelector('figure rect.{shape.split()[-1]}').getAttribute('height')") for shape in shapes}
    assert heights["c-ok"] != heights["c-failed"]


def _pages(pdf: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf))


def test_print_is_black_on_white_and_whole(browser: Chromium, address: str) -> None:
    tab: Tab = open_page(browser, address, scheme="dark")
    tab.media("print", "dark")
    assert tab.value("getComputedStyle(document.documentElement).color") == "rgb(0, 0, 0)"
    assert tab.value("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    assert tab.value("document.querySelectorAll('details:not([open])').length") == 0
    weak = [found for found in tab.value(CONTRASTS) if found[0] < 4.5]
    assert weak == []
    pdf = tab.printed()
    assert pdf.startswith(b"%PDF")
    assert 2 <= _pages(pdf) <= 14


def test_the_picture_of_the_regions_fits_on_a_sheet_with_its_heading(browser: Chromium, address: str) -> None:
    tab = open_page(browser, address, 680)
    tab.media("print", "light")
    top = tab.value("document.querySelector('#moments').getBoundingClientRect().top")
    bottom = tab.value("document.querySelector('svg.scenes').getBoundingClientRect().bottom")
    assert bottom - top < (297 - 32) * 96 / 25.4, "taller than a sheet: an empty one would come before it"


def test_each_board_fits_on_a_sheet(browser: Chromium, address: str) -> None:
    tab = open_page(browser, address, 680)
    tab.media("print", "light")
    heights = tab.value("[...document.querySelectorAll('svg.board')].map(board => board.getBoundingClientRect().height)")
    assert heights
    assert max(heights) < (297 - 32) * 96 / 25.4 * 0.6


def test_page_numbers_and_the_plans_digest_stand_on_every_sheet(browser: Chromium, address: str) -> None:
    rules = open_page(browser, address).value(
        "[...document.styleSheets].flatMap(s => [...s.cssRules]).filter(r => r instanceof CSSPageRule).map(r => r.cssText).join()"
    )
    assert 'counter(page) " of " counter(pages)' in rules
    assert re.search(r"Plan digest [0-9a-f]{64}", rules)


def test_an_exercise_wears_its_stripe_and_an_incident_does_not(browser: Chromium, addresses: dict[str, str]) -> None:
    exercise, incident = open_page(browser, addresses["pass"]), open_page(browser, addresses["stopped"])
    assert exercise.value("document.title").startswith("EXERCISE")
    assert exercise.value("document.querySelector('.stripe').getBoundingClientRect().height") > 20
    assert incident.value("document.querySelector('.stripe')") is None
    assert "EXERCISE" not in incident.value("document.title + document.body.innerText")
