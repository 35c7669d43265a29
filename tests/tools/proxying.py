"""A small reverse proxy in front of the app, configurable like nginx."""

import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from fashion_ddpm.publishing.space_trial import find_free_port

HOP_BY_HOP_HEADERS = {"connection", "keep-alive", "transfer-encoding", "upgrade"}
"""Headers that a proxy must not forward."""


@dataclass(frozen=True)
class Proxy:
    """The configuration of a proxy.

    Attributes:
        prefix: the path below which it serves the app; all others get 404.
        strips_prefix: whether the app gets the path without the prefix.
        passes_host: whether the app gets the Host of the request, or its own.
    """

    prefix: str = ""
    strips_prefix: bool = True
    passes_host: bool = True

    def upstream_path(self, path: str) -> str | None:
        """Return the path of the request to the app, or None if it is not served."""
        if not path.startswith(f"{self.prefix}/"):
            return path if path == self.prefix and not self.strips_prefix else None
        return path.removeprefix(self.prefix) if self.strips_prefix else path

    def upstream_headers(self, request: Request) -> list[tuple[str, str]]:
        """Return the headers for the app, with the client appended to X-Forwarded-For."""
        removed = {*HOP_BY_HOP_HEADERS, "x-forwarded-for", *(() if self.passes_host else ["host"])}
        headers = [each for each in request.headers.items() if each[0] not in removed]
        client = [request.client.host] if request.client else []
        chain = ", ".join([*request.headers.getlist("x-forwarded-for"), *client])
        return [*headers, ("x-forwarded-for", chain)]


def proxy_app(upstream: str, proxy: Proxy) -> Starlette:
    """Return the proxy as an ASGI app.

    Args:
        upstream: the app's address.
        proxy: the configuration.
    """
    client = httpx.AsyncClient(base_url=upstream, timeout=None, trust_env=False)

    async def pass_on(request: Request) -> Response:
        path = proxy.upstream_path(request.url.path)
        if path is None:
            # Browsers request it at the root of every site.
            is_icon = request.url.path == "/favicon.ico"
            return PlainTextResponse("not served here", 200 if is_icon else 404)
        answer = await client.send(
            client.build_request(
                request.method,
                httpx.URL(path=path, query=request.url.query.encode()),
                headers=proxy.upstream_headers(request),
                content=request.stream() if request.method == "POST" else None,
            ),
            stream=True,
        )

        async def content() -> AsyncIterator[bytes]:
            async with aclosing(answer):
                async for part in answer.aiter_raw():
                    yield part

        response = StreamingResponse(content(), answer.status_code)
        response.raw_headers = [
            (name, value)
            for name, value in answer.headers.raw
            if name.decode().lower() not in HOP_BY_HOP_HEADERS
        ]
        return response

    return Starlette(routes=[Route("/{path:path}", pass_on, methods=["GET", "POST"])])


@contextmanager
def serve_proxy(upstream: str, proxy: Proxy, port: int | None = None) -> Iterator[str]:
    """Start a proxy; yield its address without the prefix. At the end, drop all connections."""
    port = port or find_free_port()
    config = uvicorn.Config(
        proxy_app(upstream, proxy),
        port=port,
        log_level="error",
        lifespan="off",
        proxy_headers=False,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        thread.join(0.05)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        server.force_exit = True
        thread.join(30)
