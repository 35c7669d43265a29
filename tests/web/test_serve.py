"""Tests of the site's server: types, headers, ports, and what it does not answer."""

import http.client
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from fashion_ddpm.web.errors import WebError
from fashion_ddpm.web.serve import SiteServer
from tests.tools import TIMEOUT_S


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteServer]:
    """A server of a small folder, beside a file that is not in it."""
    folder = tmp_path_factory.mktemp("served") / "site"
    for name in ("index.html", "js/a.js", "b.mjs", "c.wasm", "d.json", "e.onnx.gz", "f.css"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (folder.parent / "secret.txt").write_text("secret")
    with SiteServer(folder, port=0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ask(server: SiteServer, path: str, **headers: str) -> http.client.HTTPResponse:
    host, port = server.server_address[:2]
    connection = http.client.HTTPConnection(str(host), port, timeout=TIMEOUT_S)
    connection.request("GET", path, headers=headers)
    return connection.getresponse()


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/", "text/html"),
        ("/js/a.js?x=1", "text/javascript"),
        ("/b.mjs", "text/javascript"),
        ("/c.wasm", "application/wasm"),
        ("/d.json", "application/json"),
        ("/e.onnx.gz", "application/gzip"),
        ("/f.css", "text/css"),
    ],
)
def test_a_file_has_its_type_and_the_headers_of_threads(
    server: SiteServer, path: str, media_type: str
) -> None:
    answer = ask(server, path)
    assert answer.status == 200
    assert answer.getheader("Content-Type", "").split(";")[0] == media_type
    assert answer.getheader("Content-Encoding") is None
    assert answer.getheader("Cross-Origin-Opener-Policy") == "same-origin"
    assert answer.getheader("Cross-Origin-Embedder-Policy") == "require-corp"
    assert answer.getheader("Cache-Control") == "no-cache"


def test_a_file_that_is_kept_is_not_sent_again(server: SiteServer) -> None:
    answer = ask(server, "/c.wasm")
    again = ask(server, "/c.wasm", **{"If-Modified-Since": answer.getheader("Last-Modified", "")})
    assert again.status == 304


@pytest.mark.parametrize("path", ["/js/", "/no.txt", "/../secret.txt", "/%2e%2e/secret.txt"])
def test_nothing_else_is_answered(server: SiteServer, path: str) -> None:
    answer = ask(server, path)
    assert answer.status == 404
    assert b"secret" not in answer.read()


def test_a_port_that_is_taken_is_named(server: SiteServer, tmp_path: Path) -> None:
    port = server.server_address[1]
    with pytest.raises(WebError, match=f"--port is {port}, which another program uses"):
        SiteServer(tmp_path, port=port)


@pytest.mark.parametrize("port", [-1, 65_536])
def test_a_port_is_a_number_that_exists(tmp_path: Path, port: int) -> None:
    with pytest.raises(WebError, match=f"--port is {port}; .* 65,535"):
        SiteServer(tmp_path, port=port)


def test_an_address_of_another_machine_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WebError, match=r"192\.0\.2\.1.*--host"):
        SiteServer(tmp_path, host="192.0.2.1", port=0)


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6")
def test_its_address_is_a_link(server: SiteServer, tmp_path: Path) -> None:
    assert server.address == f"http://127.0.0.1:{server.server_address[1]}"
    with SiteServer(tmp_path, host="::1", port=0) as other:
        assert other.address.startswith("http://[::1]:")
