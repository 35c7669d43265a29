"""Run the app as a process at a free port."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from fashion_ddpm.publishing.space_trial import find_free_port, wait_for_page
from tests.tools import TIMEOUT_S

ROOT = Path(__file__).parent.parent.parent

SLOW_MACHINE_FLAGS = ("--max-seconds", "3600", "--body-timeout", "600")
"""No request of a test times out on a busy machine."""


@dataclass(frozen=True)
class RunningApp:
    """A running app: its address and its process."""

    address: str
    process: subprocess.Popen[bytes]


@contextmanager
def run_app(
    *flags: str,
    environment: Mapping[str, str] | None = None,
    stderr: IO[bytes] | None = None,
    wrapper: tuple[str, ...] = (),
    program: tuple[str, ...] = (sys.executable, "app.py"),
    folder: Path = ROOT,
) -> Iterator[RunningApp]:
    """Start app.py offline on the bundled weights, and stop it at the end.

    Args:
        flags: flags of app.py; the default backend is eager, because a conversion would take CPU
            time from the test.
        environment: variables that differ from this process's.
        stderr: file for its log.
        wrapper: a command that runs the app's command, such as prlimit.
        program: what to start instead of app.py.
        folder: where to start it.
    """
    port = int((environment or {}).get("GRADIO_SERVER_PORT", find_free_port()))
    defaults = {"HF_HUB_OFFLINE": "1", "GRADIO_SERVER_PORT": str(port)}
    process = subprocess.Popen(
        [*wrapper, *program, "--backend", "eager", *SLOW_MACHINE_FLAGS, *flags],
        cwd=folder,
        env=os.environ | defaults | dict(environment or {}),
        stdout=subprocess.DEVNULL,
        stderr=stderr,
    )
    try:
        if not wait_for_page(port, process, TIMEOUT_S):
            raise TimeoutError(f"app.py does not answer; exit status: {process.poll()}")
        yield RunningApp(f"http://127.0.0.1:{port}", process)
    finally:
        process.terminate()
        try:
            process.wait(timeout=TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            raise


@contextmanager
def serve_app(*flags: str) -> Iterator[str]:
    """Start app.py and yield its address."""
    with run_app(*flags) as app:
        yield app.address
