"""Tests of writing, updating and checking manifests."""

import json
from pathlib import Path

import pytest

from fashion_ddpm.checkpoints.manifest import (
    MANIFEST,
    files_to_list,
    find_faults,
    is_intact,
    read_manifest,
    update_manifest,
    write_manifest,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two files, one of them in a subfolder."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "file").write_text("content")
    (tmp_path / "other").write_text("content")
    write_manifest(tmp_path)
    return tmp_path


def test_changed_and_missing_files_and_damaged_manifests_are_found(folder: Path) -> None:
    assert is_intact(folder)
    (folder / "sub" / "file").write_text("damaged")
    assert not is_intact(folder)
    (folder / "other").unlink()
    (folder / "other").mkdir()
    assert [fault.split(" is ")[0] for fault in find_faults(folder)] == ["other", "sub/file"]
    assert list(find_faults(folder, "other")) == ["other is missing"]
    for nothing in ("{", "{}", "[]"):
        (folder / MANIFEST).write_text(nothing)
        assert not is_intact(folder)
    assert not is_intact(folder / "nowhere")


def test_updating_one_file_hides_no_damage_of_another(folder: Path) -> None:
    for name in ("sub/file", "other"):
        (folder / name).write_text("changed")
    update_manifest(folder, "other")
    assert [fault.split(" is ")[0] for fault in find_faults(folder)] == ["sub/file"]


def test_updating_creates_a_missing_manifest(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("content")
    update_manifest(tmp_path, "file")
    assert list(read_manifest(tmp_path)) == ["file"]
    assert is_intact(tmp_path)


def test_files_of_a_nested_manifest_are_not_listed(folder: Path) -> None:
    write_manifest(folder / "sub")
    (folder / "sub" / "card").write_text("made later")
    assert files_to_list(folder) == ["other", "sub/card"]


@pytest.mark.parametrize("content", [[], {"file": 3}, {"/etc/passwd": "0"}, {"a/../../b": "0"}])
def test_an_invalid_manifest_is_a_fault(folder: Path, content: object) -> None:
    (folder / MANIFEST).write_text(json.dumps(content))
    assert list(find_faults(folder)) == [f"{MANIFEST} is no list of files (ValueError)"]
