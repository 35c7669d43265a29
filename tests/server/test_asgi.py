"""Tests of headers, bodies and answers."""

import asyncio
import json
from typing import Any

import pytest

from fashion_ddpm.server.asgi import HEADERS, answer, is_foreign, readable, replay, secured


def sent(*messages: dict[str, Any], through: Any) -> list[Any]:
    """Return what comes out at the other end of a send."""
    out: list[Any] = []

    async def send(message: Any) -> None:
        out.append(message)

    async def run() -> None:
        for message in messages:
            await through(send)(message)

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
    assert is_foreign(headers, {"me.hf.space"}) == expected


def test_headers_are_added_and_foreign_pages_lose_their_leave() -> None:
    cors = (b"access-control-allow-origin", b"https://evil.example")
    start = {"type": "http.response.start", "status": 200, "headers": [cors, (b"a", b"b")]}
    (mine,) = sent(dict(start), through=lambda send: secured(send, foreign=False))
    (other,) = sent(dict(start), through=lambda send: secured(send, foreign=True))
    assert cors in mine["headers"]
    assert cors not in other["headers"]
    for message in (mine, other):
        assert (b"a", b"b") in message["headers"]
        assert set(HEADERS.items()) <= set(message["headers"])


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
    out: list[Any] = []

    async def send(message: Any) -> None:
        out.append(message)

    async def run() -> None:
        through = readable(send, seen.append)
        await through({"type": "http.response.start", "status": 500, "headers": []})
        await through({"type": "http.response.body", "body": body})

    asyncio.run(run())
    assert [out[0]["status"], out[1]["body"], seen] == [expected, body, [expected]]


def test_a_body_is_read_once_more_and_then_the_end_is_awaited() -> None:
    async def receive() -> Any:
        return {"type": "http.disconnect"}

    async def run() -> list[Any]:
        again = replay(b"abc", receive)
        return [await again(), await again()]

    first, second = asyncio.run(run())
    assert (first["body"], first["more_body"], second["type"]) == (b"abc", False, "http.disconnect")


def test_an_answer_says_when_to_come_again() -> None:
    out: list[Any] = []

    async def send(message: Any) -> None:
        out.append(message)

    asyncio.run(answer(send, 429, {"detail": "x"}, wait=0.2))
    assert dict(out[0]["headers"])[b"retry-after"] == b"1"
    assert json.loads(out[1]["body"]) == {"detail": "x"}
