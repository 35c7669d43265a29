"""Chromium or Chrome, with checks that the page loads nothing external and logs no errors."""

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
DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 740}, "has_touch": True}
"""Options of open_page."""

expect.set_options(timeout=1000 * TIMEOUT_S)  # a busy machine is slow, not wrong


def browser_path() -> str | None:
    """Return the browser's path, or None."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Start the browser headless."""
    path = browser_path()
    if path is None:
        raise FileNotFoundError(NO_BROWSER)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def open_browser_with(browser: Browser, *flags: str) -> Iterator[Browser]:
    """Start another browser beside one that runs, with further flags."""
    flagged = browser.browser_type.launch(executable_path=browser_path(), args=[*FLAGS, *flags])
    yield flagged
    flagged.close()


@contextmanager
def open_page(browser: Browser, address: str, **options: Any) -> Iterator[Page]:
    """Open the demo; fail if a request leaves its server or a script logs an error."""
    page = browser.new_page(**{"viewport": {"width": 1280, "height": 1300}, **options})
    requested: list[str] = []
    errors: list[str] = []

    def record_error(line: ConsoleMessage) -> None:
        if line.type == "error":
            errors.append(f"{line.text} ({line.location.get('url', '')})")

    page.set_default_timeout(1000 * TIMEOUT_S)
    page.on("request", lambda request: requested.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", record_error)
    page.goto(address)
    yield page
    origin = "/".join(address.split("/")[:3])
    external = [url for url in requested if not url.startswith((origin, "data:", "blob:"))]
    page.close()
    assert requested
    assert not external
    assert not errors, errors


def keep_after_restart(page: Page, address: str) -> None:
    """Keep gradio from reloading the page when its server is another one."""
    number = page.request.get(f"{address}/gradio_api/app_id").body()
    page.route(
        "**/gradio_api/app_id",
        lambda route: route.fulfill(body=number, content_type="application/json"),
    )


def open_tab(page: Page, name: str) -> None:
    """Open a tab, which on a narrow screen may be in a menu."""
    expect(page.get_by_text("Ready-made samples")).to_be_visible()
    tab = page.get_by_role("tab", name=name)
    if not tab.is_visible():
        page.locator(".overflow-menu > button").click()
        tab = page.locator(".overflow-menu").get_by_text(name)
    tab.click()


def generate(page: Page, **settings: str) -> None:
    """Enter settings and press Generate."""
    for label, value in settings.items():
        page.get_by_label(f"number input for {label}", exact=True).fill(value)
    page.get_by_role("button", name="Generate", exact=True).click()


def save_picture(page: Page, index: int, path: Path) -> Path:
    """Download a picture of the gallery; return its path."""
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
    """Return the cumulative layout shift so far; below 0.1 is good (web.dev/cls)."""
    return float(page.evaluate(LAYOUT_SHIFT))
