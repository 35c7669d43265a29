"""What passes between a server and an app: headers, bodies and answers, as ASGI has them."""

import json
import re
from collections.abc import Awaitable, Callable, Container, MutableMapping
from typing import Any
from urllib.parse import urlsplit

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",  # gradio's own page needs these
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'self' https://huggingface.co https://*.huggingface.co",
    )
)
"""The page loads nothing from elsewhere, and nobody but itself and the Hub may frame it."""

HEADERS = {
    b"content-security-policy": POLICY.encode(),
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"strict-origin-when-cross-origin",
    b"permissions-policy": b"camera=(), microphone=(), geolocation=()",
}

STREAM_HEADERS = {b"x-accel-buffering": b"no", b"cache-control": b"no-cache, no-transform"}
"""A proxy passes each event on at once: nginx reads the first, Cloudflare and others the second."""


def headers_of(scope: Scope) -> dict[str, str]:
    """Return a request's headers, names in lower case; of repeated ones the last."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def without_prefix(scope: Scope, prefix: str) -> Scope:
    """Return a request as a proxy that strips a path prefix passes it on.

    Args:
        scope: the request's.
        prefix: "" or "/path"; a request that is not below it stays as it is.
    """
    path, raw = scope["path"], scope.get("raw_path") or b""
    if not prefix or not path.startswith(f"{prefix}/"):
        return scope
    raw = raw.removeprefix(prefix.encode())
    return {**scope, "path": path.removeprefix(prefix), "raw_path": raw}


def is_foreign(headers: dict[str, str], hosts: Container[str]) -> bool:
    """Return whether a browser says that another page than this server's sent a request.

    Args:
        headers: the request's.
        hosts: names by which this server goes besides the one that was asked for; one without a
            port stands for all of its ports.
    """
    origin = headers.get("origin")
    if origin is None:
        return False
    # A page elsewhere cannot make a browser send X-Forwarded-Host without asking us first.
    own = [headers.get(name, "").lower() for name in ("host", "x-forwarded-host")]
    try:
        host = urlsplit(origin).netloc.lower() if "://" in origin else ""
    except ValueError:  # no address at all
        host = ""
    return not host or not (host in own or host in hosts or _without_port(host) in hosts)


def _without_port(host: str) -> str:
    return re.sub(r":[0-9]+$", "", host)


def secured(send: Send, foreign: bool) -> Send:
    """Return a send that adds HEADERS, and takes away what would let foreign pages read.

    Streams of events get STREAM_HEADERS as well.
    """

    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = message.get("headers", [])
            is_stream = dict(given).get(b"content-type", b"").startswith(b"text/event-stream")
            added = HEADERS | STREAM_HEADERS if is_stream else HEADERS
            kept = [
                (name, value)
                for name, value in given
                if name not in added and not (foreign and name.startswith(b"access-control-"))
            ]
            message["headers"] = [*kept, *added.items()]
        await send(message)

    return with_headers


def readable(send: Send, on_status: Callable[[int], None]) -> Send:
    """Return a send that gives an answer that tells a mistake its status, and notes what it was.

    Gradio answers 500 for every exception of an event that is not queued, also for one that tells
    the visitor what to change.
    """
    held: list[Message] = []

    async def translated(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 500:
            held.append(message)
            return
        if held:
            start = held.pop()
            start["status"] = 422 if _tells(message.get("body", b"")) else 500
            on_status(start["status"])
            await send(start)
        elif message["type"] == "http.response.start":
            on_status(message["status"])
        await send(message)

    return translated


def _tells(body: bytes) -> bool:
    try:
        return bool(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError):
        return False


def replay(body: bytes, receive: Receive) -> Receive:
    """Return a receive that gives a body that was read already, and then waits for the end."""
    whole: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return whole.pop() if whole else await receive()

    return again


async def answer(
    send: Send,
    status: int,
    content: dict[str, Any] | str,
    wait: float | None = None,
    location: str | None = None,
) -> None:
    """Answer with JSON, or with a plain sentence.

    Args:
        send: where to.
        status: of HTTP.
        content: what to say.
        wait: seconds until the visitor may ask again, if that would help.
        location: where to ask instead.
    """
    if isinstance(content, str):
        body, content_type = content.encode(), b"text/plain; charset=utf-8"
    else:
        body, content_type = json.dumps(content).encode(), b"application/json"
    headers = [(b"content-type", content_type), (b"cache-control", b"no-store")]
    headers.append((b"content-length", str(len(body)).encode()))
    if wait is not None:
        headers.append((b"retry-after", str(max(1, round(wait))).encode()))
    if location is not None:
        headers.append((b"location", location.encode("latin-1")))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
