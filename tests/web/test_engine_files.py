"""Tests of how the static site loads its files: unpacking, checksums, a second try, sentences."""

import base64
import gzip
import json
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.tools.node import run_node
from tests.tools.static_host import (
    Fault,
    Handler,
    Host,
    cut_off,
    damage,
    hang_up,
    not_found,
    unavailable,
)

SCRIPT = Path(__file__).with_name("engine.mjs")
PACKED, PLAIN = "models/clip.onnx.gz", "style.css"


def load(site: Path, host: Host, *paths: str) -> list[dict[str, Any]]:
    """Return what Node loaded, or the error, of each path."""
    loaded: list[dict[str, Any]] = run_node(SCRIPT, site, host.address, "files", stdin=paths)
    return loaded


def once(fault: Fault, handler: Handler, content: bytes) -> None:
    """Break the first answer of a path alone."""
    path = handler.path.removeprefix("/")
    del handler.server.faults[path]
    fault(handler, content)


def send_unpacked(handler: Handler, content: bytes) -> None:
    """Answer as hosts do that know .gz for an encoding."""
    handler.send_response(200)
    handler.send_header("Content-Encoding", "gzip")
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)


def send_another_gzip(handler: Handler, content: bytes) -> None:
    """Answer with a whole file of another content."""
    handler.answer(gzip.compress(b"another"))


def test_packed_and_plain_files_are_loaded_with_their_progress(site: Path, host: Host) -> None:
    packed, plain = load(site, host, PACKED, PLAIN)
    stored = (site / PACKED).read_bytes()
    assert base64.b64decode(packed["content"]) == gzip.decompress(stored)
    assert packed["last"] == {"file": PACKED, "loaded": len(stored), "total": len(stored)}
    assert base64.b64decode(plain["content"]) == (site / PLAIN).read_bytes()


def test_a_file_that_the_host_unpacked_is_taken_as_it_is(site: Path, host: Host) -> None:
    host.faults[PACKED] = send_unpacked
    [packed] = load(site, host, PACKED)
    stored = (site / PACKED).read_bytes()
    assert base64.b64decode(packed["content"]) == gzip.decompress(stored)
    assert packed["last"] == {"file": PACKED, "loaded": len(stored), "total": len(stored)}


@pytest.mark.parametrize("path", [PACKED, PLAIN])
@pytest.mark.parametrize("fault", [damage, cut_off, hang_up, not_found, unavailable])
def test_a_file_that_fails_once_is_fetched_anew(
    site: Path, host: Host, path: str, fault: Fault
) -> None:
    host.faults[path] = partial(once, fault)
    [loaded] = load(site, host, path)
    assert "content" in loaded, loaded
    assert host.asked.count(path) == 2


@pytest.mark.parametrize(
    ("fault", "part"),
    [
        (damage, "damaged"),
        (send_another_gzip, "damaged"),
        (cut_off, "incomplete"),
        (hang_up, "cannot be reached"),
        (not_found, "404"),
        (unavailable, "503"),
    ],
)
def test_a_file_that_fails_twice_is_named_in_one_sentence(
    site: Path, host: Host, fault: Fault, part: str
) -> None:
    host.faults[PACKED] = fault
    [loaded] = load(site, host, PACKED)
    assert loaded["name"] == "ModelFileError"
    assert PACKED in loaded["message"]
    assert part in loaded["message"]
    assert loaded["message"].endswith(".")
    assert host.asked.count(PACKED) == 2


def test_a_file_of_another_version_says_that_the_site_is_new(
    site: Path, host: Host, tmp_path: Path
) -> None:
    newer = tmp_path / "newer"
    shutil.copytree(site, newer)
    manifest = json.loads((newer / "manifest.json").read_text())
    (newer / "manifest.json").write_text(json.dumps(manifest | {"version": "newer"}))
    (newer / PACKED).write_bytes(gzip.compress(b"newer"))

    def deploy(handler: Handler, content: bytes) -> None:
        """Answer with the old manifest for the last time."""
        del host.faults["manifest.json"]
        host.folder = newer
        handler.answer(content)

    host.faults["manifest.json"] = deploy
    [loaded] = load(site, host, PACKED)
    assert "new version" in loaded["message"]


def test_a_file_that_is_not_in_the_manifest_is_refused(site: Path, host: Host) -> None:
    [loaded] = load(site, host, "models/other.onnx.gz")
    assert "models/other.onnx.gz" in loaded["message"]
    assert "models/other.onnx.gz" not in host.asked


@pytest.mark.parametrize("content", [b"<html>", b"{}", b"[]", b'{"version": ""'])
def test_a_manifest_that_is_none_is_said(site: Path, host: Host, content: bytes) -> None:
    host.faults["manifest.json"] = lambda handler, _: handler.answer(content)
    got = run_node(SCRIPT, site, host.address, "manifest")
    assert got["name"] == "ModelFileError"
    assert "manifest.json is damaged" in got["message"]
