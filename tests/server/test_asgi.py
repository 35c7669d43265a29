"""Tests of what is changed of requests and answers on the way."""

import asyncio
from collections.abc import Callable

import pytest
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message, Send

from fashion_ddpm.server.asgi import (
    SECURITY_HEADERS,
    add_security_headers,
    is_cross_origin,
    read_body,
    replay_body,
    rewrite_error_status,
)


def sent(wrapped: Callable[[Send], Send], *messages: Message) -> list[Message]:
    """Return what comes out at the other end of a send."""
    out: list[Message] = []

    async def send(message: Message) -> None:
        out.append(message)

    async def run() -> None:
        through = wrapped(send)
        for message in messages:
            await through(message)

    asyncio.run(run())
    return out


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
def test_another_page_is_known_by_its_origin(headers: dict[str, str], expected: bool) -> None:
    assert is_cross_origin(headers, {"me.hf.space"}) == expected


@pytest.mark.parametrize("cross_origin", [False, True])
def test_headers_are_added_and_foreign_pages_lose_their_leave(cross_origin: bool) -> None:
    cors = (b"access-control-allow-origin", b"https://evil.example")
    start = {"type": "http.response.start", "status": 200, "headers": [cors, (b"a", b"b")]}
    (message,) = sent(lambda send: add_security_headers(send, cross_origin), start)
    headers = Headers(raw=message["headers"])
    assert (cors[0].decode() in headers) == (not cross_origin)
    assert headers["a"] == "b"
    assert SECURITY_HEADERS.items() <= set(headers.items())


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"error": "steps is 0"}', 422),
        (b'{"error": null}', 500),
        (b"Internal Server Error", 500),
        (b"[]", 500),
    ],
)
def test_a_told_mistake_is_no_fault_of_the_servers(body: bytes, expected: int) -> None:
    seen: list[int] = []
    start, end = sent(
        lambda send: rewrite_error_status(send, seen.append),
        {"type": "http.response.start", "status": 500, "headers": []},
        {"type": "http.response.body", "body": body},
    )
    assert [start["status"], end["body"], seen] == [expected, body, [expected]]


def test_a_body_is_read_once_more_and_then_the_end_is_awaited() -> None:
    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def run() -> list[Message]:
        again = replay_body(b"abc", receive)
        return [await again(), await again()]

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
def test_a_body_is_read_whole_or_refused(parts: list[bytes], status: int | None) -> None:
    is_whole = status != 400
    messages: list[Message] = [
        {"type": "http.request", "body": part, "more_body": True} for part in parts
    ]
    messages[-1]["more_body"] = not is_whole
    messages.append({"type": "http.disconnect"})

    async def receive() -> Message:
        return messages.pop(0)

    request = Request({"type": "http", "headers": []}, receive)
    reading = read_body(request, max_bytes=3, timeout=60)
    if status is None:
        assert asyncio.run(reading) == b"abc"
        return
    with pytest.raises(HTTPException) as refusal:
        asyncio.run(reading)
    assert refusal.value.status_code == status
