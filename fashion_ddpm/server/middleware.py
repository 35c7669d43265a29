"""The outermost layer of the server: sizes, rates, foreign pages, headers, and how it is doing."""

from collections.abc import Callable
from dataclasses import dataclass

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from fashion_ddpm.core.requests import safe_repr
from fashion_ddpm.server.allowlist import API, MCP, UPLOAD, Allowlist, Asked
from fashion_ddpm.server.asgi import (
    is_foreign,
    read_body,
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
        app: ASGIApp,
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
        prefix = self._context.prefix
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})  # no page of ours opens one
        elif scope["type"] != "http":
            await self._app(scope, receive, send)
        elif prefix and scope["path"] == prefix:
            query = scope["query_string"].decode("latin-1")
            to = f"{prefix}/" + (f"?{query}" if query else "")
            await RedirectResponse(to)(scope, receive, secured(send, foreign=False))
        else:
            await self._serve(Request(without_prefix(scope, prefix), receive), send)

    async def _serve(self, request: Request, send: Send) -> None:
        scope, receive, path = request.scope, request.receive, request.scope["path"]
        foreign = is_foreign(request.headers, self._context.hosts)
        send = secured(send, foreign)
        own = self._own_answer(request.method, path)
        if own is not None:
            own.headers["cache-control"] = "no-store"
            await own(scope, receive, send)
            return
        try:
            self._allowlist.check_address(request.method, path)
            stream = self._allowlist.stream_name(path, scope["query_string"].decode("latin-1"))
            if request.method not in ("GET", "HEAD"):
                receive, costly = await self._read(request, foreign)
                send = readable(send, self._counted if costly else lambda status: None)
            elif stream is not None and not self._context.knows(stream):
                raise HTTPException(404, "Nothing was asked here under this name; ask again.")
            elif path in WEIGHTY:
                self._check_rate(self._cheap, self._address(request))
        except HTTPException as refusal:
            self._monitor.count("rejected")
            await refusal_response(path, refusal)(scope, receive, send)
            return
        self.streams += stream is not None
        try:
            await self._app(scope, receive, send)
        finally:
            self.streams -= stream is not None

    def _address(self, request: Request) -> str | None:
        """Return the address whose limits count, or None for a user of this machine.

        Uvicorn has replaced the client by what a trusted proxy says of it.
        """
        public = self._context.public
        if public is None:
            own_name = is_loopback(request.headers.get("host", ""))
            public = not own_name or any(name in request.headers for name in FORWARDED)
        return network_of(request.client.host if request.client else "") if public else None

    def _counted(self, status: int) -> None:
        self._monitor.count("accepted" if status == 200 else "rejected")

    def _own_answer(self, method: str, path: str) -> Response | None:
        """Return what is said to those who watch over the server.

        Gradio asks HEAD / when it is launched, and gives up where drawing the whole page for it
        takes more than three seconds.
        """
        if path == "/healthz" or (method == "HEAD" and path == "/"):
            return JSONResponse({"status": "alive"})
        if path == "/metricsz":
            return JSONResponse(self._monitor.metrics())
        if path == "/metrics":
            return Response(generate_latest(self._monitor.registry), media_type=CONTENT_TYPE_LATEST)
        if path == "/readyz":
            reason = "draining" if self._monitor.draining else self._monitor.broken
            status = {"status": "not ready", "reason": reason} if reason else {"status": "ready"}
            return JSONResponse({**status, **self._context.about}, 503 if reason else 200)
        return None

    async def _read(self, request: Request, foreign: bool) -> tuple[Receive, bool]:
        """Return where the app may read the body from, and whether it runs the network."""
        path, headers = request.scope["path"], request.headers
        if foreign:
            origin, host = (safe_repr(headers.get(name, "")) for name in ("origin", "host"))
            raise HTTPException(
                403,
                f"Requests from other pages are not answered: Origin is {origin} and Host {host}. "
                "Open this server's own page; behind a proxy that passes another Host on, start it "
                "with --allow-host.",
            )
        address = self._address(request)
        self._check_rate(self._cheap, address)
        most = self._limits.max_upload if path == UPLOAD else self._limits.max_body
        body = await read_body(request, most, self._limits.body_seconds)
        if path == UPLOAD:
            check_upload(headers.get("content-type", ""), body, self._limits.max_upload_side)
            return replay(body, request.receive), False
        if path.startswith(MCP):
            return replay(body, request.receive), False
        asked = self._allowlist.check_body(path, body)
        costly = asked.event is not None and asked.event.network
        if costly:
            self._admit(asked, address)
        request.scope["headers"] = [
            *(pair for pair in request.scope["headers"] if pair[0] not in _REPLACED),
            (b"content-type", b"application/json"),
            (b"content-length", str(len(asked.body)).encode()),
        ]
        return replay(asked.body, request.receive), costly

    def _admit(self, asked: Asked, address: str | None) -> None:
        """Let a request for the network in, or say why not and when."""
        if self._monitor.draining:
            sentence = "The server is being restarted; try again in a minute."
            raise HTTPException(503, sentence, retry_after(60))
        if self._monitor.broken:
            sentence = "The server cannot draw now; try again later."
            raise HTTPException(503, sentence, retry_after(300))
        if address is None:
            return
        own, here = self._context.holding(asked.session, address)
        for held, most, who in (
            (own, self._limits.max_concurrent_per_visitor, "You have"),
            (here, self._limits.max_concurrent_per_address, "Your address has"),
        ):
            if held >= most:
                sentence = f"{who} {held} requests here, and at most {most}; wait for one."
                raise HTTPException(429, sentence, retry_after(5))
        self._check_rate(self._costly, address)

    def _check_rate(self, limiter: RateLimiter, address: str | None) -> None:
        wait = 0 if address is None else limiter.seconds_to_wait(address)
        if wait:
            sentence = f"Too many requests from your address; wait {wait:.0f} s."
            raise HTTPException(429, sentence, retry_after(wait))


def retry_after(seconds: float) -> dict[str, str]:
    """Return the header that says when to ask again."""
    return {"retry-after": str(max(1, round(seconds)))}


def refusal_response(path: str, refusal: HTTPException) -> Response:
    """Return what a refused request is answered: a plain sentence to an upload, JSON to others.

    The page shows the body of a refused upload as it is.
    """
    sentence, headers = refusal.detail, {"cache-control": "no-store", **(refusal.headers or {})}
    if path == UPLOAD:
        return PlainTextResponse(sentence, refusal.status_code, headers)
    return JSONResponse({"detail": sentence, "error": sentence}, refusal.status_code, headers)
