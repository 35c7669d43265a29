"""Tests of where temporary pictures lie, and how many."""

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


def filled(folder: Path, count: int, size: int = 1000) -> list[Path]:
    """Return files in folders of their own, oldest first."""
    paths = [folder / str(number) / "image.png" for number in range(count)]
    for number, path in enumerate(paths):
        path.parent.mkdir()
        path.write_bytes(bytes(size))
        os.utime(path, (number, number))
    return paths


def test_the_oldest_files_go_first_and_the_pages_own_never(tmp_path: Path) -> None:
    paths = filled(tmp_path, 5)
    assert sweep(tmp_path, 2500, frozenset(paths[:1])) == 2000
    assert [path.exists() for path in paths] == [True, False, False, False, True]
    assert not paths[1].parent.exists()


def test_a_folder_that_weighs_little_is_left_alone(tmp_path: Path) -> None:
    paths = filled(tmp_path, 3)
    assert sweep(tmp_path, 3000) == 3000
    assert all(path.exists() for path in paths)


def test_the_sweeper_does_it_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(temporary_files, "SWEEP_SECONDS", 0.01)
    paths = filled(tmp_path, 3)
    sweeper = Sweeper(tmp_path, 1000, frozenset())
    while paths[1].exists():
        pass
    sweeper.close()
    assert paths[2].exists()


def test_a_folder_that_cannot_be_written_to_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("TMPDIR", str(tmp_path / "file"))
    monkeypatch.setenv("TEMP", str(tmp_path))
    folder = choose_folder()
    assert folder.parent == tmp_path
    assert list(folder.iterdir()) == []


def test_no_folder_at_all_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**options: Any) -> str:
        raise OSError

    monkeypatch.setattr(tempfile, "mkdtemp", full)
    with pytest.raises(ServerError, match="no folder has room for"):
        choose_folder()


def test_the_memory_is_the_last_resort(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> str:
        raise FileNotFoundError

    assert temporary_root() == tempfile.gettempdir()
    monkeypatch.setattr(tempfile, "gettempdir", nowhere)
    assert temporary_root() == str(SHARED_MEMORY_DIR)
