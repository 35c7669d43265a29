"""The app as a process of its own, at a free port."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fashion_ddpm.space_trial import answers, free_port

ROOT = Path(__file__).parent.parent.parent
PATIENCE = 120
"""Seconds until the page must answer."""


@contextmanager
def served(*flags: str) -> Iterator[str]:
    """Starts app.py and yields its address; without a network, on the bundled weights."""
    port = free_port()
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "GRADIO_SERVER_PORT": str(port)}
    command = [sys.executable, "app.py", *flags]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        if not answers(port, process, PATIENCE):
            raise TimeoutError("app.py does not answer")
        yield address
    finally:
        process.terminate()
        process.wait(timeout=30)
