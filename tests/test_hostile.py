"""Tests of invalid input over HTTP: always an error with a message, never a 5xx or a hang."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fashion_ddpm.core.requests import API_PARAMETERS
from fashion_ddpm.ui.api import ENDPOINT_FIELDS
from tests.tools.asking import API, CALL, VALID_DATA, call, find_event, find_link_event, join, send
from tests.tools.serving import serve_app
from tests.tools.strangeness import INVALID_VALUES, data_lists, queries

pytestmark = pytest.mark.slow

PARAMETER_NAMES = tuple(API_PARAMETERS[name] for name in ENDPOINT_FIELDS)
FUZZ = settings(
    max_examples=200, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


@pytest.fixture(scope="module")
def address(checkpoint_with_turbo: Path) -> Iterator[str]:
    """The app on small networks; at the end it must still work."""
    with serve_app("--checkpoint", str(checkpoint_with_turbo)) as address:
        yield address
        assert call(address).kind == "images"
        assert json.loads(send(address, "GET", "/readyz").text)["status"] == "ready"


@pytest.mark.parametrize("index", range(len(VALID_DATA)), ids=PARAMETER_NAMES)
def test_every_strange_value_of_a_program_is_a_sentence_that_names_it(
    address: str, index: int
) -> None:
    for value in list(INVALID_VALUES.values())[index]:
        answer = call(address, [*VALID_DATA[:index], value, *VALID_DATA[index + 1 :]])
        assert answer.is_explained, (value, answer)
        assert PARAMETER_NAMES[index] in answer.text
        assert "; it must be " in answer.text
        assert not set("<>\x00\u202e") & set(answer.text)
        assert len(answer.text) < 400


def test_values_that_only_look_strange_are_served(address: str) -> None:
    assert call(address, VALID_DATA[:-2]).kind == "images"  # a program of earlier versions
    for index, value in ((0, "ANKLE BOOT"), (0, " 9 "), (2, 1.0), (4, 1), (6, 2**32 - 1), (9, 0)):
        answer = call(address, [*VALID_DATA[:index], value, *VALID_DATA[index + 1 :]])
        assert answer.kind == "images", (value, answer)


EXPLORER_VALUE = {"num_levels": 100, "first_beta": 1e-4, "last_beta": 0.02, "class_name": "bag"}
EVENTS: list[tuple[str, list[Any], int]] = [
    ("blend", ["bag", "coat", 0], 0),
    ("walk", ["bag", 0, 1], 0),
    ("draw_1", [EXPLORER_VALUE], 0),
    ("redraw", [{"drawing": ""}, "bag", 0.5], 0),
    ("draw_2", [None, 0, "bag", "schedule", 0], 2),  # the first two are the page's state
    ("show_places", [[], "bag", "schedule", 0], 1),
    ("score_real_images", ["embedded"], 0),
]
ERROR_OUTPUTS = {"score_real_images": 0}
"""Event → index of the output, a paragraph, that shows its errors; others use gradio's message."""
BAD_VALUES: list[Any] = [None, "", "<b>", [], {}, True, -1, 2.5, 1e308, 2**64, "x" * 10_000, [[{}]]]


@pytest.mark.parametrize(("name", "valid", "first"), EVENTS, ids=[event[0] for event in EVENTS])
def test_every_strange_value_of_the_pages_own_events_is_a_sentence(
    address: str, name: str, valid: list[Any], first: int
) -> None:
    event = find_event(address, name, len(valid))
    for index in range(first, len(valid)):
        for number, value in enumerate(BAD_VALUES):
            data = [*valid[:index], value, *valid[index + 1 :]]
            answer = join(address, event, data, f"s{event}-{index}-{number}")
            message = answer.text
            if name in ERROR_OUTPUTS and answer.kind == "images":
                message = answer.text["data"][ERROR_OUTPUTS[name]]
                message = message.removeprefix("<p>").removesuffix("</p>")
            else:
                assert answer.is_explained, (data, answer)
            assert "must be" in message or "betas that rise" in message, (data, answer)
            assert "<" not in message


def test_every_strange_value_of_the_explorer_is_a_sentence(address: str) -> None:
    event = find_event(address, "draw_1", 1)
    for key in EXPLORER_VALUE:
        for number, value in enumerate(BAD_VALUES):
            answer = join(address, event, [EXPLORER_VALUE | {key: value}], f"{key}-{number}")
            assert answer.is_explained, (key, value, answer)
            assert "must be" in answer.text or "betas that rise" in answer.text, answer
            assert "<" not in answer.text


PNG_FILE = {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}
INVALID_DRAWINGS: list[Any] = ["/etc/passwd", "http://169.254.169.254/", "data:,x", PNG_FILE, 5]
INVALID_PATHS = ["/etc/passwd", "app.py", "http://example.com/a.png", "C:\\x", ""]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        *(("redraw", [{"drawing": drawing}, "bag", 0.5]) for drawing in INVALID_DRAWINGS),
        *(("read", [PNG_FILE | {"path": path}]) for path in INVALID_PATHS),
    ],
)
def test_a_file_that_was_not_uploaded_is_a_sentence(
    address: str, name: str, data: list[Any]
) -> None:
    assert join(address, find_event(address, name, len(data)), data, "file").is_explained


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", CALL, b"\xff\xfe"),
        ("POST", CALL, b'{"a":' * 10_000 + b"1" + b"}" * 10_000),
        ("POST", CALL, b'{"data": 1, "data": [1]}'),
        ("POST", CALL, {"data": list(VALID_DATA[:-1])}),
        ("POST", CALL, {"data": list(VALID_DATA), "session_hash": "x" * 60_000}),
        ("POST", CALL, {"data": ["x" * 9_000_000]}),
        ("POST", f"{API}/queue/join", {"data": [], "fn_index": 999, "session_hash": "a"}),
        ("POST", f"{API}/cancel", {"session_hash": "a"}),
        ("POST", f"{API}/cancel", {"session_hash": "a", "fn_index": [], "event_id": {}}),
        ("POST", f"{API}/call/v2/generate", {"no_such": 1}),
        ("POST", f"{API}/call/v2/generate", []),
        ("POST", f"{API}/upload", b"no form"),
        ("GET", f"{API}/queue/data?session_hash=nobody", None),
        ("GET", f"{API}/queue/data", None),
        ("GET", f"{API}/call/generate/nothing", None),
        ("GET", f"{API}/file=/etc/passwd", None),
        ("GET", f"{API}/file={quote(str(Path(__file__).parent.parent / 'app.py'))}", None),
        ("GET", f"{API}/file=/tmp/%2e%2e/etc/passwd", None),
        ("GET", f"{API}/heartbeat/", None),
        ("GET", "/assets/../../../../etc/passwd", None),
        ("GET", "/static/..%2f..%2fblocks.py", None),
        ("GET", "/%00", None),
        ("BREW", "/", None),
    ],
)
def test_a_strange_request_is_refused(address: str, method: str, path: str, body: Any) -> None:
    answer = send(address, method, path, body)
    assert 400 <= answer.status < 500, answer
    assert "Traceback" not in answer.text


def test_a_cancel_of_nothing_and_one_twice_do_nothing(address: str) -> None:
    body = {"session_hash": "a", "fn_index": 5, "event_id": "b"}
    assert [send(address, "POST", f"{API}/cancel", body).status for _ in range(2)] == [200, 200]


def test_a_wrong_content_type_changes_nothing(address: str) -> None:
    assert call(address, headers={"Content-Type": "text/xml"}).kind == "images"


@pytest.mark.parametrize(
    "query",
    [
        "class=<script>alert(1)</script>",
        "class=bag&steps=1e9&class=coat",
        "class=bag&class=hat",
        "class=bag&images=0&model=stale",
        "class=bag&images=2&num_images=3&guidance_low=nan",
        "class=bag&seed=" + "9" * 5000,
        "class=%00%E2%80%AE&__theme=dark&unknown=1",
        "class=../../etc/passwd",
        "deep_link=../../etc/passwd",
        "=&&&;%",
    ],
)
def test_a_strange_link_opens_the_page_and_changes_nothing_or_what_it_may(
    address: str, query: str
) -> None:
    sent = quote(query, safe="=&%;")
    assert send(address, "GET", f"/?{sent}").status == 200
    answer = join(address, find_link_event(address), [], "link", query=sent)
    assert answer.kind == "images", answer


@FUZZ
@given(data_lists())
def test_fuzzed_programs_get_images_or_a_sentence(address: str, data: list[Any]) -> None:
    answer = call(address, data)
    assert answer.kind == "images" or answer.is_explained, (data, answer)


@FUZZ
@given(queries())
def test_fuzzed_links_open_the_page(address: str, query: str) -> None:
    assert join(address, find_link_event(address), [], "link", query=query).kind == "images"


@FUZZ
@given(st.binary(max_size=300), st.sampled_from([CALL, f"{API}/queue/join", f"{API}/upload"]))
def test_fuzzed_bodies_are_refused_in_a_sentence(address: str, body: bytes, path: str) -> None:
    assert send(address, "POST", path, body).is_explained
