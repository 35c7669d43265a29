"""Take screenshots of every tab for the README: python -m tests.tools.screenshots."""

import io
import re
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, ViewportSize

from tests.tools.browsing import generate, open_browser, open_page, open_tab
from tests.tools.serving import ROOT, serve_app

FOLDER = ROOT / "docs" / "screenshots"
DESKTOP: ViewportSize = {"width": 1280, "height": 1000}
PHONE: ViewportSize = {"width": 360, "height": 740}
COLOURS = 256
"""Colours of the palette: a third of the file size, and enough to tell plots' lines apart."""

TIMEOUT_MS = 120_000
"""Milliseconds for a sheet or a game to be drawn."""


def create(page: Page) -> None:
    """Draw ankle boots and show the trajectory of the second one."""
    generate(page)
    page.get_by_text("8 images in").wait_for(timeout=TIMEOUT_MS)
    page.locator("#gallery button.thumbnail-item").nth(1).click()
    page.get_by_text("From step").wait_for()


def compare(page: Page) -> None:
    """Generate the grid of noise schedules."""
    open_tab(page, "Compare")
    page.get_by_role("button", name="Generate grid").click()
    page.get_by_text(re.compile(r"(\d+) of \1 cells")).wait_for(timeout=4 * TIMEOUT_MS)


def why(page: Page) -> None:
    """Sample with the student's schedule and with cosine."""
    open_tab(page, "Why blurry?")
    page.get_by_role("button", name="Sample both from the same seeds").click()
    page.get_by_text(re.compile(r"linear \(T = 100.+CLIP")).wait_for(timeout=TIMEOUT_MS)


def trust(page: Page) -> None:
    """Look for the nearest training image."""
    open_tab(page, "Trust")
    page.get_by_role("button", name="Find the nearest training image").click()
    page.get_by_text("The nearest of").wait_for()


def play(page: Page) -> None:
    """Start from a silhouette, blend two garments and walk between two seeds."""
    open_tab(page, "Play")
    page.get_by_role("button", name="bag", exact=True).click()
    page.get_by_alt_text("your drawing").wait_for(timeout=TIMEOUT_MS)
    for name, picture in (("Blend", "from the first garment"), ("Walk", "from the first seed")):
        page.get_by_role("button", name=name, exact=True).click()
        page.get_by_alt_text(picture).wait_for(timeout=TIMEOUT_MS)


TABS: dict[str, Callable[[Page], None]] = {
    "create": create,
    "compare": compare,
    "why": why,
    "trust": trust,
    "play": play,
}


def save(page: Page, path: Path) -> None:
    """Save a screenshot of the whole page with a small palette."""
    page.mouse.move(0, 0)
    page.wait_for_timeout(1000)  # plots fade in
    with Image.open(io.BytesIO(page.screenshot(full_page=True))) as picture:
        picture.convert("RGB").quantize(COLOURS).save(path, optimize=True)


def main() -> None:
    """Take screenshots of each tab on a desktop, and of the first on a phone in dark mode."""
    with serve_app() as address, open_browser() as browser:
        for name, use in TABS.items():
            with open_page(browser, address, viewport=DESKTOP) as page:
                use(page)
                save(page, FOLDER / f"{name}.png")
        with open_page(browser, address, viewport=PHONE, color_scheme="dark") as page:
            create(page)
            save(page, FOLDER / "phone.png")


if __name__ == "__main__":
    main()
