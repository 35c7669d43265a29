"""Tests that a known vulnerability fails the audit, and that silence is not taken for safety."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.tools.audit import main, verdict

FOUND = {
    "id": "GHSA-boot",
    "summary": "boots may fall",
    "modified": "2026-01-01T00:00:00Z",
    "published": "2026-01-01T00:00:00Z",
    "affected": [
        {
            "package": {"name": "pytest", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}],
            "versions": [],
        }
    ],
}


@contextmanager
def database(vulnerable: str | None) -> Iterator[str]:
    """Serve a small OSV database, in which one package at most is vulnerable."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Say nothing on the terminal."""

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found = [FOUND] if asked["package"]["name"] == vulnerable else []
            body = json.dumps({"vulns": found} if found else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/v1/query"
        finally:
            server.shutdown()
            thread.join()


def audited(address: str) -> int:
    return main("--vulnerability-service", "osv", "--osv-url", address)


def test_a_known_vulnerability_fails(capsys: pytest.CaptureFixture[str]) -> None:
    with database("pytest") as address:
        assert audited(address) == 1
    said = capsys.readouterr().out
    assert said.startswith("audit: known vulnerabilities; pin a fixed version. pytest ")
    assert "GHSA-boot" in said


def test_none_passes_and_says_how_many_were_looked_up(capsys: pytest.CaptureFixture[str]) -> None:
    with database(None) as address:
        assert audited(address) == 0
    assert capsys.readouterr().out.startswith("audit: no known vulnerability in ")


def test_without_a_network_the_audit_is_skipped_in_a_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        assert audited(f"http://127.0.0.1:{nobody.getsockname()[1]}/v1/query") == 0
    said = capsys.readouterr().out
    assert said.startswith("audit skipped: the vulnerability database cannot be reached")
    assert said.count("\n") == 1


def test_an_index_that_knows_nothing_is_not_taken_for_one_that_finds_nothing() -> None:
    skipped = [{"name": "torch", "skip_reason": "not found"}]
    status, line = verdict(json.dumps({"dependencies": skipped, "fixes": []}), "")
    assert (status, line) == (0, "audit skipped: the database knows none of 1 packages")
