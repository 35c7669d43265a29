"""Atomic writing of folders: temporary folder, checksums, fsync, rename."""

import errno
import os
import re
import shutil
from collections.abc import Callable, Iterator
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
"""errno of writes without disk space; None, as some libraries report that without an errno."""

FOLDER_FSYNC_ERRNOS = (errno.EACCES, errno.EPERM, errno.EBADF, errno.EINVAL, errno.EOPNOTSUPP)
"""errno of file systems that cannot fsync folders."""


@contextmanager
def report_write_errors(target: Path) -> Iterator[None]:
    """Turn a failed write into a CheckpointError, and delete the temporary file or folder.

    Raises:
        CheckpointError: the body could not write.
    """
    try:
        yield
    # PyTorch and safetensors report a full disk with errors of their own.
    except (OSError, RuntimeError, SafetensorError) as error:
        temporary = temporary_path(target)
        if temporary.is_file():
            temporary.unlink(missing_ok=True)
        shutil.rmtree(temporary, ignore_errors=True)
        is_full = getattr(error, "errno", None) in DISK_FULL_ERRNOS
        fix = "make room on its disk" if is_full else "let this user write there"
        raise CheckpointError(
            f"{target} could not be written ({reason(error)}): {fix}, then run the same command "
            "again, or name another folder; what was saved before is untouched."
        ) from error


def temporary_path(final: Path) -> Path:
    """Return the path of a file or folder while it is being written."""
    return final.with_name(final.name + TEMPORARY_SUFFIX)


def create_temporary_folder(final: Path) -> Path:
    """Create an empty folder to fill; finalize_folder then gives it its final name.

    Raises:
        CheckpointError: it cannot be created.
    """
    folder = temporary_path(final)
    with report_write_errors(final):
        recover_folder(final)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    return folder


def finalize_folder(final: Path, list_files: Callable[[Path], None] = write_manifest) -> None:
    """Rename the temporary folder to its final name; a kill at any moment loses no data.

    Args:
        final: the final name.
        list_files: writes the manifest of the complete temporary folder.

    Raises:
        CheckpointError: a file cannot be written; an existing folder is unchanged.
    """
    with report_write_errors(final):
        temporary, replaced = temporary_path(final), Path(f"{final}{REPLACED_SUFFIX}")
        list_files(temporary)
        for path in (*filter(Path.is_file, temporary.rglob("*")), temporary):
            fsync_path(path)
        shutil.rmtree(replaced, ignore_errors=True)
        if final.exists():
            os.replace(final, replaced)
            try:
                recover_folder(final)
            except OSError:
                os.replace(replaced, final)
                raise
        else:
            os.replace(temporary, final)
        fsync_path(final.parent)
        shutil.rmtree(replaced, ignore_errors=True)


def recover_folder(final: Path) -> None:
    """Finish a finalize_folder that was killed between its two renames.

    Call this before a folder is read or written.
    """
    temporary = temporary_path(final)
    # The manifest is written last: without it, the temporary folder is incomplete.
    is_complete = (temporary / MANIFEST).is_file()
    if is_complete and Path(f"{final}{REPLACED_SUFFIX}").is_dir() and not final.exists():
        with suppress(FileNotFoundError):  # another process has just done it
            os.replace(temporary, final)


def list_states(parent: Path) -> list[Path]:
    """Return the saved states in a folder, newest first; they may be damaged."""
    if not parent.is_dir():
        return []
    folders = filter(Path.is_dir, parent.iterdir())
    states = [path for path in folders if STATE_NAME_PATTERN.fullmatch(path.name)]
    return sorted(states, reverse=True)


def parse_images_seen(state: Path) -> int:
    """Return the number of images seen from the name of a saved state."""
    return int(state.name.rpartition("-")[2])


def prune_states(parent: Path, keep: int) -> None:
    """Delete all but the newest states."""
    for path in list_states(parent)[keep:]:
        shutil.rmtree(path)


def fsync_path(path: Path) -> None:
    """Flush a file to the disk, or a folder's entries if the system supports that."""
    is_windows = os.name == "nt"
    if is_windows and path.is_dir():  # it cannot open folders
        return
    flags = os.O_RDWR if is_windows else os.O_RDONLY  # it flushes only what is open for writing
    try:
        descriptor = os.open(path, flags)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if not path.is_dir() or error.errno not in FOLDER_FSYNC_ERRNOS:
            raise
