"""Tests of the app behind nginx, as docs/deployment.md configures both: paths, limits, streams."""

import json
import os
import re
import zipfile
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from fashion_ddpm.publishing.space_trial import find_free_port
from tests.tools.asking import API, CALL, VALID_DATA, Answer, call, events, send
from tests.tools.browsing import generate, open_page
from tests.tools.nginx import NO_NGINX, documented_proxy, nginx_path, serve_nginx
from tests.tools.serving import run_app

pytestmark = pytest.mark.slow

PREFIX = "/demo"
BURST = 2
LONG_DATA = [*VALID_DATA[:2], 30, *VALID_DATA[3:5], 8, *VALID_DATA[6:]]
OTHER_NAME = "demo.example"
"""An allowed name that no request's Host has."""


@pytest.fixture(scope="module")
def app() -> Iterator[str]:
    """The app with the documented flags; ALL_PROXY must not be used."""
    _, flags = documented_proxy()
    limits = ("--burst", str(BURST), "--requests-per-minute", "0.001")
    others = ("--max-concurrent-per-visitor", "9", "--max-concurrent-requests", "1")
    with run_app(
        *(*flags, *limits, *others, "--drain-seconds", "0", "--allow-host", OTHER_NAME),
        environment={"GRADIO_HEARTBEAT_INTERVAL": "0.5", "ALL_PROXY": "socks5://127.0.0.1:9"},
    ) as app:
        yield app.address


def require_nginx() -> None:
    """Skip a test where there is no nginx, unless REQUIRE_NGINX is 1."""
    if nginx_path() is None and os.environ.get("REQUIRE_NGINX") != "1":
        pytest.skip(NO_NGINX)


@pytest.fixture(scope="module")
def address(app: str) -> Iterator[str]:
    """The address of nginx, which strips the prefix."""
    require_nginx()
    with serve_nginx(app) as address:
        yield address


@pytest.fixture(scope="module")
def keeping_address(app: str) -> Iterator[str]:
    """The address of an nginx that does not."""
    require_nginx()
    with serve_nginx(app, keep_prefix=True) as address:
        yield address


def forwarded_for(name: str) -> dict[str, str]:
    """Return the headers of a request that another proxy on this machine has forwarded."""
    return {"X-Forwarded-For": name}


def start_request(address: str, headers: dict[str, str], path: str = CALL) -> Answer:
    """Start a request for one image, without waiting for it."""
    return send(address, "POST", path, {"data": list(VALID_DATA)}, headers)


@pytest.mark.parametrize(
    ("proxy", "visitor"), [("address", "93.1.1.1"), ("keeping_address", "93.1.1.2")]
)
def test_a_program_draws_through_nginx_and_gets_addresses_that_work_there(
    proxy: str, visitor: str, request: pytest.FixtureRequest
) -> None:
    address = request.getfixturevalue(proxy)
    assert send(address, "GET", f"{PREFIX}/").status == 200
    assert send(address, "GET", f"{PREFIX}/healthz").status == 200
    assert send(address, "GET", "/").status == 404  # nginx's own answer
    headers = {"Origin": address, **forwarded_for(visitor)}
    answer = call(address, headers=headers, path=PREFIX + CALL)
    assert answer.kind == "images", answer
    picture = answer.text[1][0]["image"]["url"]
    assert picture.startswith(f"{address}{PREFIX}{API}/file="), picture
    download = send(address, "GET", picture.removeprefix(address))
    assert (download.status, download.headers["content-type"]) == (200, "image/png")
    assert "PNG" in download.text[:8]


def test_streams_are_not_held_back(app: str, address: str) -> None:
    """A program that waits gets only a few bytes, which a buffer would keep until its turn."""

    def finished() -> int:
        return int(json.loads(send(app, "GET", "/metricsz").text)["done"])

    path, before = PREFIX + CALL, finished()
    long, waiting = (
        send(address, "POST", path, {"data": list(data)}, forwarded_for("93.2.1.1"))
        for data in (LONG_DATA, VALID_DATA)
    )
    waiting_events = events(address, f"{path}/{json.loads(waiting.text)['event_id']}")
    assert next(waiting_events)[0] == "heartbeat"
    assert finished() == before, "the heartbeat came after the request that ran before"
    steps = [
        content[2]["steps_done"]
        for name, content in events(address, f"{path}/{json.loads(long.text)['event_id']}")
        if name == "generating" and "steps_done" in content[2]
    ]
    assert len(steps) > 2
    assert steps == sorted(set(steps))
    assert list(waiting_events)[-1][0] == "complete"


def test_nine_visitors_behind_nginx_have_limits_of_their_own(address: str) -> None:
    def status(visitor: str, headers: dict[str, str] | None = None) -> int:
        body, path = {"data": list(VALID_DATA)}, PREFIX + CALL
        return send(address, "POST", path, body, headers, source=visitor).status

    visitors = [f"127.0.0.{number}" for number in range(2, 11)]
    assert [[status(each) for _ in range(BURST)] for each in visitors] == [[200] * BURST] * 9
    assert [status(each) for each in visitors] == [429] * 9
    # A visitor's own entries in the header come before nginx's.
    assert status(visitors[0], forwarded_for("8.8.8.8")) == 429


@pytest.mark.parametrize(
    ("proxy", "visitor"), [("address", "93.3.1.1"), ("keeping_address", "93.3.1.2")]
)
def test_the_page_draws_and_downloads_in_a_browser_behind_nginx(
    browser: Browser, proxy: str, visitor: str, request: pytest.FixtureRequest
) -> None:
    options: dict[str, Any] = {
        "ignore_https_errors": True,
        "extra_http_headers": forwarded_for(visitor),
    }
    page_address = f"{request.getfixturevalue(proxy)}{PREFIX}/"
    with open_page(browser, page_address, **options) as page:
        generate(page, Steps="2")
        expect(page.get_by_text("8 images in")).to_be_visible()
        pictures = page.locator("#gallery img")
        expect(pictures).to_have_count(8)
        assert pictures.first.evaluate("picture => picture.naturalWidth") == 8 * 28
        page.get_by_role("button", name="Share").click()
        expect(page.locator("#link textarea, #link input")).to_have_value(
            re.compile(re.escape(f"{page_address}?class="))
        )
        with page.expect_download() as download:
            page.get_by_role("button", name="Download all images").click()
        assert len(zipfile.ZipFile(download.value.path()).namelist()) > 8


def test_a_tab_that_lost_its_connection_draws_what_it_was_asked_for(
    browser: Browser, app: str
) -> None:
    require_nginx()
    headers = forwarded_for("93.4.1.1")
    page = browser.new_page(ignore_https_errors=True, extra_http_headers=headers)
    port = find_free_port()
    with serve_nginx(app, port=port) as address:
        page.goto(f"{address}{PREFIX}/")
        page.get_by_role("radio", name="trouser").check()
        generate(page, Steps="40")
        expect(page.get_by_text("/40 …")).to_be_visible()
    expect(page.get_by_text("Connection to the server was lost")).to_be_visible()
    with serve_nginx(app, port=port):
        expect(page.get_by_text("8 images in")).to_be_visible()
        expect(page.get_by_text("40 steps · 320 network evaluations")).to_be_visible()
        expect(page.locator("#gallery").get_by_text("trouser, seed 7")).to_be_visible()
        page.close()


def test_the_path_without_its_last_slash_leads_to_the_page(app: str) -> None:
    answer = send(app, "GET", f"{PREFIX}?class=bag")
    assert (answer.status, answer.headers["location"]) == (307, f"{PREFIX}/?class=bag")


def test_where_a_proxy_passes_another_host_on_the_name_must_be_allowed(app: str) -> None:
    names = (f"https://{OTHER_NAME}", f"https://{OTHER_NAME}:8443", "https://evil.example")
    answers = [start_request(app, {"Origin": name, **forwarded_for("93.5.1.1")}) for name in names]
    assert [answer.status for answer in answers] == [200, 200, 403]
    assert "https://evil.example" in answers[2].text
    assert urlsplit(app).netloc in answers[2].text
    assert "--allow-host" in answers[2].text


def test_streams_are_marked_so_that_no_proxy_holds_them_back(app: str) -> None:
    short = start_request(app, forwarded_for("93.6.1.1"))
    stream = send(app, "GET", f"{CALL}/{json.loads(short.text)['event_id']}")
    assert stream.headers["x-accel-buffering"] == "no"
    assert "no-transform" in stream.headers["cache-control"]
    page = send(app, "GET", "/healthz").headers
    assert "x-accel-buffering" not in page


def test_a_proxy_on_this_machine_that_is_not_trusted_shares_one_visitors_limits() -> None:
    """Local visitors have no limits; the header alone does not make a different visitor."""
    with run_app("--burst", "2", "--requests-per-minute", "0.001", "--drain-seconds", "0") as app:

        def statuses(*all_headers: dict[str, Any]) -> list[int]:
            return [start_request(app.address, headers).status for headers in all_headers]

        visitors = [forwarded_for(f"93.7.1.{number}") for number in range(3)]
        assert statuses(*visitors) == [200, 200, 429]
        assert statuses({"Host": "demo.example"}) == [429]
        assert statuses({}, {}, {}, {"Host": "localhost:7860"}) == [200] * 4
