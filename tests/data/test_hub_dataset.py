"""Tests of data sets read with the package datasets, here from local folders."""

import io
from pathlib import Path

import pytest
from PIL import Image

from fashion_ddpm.data import hub_dataset
from fashion_ddpm.data.hub_dataset import list_hub_dataset
from fashion_ddpm.data.labelled_images import DataError
from tests.tools.shapes import SHAPES, draw_shape, write_shapes


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use a temporary cache."""
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", str(tmp_path / "cache"))


def test_a_local_folder_gives_classes_splits_and_pictures(tmp_path: Path) -> None:
    write_shapes(tmp_path / "data" / "train", 4)
    write_shapes(tmp_path / "data" / "test", 2)
    listing = list_hub_dataset(str(tmp_path / "data"))
    assert listing.class_names == SHAPES
    assert [len(listing.train), len(listing.test)] == [12, 6]
    assert sorted(picture.label for picture in listing.test) == [0, 0, 1, 1, 2, 2]
    (first,) = [picture for picture in listing.train if picture.label == 1][:1]
    with Image.open(io.BytesIO(first.read())) as picture:
        assert picture.convert("RGB").tobytes() in {
            draw_shape("square", seed).tobytes() for seed in range(4)
        }


def test_a_damaged_picture_is_found_when_it_is_opened(tmp_path: Path) -> None:
    write_shapes(tmp_path / "data" / "train", 2)
    (tmp_path / "data" / "train" / "circle" / "0000.png").write_text("no picture")
    listing = list_hub_dataset(str(tmp_path / "data"))
    failed = 0
    for picture in listing.train:
        try:
            Image.open(io.BytesIO(picture.read()))
        except OSError:
            failed += 1
    assert failed == 1


def test_a_data_set_without_labels_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    draw_shape("circle", 1).save(tmp_path / "data" / "one.png")
    with pytest.raises(DataError, match="has the columns image; it must have one of images and"):
        list_hub_dataset(str(tmp_path / "data"))


def test_a_missing_data_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="could not be loaded"):
        list_hub_dataset(str(tmp_path / "nowhere"))


def test_without_the_package_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hub_dataset, "find_spec", lambda name: None)
    with pytest.raises(DataError, match="run pip install datasets"):
        list_hub_dataset("ada/boots")
