"""A visitor's browser: Chromium or Chrome, with everything forbidden that a page must not do."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests.tools import TIMEOUT_S

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
NO_BROWSER = f"no browser: none of {', '.join(BROWSERS)} is on the PATH"
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]

expect.set_options(timeout=1000 * TIMEOUT_S)  # a busy machine is slow, not wrong


def browser_path() -> str | None:
    """Return where the browser is, if there is one."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Start the browser, without a window."""
    path = browser_path()
    if path is None:
        raise FileNotFoundError(NO_BROWSER)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


def format_message(line: ConsoleMessage) -> str:
    """Return what the browser complains of, and of which address."""
    return f"{line.text} ({line.location.get('url', '')})"


@contextmanager
def open_page(browser: Browser, address: str, **options: Any) -> Iterator[Page]:
    """Open the demo; no request may leave the machine, no script may fail or complain."""
    page = browser.new_page(**{"viewport": {"width": 1280, "height": 1300}, **options})
    asked: list[str] = []
    broken: list[str] = []
    page.set_default_timeout(1000 * TIMEOUT_S)
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.on(
        "console",
        lambda line: broken.append(format_message(line)) if line.type == "error" else None,
    )
    page.goto(address)
    yield page
    own = "/".join(address.split("/")[:3])
    outside = [url for url in asked if not url.startswith((own, "data:", "blob:"))]
    page.close()
    assert asked
    assert not outside
    assert not broken, broken


def open_tab(page: Page, name: str) -> None:
    """Open a tab; on a narrow screen it may hide in a menu."""
    expect(page.get_by_text("drawn before you came")).to_be_visible()
    tab = page.get_by_role("tab", name=name)
    if not tab.is_visible():
        page.locator(".overflow-menu > button").click()
        tab = page.locator(".overflow-menu").get_by_text(name)
    tab.click()


def generate(page: Page, **settings: str) -> None:
    """Type settings in and press the button."""
    for label, value in settings.items():
        page.get_by_label(f"number input for {label}", exact=True).fill(value)
    page.get_by_role("button", name="Generate", exact=True).click()


def save_picture(page: Page, index: int, path: Path) -> Path:
    """Write a picture of the gallery to a file, as the server sends it."""
    source = page.locator("#gallery img").nth(index).get_attribute("src")
    path.write_bytes(page.request.get(str(source)).body())
    return path


LAYOUT_SHIFT = """() => new Promise((resolve) => {
  let sum = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) sum += entry.value;
  }).observe({type: "layout-shift", buffered: true});
  setTimeout(() => resolve(sum), 500);
})"""


def layout_shift(page: Page) -> float:
    """Return how much the page jumped so far; below 0.1 is good, as web.dev/cls has it."""
    return float(page.evaluate(LAYOUT_SHIFT))
