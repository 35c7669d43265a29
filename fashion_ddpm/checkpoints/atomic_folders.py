"""Folders that are written whole or not at all: temp folder, checksums, fsync, rename."""

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from safetensors import SafetensorError

from fashion_ddpm.checkpoints.errors import CheckpointError
from fashion_ddpm.checkpoints.manifest import MANIFEST, write_manifest
from fashion_ddpm.core.errors import reason
from fashion_ddpm.core.json_files import TEMPORARY_SUFFIX

REPLACED_SUFFIX = ".replaced"
STATE_NAME_PATTERN = re.compile(r"images-\d+")

DISK_FULL_ERRNOS = (None, errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Failures of a write for lack of room; libraries report that without a number."""

FOLDER_FSYNC_ERRNOS = (errno.EACCES, errno.EPERM, errno.EBADF, errno.EINVAL, errno.EOPNOTSUPP)
"""How systems say that they do not open or flush folders; Windows refuses to open them."""


@contextmanager
def report_write_errors(target: Path) -> Iterator[None]:
    """End a failed write with one sentence, and free the room that its half took.

    Raises:
        CheckpointError: the body could not write; what was saved before is untouched.
    """
    try:
        yield
    # PyTorch and safetensors report a full disk with errors of their own.
    except (OSError, RuntimeError, SafetensorError) as error:
        half = temporary_path(target)
        if half.is_file():
            half.unlink(missing_ok=True)
        shutil.rmtree(half, ignore_errors=True)
        full = getattr(error, "errno", None) in DISK_FULL_ERRNOS
        cure = "make room on its disk" if full else "let this user write there"
        raise CheckpointError(
            f"{target} could not be written ({reason(error)}): {cure}, then run the same command "
            "again, or name another folder; what was saved before is untouched."
        ) from error


def temporary_path(final: Path) -> Path:
    """Return where a folder is filled before it is sealed."""
    return final.with_name(final.name + TEMPORARY_SUFFIX)


def create_temporary_folder(final: Path) -> Path:
    """Return an empty folder beside the final one, to be filled and then sealed.

    Raises:
        CheckpointError: it cannot be made.
    """
    folder = temporary_path(final)
    with report_write_errors(final):
        recover_folder(final)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    return folder


def finalize_folder(final: Path) -> None:
    """Make the filled temporary folder final; a kill at any moment loses no finished one.

    Raises:
        CheckpointError: a file cannot be written; the folder that was there before is untouched.
    """
    with report_write_errors(final):
        _seal(final)


def _seal(final: Path) -> None:
    temporary = temporary_path(final)
    write_manifest(temporary)
    for path in (*(path for path in sorted(temporary.rglob("*")) if path.is_file()), temporary):
        fsync_path(path)
    aside = Path(f"{final}{REPLACED_SUFFIX}")
    shutil.rmtree(aside, ignore_errors=True)
    if final.exists():
        os.replace(final, aside)
        recover_folder(final)
    else:
        os.replace(temporary, final)
    fsync_path(final.parent)
    shutil.rmtree(aside, ignore_errors=True)


def recover_folder(final: Path) -> None:
    """Give a sealed folder its name where a kill came after the older one was put aside.

    Whoever reads or writes the folder does this first, so that neither of the two is lost.
    """
    temporary = temporary_path(final)
    # Only what is sealed has a manifest: the older folder may have been deleted by hand.
    sealed = (temporary / MANIFEST).is_file()
    if sealed and Path(f"{final}{REPLACED_SUFFIX}").is_dir() and not final.exists():
        with suppress(FileNotFoundError):  # another process has just done it
            os.replace(temporary, final)


def list_states(parent: Path) -> list[Path]:
    """Return the sealed states in a folder, newest first, whole or not."""
    if not parent.is_dir():
        return []
    found = [
        path
        for path in parent.iterdir()
        if STATE_NAME_PATTERN.fullmatch(path.name) and path.is_dir()
    ]
    return sorted(found, reverse=True)


def parse_images_seen(state: Path) -> int:
    """Return the images that a saved state has seen, which its name says."""
    return int(state.name.rpartition("-")[2])


def prune_states(parent: Path, keep: int) -> None:
    """Delete all but the newest states."""
    for path in list_states(parent)[keep:]:
        shutil.rmtree(path)


def fsync_path(path: Path) -> None:
    """Flush a file's content to the disk, or a folder's names where the system can do that."""
    # Windows flushes only what is open for writing.
    flags = os.O_RDWR if os.name == "nt" else os.O_RDONLY
    try:
        descriptor = os.open(path, flags)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if not path.is_dir() or error.errno not in FOLDER_FSYNC_ERRNOS:
            raise
