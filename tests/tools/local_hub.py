"""A small Hub on this machine: it keeps what the Hub's client sends and gives it back."""

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
TOKEN, READ_TOKEN = "hf_that_writes", "hf_that_reads"
ROLES = {f"Bearer {TOKEN}": "write", f"Bearer {READ_TOKEN}": "read"}
USER = "ada"
REVISION = "c" * 40

REPOSITORY = re.compile(r"/api/(model|space)s/([^/]+/[^/?]+)(/[^?]*)?")
FILE = re.compile(r"/([^/]+/[^/]+)/resolve/([^/]+)/([^?]+)")


@dataclass
class Stored:
    """A repository.

    Attributes:
        settings: what it was created with.
        files: what its newest commit, REVISION, holds.
        older: commit → what it held.
    """

    settings: dict[str, Any]
    files: dict[str, bytes] = field(default_factory=dict)
    older: dict[str, dict[str, bytes]] = field(default_factory=dict)

    def commit(self, revision: str) -> tuple[str, dict[str, bytes]] | None:
        """Return the commit that a revision names, and its files."""
        if revision in self.older:
            return revision, self.older[revision]
        return (REVISION, self.files) if revision in ("main", REVISION) else None


class LocalHub(ThreadingHTTPServer):
    """The server, with every call that it got.

    Attributes:
        calls: "METHOD path" of each request, in order.
        stored: (kind, name) → the repository.
        refusal: what to answer when a Space shall be created: status and message.
        faults: what to find in each README.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.calls: list[str] = []
        self.stored: dict[tuple[str, str], Stored] = {}
        self.refusal: tuple[int, str] | None = None
        self.faults: list[str] = []

    @property
    def address(self) -> str:
        """What HF_ENDPOINT must be."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def written(self) -> list[str]:
        """The calls that change something."""
        return [call for call in self.calls if call.endswith(("/create", "/commit/main"))]


@contextmanager
def local_hub() -> Iterator[LocalHub]:
    """Serve an empty Hub while the context lasts."""
    with LocalHub() as hub:
        thread = threading.Thread(target=hub.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield hub
        finally:
            hub.shutdown()
            thread.join()


def python_on(hub: LocalHub, home: Path, *arguments: str) -> str:
    """Run Python with a small Hub in the true one's place; return what it printed.

    Args:
        hub: the Hub.
        home: where its client keeps what it downloads.
        arguments: what follows "python".
    """
    environment = {name: value for name, value in os.environ.items() if name != "HF_HUB_OFFLINE"}
    environment |= {"HF_ENDPOINT": hub.address, "HF_TOKEN": TOKEN, "HF_HOME": str(home)}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


class Handler(BaseHTTPRequestHandler):
    """Answers one request as the Hub does."""

    server: LocalHub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Say nothing on the terminal."""

    def _json(self, content: Any, status: int = 200, error: str = "") -> None:
        headers = {"X-Error-Code": error} if error else {}
        self._send(json.dumps(content).encode(), status, headers)

    def _send(self, body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def do_HEAD(self) -> None:
        """Files, without their content."""
        self.do_GET()

    def do_GET(self) -> None:
        """The account, what is in a repository, files."""
        self.server.calls.append(f"{self.command} {self.path}")
        if self.path == "/api/whoami-v2":
            role = ROLES.get(self.headers.get("Authorization", ""))
            auth = {"type": "access_token", "accessToken": {"role": role}}
            account = {"type": "user", "name": USER, "orgs": [{"name": "garments"}], "auth": auth}
            self._json(account if role else {"error": "Invalid username"}, 200 if role else 401)
        elif found := REPOSITORY.fullmatch(self.path.split("?")[0]):
            self._repository(found[1], found[2], found[3] or "")
        elif found := FILE.fullmatch(self.path.split("?")[0]):
            self._file(found[1], found[2], found[3])
        else:
            self._json({"error": "unknown"}, 404)

    def _repository(self, kind: str, name: str, rest: str) -> None:
        stored = self.server.stored.get((kind, name))
        if stored is None:
            self._json({"error": "Repository not found"}, 404, "RepoNotFound")
            return
        commit = stored.commit(rest.rpartition("/")[2] or "main")
        if commit is None:
            self._json({"error": "Revision not found"}, 404, "RevisionNotFound")
        elif rest.startswith("/tree"):
            self._json([_entry(path, content) for path, content in commit[1].items()])
        else:
            private = stored.settings.get("visibility") == "private"
            names = [{"rfilename": path} for path in commit[1]]
            about = {"id": name, "sha": commit[0], "private": private, "siblings": names}
            self._json(about)

    def _file(self, name: str, revision: str, path: str) -> None:
        stored = self.server.stored.get(("model", name))
        if stored is None:
            self._json({"error": "Repository not found"}, 404, "RepoNotFound")
        elif (commit := stored.commit(revision)) is None:
            self._json({"error": "Revision not found"}, 404, "RevisionNotFound")
        elif path not in commit[1]:
            self._json({"error": "Entry not found"}, 404, "EntryNotFound")
        else:
            content = commit[1][path]
            headers = {"ETag": f'"{_checksum(content)}"', "X-Repo-Commit": commit[0]}
            self._send(content, 200, headers)

    def do_POST(self) -> None:
        """New repositories, and commits."""
        self.server.calls.append(f"{self.command} {self.path}")
        body = self._body()
        found = REPOSITORY.fullmatch(self.path.split("?")[0])
        if self.path == "/api/validate-yaml":
            errors = [{"message": fault} for fault in self.server.faults]
            self._json({"errors": errors, "warnings": []}, 400 if errors else 200)
        elif self.path == "/api/repos/create":
            self._create(json.loads(body))
        elif found and found[3] == "/preupload/main":
            self._json({"files": [_mode(file["path"]) for file in json.loads(body)["files"]]})
        elif found and found[3] == "/commit/main":
            self._commit(found[1], found[2], body)
        else:
            self._json({"error": "unknown"}, 404)

    def _create(self, settings: dict[str, Any]) -> None:
        kind = settings.get("type", "model")
        name = f"{settings['organization']}/{settings['name']}"
        url = self._url(kind, name)
        if kind == "space" and self.server.refusal:
            status, message = self.server.refusal
            self._json({"error": message}, status)
        elif (kind, name) in self.server.stored:
            self._json({"error": "You already created this repo", "url": url}, 409)
        else:
            files = {".gitattributes": b""}
            self.server.stored[kind, name] = Stored(settings, files)
            self._json({"url": url})

    def _commit(self, kind: str, name: str, body: bytes) -> None:
        stored = self.server.stored[kind, name]
        for line in map(json.loads, body.splitlines()):
            value = line["value"]
            if line["key"] == "file":
                stored.files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "deletedFile":
                del stored.files[value["path"]]
        url = f"{self._url(kind, name)}/commit/{REVISION}"
        self._json({"commitUrl": url, "commitOid": REVISION})

    def _url(self, kind: str, name: str) -> str:
        return f"{self.server.address}/{'spaces/' if kind == 'space' else ''}{name}"


def _mode(path: str) -> dict[str, Any]:
    return {"path": path, "uploadMode": "regular", "shouldIgnore": False, "oid": None}


def _checksum(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def _entry(path: str, content: bytes) -> dict[str, Any]:
    return {"type": "file", "path": path, "size": len(content), "oid": _checksum(content)}
