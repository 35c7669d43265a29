"""A writable folder for temporary pictures, and a limit on its size."""

import os
import shutil
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

from fashion_ddpm.server.errors import ServerError

MIN_FREE_BYTES = 1_000_000
"""Free space that a folder must have: about a few results."""

SHARED_MEMORY_DIR = Path("/dev/shm")
SWEEP_SECONDS = 5.0
"""Seconds between two checks of the folder's size."""


def temporary_root() -> str:
    """Return the default folder for temporary files, or /dev/shm if no disk is writable.

    Some libraries need one at import, and would end the app.
    """
    try:
        return tempfile.gettempdir()
    except FileNotFoundError:
        return str(SHARED_MEMORY_DIR)


def choose_folder() -> Path:
    """Return a new folder that only this user can read, with free space for pictures.

    Raises:
        ServerError: no folder has enough space.
    """
    configured = [os.environ.get(name) for name in ("TMPDIR", "TEMP", "TMP")]
    for parent in (*configured, "/tmp", "/var/tmp", SHARED_MEMORY_DIR, Path.cwd()):
        if not parent or not Path(parent).is_dir():
            continue
        folder = None
        with suppress(OSError):
            folder = Path(tempfile.mkdtemp(prefix="fashion-ddpm-", dir=parent))
            (folder / "test").write_bytes(bytes(MIN_FREE_BYTES))
            (folder / "test").unlink()
            return folder
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
    raise ServerError(
        f"no folder has room for {MIN_FREE_BYTES:,} bytes of temporary pictures; free some, or "
        "name one with TMPDIR."
    )


def sweep(folder: Path, max_bytes: int, protected: frozenset[Path] = frozenset()) -> int:
    """Remove the oldest files until the folder has at most `max_bytes`; return its size.

    Args:
        folder: the folder, with its subfolders.
        max_bytes: the largest size.
        protected: files that are never removed.
    """
    files = []
    for path in folder.rglob("*"):
        with suppress(OSError):
            if path.is_file():
                files.append((path.stat().st_mtime, path.stat().st_size, path))
    total = sum(size for _, size, _ in files)
    for _, size, path in sorted(files):
        if total <= max_bytes:
            break
        if path not in protected:
            with suppress(OSError):
                path.unlink()
                total -= size
                path.parent.rmdir()  # gradio makes a folder for each file
    return total


class Sweeper:
    """A thread that calls `sweep` with these arguments every SWEEP_SECONDS."""

    def __init__(self, folder: Path, max_bytes: int, protected: frozenset[Path]) -> None:
        self._folder, self._max_bytes, self._protected = folder, max_bytes, protected
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sweeper", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stopped.wait(SWEEP_SECONDS):
            sweep(self._folder, self._max_bytes, self._protected)

    def close(self) -> None:
        """Stop the thread."""
        self._stopped.set()
        self._thread.join()
