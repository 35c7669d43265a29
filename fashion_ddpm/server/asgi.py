"""Helpers for ASGI messages: path prefix, security headers, error status, bounded bodies."""

import asyncio
import json
import re
from collections.abc import Callable, Container, Iterable, Mapping
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",  # gradio needs these
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
    )
)
"""The page loads nothing from other hosts."""

FRAME_ANCESTORS = ("'self'", "https://huggingface.co", "https://*.huggingface.co")
"""The page itself and the Hub may frame the page."""

SECURITY_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "strict-origin-when-cross-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}

STREAM_HEADERS = {"x-accel-buffering": "no", "cache-control": "no-cache, no-transform"}
"""Keep proxies from buffering events: nginx reads the first, Cloudflare and others the second."""

MAX_DISCARDED_BYTES = 8_000_000
"""Bytes of a body that is too long that are read before the refusal is sent."""


def strip_prefix(scope: Scope, prefix: str) -> Scope:
    """Return a request's scope without a path prefix, as from a proxy that strips it.

    Args:
        scope: the request's; unchanged if its path is not below the prefix.
        prefix: "" or "/path".
    """
    path, raw = scope["path"], scope.get("raw_path") or b""
    if not prefix or not path.startswith(f"{prefix}/"):
        return scope
    raw = raw.removeprefix(prefix.encode())
    return {**scope, "path": path.removeprefix(prefix), "raw_path": raw}


def is_cross_origin(headers: Mapping[str, str], hosts: Container[str]) -> bool:
    """Return whether, by its Origin, another site's page sent a request.

    Args:
        headers: the request's.
        hosts: further names of this server, beside the request's Host; one without a port stands
            for all ports.
    """
    origin = headers.get("origin")
    if origin is None:
        return False
    # Another site's page can set X-Forwarded-Host only after a preflight, which is refused.
    own_hosts = [headers.get(name, "").lower() for name in ("host", "x-forwarded-host")]
    try:
        host = urlsplit(origin).netloc.lower() if "://" in origin else ""
    except ValueError:  # not a URL
        host = ""
    without_port = re.sub(r":[0-9]+$", "", host)
    return not host or not (host in own_hosts or host in hosts or without_port in hosts)


def security_headers(embedding_origins: Iterable[str] = ()) -> dict[str, str]:
    """Return the security headers of every answer.

    Args:
        embedding_origins: origins whose pages may frame the page, beside FRAME_ANCESTORS.
    """
    ancestors = " ".join((*FRAME_ANCESTORS, *embedding_origins))
    policy = f"{CONTENT_SECURITY_POLICY}; frame-ancestors {ancestors}"
    return {"content-security-policy": policy, **SECURITY_HEADERS}


def add_headers(send: Send, security_headers: Mapping[str, str], cross_origin: bool) -> Send:
    """Return a send that adds the security headers, and STREAM_HEADERS to event streams.

    Cross-origin requests lose the CORS headers with which gradio would let other pages read.
    """

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            message.setdefault("headers", [])
            headers = MutableHeaders(scope=message)
            headers.update(security_headers)
            if headers.get("content-type", "").startswith("text/event-stream"):
                headers.update(STREAM_HEADERS)
            for name in list(headers):
                if cross_origin and name.startswith("access-control-"):
                    del headers[name]
        await send(message)

    return send_with_headers


def rewrite_error_status(send: Send, on_status: Callable[[int], None] | None = None) -> Send:
    """Return a send that changes status 500 to 422 if the body explains an error to the user.

    Gradio answers 500 for every exception of an event that is not queued. The final status is
    passed to `on_status`.
    """
    held: list[Message] = []  # a start with status 500, until its body comes

    async def send_rewritten(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 500:
            held.append(message)
            return
        start = held.pop() if held else message
        if start is not message and _has_error(message.get("body", b"")):
            start["status"] = 422
        if on_status and start["type"] == "http.response.start":
            on_status(start["status"])
        if start is not message:
            await send(start)
        await send(message)

    return send_rewritten


def _has_error(body: bytes) -> bool:
    try:
        return bool(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError):
        return False


async def read_body(request: Request, max_bytes: int, timeout: float) -> bytes:
    """Return the body of a request, with or without Content-Length.

    Up to MAX_DISCARDED_BYTES of a body that is too long are read and dropped, because a client
    that is still sending does not read the answer.

    Args:
        request: one whose body has not been read.
        max_bytes: the longest body allowed.
        timeout: seconds for the whole body to arrive.

    Raises:
        HTTPException: the body is incomplete (400), late (408) or too long (413).
    """
    length = request.headers.get("content-length", "")
    too_long = length.isdecimal() and int(length) > max_bytes
    body, discarded = bytearray(), 0
    try:
        async with asyncio.timeout(timeout):
            async for part in request.stream():
                if too_long:
                    discarded += len(part)
                    if discarded >= MAX_DISCARDED_BYTES:
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
    """Return a receive that yields a body that was already read, then what `receive` yields."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_body() -> Message:
        return messages.pop() if messages else await receive()

    return receive_body
