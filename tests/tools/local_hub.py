"""A fake Hugging Face Hub in memory, on this machine."""

import base64
import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from fashion_ddpm.publishing.space_trial import find_free_port

ROOT = Path(__file__).parent.parent.parent
TOKEN, READ_TOKEN = "hf_that_writes", "hf_that_reads"
ROLES = {f"Bearer {TOKEN}": "write", f"Bearer {READ_TOKEN}": "read"}
USER = "ada"
REVISION = "c" * 40


@dataclass
class StoredRepository:
    """A repository.

    Attributes:
        settings: the request that created it.
        files: the files of its newest commit, REVISION.
        history: older commit → its files.
    """

    settings: dict[str, Any]
    files: dict[str, bytes] = field(default_factory=dict)
    history: dict[str, dict[str, bytes]] = field(default_factory=dict)

    def commit(self, revision: str) -> tuple[str, dict[str, bytes]]:
        """Return the commit and the files of a revision."""
        if revision in self.history:
            return revision, self.history[revision]
        if revision not in ("main", REVISION):
            raise _not_found("Revision")
        return REVISION, self.files


@dataclass
class LocalHub:
    """An ASGI app that answers as the Hub does.

    Attributes:
        address: the value for HF_ENDPOINT.
        calls: "METHOD path" of each request, in order.
        repos: (repo_type, name) → the repository.
        refusal: status and message with which to refuse a new Space.
        faults: errors to report for each README.
    """

    address: str
    calls: list[str] = field(default_factory=list)
    repos: dict[tuple[str, str], StoredRepository] = field(default_factory=dict)
    refusal: tuple[int, str] | None = None
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        repository = "/api/{kind}/{owner}/{name}"
        self.app = Starlette(
            routes=[
                Route("/api/whoami-v2", self._account),
                Route("/api/validate-yaml", self._validate, methods=["POST"]),
                Route("/api/repos/create", self._create, methods=["POST"]),
                Route(f"{repository}/preupload/main", self._preupload, methods=["POST"]),
                Route(f"{repository}/commit/main", self._commit, methods=["POST"]),
                Route(f"{repository}/tree/{{revision}}", self._tree),
                Route(f"{repository}/revision/{{revision}}", self._repo_info),
                Route(repository, self._repo_info),
                Route("/{owner}/{name}/resolve/{revision}/{path:path}", self._file),
            ]
        )

    @property
    def write_calls(self) -> list[str]:
        """The calls that write."""
        return [call for call in self.calls if call.endswith(("/create", "/commit/main"))]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Record a request and answer it."""
        self.calls.append(f"{scope['method']} {scope['path']}")
        await self.app(scope, receive, send)

    async def _account(self, request: Request) -> Response:
        role = ROLES.get(request.headers.get("Authorization", ""))
        if role is None:
            return JSONResponse({"error": "Invalid username"}, 401)
        auth = {"type": "access_token", "accessToken": {"role": role}}
        orgs = [{"name": "garments"}]
        return JSONResponse({"type": "user", "name": USER, "orgs": orgs, "auth": auth})

    async def _validate(self, request: Request) -> Response:
        errors = [{"message": fault} for fault in self.faults]
        return JSONResponse({"errors": errors, "warnings": []}, 400 if errors else 200)

    async def _create(self, request: Request) -> Response:
        settings = await request.json()
        kind, name = settings.get("type", "model"), f"{settings['organization']}/{settings['name']}"
        url = self._url(kind, name)
        if kind == "space" and self.refusal:
            status, message = self.refusal
            return JSONResponse({"error": message}, status)
        if (kind, name) in self.repos:
            return JSONResponse({"error": "You already created this repo", "url": url}, 409)
        self.repos[kind, name] = StoredRepository(settings, {".gitattributes": b""})
        return JSONResponse({"url": url})

    async def _preupload(self, request: Request) -> Response:
        mode = {"uploadMode": "regular", "shouldIgnore": False, "oid": None}
        files = (await request.json())["files"]
        return JSONResponse({"files": [{"path": file["path"], **mode} for file in files]})

    async def _commit(self, request: Request) -> Response:
        stored = self._stored(request)
        for line in map(json.loads, (await request.body()).splitlines()):
            value = line["value"]
            if line["key"] == "file":
                stored.files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "deletedFile":
                del stored.files[value["path"]]
        url = f"{self._url(*_key(request))}/commit/{REVISION}"
        return JSONResponse({"commitUrl": url, "commitOid": REVISION})

    async def _tree(self, request: Request) -> Response:
        _, files = self._commit_of(request)
        return JSONResponse(
            [
                {"type": "file", "path": path, "size": len(content), "oid": _checksum(content)}
                for path, content in files.items()
            ]
        )

    async def _repo_info(self, request: Request) -> Response:
        commit, files = self._commit_of(request)
        names = [{"rfilename": path} for path in files]
        private = self._stored(request).settings.get("visibility") == "private"
        name = _key(request)[1]
        return JSONResponse({"id": name, "sha": commit, "private": private, "siblings": names})

    async def _file(self, request: Request) -> Response:
        commit, files = self._commit_of(request)
        if request.path_params["path"] not in files:
            raise _not_found("Entry")
        content = files[request.path_params["path"]]
        headers = {"ETag": f'"{_checksum(content)}"', "X-Repo-Commit": commit}
        return Response(content, headers=headers)

    def _stored(self, request: Request) -> StoredRepository:
        if _key(request) not in self.repos:
            raise _not_found("Repo")
        return self.repos[_key(request)]

    def _commit_of(self, request: Request) -> tuple[str, dict[str, bytes]]:
        return self._stored(request).commit(request.path_params.get("revision", "main"))

    def _url(self, kind: str, name: str) -> str:
        return f"{self.address}/{'spaces/' if kind == 'space' else ''}{name}"


def _key(request: Request) -> tuple[str, str]:
    """Return the repo_type and the name of the requested repository."""
    path = request.path_params
    return path.get("kind", "models").removesuffix("s"), f"{path['owner']}/{path['name']}"


def _not_found(what: str) -> HTTPException:
    return HTTPException(404, f"{what} not found", headers={"X-Error-Code": f"{what}NotFound"})


def _checksum(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


@contextmanager
def serve_local_hub() -> Iterator[LocalHub]:
    """Serve an empty Hub."""
    port = find_free_port()
    hub = LocalHub(f"http://127.0.0.1:{port}")
    server = uvicorn.Server(uvicorn.Config(hub, port=port, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started and thread.is_alive():
        thread.join(0.02)
    try:
        yield hub
    finally:
        server.should_exit = server.force_exit = True
        thread.join()


def run_python(hub: LocalHub, home: Path, *arguments: str) -> str:
    """Run Python with a fake Hub; return its output.

    Args:
        hub: the Hub.
        home: HF_HOME, for downloads.
        arguments: Python's arguments.
    """
    environment = {name: value for name, value in os.environ.items() if name != "HF_HUB_OFFLINE"}
    environment |= {"HF_ENDPOINT": hub.address, "HF_TOKEN": TOKEN, "HF_HOME": str(home)}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
