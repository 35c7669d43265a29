"""A host of static files whose answers tests can break, with a list of what was asked."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ISOLATION = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
}
"""Headers of a host whose pages may use threads."""

MEDIA_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".gz": "application/gzip",
}

Fault = Callable[["Handler", bytes], None]
"""Answers a request in place of the host, which would have sent these bytes."""


class Host(ThreadingHTTPServer):
    """Serves a folder at a free port.

    Attributes:
        folder: what it serves; tests may set another one.
        headers: sent with every answer; the default lets browsers ask anew, as hosts of pages do.
        faults: path in the folder → what answers in place of the host.
        is_down: whether it closes every connection without an answer.
        asked: paths in the order of the requests, without a slash at the start.
    """

    daemon_threads = True

    def __init__(self, folder: Path, headers: Mapping[str, str]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder = folder
        self.headers = {"Cache-Control": "no-cache", **headers}
        self.faults: dict[str, Fault] = {}
        self.is_down = False
        self.asked: list[str] = []

    @property
    def address(self) -> str:
        """URL of the folder, with a slash at the end."""
        return f"http://127.0.0.1:{self.server_port}/"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore connections that a browser or a fault closed."""


class Handler(SimpleHTTPRequestHandler):
    """Answers one request."""

    server: Host
    protocol_version = "HTTP/1.1"
    extensions_map = MEDIA_TYPES

    def do_GET(self) -> None:
        """Answer with a file of the folder, or as a fault does."""
        self.directory = str(self.server.folder)
        path = self.path.partition("?")[0].removeprefix("/") or "index.html"
        self.server.asked.append(path)
        fault = hang_up if self.server.is_down else self.server.faults.get(path)
        if fault is None:
            super().do_GET()
        else:
            file = self.server.folder / path
            fault(self, file.read_bytes() if file.is_file() else b"")

    def end_headers(self) -> None:
        """Send the host's headers with every answer."""
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        super().end_headers()

    def answer(self, content: bytes, status: int = 200, length: int | None = None) -> None:
        """Send an answer of bytes; a length that is larger leaves it incomplete."""
        self.send_response(status)
        name = "index.html" if self.path.endswith("/") else self.path
        self.send_header("Content-Type", self.guess_type(name))
        self.send_header("Content-Length", str(len(content) if length is None else length))
        self.end_headers()
        self.wfile.write(content)
        self.close_connection = length is not None

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing."""


def damage(handler: Handler, content: bytes) -> None:
    """Answer with one bit of the content changed."""
    middle = len(content) // 2
    handler.answer(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])


def cut_off(handler: Handler, content: bytes) -> None:
    """Answer with half of the content, and close the connection."""
    handler.answer(content[: len(content) // 2], length=len(content))


def refuse(status: int, handler: Handler, content: bytes) -> None:
    """Answer with an error."""
    handler.answer(b"error", status)


def hang_up(handler: Handler, content: bytes) -> None:
    """Close the connection without an answer, as a network that is gone."""
    handler.close_connection = True


not_found: Fault = partial(refuse, 404)
unavailable: Fault = partial(refuse, 503)


@contextmanager
def host_folder(folder: Path, headers: Mapping[str, str] | None = None) -> Iterator[Host]:
    """Serve a folder until the end of the block."""
    with Host(folder, headers or {}) as host:
        thread = threading.Thread(target=host.serve_forever, daemon=True)
        thread.start()
        try:
            yield host
        finally:
            host.shutdown()
            thread.join()
