"""Tests of the temporary folder and its size limit."""

import os
import tempfile
from pathlib import Path
from typing import Any

import pytest

from fashion_ddpm.server import temporary_files
from fashion_ddpm.server.errors import ServerError
from fashion_ddpm.server.temporary_files import (
    SHARED_MEMORY_DIR,
    Sweeper,
    choose_folder,
    sweep,
    temporary_root,
)


def make_files(folder: Path, count: int, size: int = 1000) -> list[Path]:
    """Write files, each in its own folder; return their paths, oldest first."""
    paths = [folder / str(number) / "image.png" for number in range(count)]
    for number, path in enumerate(paths):
        path.parent.mkdir()
        path.write_bytes(bytes(size))
        os.utime(path, (number, number))
    return paths


def test_the_oldest_files_are_removed_but_not_protected_ones(tmp_path: Path) -> None:
    paths = make_files(tmp_path, 5)
    assert sweep(tmp_path, 2500, frozenset(paths[:1])) == 2000
    assert [path.exists() for path in paths] == [True, False, False, False, True]
    assert not paths[1].parent.exists()


def test_a_small_folder_is_unchanged(tmp_path: Path) -> None:
    paths = make_files(tmp_path, 3)
    assert sweep(tmp_path, 3000) == 3000
    assert all(path.exists() for path in paths)


def test_the_sweeper_runs_in_background(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(temporary_files, "SWEEP_SECONDS", 0.01)
    paths = make_files(tmp_path, 3)
    sweeper = Sweeper(tmp_path, 1000, frozenset())
    while paths[1].exists():
        pass
    sweeper.close()
    assert paths[2].exists()


def test_a_folder_that_is_not_writable_is_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("TMPDIR", str(tmp_path / "file"))
    monkeypatch.setenv("TEMP", str(tmp_path))
    folder = choose_folder()
    assert folder.parent == tmp_path
    assert list(folder.iterdir()) == []


def test_no_writable_folder_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**options: Any) -> str:
        raise OSError

    monkeypatch.setattr(tempfile, "mkdtemp", fail)
    with pytest.raises(ServerError, match="no folder has room for"):
        choose_folder()


def test_shared_memory_is_the_last_resort(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> str:
        raise FileNotFoundError

    assert temporary_root() == tempfile.gettempdir()
    monkeypatch.setattr(tempfile, "gettempdir", fail)
    assert temporary_root() == str(SHARED_MEMORY_DIR)
