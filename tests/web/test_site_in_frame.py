"""Tests of the static site in a frame on another site, as a static Space on its page of the Hub."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, FrameLocator, Page, expect

from tests.tools import TIMEOUT_S
from tests.tools.browsing import FLAGS, browser_path
from tests.tools.static_host import ISOLATION, host_folder

pytestmark = pytest.mark.slow

HEADERS = {**ISOLATION, "Cross-Origin-Resource-Policy": "cross-origin"}
"""Those of a static Space and of its page on the Hub."""

ALLOW_STORAGE = "--disable-features=TrackingProtection3pcd"
"""Lets frames of other sites have service workers and locks, as Chrome does by default."""


@contextmanager
def host_frame(site: Path, folder: Path) -> Iterator[str]:
    """Serve a page of another site whose frame shows the static site; yield its address."""
    folder.mkdir()
    with host_folder(site, HEADERS) as host, host_folder(folder, HEADERS) as other:
        frame = f'<iframe src="{host.address}" allow="cross-origin-isolated" height="900"></iframe>'
        (folder / "index.html").write_text(f"<!doctype html>{frame}")
        yield other.address.replace("127.0.0.1", "localhost")


def draw_in_frame(context: BrowserContext, address: str) -> Page:
    """Open the page and draw in its frame."""
    page = context.new_page()
    page.set_default_timeout(1000 * TIMEOUT_S)
    page.goto(address)
    frame: FrameLocator = page.frame_locator("iframe")
    frame.locator("#generate").click()
    expect(frame.locator("#status")).to_contain_text("images in")
    return page


def test_a_frame_without_storage_draws(browser: Browser, site: Path, tmp_path: Path) -> None:
    """A private window, which denies frames of other sites service workers and locks."""
    with host_frame(site, tmp_path / "other") as address:
        context = browser.new_context()
        page = draw_in_frame(context, address)
        denied = page.frames[-1].evaluate(
            "navigator.locks.request('any', () => 'granted').catch(() => 'denied')"
        )
        assert denied == "denied"
        context.close()


def test_a_frame_opens_again_from_the_kept_files(
    browser: Browser, site: Path, tmp_path: Path
) -> None:
    with host_frame(site, tmp_path / "other") as address:
        context = browser.browser_type.launch_persistent_context(
            tmp_path / "profile", executable_path=browser_path(), args=[*FLAGS, ALLOW_STORAGE]
        )
        for _ in range(2):
            page = draw_in_frame(context, address)
            page.frames[-1].wait_for_function("navigator.serviceWorker.controller !== null")
        context.close()
