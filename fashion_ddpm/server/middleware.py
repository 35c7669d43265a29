"""The outermost ASGI layer: allowlist, rate limits, body sizes, headers, health and metrics."""

from collections.abc import Callable
from dataclasses import dataclass

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from fashion_ddpm.core.requests import safe_repr
from fashion_ddpm.server import asgi
from fashion_ddpm.server.allowlist import API, MCP, UPLOAD, Allowlist
from fashion_ddpm.server.deployment import is_loopback
from fashion_ddpm.server.limits import ServerLimits
from fashion_ddpm.server.monitoring import Monitor
from fashion_ddpm.server.rate_limit import RateLimiter, network_of
from fashion_ddpm.server.uploads import check_upload

CHEAP_REQUEST_FACTOR = 10
"""Factor on burst and rate for any POST, such as moving a slider, and for RATE_LIMITED_PAGES.
Requests that run the network count against the strict limit as well."""

RATE_LIMITED_PAGES = ("/", "/config", "/config/", f"{API}/info")
"""Pages that gradio builds for each request."""

PROXY_HEADERS = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
"""Headers that proxies add."""

_REPLACED_HEADERS = (b"content-type", b"content-length", b"transfer-encoding", b"accept-encoding")


@dataclass(frozen=True)
class ServerContext:
    """What the middleware needs from the server behind it.

    Attributes:
        count_requests: (session, address) → how many requests the session, and the address, have
            queued.
        has_answers: whether a session or an event ID has answers to stream.
        readiness_info: further entries of /readyz.
        public: whether limits apply to all visitors; None: only to requests that come through a
            proxy, or whose Host is not this machine's own.
        hosts: further host names of this server, beside the request's Host.
        prefix: path prefix under which a proxy serves the page, stripped or not.
        embedding_origins: origins of other sites whose pages may frame the page.
    """

    count_requests: Callable[[str, str], tuple[int, int]]
    has_answers: Callable[[str], bool]
    readiness_info: dict[str, str]
    public: bool | None = None
    hosts: frozenset[str] = frozenset()
    prefix: str = ""
    embedding_origins: tuple[str, ...] = ()


class Middleware:
    """ASGI middleware that checks requests before they reach gradio.

    Args:
        app: gradio's app.
        allowlist: paths and bodies that may pass.
        limits: sizes and rates.
        monitor: health, and the counts of requests.
        context: what it needs from the server behind it.

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
        self._security_headers = asgi.security_headers(context.embedding_origins)
        burst, rate = limits.burst, limits.requests_per_minute
        self._network_limiter = RateLimiter(burst, rate)
        self._cheap_limiter = RateLimiter(CHEAP_REQUEST_FACTOR * burst, CHEAP_REQUEST_FACTOR * rate)
        self.streams = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, refuse or forward a request."""
        prefix = self._context.prefix
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})  # the page opens none
        elif scope["type"] != "http":
            await self._app(scope, receive, send)
        elif prefix and scope["path"] == prefix:
            query = scope["query_string"].decode("latin-1")
            redirect = RedirectResponse(f"{prefix}/" + (f"?{query}" if query else ""))
            send = asgi.add_headers(send, self._security_headers, cross_origin=False)
            await redirect(scope, receive, send)
        else:
            await self._serve(Request(asgi.strip_prefix(scope, prefix), receive), send)

    async def _serve(self, request: Request, send: Send) -> None:
        scope, receive, path = request.scope, request.receive, request.scope["path"]
        cross_origin = asgi.is_cross_origin(request.headers, self._context.hosts)
        send = asgi.add_headers(send, self._security_headers, cross_origin)
        response = self._health_or_metrics(request.method, path)
        if response is not None:
            response.headers["cache-control"] = "no-store"
            await response(scope, receive, send)
            return
        is_stream = False
        try:
            self._allowlist.check_path(request.method, path)
            if request.method in ("GET", "HEAD"):
                is_stream = self._check_get(request)
            elif cross_origin:
                raise cross_origin_refusal(request.headers)
            else:
                receive, send = await self._check_post(request, send)
        except HTTPException as refusal:
            self._monitor.count("rejected")
            await refusal_response(path, refusal)(scope, receive, send)
            return
        self.streams += is_stream
        try:
            await self._app(scope, receive, send)
        finally:
            self.streams -= is_stream

    def _health_or_metrics(self, method: str, path: str) -> Response | None:
        """Return the response for a probe, or None for any other request.

        HEAD / is one: gradio sends it at launch, and gives up if the page takes over three seconds.
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

    def _check_get(self, request: Request) -> bool:
        """Return whether the answer is a stream; raise HTTPException to refuse."""
        path = request.scope["path"]
        stream = self._allowlist.stream_name(path, request.query_params)
        if stream is not None and not self._context.has_answers(stream):
            raise HTTPException(404, "Nothing was asked here under this name; ask again.")
        if path in RATE_LIMITED_PAGES:
            self._check_rate(self._cheap_limiter, self._address(request))
        return stream is not None

    async def _check_post(self, request: Request, send: Send) -> tuple[Receive, Send]:
        """Return the channels for the app: a checked body, and a send that counts the outcome."""
        path, limits, address = request.scope["path"], self._limits, self._address(request)
        on_status: Callable[[int], None] | None = None
        self._check_rate(self._cheap_limiter, address)
        max_bytes = limits.max_upload if path == UPLOAD else limits.max_body
        body = await asgi.read_body(request, max_bytes, limits.body_timeout)
        if path == UPLOAD:
            check_upload(request.headers.get("content-type", ""), body, limits.max_upload_side)
        elif not path.startswith(MCP):
            checked = self._allowlist.check_body(path, body)
            if checked.event is not None and checked.event.runs_network:
                self._admit(checked.session, address)
                on_status = self._count_status
            body = checked.body
            _replace_headers(request.scope, body)
        return asgi.replay_body(body, request.receive), asgi.rewrite_error_status(send, on_status)

    def _address(self, request: Request) -> str | None:
        """Return the address to limit, or None for a user of this machine.

        Behind a trusted proxy, uvicorn has set the client to the visitor.
        """
        public = self._context.public
        if public is None:
            is_own_host = is_loopback(request.headers.get("host", ""))
            public = not is_own_host or any(name in request.headers for name in PROXY_HEADERS)
        return network_of(request.client.host if request.client else "") if public else None

    def _count_status(self, status: int) -> None:
        self._monitor.count("accepted" if status == 200 else "rejected")

    def _admit(self, session: str, address: str | None) -> None:
        """Raise HTTPException, with Retry-After, if a request may not run the network now."""
        if self._monitor.is_draining:
            raise retry_later(503, 60, "The server is being restarted; try again in a minute.")
        if self._monitor.failure:
            raise retry_later(503, 300, "The server cannot draw now; try again later.")
        if address is None:
            return
        session_count, address_count = self._context.count_requests(session, address)
        for count, limit, subject in (
            (session_count, self._limits.max_concurrent_per_visitor, "You have"),
            (address_count, self._limits.max_concurrent_per_address, "Your address has"),
        ):
            if count >= limit:
                sentence = f"{subject} {count} requests here, and at most {limit}; wait for one."
                raise retry_later(429, 5, sentence)
        self._check_rate(self._network_limiter, address)

    def _check_rate(self, limiter: RateLimiter, address: str | None) -> None:
        wait = 0 if address is None else limiter.take_token(address)
        if wait:
            raise retry_later(429, wait, f"Too many requests from your address; wait {wait:.0f} s.")


def _replace_headers(scope: Scope, body: bytes) -> None:
    """Describe the checked body; drop Accept-Encoding, as rewrite_error_status reads answers."""
    scope["headers"] = [
        *(pair for pair in scope["headers"] if pair[0] not in _REPLACED_HEADERS),
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]


def cross_origin_refusal(headers: Headers) -> HTTPException:
    """Return the refusal of a request that another site's page sent."""
    origin, host = (safe_repr(headers.get(name, "")) for name in ("origin", "host"))
    return HTTPException(
        403,
        f"Requests from other pages are not answered: Origin is {origin} and Host {host}. Open "
        "this server's own page; behind a proxy that passes another Host on, start it with "
        "--allow-host.",
    )


def retry_later(status: int, seconds: float, sentence: str) -> HTTPException:
    """Return a refusal with Retry-After."""
    return HTTPException(status, sentence, {"retry-after": str(max(1, round(seconds)))})


def refusal_response(path: str, refusal: HTTPException) -> Response:
    """Return the response for a refused request.

    Gradio's page shows the text of a refused upload, "detail" (FastAPI's key) of a refused queued
    event, and "error" of one that is not queued.
    """
    sentence, headers = refusal.detail, {"cache-control": "no-store", **(refusal.headers or {})}
    if path == UPLOAD:
        return PlainTextResponse(sentence, refusal.status_code, headers)
    return JSONResponse({"detail": sentence, "error": sentence}, refusal.status_code, headers)
