"""Tests of the Dockerfile without Docker: what it copies, starts and asks, on a read-only disk."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fashion_ddpm.publishing.space_trial import find_free_port
from tests.tools import TIMEOUT_S
from tests.tools.asking import call, send
from tests.tools.serving import ROOT, run_app

IN_CONTAINER = """
mount -t tmpfs -o noexec,nosuid,nodev none "$1" && mount -o remount,bind,ro / && shift &&
exec setpriv --reuid 65534 --regid 65534 --clear-groups --no-new-privs \
    --inh-caps=-all,+dac_read_search --ambient-caps=-all,+dac_read_search \
    --bounding-set=-all,+dac_read_search env -u HOME "$@"
"""
"""Shell program: runs a command as the container does, but for the right to read root's Python.

Its first argument is the only folder that can be written to."""


def read_dockerfile() -> list[tuple[str, str]]:
    """Return the instructions of the Dockerfile with their arguments, continuation lines joined."""
    text = re.sub(r"(?m)^#.*\n", "", (ROOT / "Dockerfile").read_text()).replace("\\\n", "")
    lines = [line.partition(" ") for line in text.splitlines() if line]
    return [(name, arguments.strip()) for name, _, arguments in lines]


def arguments_of(instruction: str) -> list[str]:
    """Return the arguments of each instruction of this name."""
    return [arguments for name, arguments in read_dockerfile() if name == instruction]


def copies() -> list[tuple[str, str]]:
    """Return source and target of all that is copied."""
    found = []
    for arguments in arguments_of("COPY"):
        *sources, target = shlex.split(arguments)
        found += [(source, target.replace("./", source)) for source in sources]
    return found


def environment() -> dict[str, str]:
    """Return the container's variables."""
    pairs = [each.partition("=") for line in arguments_of("ENV") for each in shlex.split(line)]
    return {name: value for name, _, value in pairs}


def test_what_is_copied_is_in_the_repository_and_what_docker_may_read() -> None:
    sources = [source for source, _ in copies()]
    listed = subprocess.run(["git", "ls-files", *sources], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git clone")
    for source in sources:
        assert f"\n{source}" in f"\n{listed.stdout}", source
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in lines
    assert sorted(line[1:] for line in lines if line.startswith("!")) == sorted(sources)


def test_the_image_starts_the_app_as_nobody() -> None:
    assert json.loads(arguments_of("ENTRYPOINT")[0]) == ["python", "app.py"]
    assert arguments_of("USER") == ["65534:65534"]


@contextmanager
def copied_files() -> Iterator[Path]:
    """A folder with what the image holds, and an empty folder beside it."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        app = Path(name) / "app"
        (Path(name) / "tmp").mkdir()
        for source, target in copies():
            (app / target).parent.mkdir(parents=True, exist_ok=True)
            ignored = shutil.ignore_patterns("__pycache__")
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, app / target, ignore=ignored)
            else:
                shutil.copy(ROOT / source, app / target)
        yield app


def can_isolate() -> bool:
    """Return whether this user may start a command in file systems of its own."""
    programs = all(map(shutil.which, ("unshare", "setpriv")))
    line = ["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"]
    return programs and not subprocess.run(line, capture_output=True).returncode


@pytest.mark.slow
def test_the_image_runs_on_a_read_only_disk_without_a_home_as_nobody() -> None:
    if not can_isolate():
        pytest.skip("file systems can only be mounted by root")
    with copied_files() as app:
        writable = str(app.parent / "tmp")
        variables = {name: each.replace("/tmp", writable) for name, each in environment().items()}
        variables["GRADIO_SERVER_PORT"] = str(find_free_port())
        wrapper = ("unshare", "--mount", "sh", "-c", IN_CONTAINER, "sh", writable)
        attempt = (
            "import os; assert not os.path.expanduser('~').startswith('/root'); open('x', 'w')"
        )
        refused = subprocess.run(
            [*wrapper, sys.executable, "-c", attempt], cwd=app, capture_output=True, text=True
        )
        assert "Read-only file system" in refused.stderr, refused.stderr
        with run_app(folder=app, environment=variables, wrapper=wrapper) as running:
            assert send(running.address, "GET", "/readyz").status == 200
            assert call(running.address).kind == "images"
            assert health(variables) == 0
        assert running.process.returncode == 0
        assert health(variables) != 0


def health(variables: dict[str, str]) -> int:
    """Return the exit status of the image's health check."""
    [arguments] = arguments_of("HEALTHCHECK")
    program, *rest = json.loads(arguments.split(" CMD ")[1])
    assert program == "python"
    line = [sys.executable, *rest]
    return subprocess.run(
        line, env=os.environ | variables, capture_output=True, timeout=TIMEOUT_S
    ).returncode
