"""The static site's page in a browser: opened with all checks, its settings and its parts."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect

from tests.tools.browsing import open_page

LOADED_NETWORK = "Runs in this browser: WebAssembly"


@contextmanager
def open_site(browser: Browser, address: str, **options: Any) -> Iterator[Page]:
    """Open the page; fail if a request leaves the site, or the console shows an error or a warning.

    Its player does not start by itself.
    """
    warnings: list[str] = []

    def record(line: ConsoleMessage) -> None:
        if line.type == "warning":
            warnings.append(line.text)

    options = {"reduced_motion": "reduce", "accept_downloads": True, **options}
    with open_page(browser, address, **options) as page:
        page.on("console", record)
        expect(page.locator("#content, #opening.failed")).to_be_visible()
        yield page
        assert not warnings, warnings


def fill(page: Page, **settings: str) -> None:
    """Type numbers into the fields with these labels."""
    for label, value in settings.items():
        page.get_by_label(label, exact=True).fill(value)


def generate(page: Page, **settings: str) -> None:
    """Type numbers into the fields with these labels, and press Generate."""
    fill(page, **settings)
    page.locator("#generate").click()


def expect_finished(page: Page, count: int, steps: int) -> None:
    """Expect that the page says so of a run."""
    images = "1 image" if count == 1 else f"{count} images"
    number = "1 step" if steps == 1 else f"{steps} steps"
    expect(page.locator("#status")).to_contain_text(f"{images} in ")
    expect(page.locator("#status")).to_contain_text(f" · {number} · ")
    expect(gallery(page)).to_have_attribute("data-state", "finished")
    expect(images_of(page)).to_have_count(count)


def gallery(page: Page) -> Locator:
    """Return the part with an image for each button."""
    return page.locator("#gallery")


def images_of(page: Page) -> Locator:
    """Return the images of the run, as buttons."""
    return gallery(page).get_by_role("button")


def pixels(page: Page, index: int) -> str:
    """Return the content of an image."""
    return content(images_of(page).nth(index).locator("canvas"))


def content(canvas: Locator) -> str:
    """Return the content of a canvas as the address of a PNG picture."""
    return str(canvas.evaluate("canvas => canvas.toDataURL()"))
