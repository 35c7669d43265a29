"""Tests of the export-web command: it exports, serves until Ctrl-C, checks the port first."""

import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.tools import TIMEOUT_S
from tests.tools.program import run_here
from tests.tools.small_runs import ENVIRONMENT, ROOT

COMMAND = (sys.executable, "-m", "fashion_ddpm", "export-web")


@pytest.mark.slow
def test_it_exports_serves_and_ends_quietly(tiny_checkpoint: Path, tmp_path: Path) -> None:
    words = ("--checkpoint", tiny_checkpoint, "--output", tmp_path / "site", "--serve")
    with subprocess.Popen(
        [*COMMAND, *map(str, words), "--port", "0"],
        cwd=ROOT,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        size, address = process.stdout.readline(), process.stdout.readline().split(";")[0]
        assert "MB before its first image" in size
        with urllib.request.urlopen(f"{address.split()[-1]}/manifest.json") as answer:
            assert answer.headers["Content-Type"] == "application/json"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 0
    assert "Traceback" not in errors
    assert "interrupted" not in errors


def test_a_used_port_is_reported_before_the_export(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = run_here(
            *("export-web", "--output", str(tmp_path / "site"), "--serve", "--port", str(port))
        )
    assert done.returncode == 1
    (sentence,) = done.stderr.splitlines()
    assert f"--port is {port}" in sentence
    assert not list(tmp_path.iterdir())


def test_a_folder_with_other_things_costs_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").touch()
    done = run_here("export-web", "--output", str(tmp_path))
    assert done.returncode == 1
    (sentence,) = done.stderr.splitlines()
    assert str(tmp_path) in sentence
    assert "thesis.txt" in sentence
