"""Where temporary pictures lie, and how many: a folder that can be written to, and a ceiling."""

import os
import shutil
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

from fashion_ddpm.server.errors import ServerError

MIN_FREE_BYTES = 1_000_000
"""Bytes that a folder must have room for to be chosen: what a few results weigh."""

SHARED_MEMORY_DIR = Path("/dev/shm")
SWEEP_SECONDS = 5.0
"""Seconds between two looks at how much lies there."""


def temporary_root() -> str:
    """Return the usual folder for temporary files, or the memory where no disk can be written to.

    Libraries look for one as soon as they are imported, and end the app when there is none.
    """
    try:
        return tempfile.gettempdir()
    except FileNotFoundError:
        return str(SHARED_MEMORY_DIR)


def choose_folder() -> Path:
    """Return a new folder that can hold pictures, for this user alone.

    Raises:
        ServerError: neither the disk nor the memory has room.
    """
    named = [os.environ.get(name) for name in ("TMPDIR", "TEMP", "TMP")]
    for parent in (*named, "/tmp", "/var/tmp", SHARED_MEMORY_DIR, Path.cwd()):
        if not parent or not Path(parent).is_dir():
            continue
        folder = None
        with suppress(OSError):
            folder = Path(tempfile.mkdtemp(prefix="fashion-ddpm-", dir=parent))
            (folder / "room").write_bytes(bytes(MIN_FREE_BYTES))
            (folder / "room").unlink()
            return folder
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
    raise ServerError(
        f"no folder has room for {MIN_FREE_BYTES:,} bytes of temporary pictures; free some, or "
        "name one with TMPDIR."
    )


def sweep(folder: Path, max_bytes: int, protected: frozenset[Path] = frozenset()) -> int:
    """Remove the oldest files until the rest weighs no more than `max_bytes`; return its weight.

    Args:
        folder: whose files, however deep.
        max_bytes: bytes.
        protected: files that are never removed.
    """
    found = []
    for path in folder.rglob("*"):
        with suppress(OSError):
            if path.is_file():
                found.append((path.stat().st_mtime, path.stat().st_size, path))
    weight = sum(size for _, size, _ in found)
    for _, size, path in sorted(found):
        if weight <= max_bytes:
            break
        if path not in protected:
            with suppress(OSError):
                path.unlink()
                weight -= size
                path.parent.rmdir()  # gradio makes a folder for each file
    return weight


class Sweeper:
    """Keeps a folder below a weight, in a thread of its own.

    Args:
        folder: whose files.
        max_bytes: bytes.
        protected: files that are never removed: those of the page itself.
    """

    def __init__(self, folder: Path, max_bytes: int, protected: frozenset[Path]) -> None:
        self._folder, self._max_bytes, self._protected = folder, max_bytes, protected
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sweeper", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._over.wait(SWEEP_SECONDS):
            sweep(self._folder, self._max_bytes, self._protected)

    def close(self) -> None:
        """End the thread."""
        self._over.set()
        self._thread.join()
