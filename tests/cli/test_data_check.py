"""Tests of the data check: it accepts real data and reports each kind of damage."""

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image

from fashion_ddpm.cli.data_check import SUBSET_TOLERANCE, check_data, check_split
from fashion_ddpm.data.fashion_mnist import load_split, raw_folder
from fashion_ddpm.data.labelled_images import DataError, LabelledImages
from tests.tools.make_data import write_checksums, write_raw


def test_real_data_passes_and_leaves_a_labelled_picture(data_dir: Path, tmp_path: Path) -> None:
    lines = list(check_data(data_dir, tmp_path / "data.png"))
    assert any("round trips exact" in line for line in lines)
    assert any("checksums" in line for line in lines)
    with Image.open(tmp_path / "data.png") as picture:
        assert picture.width > 12 * 28


def replace(split: LabelledImages, **changes: torch.Tensor) -> LabelledImages:
    return dataclasses.replace(split, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("damage", "part"),
    [
        (lambda real: replace(real, labels=real.labels.roll(7)), "labels do not belong to the im"),
        (lambda real: replace(real, images=255 - real.images), "inverted"),
        (lambda real: replace(real, images=real.images // 255), r"they lie in \[0, 1\]"),
        (lambda real: replace(real, images=real.images / 255), "must be uint8"),
        (lambda real: replace(real, images=real.images // 2), "these are other images"),
        (lambda real: replace(real, labels=real.labels + 1), "labels reach from 1 to 10"),
        (lambda real: real.select(slice(1, None)), "unequal counts"),
    ],
)
def test_each_kind_of_damage_is_reported(
    real_images: LabelledImages, damage: Callable[[LabelledImages], LabelledImages], part: str
) -> None:
    with pytest.raises(DataError, match=part):
        list(check_split("test", damage(real_images), SUBSET_TOLERANCE))


def test_damage_in_the_files_is_found(data_dir: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    shutil.copytree(data_dir, folder)
    test = load_split(data_dir, "test")
    write_raw(raw_folder(folder), replace(test, images=255 - test.images), "t10k")
    write_checksums(raw_folder(folder))
    with pytest.raises(DataError, match="inverted"):
        list(check_data(folder))


def test_a_subset_that_claims_to_be_official_is_refused(data_dir: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    shutil.copytree(data_dir, folder)
    (raw_folder(folder) / "MD5SUMS").unlink()
    with pytest.raises(DataError, match=r"these are other images|has 420 images"):
        list(check_data(folder))
