"""Tests of the page in a frame of another site's page, as a course shows it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.tools import TIMEOUT_S
from tests.tools.serving import run_app

pytestmark = pytest.mark.slow


@contextmanager
def serve_files(folder: Path) -> Iterator[int]:
    """Serve a folder's files on this machine; yield the port."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a course's page with the demo in a frame, which the demo allows."""
    folder = tmp_path_factory.mktemp("course")
    with serve_files(folder) as port:
        site = f"http://localhost:{port}"
        with run_app("--allow-embed", site) as app:
            frame = f'<iframe src="{app.address}" width="1200" height="1200"></iframe>'
            (folder / "index.html").write_text(f"<h1>Lesson 3</h1>{frame}")
            (folder / "favicon.ico").touch()  # browsers request it
            yield site


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty page of the browser."""
    page = browser.new_page(viewport={"width": 1280, "height": 1400})
    page.set_default_timeout(1000 * TIMEOUT_S)
    yield page
    page.close()


def test_an_allowed_site_frames_the_page_which_draws_there(page: Page, course: str) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
    page.goto(course)
    demo = page.frame_locator("iframe")
    demo.get_by_label("number input for Steps").fill("2")
    demo.get_by_role("button", name="Generate", exact=True).click()
    expect(demo.get_by_text("8 images in")).to_be_visible()
    picture = demo.locator("#gallery img").first
    assert picture.evaluate("picture => picture.decode().then(() => picture.naturalWidth)") == 224
    assert not errors, errors


def test_a_site_that_is_not_allowed_gets_an_empty_frame(page: Page, course: str) -> None:
    refused = course.replace("localhost", "127.0.0.1")
    with page.expect_console_message(lambda line: "frame-ancestors" in line.text):
        page.goto(refused)
    expect(page.get_by_role("heading", name="Lesson 3")).to_be_visible()
    expect(page.frame_locator("iframe").get_by_role("button")).to_have_count(0)
