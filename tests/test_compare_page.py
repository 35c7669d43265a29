"""Tests of Compare in a browser: the grid, its cells enlarged, the heat map, by every hand."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from fashion_ddpm.core.config import SCHEDULES
from fashion_ddpm.demo.compare import STEP_COUNTS
from tests.tools.browsing import open_page

pytestmark = pytest.mark.slow

CELL = "#sheet .picture"
SIZES = [(1280, 800, False, "light"), (360, 740, True, "dark")]


@pytest.fixture(params=SIZES, ids=["mouse", "finger"])
def tab(request: pytest.FixtureRequest, browser: Browser, address: str) -> Iterator[Page]:
    """The tab on a desktop in light mode, and on a phone in dark mode."""
    width, height, touch, scheme = request.param
    options: dict[str, Any] = {"has_touch": touch, "color_scheme": scheme}
    viewport = {"width": width, "height": height}
    with open_page(browser, f"{address}/?tab=compare", viewport=viewport, **options) as page:
        expect(page.locator(CELL).first).to_be_visible()
        yield page


def press(page: Page, selector: Any) -> None:
    """Tap on a phone, click on a desktop."""
    target = page.locator(selector) if isinstance(selector, str) else selector
    if page.evaluate("navigator.maxTouchPoints > 0"):
        target.tap()
    else:
        target.click()


def generate_cells(page: Page, count: int) -> None:
    """Generate the first cells of a grid, then stop."""
    press(page, page.get_by_role("button", name="Generate grid"))
    expect(page.locator(f"{CELL}:enabled").nth(count - 1)).to_be_visible()
    press(page, page.get_by_role("button", name="Stop", exact=True))
    expect(page.get_by_text("Stopped:")).to_be_visible()


def barriers(page: Page) -> list[str]:
    """Return what axe finds serious or critical."""
    found = Axe().run(page).response["violations"]
    return [each["id"] for each in found if each["impact"] in ("serious", "critical")]


def places_height(page: Page) -> float:
    """Return the height of the grid."""
    return float(page.locator("#sheet .places").evaluate("grid => grid.offsetHeight"))


def assert_fits(page: Page) -> None:
    viewport = page.viewport_size
    assert viewport is not None
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


def test_all_places_are_there_before_the_grid_fills(tab: Page) -> None:
    expect(tab.locator(CELL)).to_have_count(len(SCHEDULES) * len(STEP_COUNTS))
    expect(tab.locator(f"{CELL}:enabled")).to_have_count(0)
    sheet = tab.locator("#sheet")
    expect(sheet.get_by_text("Held fixed:")).to_contain_text("sampler dpm++2m · guidance 1 (off)")
    expect(sheet.get_by_alt_text("eight held-out real images")).to_be_visible()
    expect(sheet.locator(".real .score")).to_have_text(re.compile(r"label score \d+.%"))
    height = places_height(tab)
    generate_cells(tab, 2)
    assert places_height(tab) == height
    expect(sheet.locator(".cost").first).to_have_text(re.compile(r"^32.network evaluations, "))
    expect(sheet.locator(".score").nth(1)).to_have_text(re.compile(r"^label score \d+.%$"))
    assert_fits(tab)
    assert not barriers(tab)


def test_the_places_follow_the_settings(tab: Page) -> None:
    press(tab, tab.get_by_role("radio", name="Guidance"))
    expect(tab.locator(CELL)).to_have_count(16)
    sheet = tab.locator("#sheet")
    expect(sheet.locator(".row-head").nth(1)).to_have_text("Guidance 1 (off)")
    tab.get_by_label("First seed").fill("5")
    expect(sheet.get_by_text("Held fixed:")).to_contain_text("seeds 5–12")
    expect(sheet.get_by_text("Held fixed:")).not_to_contain_text("guidance")


def test_a_cell_is_enlarged_and_closed_by_every_hand(tab: Page) -> None:
    generate_cells(tab, 2)
    dialog = tab.locator("#sheet dialog")
    cells = tab.locator(CELL)
    press(tab, cells.nth(1))
    expect(dialog).to_be_visible()
    expect(dialog.get_by_role("heading")).to_have_text("Noise schedule cosine, 10 steps")
    expect(dialog.get_by_text(re.compile("80.network evaluations"))).to_be_visible()
    expect(dialog.get_by_text("dpm++2m", exact=True)).to_be_visible()
    large, small = dialog.locator("img").bounding_box(), cells.nth(1).bounding_box()
    assert large is not None
    assert small is not None
    assert large["width"] > 1.5 * small["width"]
    assert not barriers(tab)
    assert_fits(tab)
    press(tab, dialog.get_by_role("button", name="Close"))
    expect(dialog).not_to_be_visible()
    cells.nth(0).focus()
    tab.keyboard.press("Enter")
    expect(dialog.get_by_role("heading")).to_have_text("Noise schedule cosine, 4 steps")
    tab.keyboard.press("Escape")
    expect(dialog).not_to_be_visible()
    expect(cells.nth(0)).to_be_focused()
    tab.keyboard.press("Space")
    expect(dialog).to_be_visible()
    tab.mouse.click(5, 5)  # beside it
    expect(dialog).not_to_be_visible()


RECORD_GENERATE = """() => {
  window.names = [];
  const button = document.querySelector("#generate");
  const record = () => window.names.push(button.textContent.trim());
  const changes = {subtree: true, childList: true, characterData: true};
  new MutationObserver(record).observe(button, changes);
}"""
"""JavaScript: records the names of the button, which tells every run's progress."""


def cell_images(page: Page, cell: int) -> list[str]:
    """Return the pixels of a cell's eight images, as the browser shows them."""
    return page.locator(CELL).nth(cell).locator("img").evaluate(CROP, [3, 28, 2])


CROP = """async (image, [scale, side, gap]) => {
  await image.decode();
  const pixels = [];
  for (let index = 0; index < 8; index++) {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = side;
    const context = canvas.getContext("2d");
    context.imageSmoothingEnabled = false;
    const columns = image.naturalWidth > image.naturalHeight ? 4 : 1;
    const place = [index % columns, Math.floor(index / columns)];
    const [x, y] = place.map((each) => each * (side + gap) * scale);
    context.drawImage(image, x, y, side * scale, side * scale, 0, 0, side, side);
    pixels.push(canvas.toDataURL());
    if (columns === 1) break;
  }
  return pixels;
}"""
"""JavaScript: returns the images in a cell's picture, or the one image in a picture of its own."""


def test_a_cell_opens_in_create_with_its_images_which_are_not_generated_again(tab: Page) -> None:
    press(tab, tab.get_by_role("radio", name="Sampler"))
    tab.get_by_label("First seed").fill("40")
    expect(tab.locator("#sheet").get_by_text("Held fixed:")).to_contain_text("seeds 40–47")
    generate_cells(tab, 2)
    images = cell_images(tab, 1)
    tab.evaluate(RECORD_GENERATE)
    press(tab, tab.locator(CELL).nth(1))
    press(tab, tab.get_by_role("button", name="Open in Create"))
    expect(tab.locator("[role=tab][aria-selected=true]").first).to_have_text("Create")
    expect(tab.get_by_label("number input for Steps")).to_have_value("10")
    expect(tab.get_by_role("combobox", name="Sampler")).to_be_visible()
    gallery = tab.locator("#gallery img")
    expect(gallery).to_have_count(8)
    expect(tab.locator("#gallery .caption-label").first).to_have_text("ankle boot, seed 40")
    shown = [image.evaluate(CROP, [8, 28, 0])[0] for image in gallery.all()]
    assert shown == images
    assert len(set(images)) == 8
    assert not [name for name in tab.evaluate("names") if "/" in name], "no step of a run"
    assert tab.evaluate("scrollY") == 0
    assert "seed=40" in tab.url
    assert "steps=10" in tab.url
    press(tab, tab.get_by_label("New random seed each time"))
    press(tab, tab.get_by_role("button", name="Generate", exact=True))
    expect(tab.locator("#gallery .caption-label").first).not_to_have_text("ankle boot, seed 40")
    assert [name for name in tab.evaluate("names") if "/" in name], "a run tells its steps"


def test_the_heat_map_switches_between_distance_and_accuracy(tab: Page) -> None:
    quality = tab.locator("#quality")
    cells = quality.locator("td")
    expect(cells).to_have_count(35)
    expect(quality.get_by_role("radio", name="Fréchet distance")).to_be_checked()
    expect(quality.get_by_text("dpm++2m: hardly better after 15 steps")).to_be_visible()
    before = cells.first.inner_text(), cells.first.get_attribute("style")
    press(tab, quality.get_by_role("radio", name="Class accuracy"))
    expect(quality.get_by_text("higher is better")).to_be_visible()
    assert (cells.first.inner_text(), cells.first.get_attribute("style")) != before
    expect(quality.get_by_text("dpm++2m: hardly better after 4 steps")).to_be_visible()
    tab.keyboard.press("ArrowLeft")
    expect(quality.get_by_text("lower is better")).to_be_visible()
    assert cells.first.inner_text() == before[0]
    widths = quality.evaluate(
        "root => [...root.querySelectorAll('td, th')].map(x => x.scrollWidth - x.clientWidth)"
    )
    assert max(widths) <= 1  # rounded
    expect(quality.get_by_text("500 images for each cell")).to_be_visible()
