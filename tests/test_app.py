"""Tests of the demo as visitors meet it: over HTTP, and in a browser where there is one."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from playwright.sync_api import Browser, Page, expect, sync_playwright

from app import VISITORS_AT_ONCE, build_page
from fashion_ddpm.demo import Demo
from fashion_ddpm.sampling import DenoisingStep

ROOT = Path(__file__).parent.parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
SOUND = ("bag", "cosine", 3, "dpm++2m", 1.0, 2, 7, False, "embedded")
"""Class, schedule, steps, sampler, guidance, images, seed, whether it is random, scorer."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The app on the bundled weights, served at a free port by a process of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "GRADIO_SERVER_PORT": str(port)}
    process = subprocess.Popen(
        [sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL
    )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(address, process)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=30)


def wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=5)
            return
        except OSError:
            time.sleep(0.2)
    pytest.fail("app.py does not answer")


@pytest.fixture(scope="module")
def client(address: str) -> Client:
    return Client(address, verbose=False)


def ask(client: Client, **changes: Any) -> Any:
    """Sends a sound request with a few values changed, by their place."""
    values = list(SOUND)
    for place, value in changes.items():
        values[int(place.strip("_"))] = value
    return client.predict(*values, api_name="/generate")


def test_the_api_has_one_endpoint_and_gives_the_seed_back(client: Client) -> None:
    endpoints = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert list(endpoints) == ["/generate"]
    result = ask(client)
    assert len(result[1]) == 2
    assert result[1][0]["caption"] == "bag, seed 7"
    assert result[9] == 7


def test_the_same_request_gives_the_same_images(client: Client) -> None:
    first, second = (Path(ask(client)[1][0]["image"]).read_bytes() for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"_0": "hat"}, "hat"),
        ({"_1": "magic"}, "magic"),
        ({"_2": 0}, "0"),
        ({"_2": 101}, "101"),
        ({"_2": 2.5}, "2.5"),
        ({"_3": "newton"}, "newton"),
        ({"_4": 99}, "99"),
        ({"_5": 10**9}, "1000000000"),
        ({"_6": -1}, "-1"),
        ({"_8": "../../etc/passwd"}, "etc/passwd"),
    ],
)
def test_bad_input_is_answered_by_a_sentence_that_names_it(
    client: Client, changes: dict[str, Any], expected: str
) -> None:
    with pytest.raises((AppError, ValueError), match=re.escape(expected)):
        ask(client, **changes)
    assert len(ask(client)[1]) == 2


def test_a_large_upload_is_refused(address: str) -> None:
    boundary = b"--line\r\n"
    head = boundary + b'Content-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
    request = urllib.request.Request(
        f"{address}/gradio_api/upload",
        data=head + b"0" * 2_000_000 + b"\r\n--line--\r\n",
        headers={"Content-Type": "multipart/form-data; boundary=line"},
    )
    with pytest.raises(urllib.error.HTTPError, match="413"):
        urllib.request.urlopen(request, timeout=30)


def test_a_scorer_that_cannot_be_downloaded_is_a_sentence_and_the_app_goes_on(
    client: Client,
) -> None:
    with pytest.raises(AppError, match="could not be loaded"):
        ask(client, _8="openai/clip-vit-base-patch32")
    assert len(ask(client)[1]) == 2


LONG = {"_0": "coat", "_2": 100, "_4": 2.0, "_5": 16}


def test_a_short_request_ends_while_a_long_one_goes_on(address: str, client: Client) -> None:
    alone = Path(ask(client)[1][0]["image"]).read_bytes()
    values = [LONG.get(f"_{place}", value) for place, value in enumerate(SOUND)]
    job = Client(address, verbose=False).submit(*values, api_name="/generate")
    next(job)
    assert Path(ask(client)[1][0]["image"]).read_bytes() == alone
    assert not job.done()
    job.cancel()


@pytest.fixture
def own_app(tiny_checkpoint: Path) -> Iterator[tuple[Demo, str]]:
    """The app on a tiny network, served by this process, so that one can look inside."""
    demo = Demo(tiny_checkpoint)
    page = build_page(demo)
    page.queue(api_open=False, default_concurrency_limit=VISITORS_AT_ONCE)
    _, address, _ = page.launch(prevent_thread_lock=True, quiet=True, ssr_mode=False)
    yield demo, address
    page.close()
    demo.unet.close()


def test_stop_closes_the_generator_and_frees_its_place(
    own_app: tuple[Demo, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    demo, address = own_app
    stream, closed = demo.pipeline.stream, Event()

    def watched(*arguments: Any) -> Iterator[DenoisingStep]:
        try:
            yield from stream(*arguments)
        except GeneratorExit:
            closed.set()
            raise

    monkeypatch.setattr(demo.pipeline, "stream", watched)
    values = [LONG.get(f"_{place}", value) for place, value in enumerate(SOUND)]
    job = Client(address, verbose=False).submit(*values, api_name="/generate")
    next(job)
    job.cancel()
    assert closed.wait(60)
    assert not demo.unet._waiting


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium or Chrome, found by name."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        reason = f"no browser: none of {', '.join(BROWSERS)} is on the PATH"
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        yield browser
        browser.close()


@contextmanager
def visiting(browser: Browser, address: str, **options: Any) -> Iterator[Page]:
    """Opens the demo; no request may leave the machine, no script may fail or complain."""
    page = browser.new_page(**{"viewport": {"width": 1280, "height": 1300}, **options})
    asked: list[str] = []
    broken: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.on("console", lambda line: broken.append(line.text) if line.type == "error" else None)
    page.goto(address)
    yield page
    own = "/".join(address.split("/")[:3])
    outside = [url for url in asked if not url.startswith((own, "data:", "blob:"))]
    page.close()
    assert asked
    assert not outside
    assert not broken


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """The demo's page on a desktop."""
    with visiting(browser, address) as page:
        yield page


def open_tab(page: Page, name: str) -> None:
    """Opens a tab; on a narrow screen it may hide in a menu."""
    expect(page.get_by_text("drawn before you came")).to_be_visible()
    tab = page.get_by_role("tab", name=name)
    if not tab.is_visible():
        page.locator(".overflow-menu > button").click()
        tab = page.locator(".overflow-menu").get_by_text(name)
    tab.click()


def test_a_visitor_picks_a_class_a_schedule_and_steps_and_sees_scored_images(page: Page) -> None:
    page.get_by_role("radio", name="trouser").check()
    page.get_by_role("radio", name="karras").check()
    page.get_by_label("number input for Steps").fill("6")
    page.get_by_role("button", name="Generate", exact=True).click()
    expect(page.get_by_text("8 images in")).to_be_visible(timeout=120_000)
    expect(page.get_by_text("6 steps, 48 UNet evaluations")).to_be_visible()
    expect(page.get_by_text("trouser, seed 7")).to_be_visible()
    pictures = page.locator("#gallery img")
    expect(pictures).to_have_count(8)
    assert pictures.first.evaluate("picture => picture.naturalWidth") == 8 * 28
    labels = page.get_by_test_id("label-output-value")
    expect(labels).to_have_count(6)
    expect(labels.nth(1)).to_have_text("A trouser")
    expect(labels.nth(2)).to_have_text("A trouser")


def test_the_reports_schedule_says_that_it_is_broken(page: Page) -> None:
    page.get_by_role("radio", name="report").check()
    expect(page.get_by_text("Verdict: broken")).to_be_visible(timeout=30_000)


def test_stop_ends_a_long_request_and_the_next_one_works(page: Page) -> None:
    steps = page.get_by_label("number input for Steps")
    steps.fill("100")
    page.get_by_role("button", name="Generate", exact=True).click()
    expect(page.get_by_text("of 100")).to_be_visible(timeout=60_000)
    # Gradio ignores a click on a button whose last request it has not yet ended.
    with page.expect_response(lambda response: response.url.endswith("/reset")):
        page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Stopped.")).to_be_visible()
    steps.fill("2")
    page.get_by_role("button", name="Generate", exact=True).click()
    expect(page.get_by_text("2 steps, 16 UNet evaluations")).to_be_visible(timeout=60_000)


def test_the_first_page_shows_one_image_of_each_class_and_runs_nothing(page: Page) -> None:
    expect(page.get_by_text("drawn before you came")).to_be_visible()
    expect(page.locator("#gallery img")).to_have_count(10)
    expect(page.locator("#examples img")).to_have_count(10)
    expect(page.get_by_test_id("label-output-value")).to_have_count(6)
    expect(page.get_by_text("on this machine: 8 images × 10 UNet evaluations")).to_be_visible()


def test_a_click_on_a_real_one_chooses_its_class(page: Page) -> None:
    page.locator("#examples button.thumbnail-item").nth(3).click()
    expect(page.get_by_role("radio", name="dress")).to_be_checked()


def test_a_preset_sets_the_steps_and_the_estimate(page: Page) -> None:
    page.get_by_role("button", name="Best · 20").click()
    expect(page.get_by_label("number input for Steps")).to_have_value("20")
    expect(page.get_by_text("8 images × 20 UNet evaluations")).to_be_visible()


def test_an_image_is_followed_back_to_its_noise(page: Page) -> None:
    page.locator("#gallery button.thumbnail-item").nth(9).click()
    expect(page.get_by_text(re.compile("the scorer sees an ankle boot"))).to_be_visible()
    frame = page.get_by_alt_text("one step: noisy on the left").first
    before = frame.get_attribute("src")
    step = page.get_by_label("number input for Step", exact=True)
    step.fill("1")
    step.press("Enter")
    expect(frame).not_to_have_attribute("src", str(before))


def test_a_cell_of_the_contact_sheet_opens_in_create(page: Page) -> None:
    open_tab(page, "Compare")
    page.get_by_role("radio", name="guidance").check()
    page.get_by_role("button", name="Draw the sheet").click()
    expect(page.get_by_text("2 of 16 cells")).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Stop the sheet").click()
    page.locator("#sheet button.thumbnail-item").nth(0).click()
    expect(page.get_by_label("number input for Steps")).to_have_value("4")
    expect(page.get_by_role("button", name="Generate", exact=True)).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(1280, 800), (360, 740)])
def test_the_report_is_caused_and_repaired_on_any_screen(
    browser: Browser, address: str, width: int, height: int, scheme: str
) -> None:
    viewport = {"width": width, "height": height}
    with visiting(browser, address, viewport=viewport, color_scheme=scheme) as page:
        expect(page.get_by_text("drawn before you came")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        open_tab(page, "Why blurry?")
        expect(page.get_by_text("broken: 60 % of the image's amplitude").last).to_be_visible()
        page.get_by_role("button", name="Fix: T = 1000").click()
        sentence = page.get_by_text(re.compile(r"linear \(T = 1000.+label score \d+%"))
        expect(sentence).to_be_visible(timeout=60_000)
        expect(page.get_by_text(re.compile("good: 0.64 %"))).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_keyboard_alone_generates(page: Page) -> None:
    page.get_by_role("button", name="Generate", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("8 images in")).to_be_visible(timeout=60_000)


def test_two_visitors_get_their_own_images(browser: Browser, address: str) -> None:
    with visiting(browser, address) as one, visiting(browser, address) as other:
        one.get_by_role("radio", name="bag").check()
        other.get_by_role("radio", name="coat").check()
        for page in (one, other):
            page.get_by_role("button", name="Generate", exact=True).click()
        for page, name in ((one, "bag"), (other, "coat")):
            expect(page.get_by_text("8 images in")).to_be_visible(timeout=60_000)
            expect(page.locator("#gallery .caption-label")).to_have_text(
                [f"{name}, seed {seed}" for seed in range(8)]
            )


def test_the_evidence_is_a_table_with_real_images_beside(page: Page) -> None:
    open_tab(page, "Trust")
    card = page.locator("#report-card")
    expect(card.get_by_text("class accuracy", exact=True)).to_be_visible()
    expect(card.get_by_text("real images", exact=True)).to_be_visible()
    expect(page.get_by_alt_text("confusion matrix of the generated images")).to_be_visible()
    expect(page.locator("#scorer-confusion").get_by_text("trouser").first).to_be_visible()


def test_garments_are_blended_and_a_drawing_is_made_real(page: Page) -> None:
    open_tab(page, "Play")
    page.get_by_role("button", name="Blend", exact=True).click()
    expect(page.get_by_alt_text("from the first garment to the second")).to_be_visible(
        timeout=60_000
    )
    page.get_by_role("button", name="Brush").click()
    canvas = page.locator(".image-container canvas, .pixi-target canvas").last
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y - 60)
    page.mouse.down()
    for shift in range(-60, 60, 10):
        page.mouse.move(x, y + shift)
    page.mouse.up()
    page.get_by_role("button", name="Make it real").click()
    expect(page.get_by_alt_text("your drawing, and seven garments")).to_be_visible(timeout=60_000)


def test_a_link_restores_the_page_and_a_fuzzed_one_does_not_break_it(
    browser: Browser, address: str, tmp_path: Path
) -> None:
    with visiting(browser, address) as page:
        page.get_by_role("radio", name="bag").check()
        page.get_by_label("number input for Steps").fill("5")
        page.get_by_role("button", name="Generate", exact=True).click()
        expect(page.get_by_text("5 steps, 40 UNet evaluations")).to_be_visible(timeout=60_000)
        page.get_by_role("button", name="Share").click()
        shown = page.locator("#link textarea, #link input")
        expect(shown).to_have_value(re.compile("class=bag"))
        link = shown.input_value()
        source = page.locator("#gallery img").nth(2).get_attribute("src")
    assert link.startswith(address)
    with visiting(browser, link) as page:
        expect(page.get_by_text("5 steps, 40 UNet evaluations")).to_be_visible(timeout=60_000)
        expect(page.get_by_role("radio", name="bag")).to_be_checked()
        picture = tmp_path / "bag.png"
        picture.write_bytes(page.request.get(str(source)).body())
        page.get_by_role("button", name="Share").click()
        page.locator("input[type=file]").first.set_input_files(picture)
        seed = page.get_by_label("Seed", exact=True)
        page.get_by_role("button", name="Advanced").click()
        expect(seed).to_have_value("2")
    with visiting(browser, f"{address}/?class=%3Cscript%3E&steps=1e9") as page:
        expect(page.get_by_text("The link could not be read")).to_be_visible()
        expect(page.locator("#gallery img")).to_have_count(10)
