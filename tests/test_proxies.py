"""Tests of the app behind a reverse proxy: paths, host names, limits, streams and the page."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from fashion_ddpm.publishing.space_trial import find_free_port
from tests.tools.asking import API, CALL, VALID_DATA, Answer, call, events, send
from tests.tools.browsing import open_page
from tests.tools.proxying import Proxy, serve_proxy
from tests.tools.serving import run_app

pytestmark = pytest.mark.slow

PREFIX = "/fashion"
STRIPPING, KEEPING = Proxy(PREFIX), Proxy(PREFIX, strips_prefix=False)
LONG_DATA = [*VALID_DATA[:2], 100, *VALID_DATA[3:5], 16, *VALID_DATA[6:]]


@pytest.fixture(scope="module")
def app() -> Iterator[str]:
    """The app configured for a proxy on the same machine; ALL_PROXY must not be used."""
    flags = ("--root-path", PREFIX, "--trusted-proxy", "127.0.0.1", "--allow-host", "demo.example")
    limits = ("--burst", "4", "--requests-per-minute", "0.001", "--max-concurrent-per-visitor", "9")
    with run_app(
        *(*flags, *limits, "--drain-seconds", "0"),
        environment={"GRADIO_HEARTBEAT_INTERVAL": "0.05", "ALL_PROXY": "socks5://127.0.0.1:9"},
    ) as app:
        yield app.address


@pytest.fixture(params=[STRIPPING, KEEPING], ids=["stripped", "kept"])
def address(app: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a proxy that strips the prefix, and of one that does not."""
    with serve_proxy(app, request.param) as address:
        yield address


def ip_suffix(address: str) -> str:
    """Return the last half of an IPv4 address, different for each proxy."""
    port = urlsplit(address).port or 0
    return f"{port // 256}.{port % 256}"


def forwarded_for(name: str) -> dict[str, str]:
    """Return the headers of a request that another proxy has forwarded."""
    return {"X-Forwarded-For": name}


def test_a_program_draws_through_a_proxy_and_gets_addresses_that_work_there(address: str) -> None:
    assert send(address, "GET", f"{PREFIX}/").status == 200
    assert send(address, "GET", f"{PREFIX}/healthz").status == 200
    assert send(address, "GET", "/").status == 404  # the proxy's own answer
    headers = {"Origin": address, **forwarded_for(f"93.1.{ip_suffix(address)}")}
    answer = call(address, headers=headers, path=PREFIX + CALL)
    assert answer.kind == "images", answer
    picture = answer.text[1][0]["image"]["url"]
    assert picture.startswith(f"{address}{PREFIX}{API}/file="), picture
    assert send(address, "GET", picture.removeprefix(address)).status == 200


def test_the_path_without_its_last_slash_leads_to_the_page(app: str) -> None:
    with serve_proxy(app, KEEPING) as address:
        answer = send(address, "GET", f"{PREFIX}?class=bag")
    assert (answer.status, answer.headers["location"]) == (307, f"{PREFIX}/?class=bag")


def test_a_tab_that_lost_its_connection_draws_what_it_was_asked_for(
    browser: Browser, app: str
) -> None:
    page = browser.new_page(extra_http_headers=forwarded_for("93.4.1.1"))  # its own limits
    port = find_free_port()
    with serve_proxy(app, STRIPPING, port) as address:
        page.goto(f"{address}{PREFIX}/")
        page.get_by_role("radio", name="trouser").check()
        page.get_by_label("number input for Steps").fill("100")
        page.get_by_role("button", name="Generate", exact=True).click()
        expect(page.get_by_text("/100 …")).to_be_visible()
    expect(page.get_by_text("Connection to the server was lost")).to_be_visible()
    with serve_proxy(app, STRIPPING, port):
        expect(page.get_by_text("8 images in")).to_be_visible()
        expect(page.get_by_text("100 steps · 800 network evaluations")).to_be_visible()
        expect(page.locator("#gallery").get_by_text("trouser, seed 7")).to_be_visible()
        page.close()


def test_the_page_draws_in_a_browser_behind_a_proxy(browser: Browser, address: str) -> None:
    with open_page(browser, f"{address}{PREFIX}/") as page:
        page.get_by_label("number input for Steps").fill("2")
        page.get_by_role("button", name="Generate", exact=True).click()
        expect(page.get_by_text("8 images in")).to_be_visible()
        pictures = page.locator("#gallery img")
        expect(pictures).to_have_count(8)
        assert pictures.first.evaluate("picture => picture.naturalWidth") == 8 * 28


def start_request(address: str, headers: dict[str, str], path: str = CALL) -> Answer:
    """Start a request for one image, without waiting for it."""
    return send(address, "POST", path, {"data": list(VALID_DATA)}, headers)


def test_where_the_proxy_passes_another_host_on_the_name_must_be_allowed(app: str) -> None:
    with serve_proxy(app, Proxy(passes_host=False)) as address:
        names = ("https://demo.example", "https://demo.example:8443", "https://evil.example")
        answers = [
            start_request(address, {"Origin": name, **forwarded_for("93.184.2.1")}, PREFIX + CALL)
            for name in names
        ]
    assert [answer.status for answer in answers] == [200, 200, 403]
    assert "https://evil.example" in answers[2].text
    assert urlsplit(app).netloc in answers[2].text
    assert "--allow-host" in answers[2].text


def test_each_visitor_behind_a_trusted_proxy_has_limits_of_their_own(address: str) -> None:
    def statuses(name: str, count: int) -> list[int]:
        path = PREFIX + CALL
        return [start_request(address, forwarded_for(name), path).status for _ in range(count)]

    one, two = (f"93.{kind}.{ip_suffix(address)}" for kind in (3, 4))
    assert statuses(one, 5) == [200] * 4 + [429]
    assert statuses(two, 1) == [200]
    # A visitor's own entries in the header come before those of the proxies.
    assert statuses(f"8.8.8.8, {one}", 1) == [429]


def test_streams_are_marked_and_beat_so_that_no_proxy_holds_them_back(app: str) -> None:
    first = send(app, "POST", CALL, {"data": LONG_DATA}, forwarded_for("93.184.5.1"))
    path = f"{CALL}/{json.loads(first.text)['event_id']}"
    names = [name for name, _ in events(app, path)]
    assert "heartbeat" in names
    assert names[-1] == "complete"
    short = start_request(app, forwarded_for("93.184.5.1"))
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

        visitors = [forwarded_for(f"93.184.6.{number}") for number in range(3)]
        assert statuses(*visitors) == [200, 200, 429]
        assert statuses({"Host": "demo.example"}) == [429]
        assert statuses({}, {}, {}, {"Host": "localhost:7860"}) == [200] * 4
