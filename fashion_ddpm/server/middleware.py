"""The outermost layer of the server: sizes, rates, foreign pages, headers, and how it is doing."""

from collections.abc import Callable
from dataclasses import dataclass

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from fashion_ddpm.core.requests import safe_repr
from fashion_ddpm.server.allowlist import API, MCP, UPLOAD, Allowlist, CheckedBody
from fashion_ddpm.server.asgi import (
    add_security_headers,
    is_cross_origin,
    read_body,
    replay_body,
    rewrite_error_status,
    strip_prefix,
)
from fashion_ddpm.server.deployment import is_loopback
from fashion_ddpm.server.limits import ServerLimits
from fashion_ddpm.server.monitoring import Monitor
from fashion_ddpm.server.rate_limit import RateLimiter, network_of
from fashion_ddpm.server.uploads import check_upload

CHEAP_REQUEST_FACTOR = 10
"""Requests that do not run the network, such as moving a slider: so many times as frequent."""

RATE_LIMITED_PAGES = ("/", "/config", "/config/", f"{API}/info")
"""Pages that are made anew for each visitor."""

PROXY_HEADERS = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
"""Headers by which a proxy says that it stands between."""

_REPLACED = (b"content-type", b"content-length", b"transfer-encoding", b"accept-encoding")


@dataclass(frozen=True)
class ServerContext:
    """What the middleware must know of the server behind it.

    Attributes:
        count_requests: (session, address) → requests that the visitor, and all at that address,
            have in the queue.
        has_answers: whether a session, or an event, has answers to come.
        readiness_info: what /readyz says besides.
        public: whether visitors are strangers, who must share; None: those who come through a
            proxy are, and whoever asks this machine by its own name is not.
        hosts: names by which the server goes besides the one that was asked for.
        prefix: the path below which a proxy serves the page, and may strip or not.
    """

    count_requests: Callable[[str, str], tuple[int, int]]
    has_answers: Callable[[str], bool]
    readiness_info: dict[str, str]
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
        self._costly = RateLimiter(limits.burst, limits.requests_per_minute)
        factor = CHEAP_REQUEST_FACTOR
        self._cheap = RateLimiter(factor * limits.burst, factor * limits.requests_per_minute)
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
            send = add_security_headers(send, cross_origin=False)
            await RedirectResponse(to)(scope, receive, send)
        else:
            await self._serve(Request(strip_prefix(scope, prefix), receive), send)

    async def _serve(self, request: Request, send: Send) -> None:
        scope, receive, path = request.scope, request.receive, request.scope["path"]
        cross_origin = is_cross_origin(request.headers, self._context.hosts)
        send = add_security_headers(send, cross_origin)
        own = self._health_or_metrics(request.method, path)
        if own is not None:
            own.headers["cache-control"] = "no-store"
            await own(scope, receive, send)
            return
        try:
            self._allowlist.check_path(request.method, path)
            stream = self._allowlist.stream_name(path, scope["query_string"].decode("latin-1"))
            if request.method not in ("GET", "HEAD"):
                receive, costly = await self._read(request, cross_origin)
                send = rewrite_error_status(send, self._counted if costly else lambda status: None)
            elif stream is not None and not self._context.has_answers(stream):
                raise HTTPException(404, "Nothing was asked here under this name; ask again.")
            elif path in RATE_LIMITED_PAGES:
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
            public = not own_name or any(name in request.headers for name in PROXY_HEADERS)
        return network_of(request.client.host if request.client else "") if public else None

    def _counted(self, status: int) -> None:
        self._monitor.count("accepted" if status == 200 else "rejected")

    def _health_or_metrics(self, method: str, path: str) -> Response | None:
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
            reason = "draining" if self._monitor.is_draining else self._monitor.failure
            status = {"status": "not ready", "reason": reason} if reason else {"status": "ready"}
            return JSONResponse({**status, **self._context.readiness_info}, 503 if reason else 200)
        return None

    async def _read(self, request: Request, cross_origin: bool) -> tuple[Receive, bool]:
        """Return where the app may read the body from, and whether it runs the network."""
        path, headers = request.scope["path"], request.headers
        if cross_origin:
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
        body = await read_body(request, most, self._limits.body_timeout)
        if path == UPLOAD:
            check_upload(headers.get("content-type", ""), body, self._limits.max_upload_side)
            return replay_body(body, request.receive), False
        if path.startswith(MCP):
            return replay_body(body, request.receive), False
        asked = self._allowlist.check_body(path, body)
        costly = asked.event is not None and asked.event.runs_network
        if costly:
            self._admit(asked, address)
        request.scope["headers"] = [
            *(pair for pair in request.scope["headers"] if pair[0] not in _REPLACED),
            (b"content-type", b"application/json"),
            (b"content-length", str(len(asked.body)).encode()),
        ]
        return replay_body(asked.body, request.receive), costly

    def _admit(self, asked: CheckedBody, address: str | None) -> None:
        """Let a request for the network in, or say why not and when."""
        if self._monitor.is_draining:
            sentence = "The server is being restarted; try again in a minute."
            raise HTTPException(503, sentence, retry_after(60))
        if self._monitor.failure:
            sentence = "The server cannot draw now; try again later."
            raise HTTPException(503, sentence, retry_after(300))
        if address is None:
            return
        own, here = self._context.count_requests(asked.session, address)
        for held, most, who in (
            (own, self._limits.max_concurrent_per_visitor, "You have"),
            (here, self._limits.max_concurrent_per_address, "Your address has"),
        ):
            if held >= most:
                sentence = f"{who} {held} requests here, and at most {most}; wait for one."
                raise HTTPException(429, sentence, retry_after(5))
        self._check_rate(self._costly, address)

    def _check_rate(self, limiter: RateLimiter, address: str | None) -> None:
        wait = 0 if address is None else limiter.take_token(address)
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
