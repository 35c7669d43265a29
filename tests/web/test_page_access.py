"""Tests that everybody can use the static site's page: keys, screens, colours, screen readers."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.tools.browsing import DESKTOP, PHONE
from tests.tools.static_page import expect_finished, generate, images_of, open_site

pytestmark = pytest.mark.slow

SMALL_TARGETS = """() => [...document.querySelectorAll(
  "button, input, select, summary, a, .choices label, .check")].filter((target) => {
  const {width, height} = target.getBoundingClientRect();
  const isShown = target.checkVisibility() && getComputedStyle(target).opacity !== "0";
  // What a label holds is hit by the label.
  const isInLabel = target.matches("label input") && target.closest("label").offsetHeight >= 24;
  return isShown && !isInLabel && Math.min(width, height) < 24;
}).map((target) => target.outerHTML.slice(0, 200))"""


def show_everything(page: Page) -> None:
    """Draw, compare, keep a run and open what is folded, so that all parts are shown."""
    page.get_by_role("button", name="Keep as A").click()
    generate(page, Steps="2", **{"Number of images": "3"})
    expect_finished(page, 3, 2)
    page.get_by_role("button", name="Draw both from the same seeds").click()
    expect(page.locator("#mistake-status")).to_contain_text("Only the noise schedule is different")
    page.get_by_text("Share", exact=True).click()
    page.get_by_text("Guidance interval").click()
    expect(page.locator("#trajectory svg circle")).to_have_count(3 * 2)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("device", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_page_fits_its_screen_and_bars_nobodys_way(
    browser: Browser, address: str, device: dict[str, object], scheme: str
) -> None:
    with open_site(browser, address, color_scheme=scheme, **device) as page:
        width = page.viewport_size["width"] if page.viewport_size else 0
        first = Axe().run(page).response["violations"]
        show_everything(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(SMALL_TARGETS) == []
        generate(page, Seed="")
        expect(page.get_by_role("alert")).to_be_visible()
        violations = [*first, *Axe().run(page).response["violations"]]
    assert not [
        f"{each['id']}: {[node['target'] for node in each['nodes']]}" for each in violations
    ]


@pytest.mark.parametrize(
    ("scheme", "brightness"), [("light", range(240, 256)), ("dark", range(30))]
)
def test_the_page_is_as_dark_as_the_visitor_wishes(
    browser: Browser, address: str, scheme: str, brightness: range
) -> None:
    with open_site(browser, address, color_scheme=scheme) as page:
        background = page.evaluate("""() => getComputedStyle(document.documentElement)
          .backgroundColor.match(/\\d+/g).map(Number)""")
        assert max(background) in brightness
        line = page.locator("#trajectory svg .line.requested")
        colour = line.evaluate("line => getComputedStyle(line).stroke")
        page.emulate_media(color_scheme="light" if scheme == "dark" else "dark")
        expect(line).not_to_have_css("stroke", colour)


def test_keys_alone_choose_generate_and_select(browser: Browser, address: str) -> None:
    with open_site(browser, address) as page:
        stops = 0
        while not page.evaluate("document.activeElement.name === 'class_name'"):
            page.keyboard.press("Tab")
            stops += 1
            assert stops < 4
        page.keyboard.press("ArrowLeft")
        expect(page.get_by_role("radio", name="bag")).to_be_checked()
        page.keyboard.press("Tab")
        expect(page.locator("#generate")).to_be_focused()
        page.keyboard.press("Enter")
        expect(images_of(page).first).to_have_accessible_name("bag, seed 0")
        expect_finished(page, 8, 10)
        expect(page.locator("#generate")).to_be_focused()
        steps = page.get_by_label("Steps", exact=True)
        steps.focus()
        page.keyboard.press("Control+A")
        page.keyboard.type("2")
        page.keyboard.press("Enter")
        expect_finished(page, 8, 2)
        images_of(page).first.focus()
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(images_of(page).nth(1)).to_have_attribute("aria-pressed", "true")
        outline = images_of(page).nth(1).evaluate("each => getComputedStyle(each).outlineStyle")
        assert outline == "solid"


WHERE_FOCUS_IS = """() => {
  const focused = document.activeElement;
  const {left, top, width, height} = focused.getBoundingClientRect();
  const hit = document.elementFromPoint(left + width / 2, top + height / 2);
  const isSeen = focused.contains(hit) || hit?.closest("label")?.control === focused;
  const part = focused.closest("#grid > *, #content > section")?.id;
  return {part, isSeen, what: focused.outerHTML};
}"""
"""JavaScript: the part of the page that has the focus, and whether nothing covers what has it."""


def test_on_a_phone_the_focus_is_seen_and_goes_down_the_page(
    browser: Browser, address: str
) -> None:
    with open_site(browser, address, viewport={"width": 640, "height": 400}) as page:
        parts: list[str] = []
        for _ in range(200):
            if "mistake" in parts:
                break
            page.keyboard.press("Tab")
            focus = page.evaluate(WHERE_FOCUS_IS)
            assert focus["isSeen"], focus["what"]
            if focus["part"] not in parts[-1:]:
                parts.append(focus["part"])
        assert parts == ["results", "settings", "trajectory-section", "mistake"]


def test_a_mistake_is_in_view_at_its_field_and_gone_when_corrected(
    browser: Browser, address: str
) -> None:
    with open_site(browser, address, **PHONE) as page:
        seed = page.get_by_label("Seed", exact=True)
        seed.fill("-1")
        seed.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("Seed is -1;")
        expect(page.get_by_role("alert")).to_be_in_viewport(ratio=0.9)
        expect(seed).to_have_attribute("aria-invalid", "true")
        expect(seed).to_be_focused()
        seed.fill("5")
        expect(page.get_by_role("alert")).to_be_hidden()
        expect(seed).to_have_attribute("aria-invalid", "false")


def test_a_screen_reader_is_told_names_states_and_results(browser: Browser, address: str) -> None:
    with open_site(browser, address) as page:
        for name in ("Class", "Noise schedule"):
            expect(page.get_by_role("group", name=name, exact=True)).to_be_visible()
        for label in ("Steps", "Guidance", "Number of images", "Seed", "Sampler"):
            field = page.get_by_label(label, exact=True)
            expect(field).to_have_accessible_description(re.compile(r"\w"))
        status = page.get_by_role("status").filter(has_text="Ready-made samples")
        expect(status).to_be_visible()
        expect(images_of(page).nth(3)).to_have_accessible_name("dress, seed 3")
        expect(page.get_by_role("img", name="Top: noisy images")).to_be_visible()
        for section in ("Denoising trajectory", "The student's mistake"):
            expect(page.get_by_role("region", name=section, exact=True)).to_be_visible()


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (360, 740)])
def test_generate_and_its_images_are_on_the_first_screen(
    browser: Browser, address: str, width: int, height: int
) -> None:
    with open_site(browser, address, viewport={"width": width, "height": height}) as page:
        for place in ("#generate", "#status", "#gallery canvas"):
            expect(page.locator(place).first).to_be_in_viewport()
        generate(page)
        expect_finished(page, 8, 10)
        for place in ("#status", "#gallery canvas"):
            expect(page.locator(place).first).to_be_in_viewport(ratio=1)


def test_without_javascript_the_page_says_what_it_needs(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    expect(page.get_by_text("allow JavaScript, or use a browser of")).to_be_visible()
    assert "it needs JavaScript" in str(page.locator("noscript").text_content())
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    context.close()
