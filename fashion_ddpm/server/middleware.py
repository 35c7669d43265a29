"""The outermost layer of the server: sizes, rates, foreign pages, headers, and how it is doing."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fashion_ddpm.core.requests import shown
from fashion_ddpm.server.allowlist import API, MCP, UPLOAD, Allowlist, Asked, RefusalError
from fashion_ddpm.server.asgi import (
    App,
    Receive,
    Scope,
    Send,
    answer,
    headers_of,
    is_foreign,
    readable,
    replay,
    secured,
    without_prefix,
)
from fashion_ddpm.server.deployment import is_loopback
from fashion_ddpm.server.limits import ServerLimits
from fashion_ddpm.server.monitoring import Monitor
from fashion_ddpm.server.rate_limit import RateLimiter, network_of
from fashion_ddpm.server.uploads import check_upload

OTHER = 10
"""Requests that do not run the network, such as moving a slider: so many times as frequent."""

UNREAD = 8_000_000
"""Bytes that are read of a body that is too long, before the sentence that says so."""

WEIGHTY = ("/", "/config", "/config/", f"{API}/info")
"""Pages that are made anew for each visitor."""

FORWARDED = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
"""Headers by which a proxy says that it stands between."""

_REPLACED = (b"content-type", b"content-length", b"transfer-encoding", b"accept-encoding")


@dataclass(frozen=True)
class ServerContext:
    """What the middleware must know of the server behind it.

    Attributes:
        holding: (session, address) → requests that the visitor, and all at that address, have in
            the queue.
        knows: whether a session, or an event, has answers to come.
        about: what /readyz says besides.
        public: whether visitors are strangers, who must share; None: those who come through a
            proxy are, and whoever asks this machine by its own name is not.
        hosts: names by which the server goes besides the one that was asked for.
        prefix: the path below which a proxy serves the page, and may strip or not.
    """

    holding: Callable[[str, str], tuple[int, int]]
    knows: Callable[[str], bool]
    about: dict[str, str]
    public: bool | None = None
    hosts: frozenset[str] = frozenset()
    prefix: str = ""


class Middleware:
    """An ASGI app around another one.

    Args:
        app: the app.
        allowlist: what may reach the app.
        limits: how much of it, and how often.
        monitor: whether it is well, and what is counted.
        context: the rest of the server.

    Attributes:
        streams: answers that are being streamed now.
    """

    def __init__(
        self,
        app: App,
        allowlist: Allowlist,
        limits: ServerLimits,
        monitor: Monitor,
        context: ServerContext,
    ) -> None:
        self._app, self._allowlist, self._limits = app, allowlist, limits
        self._monitor, self._context = monitor, context
        self._costly = RateLimiter(limits.burst, limits.a_minute)
        self._cheap = RateLimiter(OTHER * limits.burst, OTHER * limits.a_minute)
        self.streams = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, refuse or pass on."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})  # no page of ours opens one
        elif scope["type"] != "http":
            await self._app(scope, receive, send)
        elif self._context.prefix and scope["path"] == self._context.prefix:
            query = scope["query_string"].decode("latin-1")
            to = f"{self._context.prefix}/" + (f"?{query}" if query else "")
            sent = secured(send, foreign=False)
            await answer(sent, 307, {"detail": f"The page is at {to}"}, location=to)
        else:
            await self._serve(without_prefix(scope, self._context.prefix), receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers, path = headers_of(scope), scope["path"]
        foreign = is_foreign(headers, self._context.hosts)
        send = secured(send, foreign)
        own = self._own_answer(scope["method"], path)
        if own is not None:
            await answer(send, *own)
            return
        try:
            self._allowlist.check_address(scope["method"], path)
            stream = self._allowlist.stream_name(path, scope["query_string"].decode("latin-1"))
            if scope["method"] not in ("GET", "HEAD"):
                receive, costly = await self._read(scope, headers, receive, foreign)
                send = readable(send, self._counted if costly else lambda status: None)
            elif stream is not None and not self._context.knows(stream):
                raise RefusalError(404, "Nothing was asked here under this name; ask again.")
            elif path in WEIGHTY:
                self._check_rate(self._cheap, self._address(scope, headers))
        except RefusalError as refusal:
            self._monitor.count("rejected")
            sentence = str(refusal)
            # The page shows the body of a refused upload as it is, and reads JSON of all others.
            content = sentence if path == UPLOAD else {"detail": sentence, "error": sentence}
            await answer(send, refusal.status, content, refusal.wait)
            return
        self.streams += stream is not None
        try:
            await self._app(scope, receive, send)
        finally:
            self.streams -= stream is not None

    def _address(self, scope: Scope, headers: dict[str, str]) -> str | None:
        """Return the address whose limits count, or None for a user of this machine.

        Uvicorn has replaced the client by what a trusted proxy says of it.
        """
        public = self._context.public
        if public is None:
            own_name = is_loopback(headers.get("host", ""))
            public = not own_name or any(name in headers for name in FORWARDED)
        client = (scope.get("client") or ("",))[0]
        return network_of(client) if public else None

    def _counted(self, status: int) -> None:
        self._monitor.count("accepted" if status == 200 else "rejected")

    def _own_answer(self, method: str, path: str) -> tuple[int, dict[str, Any]] | None:
        """Return what is said to those who watch over the server.

        Gradio asks HEAD / when it is launched, and gives up where drawing the whole page for it
        takes more than three seconds.
        """
        if path == "/healthz" or (method == "HEAD" and path == "/"):
            return 200, {"status": "alive"}
        if path == "/metricsz":
            return 200, self._monitor.metrics()
        if path == "/readyz":
            reason = "draining" if self._monitor.draining else self._monitor.broken
            status = {"status": "not ready", "reason": reason} if reason else {"status": "ready"}
            return (503 if reason else 200), {**status, **self._context.about}
        return None

    async def _read(
        self, scope: Scope, headers: dict[str, str], receive: Receive, foreign: bool
    ) -> tuple[Receive, bool]:
        """Return where the app may read the body from, and whether it runs the network."""
        path = scope["path"]
        if foreign:
            origin, host = (shown(headers.get(name, "")) for name in ("origin", "host"))
            raise RefusalError(
                403,
                f"Requests from other pages are not answered: Origin is {origin} and Host {host}. "
                "Open this server's own page; behind a proxy that passes another Host on, start it "
                "with --allow-host.",
            )
        address = self._address(scope, headers)
        self._check_rate(self._cheap, address)
        most = self._limits.max_upload if path == UPLOAD else self._limits.max_body
        body = await self._body(headers, receive, most)
        if path == UPLOAD:
            check_upload(headers.get("content-type", ""), body, self._limits.max_pixels)
            return replay(body, receive), False
        if path.startswith(MCP):
            return replay(body, receive), False
        asked = self._allowlist.check_body(path, body)
        costly = asked.event is not None and asked.event.network
        if costly:
            self._admit(asked, address)
        scope["headers"] = [
            *(pair for pair in scope["headers"] if pair[0] not in _REPLACED),
            (b"content-type", b"application/json"),
            (b"content-length", str(len(asked.body)).encode()),
        ]
        return replay(asked.body, receive), costly

    def _admit(self, asked: Asked, address: str | None) -> None:
        """Let a request for the network in, or say why not and when."""
        if self._monitor.draining:
            raise RefusalError(503, "The server is being restarted; try again in a minute.", 60)
        if self._monitor.broken:
            raise RefusalError(503, "The server cannot draw now; try again later.", 300)
        if address is None:
            return
        own, here = self._context.holding(asked.session, address)
        for held, most, who in (
            (own, self._limits.places_a_visitor, "You have"),
            (here, self._limits.places_an_address, "Your address has"),
        ):
            if held >= most:
                raise RefusalError(
                    429, f"{who} {held} requests here, and at most {most}; wait for one.", 5
                )
        self._check_rate(self._costly, address)

    def _check_rate(self, limiter: RateLimiter, address: str | None) -> None:
        wait = 0 if address is None else limiter.seconds_to_wait(address)
        if wait:
            raise RefusalError(
                429, f"Too many requests from your address; wait {wait:.0f} s.", wait
            )

    async def _body(self, headers: dict[str, str], receive: Receive, most: int) -> bytes:
        """Return the whole body, however it is sent; stop reading where it is too long."""
        too_long = RefusalError(413, f"The request is too long; here at most {most:,} bytes.")
        length = headers.get("content-length", "")
        if length.isdigit() and int(length) > most:
            await self._discard(receive)
            raise too_long
        body, more = bytearray(), True
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise RefusalError(400, "The request ended before it was complete.")
                    body += message.get("body", b"")
                    more = message.get("more_body", False)
                    if len(body) > most:
                        if more:
                            await self._discard(receive)
                        raise too_long
        except TimeoutError as error:
            raise RefusalError(
                408, "The request took too long to arrive; send it again."
            ) from error
        return bytes(body)

    async def _discard(self, receive: Receive) -> None:
        """Read on and keep nothing: whoever is still sending would not read the answer."""
        left, more = UNREAD, True
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                while more and left > 0:
                    message = await receive()
                    left -= len(message.get("body", b""))
                    more = message.get("more_body", False)
        except TimeoutError:
            return
