"""Start a Space's app from its folder, as a Space does, to test that it runs."""

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from fashion_ddpm.publishing.errors import PublishingError

INHERITED_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT")
"""Variables that a process needs to start; the app gets no others of this environment."""

APP_FILE = "app.py"
TIMEOUT_SECONDS = 300
POLL_SECONDS = 0.2
STOP_SECONDS = 30


def try_space(folder: Path, timeout: float = TIMEOUT_SECONDS) -> None:
    """Start the app in a clean environment, wait until the page answers, and stop it.

    The app gets an empty home folder, no PYTHONPATH, no cache and no access to the Hub, and writes
    nothing into its own folder.

    Args:
        folder: the Space's files.
        timeout: seconds to wait for the page.

    Raises:
        PublishingError: the app ended or did not answer; the message has its last output.
    """
    port = find_free_port()
    with tempfile.TemporaryDirectory() as home, open(Path(home) / "log", "wb") as log:
        process = subprocess.Popen(
            [sys.executable, APP_FILE],
            cwd=folder,
            env=_environment(home, port),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            is_running = wait_for_page(port, process, timeout)
        finally:
            _stop(process)
        if not is_running:
            output = (Path(home) / "log").read_text(errors="replace").strip().split("\n")[-1]
            raise PublishingError(
                f"{folder / APP_FILE} does not run in an environment of its own: it gave no page "
                f"within {timeout:g} seconds, and its last words were: {output or 'none'}"
            )


def _environment(home: str, port: int) -> dict[str, str]:
    inherited = {name: os.environ[name] for name in INHERITED_VARIABLES if name in os.environ}
    return inherited | {
        "HOME": home,
        "TMPDIR": home,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONNOUSERSITE": "1",
        "HF_HUB_OFFLINE": "1",
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "GRADIO_SERVER_PORT": str(port),
    }


def find_free_port() -> int:
    """Return an unused TCP port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_for_page(port: int, process: subprocess.Popen[bytes], timeout: float) -> bool:
    """Return whether the page answers in time, before the process ends."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline and process.poll() is None:
        try:
            remaining = max(1.0, deadline - time.monotonic())
            with direct.open(f"http://127.0.0.1:{port}/", timeout=remaining):
                return True
        except OSError:
            time.sleep(POLL_SECONDS)
    return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
