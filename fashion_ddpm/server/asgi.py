"""What is changed of a request and of its answer on the way: headers, status, a body read once."""

import asyncio
import json
import re
from collections.abc import Callable, Container, Mapping
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY = "; ".join(
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

SECURITY_HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "strict-origin-when-cross-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}

STREAM_HEADERS = {"x-accel-buffering": "no", "cache-control": "no-cache, no-transform"}
"""A proxy passes each event on at once: nginx reads the first, Cloudflare and others the second."""

MAX_DISCARDED_BYTES = 8_000_000
"""Bytes that are read of a body that is too long, before the sentence that says so."""


def strip_prefix(scope: Scope, prefix: str) -> Scope:
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


def is_cross_origin(headers: Mapping[str, str], hosts: Container[str]) -> bool:
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
    without_port = re.sub(r":[0-9]+$", "", host)
    return not host or not (host in own or host in hosts or without_port in hosts)


def add_security_headers(send: Send, cross_origin: bool) -> Send:
    """Return a send that adds SECURITY_HEADERS, and takes away what would let foreign pages read.

    Streams of events get STREAM_HEADERS as well.
    """

    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            message.setdefault("headers", [])
            headers = MutableHeaders(scope=message)
            headers.update(SECURITY_HEADERS)
            if headers.get("content-type", "").startswith("text/event-stream"):
                headers.update(STREAM_HEADERS)
            for name in list(headers):
                if cross_origin and name.startswith("access-control-"):
                    del headers[name]
        await send(message)

    return with_headers


def rewrite_error_status(send: Send, on_status: Callable[[int], None]) -> Send:
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


async def read_body(request: Request, max_bytes: int, timeout: float) -> bytes:
    """Return the whole body of a request, however it is sent.

    Of a body that is too long MAX_DISCARDED_BYTES bytes are read and none kept: whoever is still
    sending would not read the answer.

    Args:
        request: whose body was not read yet.
        max_bytes: bytes that it may have.
        timeout: in which it must have arrived.
    """
    length = request.headers.get("content-length", "")
    too_long = length.isdecimal() and int(length) > max_bytes
    body, unread = bytearray(), MAX_DISCARDED_BYTES
    try:
        async with asyncio.timeout(timeout):
            async for part in request.stream():
                if too_long:
                    unread -= len(part)
                    if unread <= 0:
                        break
                else:
                    body += part
                    too_long = len(body) > max_bytes
    except ClientDisconnect as error:
        raise HTTPException(400, "The request ended before it was complete.") from error
    except TimeoutError as error:
        if not too_long:
            sentence = "The request took too long to arrive; send it again."
            raise HTTPException(408, sentence) from error
    if too_long:
        raise HTTPException(413, f"The request is too long; here at most {max_bytes:,} bytes.")
    return bytes(body)


def replay_body(body: bytes, receive: Receive) -> Receive:
    """Return a receive that gives a body that was read already, and then waits for the end."""
    whole: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return whole.pop() if whole else await receive()

    return again
