"""Tests that a folder is written whole or not at all."""

from pathlib import Path

import pytest

from fashion_ddpm.manifest import is_whole
from fashion_ddpm.saved_states import (
    SaveError,
    prune,
    seal,
    states,
    temporary_folder,
    writing,
)


def write(final: Path, content: str = "content") -> Path:
    folder = temporary_folder(final)
    (folder / "sub").mkdir()
    (folder / "sub" / "file").write_text(content)
    seal(final)
    return final


def test_a_sealed_folder_is_whole_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    final = write(tmp_path / "a" / "state")
    assert is_whole(final)
    assert [path.name for path in final.parent.iterdir()] == ["state"]


def test_sealing_replaces_an_older_folder(tmp_path: Path) -> None:
    final = write(write(tmp_path / "state", "old"), "new")
    assert (final / "sub" / "file").read_text() == "new"


def test_an_unsealed_folder_is_no_state_and_is_emptied_on_the_next_try(tmp_path: Path) -> None:
    folder = temporary_folder(tmp_path / "images-1")
    (folder / "half").write_text("half")
    assert states(tmp_path) == []
    assert not list(temporary_folder(tmp_path / "images-1").iterdir())


def test_the_newest_states_are_kept(tmp_path: Path) -> None:
    for images in (5, 30, 200):
        write(tmp_path / f"images-{images:05d}")
    prune(tmp_path, keep=2)
    assert [path.name for path in states(tmp_path)] == ["images-00200", "images-00030"]
    assert states(tmp_path / "nowhere") == []


def test_a_failed_write_costs_one_sentence_and_leaves_the_older_folder_alone(
    tmp_path: Path,
) -> None:
    final = write(tmp_path / "state", "old")

    @writing(final)
    def fail() -> None:
        (temporary_folder(final) / "file").write_text("half")
        raise OSError("No space left on device")

    with pytest.raises(SaveError, match=r"state could not be written .+ device\): make room"):
        fail()
    assert is_whole(final)
    assert [path.name for path in tmp_path.iterdir()] == ["state"]
