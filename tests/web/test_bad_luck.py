"""Tests of the static site's page where something fails: one sentence, and what still works."""

import gzip
import os
import platform
import re
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from fashion_ddpm.core.config import TURBO
from tests.tools import TIMEOUT_S
from tests.tools.browsing import open_browser_with
from tests.tools.static_host import Fault, Host, cut_off, damage, hang_up, not_found

pytestmark = pytest.mark.slow

NETWORK, DISTILLED, SCORER = "models/unet.onnx.gz", "models/turbo.onnx.gz", "models/clip.onnx.gz"
RUNTIME = "vendor/onnxruntime/ort-wasm-simd-threaded.wasm.gz"
FEW_PAGES = 100
"""Pages of 64 KiB that WASM may have: too few for the runtime."""

IS_X86 = platform.machine().lower() in ("x86_64", "amd64")

SLEEP_S = 1.0

MEASURE_GAP = """() => {
  globalThis.gap = 0; // the longest time in which nothing happened, in milliseconds
  let last = performance.now();
  setInterval(() => {
    const now = performance.now();
    gap = Math.max(gap, now - last);
    last = now;
  }, 20);
}"""

REQUEST_FAILED = r"Failed to load resource|A bad HTTP response code"

FAULTS = {"damaged": damage, "incomplete": cut_off, "cannot be reached": hang_up, "404": not_found}
"""Part of the sentence → fault."""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    yield from open_empty(browser)


def open_empty(browser: Browser) -> Iterator[Page]:
    """Yield a page; fail if a script throws. What the browser says of requests is no error."""
    page = browser.new_page(viewport={"width": 1280, "height": 1300}, reduced_motion="reduce")
    page.set_default_timeout(1000 * TIMEOUT_S)
    errors: list[str] = []

    def record(line: ConsoleMessage) -> None:
        if line.type == "error" and not re.match(REQUEST_FAILED, line.text):
            errors.append(line.text)

    page.on("console", record)
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    page.close()
    assert not errors, errors


def expect_sentence(page: Page, part: str) -> None:
    """Expect one sentence, and that the images of before are still shown."""
    alert = page.locator("#alert")
    expect(alert).to_contain_text(part)
    assert re.fullmatch(r"[^\n]+\.", alert.inner_text().strip())
    expect(page.locator("#loading")).to_be_hidden()


def expect_the_ready_made_images(page: Page) -> None:
    """Expect that they have scores and a trajectory which plays."""
    expect(page.locator("#gallery img, #gallery canvas")).to_have_count(10)
    expect(page.locator("#label-scores .best").first).to_be_visible()
    slider = page.locator("#trajectory .scrub")
    slider.focus()
    before = slider.input_value()
    page.keyboard.press("ArrowLeft")
    assert slider.input_value() != before


def draw(page: Page) -> None:
    page.locator("#generate").click()


def expect_drawn(page: Page) -> None:
    expect(page.locator("#status")).to_contain_text("images in")
    expect(page.locator("#alert")).to_be_hidden()


@pytest.mark.parametrize(
    ("flag", "part"),
    [
        ("--jitless", "no WebAssembly"),  # as iOS in its lockdown mode
        pytest.param(
            *("--no-enable-sse4-1", "no SIMD"),  # as a processor of 2006
            marks=pytest.mark.skipif(not IS_X86, reason="a flag of x86"),
        ),
        (f"--wasm-max-mem-pages={FEW_PAGES}", "too little memory"),
    ],
)
def test_a_browser_that_cannot_run_networks_shows_the_ready_made_images(
    browser: Browser, host: Host, flag: str, part: str
) -> None:
    with open_browser_with(browser, f"--js-flags={flag}") as other:
        for page in open_empty(other):
            page.goto(host.address)
            expect_sentence(page, part)
            expect(page.locator("#alert")).to_contain_text("work all the same")
            expect_the_ready_made_images(page)
            draw(page)
            expect(page.locator("#status")).to_contain_text("Below: the images before")
            expect_sentence(page, part)
            expect_the_ready_made_images(page)


@pytest.mark.parametrize("part", FAULTS)
@pytest.mark.parametrize("path", [NETWORK, RUNTIME])
def test_a_broken_file_is_named_and_the_next_try_loads_it(
    page: Page, host: Host, path: str, part: str
) -> None:
    host.faults[path] = FAULTS[part]
    page.goto(host.address)
    expect_sentence(page, part)
    expect(page.locator("#alert")).to_contain_text(path)
    expect_the_ready_made_images(page)
    host.faults.clear()
    draw(page)
    expect_drawn(page)


@pytest.mark.parametrize("path", ["vendor/onnxruntime/ort.wasm.min.mjs", "js/runtime/worker.js"])
@pytest.mark.parametrize("fault", [not_found, hang_up])
def test_a_script_that_cannot_be_loaded_is_named(
    page: Page, host: Host, path: str, fault: Fault
) -> None:
    host.faults[path] = fault
    page.goto(host.address)
    expect_sentence(page, path)
    expect_the_ready_made_images(page)


@pytest.mark.parametrize("part", FAULTS)
def test_without_the_distilled_network_the_other_samplers_draw(
    page: Page, host: Host, part: str
) -> None:
    host.faults[DISTILLED] = FAULTS[part]
    page.goto(f"{host.address}?class=all&images=2&sampler={TURBO}&steps=4")
    expect_sentence(page, part)
    expect(page.locator("#alert")).to_contain_text(DISTILLED)
    page.get_by_label("Sampler").select_option("ddim")
    draw(page)
    expect_drawn(page)


def test_without_the_scorer_images_are_drawn_and_it_is_said_in_place_of_the_scores(
    page: Page, host: Host
) -> None:
    host.faults[SCORER] = not_found
    page.goto(host.address)
    draw(page)
    expect_drawn(page)
    expect(page.get_by_text(SCORER).first).to_be_visible()


def test_a_network_lost_while_the_page_is_open_is_said(page: Page, host: Host) -> None:
    """The first visit, before anything is kept."""
    host.faults["service_worker.js"] = not_found
    host.faults["manifest.json"] = hang_up
    page.goto(host.address)
    expect_sentence(page, "cannot be reached")
    expect_the_ready_made_images(page)
    host.faults.clear()
    draw(page)
    expect_drawn(page)


def test_a_worker_that_the_browser_ended_is_said_and_replaced(page: Page, host: Host) -> None:
    page.goto(f"{host.address}?class=all&images=16&steps=100")
    expect(page.locator("#status")).to_contain_text("Generating")
    expect(page.locator("#gallery[data-state=forming]")).to_be_visible()
    for worker in page.workers:
        worker.evaluate("self.close()")
    expect_sentence(page, "memory")
    page.get_by_label("Steps", exact=True).fill("2")
    page.get_by_label("Number of images", exact=True).fill("2")
    draw(page)
    expect_drawn(page)


def test_a_tab_that_slept_goes_on(browser: Browser, host: Host) -> None:
    """As on a computer that was closed while the images formed."""
    with open_browser_with(browser) as other:
        for page in open_empty(other):
            page.goto(f"{host.address}?class=all&images=16&steps=100")
            expect(page.locator("#gallery[data-state=forming]")).to_be_visible()
            page.evaluate(MEASURE_GAP)
            stop_renderers(other, SLEEP_S)
            expect_drawn(page)
            assert page.evaluate("gap") > 1000 * SLEEP_S
            draw(page)
            expect_drawn(page)


def stop_renderers(browser: Browser, seconds: float) -> None:
    """Let the processes of a browser's pages and their workers sleep for a while."""
    session = browser.new_browser_cdp_session()
    running = session.send("SystemInfo.getProcessInfo")["processInfo"]
    renderers = [each["id"] for each in running if each["type"] == "renderer"]
    for process in renderers:
        os.kill(process, signal.SIGSTOP)
    time.sleep(seconds)
    for process in renderers:
        os.kill(process, signal.SIGCONT)


def test_an_address_without_https_works_and_says_what_it_cannot_check(
    browser: Browser, host: Host
) -> None:
    rule = "--host-resolver-rules=MAP site.test 127.0.0.1"
    with open_browser_with(browser, rule) as other:
        for page in open_empty(other):
            address = host.address.replace("127.0.0.1", "site.test")
            page.goto(address)
            expect(page.locator("#runtime")).to_contain_text("https")
            assert not page.evaluate("isSecureContext")
            draw(page)
            expect_drawn(page)
            host.faults[NETWORK] = damage  # gzip has a checksum of its own
            page.goto(address)
            expect_sentence(page, "damaged")


def test_a_site_that_was_exported_anew_asks_to_reload_the_page(
    page: Page, host: Host, tmp_path: Path
) -> None:
    page.goto(host.address)
    expect(page.locator("#runtime")).to_contain_text("WebAssembly")
    newer = tmp_path / "newer"
    shutil.copytree(host.folder, newer)
    for path in (DISTILLED, "manifest.json"):
        content = (newer / path).read_bytes()
        if path == DISTILLED:
            content = gzip.compress(gzip.decompress(content) + b" ", mtime=0)
        else:
            content = re.sub(rb'("version": ")', rb"\1newer", content)
        (newer / path).write_bytes(content)
    host.folder = newer
    page.get_by_label("Sampler").select_option(TURBO)
    draw(page)
    expect_sentence(page, "new version")
