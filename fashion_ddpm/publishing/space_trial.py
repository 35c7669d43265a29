"""A Space's app is started from its folder, as a Space would, to see that it runs."""

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
"""What a process needs to begin at all; everything else of this environment stays here."""

TIMEOUT_SECONDS = 300
POLL_SECONDS = 0.2
STOP_SECONDS = 30


def try_space(folder: Path, app_file: str = "app.py", timeout: float = TIMEOUT_SECONDS) -> None:
    """Start the app in an environment of its own, wait until the page answers, stop it.

    The app sees no network but this machine's, no PYTHONPATH, no cache and no home of the user's,
    and writes no file into its folder.

    Args:
        folder: the Space's files.
        app_file: what to start, as the front matter says.
        timeout: how long to wait for the page.

    Raises:
        PublishingError: the app ended or did not answer; the message has its last words.
    """
    port = find_free_port()
    with tempfile.TemporaryDirectory() as home, open(Path(home) / "log", "wb") as log:
        process = subprocess.Popen(
            [sys.executable, app_file],
            cwd=folder,
            env=_environment(home, port),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            answered = wait_for_page(port, process, timeout)
        finally:
            _stop(process)
        if not answered:
            words = (Path(home) / "log").read_text(errors="replace").strip().split("\n")[-1]
            raise PublishingError(
                f"{folder / app_file} does not run in an environment of its own: it gave no page "
                f"within {timeout:g} seconds, and its last words were: {words or 'none'}"
            )


def _environment(home: str, port: int) -> dict[str, str]:
    kept = {name: os.environ[name] for name in INHERITED_VARIABLES if name in os.environ}
    return kept | {
        "HOME": home,
        "TMPDIR": home,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONNOUSERSITE": "1",
        "HF_HUB_OFFLINE": "1",
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "GRADIO_SERVER_PORT": str(port),
    }


def find_free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def wait_for_page(port: int, process: subprocess.Popen[bytes], timeout: float) -> bool:
    """Wait for the page; return whether it came."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline and process.poll() is None:
        try:
            left = max(1.0, deadline - time.monotonic())
            with direct.open(f"http://127.0.0.1:{port}/", timeout=left):
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
