"""A web server of the site's folder on this machine, with the headers that WASM threads need."""

import errno
import socket
import socketserver
import sys
from collections.abc import Callable
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from fashion_ddpm.core.errors import reason
from fashion_ddpm.web.errors import WebError

HOST, PORT = "127.0.0.1", 8000
MAX_PORT = 65_535

MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".wasm": "application/wasm",
    ".gz": "application/gzip",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".md": "text/plain; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    "": "application/octet-stream",
}
"""Type of a file by its suffix; the system's own table may lack or misname some."""

HEADERS = {
    # A page has SharedArrayBuffer, and so threads, only where it is isolated by these two.
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",  # kept, but asked for anew: the site may have been exported again
    "X-Content-Type-Options": "nosniff",
}


class SiteHandler(SimpleHTTPRequestHandler):
    """Answers with a file of the site, and prints nothing."""

    protocol_version = "HTTP/1.1"  # keeps connections open
    extensions_map = MEDIA_TYPES  # of the base class

    def end_headers(self) -> None:
        """Send HEADERS with every answer."""
        for name, value in HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def list_directory(self, path: Any) -> None:
        """Refuse to list a folder without an index.html."""
        self.send_error(404, "File not found")

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing."""


class SiteServer(ThreadingHTTPServer):
    """Serves a folder from the moment of serve_forever; the port is taken at once.

    Args:
        folder: the site; it need not exist yet.
        host: the name or address to listen at.
        port: the port; 0 for any free one.

    Raises:
        WebError: it cannot listen there.
    """

    daemon_threads = True

    def __init__(self, folder: Path, host: str = HOST, port: int = PORT) -> None:
        if not 0 <= port <= MAX_PORT:
            raise WebError(f"--port is {port}; it must be a whole number from 0 to {MAX_PORT:,}.")
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            super().__init__((host, port), _make_handler(folder))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise WebError(
                    f"--port is {port}, which another program uses; give another one, or 0 for "
                    "any free one."
                ) from error
            raise WebError(
                f"The site cannot be served at {host}, port {port} ({reason(error)}): give an "
                "address of this machine as --host, and a port from 1024 on."
            ) from error

    def server_bind(self) -> None:
        """Bind without asking the name server for this machine's name, as HTTPServer does."""
        socketserver.TCPServer.server_bind(self)

    @property
    def address(self) -> str:
        """URL of the page."""
        host, port = self.server_address[:2]
        name = host.decode() if isinstance(host, bytes | bytearray) else str(host)
        return f"http://{f'[{name}]' if ':' in name else name}:{port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a browser that closes its connection early."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _make_handler(folder: Path) -> Callable[..., SiteHandler]:
    def handler(*args: Any) -> SiteHandler:
        return SiteHandler(*args, directory=str(folder))

    return handler
