"""Tests of the ASGI helpers."""

import asyncio
from collections.abc import Callable

import pytest
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message, Send

from fashion_ddpm.server import asgi


def send_through(wrap: Callable[[Send], Send], *messages: Message) -> list[Message]:
    """Return the messages that a wrapped send passes on."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def run() -> None:
        wrapped = wrap(send)
        for message in messages:
            await wrapped(message)

    asyncio.run(run())
    return sent


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"host": "a.example"}, False),
        ({"host": "a.example", "origin": "https://a.example"}, False),
        ({"host": "a.example:80", "origin": "http://a.example:80"}, False),
        ({"host": "10.0.0.1", "origin": "https://b", "x-forwarded-host": "b"}, False),
        ({"host": "10.0.0.1", "origin": "https://me.hf.space"}, False),
        ({"host": "a.example", "origin": "https://evil.example"}, True),
        ({"host": "a.example", "origin": "https://a.example.evil"}, True),
        ({"host": "localhost:7860", "origin": "http://localhost:9999"}, True),
        ({"host": "", "origin": "null"}, True),
        ({"origin": ""}, True),
        ({"host": "a.example", "origin": "http://["}, True),
    ],
)
def test_cross_origin_requests_are_recognized(headers: dict[str, str], expected: bool) -> None:
    assert asgi.is_cross_origin(headers, {"me.hf.space"}) == expected


@pytest.mark.parametrize("cross_origin", [False, True])
def test_security_headers_are_added_and_cors_headers_removed(cross_origin: bool) -> None:
    cors = (b"access-control-allow-origin", b"https://evil.example")
    start = {"type": "http.response.start", "status": 200, "headers": [cors, (b"a", b"b")]}
    added = asgi.security_headers(["https://school.example"])
    (message,) = send_through(lambda send: asgi.add_headers(send, added, cross_origin), start)
    headers = Headers(raw=message["headers"])
    assert (cors[0].decode() in headers) == (not cross_origin)
    assert headers["a"] == "b"
    assert added.items() <= set(headers.items())
    assert headers["content-security-policy"].endswith(" https://school.example")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"error": "steps is 0"}', 422),
        (b'{"error": null}', 500),
        (b"Internal Server Error", 500),
        (b"[]", 500),
    ],
)
def test_an_explained_error_gets_status_422(body: bytes, expected: int) -> None:
    statuses: list[int] = []
    start, end = send_through(
        lambda send: asgi.rewrite_error_status(send, statuses.append),
        {"type": "http.response.start", "status": 500, "headers": []},
        {"type": "http.response.body", "body": body},
    )
    assert [start["status"], end["body"], statuses] == [expected, body, [expected]]


def test_a_body_is_replayed_before_further_messages() -> None:
    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def run() -> list[Message]:
        replayed = asgi.replay_body(b"abc", receive)
        return [await replayed(), await replayed()]

    first, second = asyncio.run(run())
    assert (first["body"], first["more_body"], second["type"]) == (b"abc", False, "http.disconnect")


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ([b"abc", b""], None),
        ([b"ab", b"c"], None),
        ([b"abc", b"d"], 413),
        ([b"a"], 400),
    ],
)
def test_a_body_is_complete_or_refused(parts: list[bytes], status: int | None) -> None:
    messages: list[Message] = [
        {"type": "http.request", "body": part, "more_body": True} for part in parts
    ]
    messages[-1]["more_body"] = status == 400
    messages.append({"type": "http.disconnect"})

    async def receive() -> Message:
        return messages.pop(0)

    request = Request({"type": "http", "headers": []}, receive)
    reading = asgi.read_body(request, max_bytes=3, timeout=60)
    if status is None:
        assert asyncio.run(reading) == b"abc"
        return
    with pytest.raises(HTTPException) as refusal:
        asyncio.run(reading)
    assert refusal.value.status_code == status
