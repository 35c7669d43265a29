"""Tests of a folder of shards."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from fashion_ddpm.checkpoints.atomic_folders import temporary_path
from fashion_ddpm.core.json_files import FileError
from fashion_ddpm.core.requests import GenerateRequest, RequestError
from fashion_ddpm.generation.shards import DEFAULT_SHARD_SIZE, SETTINGS_FILE, Shards, shard_size

REQUEST = GenerateRequest("all", num_images=25, seed=7)


def shards(folder: Path, **changes: Any) -> Shards:
    return dataclasses.replace(Shards(folder, REQUEST, 10, "abc"), **changes)


@pytest.mark.parametrize("size", [1, 7, 10, 25, 100])
def test_every_image_is_in_one_shard(tmp_path: Path, size: int) -> None:
    mine = shards(tmp_path, size=size)
    rows = [row for index in range(mine.count) for row in mine.rows(index)]
    assert rows == list(range(25))
    assert all(len(mine.rows(index)) == size for index in range(mine.count - 1))


def test_what_is_missing_is_what_has_no_file(tmp_path: Path) -> None:
    mine = shards(tmp_path)
    assert mine.find_missing() == [0, 1, 2]
    mine.path(1).touch()
    assert mine.find_missing() == [0, 2]


def test_the_same_run_may_go_on_in_its_folder(tmp_path: Path) -> None:
    for _ in range(2):
        shards(tmp_path / "deep" / "new").check()
        shards(tmp_path / "deep" / "new").create_folder()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"request": dataclasses.replace(REQUEST, seed=8)}, r"\(seed 7, not 8\)"),
        ({"request": dataclasses.replace(REQUEST, num_images=26)}, r"\(num_images 25, not 26\)"),
        ({"size": 20}, r"\(shard_size 10, not 20\)"),
        ({"weights": "xyz"}, r"\(weights_sha256 'abc', not 'xyz'\)"),
    ],
)
def test_another_run_in_the_same_folder_is_refused(
    tmp_path: Path, changes: dict[str, Any], expected: str
) -> None:
    shards(tmp_path).create_folder()
    with pytest.raises(RequestError, match=expected):
        shards(tmp_path, **changes).check()


def test_a_folder_or_file_of_others_is_refused_and_a_kill_at_the_very_start_is_not(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").write_text("mine")
    for taken in (tmp_path, tmp_path / "file"):
        with pytest.raises(RequestError, match="neither an empty folder nor one of shards"):
            shards(taken).check()
    (tmp_path / "new").mkdir()
    temporary_path(tmp_path / "new" / SETTINGS_FILE).write_text("{")
    shards(tmp_path / "new").check()


@pytest.mark.parametrize(
    ("output", "num_images", "wanted", "expected"),
    [
        ("folder", DEFAULT_SHARD_SIZE, None, None),
        ("folder", DEFAULT_SHARD_SIZE + 1, None, DEFAULT_SHARD_SIZE),
        ("folder", 5, 2, 2),
        ("out.npz", DEFAULT_SHARD_SIZE + 1, None, None),
        ("out.png", DEFAULT_SHARD_SIZE + 1, None, None),
    ],
)
def test_a_folder_of_many_images_is_made_of_shards(
    output: str, num_images: int, wanted: int | None, expected: int | None
) -> None:
    assert shard_size(Path(output), num_images, wanted) == expected


def test_shards_that_cannot_be_are_refused() -> None:
    with pytest.raises(RequestError, match="--shard-size is 0; it must be at least 1"):
        shard_size(Path("folder"), 5, 0)
    with pytest.raises(RequestError, match=r"output is out\.npz, one file"):
        shard_size(Path("out.npz"), 5, 2)


def test_damaged_settings_cost_a_sentence(tmp_path: Path) -> None:
    mine = shards(tmp_path / "shards")
    mine.create_folder()
    (mine.folder / SETTINGS_FILE).write_text("{")
    with pytest.raises(FileError, match=rf"{SETTINGS_FILE} .+ name a new folder"):
        mine.check()
