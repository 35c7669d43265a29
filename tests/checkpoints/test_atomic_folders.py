"""Tests of atomic writing of folders."""

import errno
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fashion_ddpm.checkpoints.atomic_folders import (
    REPLACED_SUFFIX,
    create_temporary_folder,
    finalize_folder,
    fsync_path,
    list_states,
    prune_states,
    recover_folder,
    report_write_errors,
    temporary_path,
)
from fashion_ddpm.checkpoints.errors import CheckpointError
from fashion_ddpm.checkpoints.locate import read_class_names
from fashion_ddpm.checkpoints.manifest import is_intact
from fashion_ddpm.diffusion.pipeline import load_pipeline


def write(final: Path, content: str = "content") -> Path:
    folder = create_temporary_folder(final)
    (folder / "sub").mkdir()
    (folder / "sub" / "file").write_text(content)
    finalize_folder(final)
    return final


def test_a_finalized_folder_is_intact_and_leaves_no_temporary_folder(tmp_path: Path) -> None:
    final = write(tmp_path / "a" / "state")
    assert is_intact(final)
    assert [path.name for path in final.parent.iterdir()] == ["state"]


def test_finalizing_replaces_an_older_folder(tmp_path: Path) -> None:
    final = write(write(tmp_path / "state", "old"), "new")
    assert (final / "sub" / "file").read_text() == "new"


FINALIZE_AND_DIE = """
import os, signal, sys
from pathlib import Path
from fashion_ddpm.checkpoints.atomic_folders import finalize_folder, create_temporary_folder

final, renames = Path(sys.argv[1]), int(sys.argv[2])
(create_temporary_folder(final) / "file").write_text("new")

def watch(event, arguments):
    global renames
    if event == "os.rename":
        renames -= 1
        if not renames:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(watch)
finalize_folder(final)
"""


@pytest.mark.parametrize(("rename", "expected"), [(1, "old"), (2, "old"), (3, "new")])
def test_a_kill_before_any_rename_loses_no_folder(
    tmp_path: Path, rename: int, expected: str
) -> None:
    """Three renames: of the manifest, of the old folder and of the new folder."""
    final = tmp_path / "state"
    (create_temporary_folder(final) / "file").write_text("old")
    finalize_folder(final)
    command = [sys.executable, "-c", FINALIZE_AND_DIE, str(final), str(rename)]
    assert subprocess.run(command).returncode == -signal.SIGKILL
    recover_folder(final)
    assert is_intact(final)
    assert (final / "file").read_text() == expected
    write(final, "newest")
    assert [path.name for path in tmp_path.iterdir()] == ["state"]


def test_the_next_reader_or_writer_recovers_an_interrupted_folder(
    tiny_checkpoint: Path, tmp_path: Path
) -> None:
    for read in (load_pipeline, read_class_names, create_temporary_folder):
        final = tmp_path / read.__name__
        shutil.copytree(tiny_checkpoint, temporary_path(final))
        shutil.copytree(tiny_checkpoint, f"{final}{REPLACED_SUFFIX}")
        read(final)
        assert is_intact(final)


def test_a_temporary_folder_is_no_state_and_is_emptied_on_the_next_try(tmp_path: Path) -> None:
    folder = create_temporary_folder(tmp_path / "images-1")
    (folder / "half").write_text("half")
    assert list_states(tmp_path) == []
    assert not list(create_temporary_folder(tmp_path / "images-1").iterdir())


def test_the_newest_states_are_kept(tmp_path: Path) -> None:
    for images in (5, 30, 200):
        write(tmp_path / f"images-{images:05d}")
    prune_states(tmp_path, keep=2)
    assert [path.name for path in list_states(tmp_path)] == ["images-00200", "images-00030"]
    assert list_states(tmp_path / "nowhere") == []


def test_a_failed_write_leaves_the_older_folder_unchanged(
    tmp_path: Path,
) -> None:
    final = write(tmp_path / "state", "old")

    @report_write_errors(final)
    def fail() -> None:
        (create_temporary_folder(final) / "file").write_text("half")
        raise OSError("No space left on device")

    with pytest.raises(CheckpointError, match=r"state could not be written .+ device\): make room"):
        fail()
    assert is_intact(final)
    assert [path.name for path in tmp_path.iterdir()] == ["state"]


def test_a_failed_rename_leaves_the_older_folder_unchanged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    final, replace = write(tmp_path / "state", "old"), os.replace

    def fail(source: Path, target: Path) -> None:
        if temporary_path(final) == source:
            raise PermissionError(errno.EACCES, "Permission denied")
        replace(source, target)

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(CheckpointError, match="what was saved before is untouched"):
        write(final, "new")
    assert (final / "sub" / "file").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["state"]


def test_on_windows_files_are_flushed_and_no_folder_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os_open, opened, file = os.open, [], tmp_path / "file"
    file.touch()

    def record(path: Path, flags: int) -> int:
        opened.append((path, flags))
        return os_open(path, flags)

    with monkeypatch.context() as windows:
        windows.setattr(os, "name", "nt")
        windows.setattr(os, "open", record)
        fsync_path(file)
        fsync_path(tmp_path)
    assert opened == [(file, os.O_RDWR)]


def test_file_systems_that_cannot_flush_folders_are_supported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os_open, folders = os.open, []

    def open_files_only(path: Path, flags: int, *args: Any, **kwargs: Any) -> int:
        if isinstance(path, Path) and path.is_dir():
            folders.append(path)
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return os_open(path, flags, *args, **kwargs)

    monkeypatch.setattr(os, "open", open_files_only)
    final = write(tmp_path / "state")
    assert is_intact(final)
    assert tmp_path in folders


def test_fsync_of_a_missing_file_raises(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        fsync_path(tmp_path / "nowhere")


def test_a_forbidden_write_is_not_reported_as_a_full_disk(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CheckpointError, match=r"could not be written .+ let this user write there"):
        create_temporary_folder(tmp_path / "file" / "state")
