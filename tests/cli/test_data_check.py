"""Tests of the data check: it passes real data and names each thing that can be wrong."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image

from fashion_ddpm.cli.data_check import SUBSET, check_data, check_split
from fashion_ddpm.core.image_kind import FASHION_MNIST
from fashion_ddpm.data.fashion_mnist import load_split, raw_folder
from fashion_ddpm.data.labelled_images import DataError, LabelledImages
from tests.tools.make_data import write_checksums, write_raw


def test_real_data_passes_and_leaves_a_labelled_picture(data_dir: Path, tmp_path: Path) -> None:
    lines = list(check_data(data_dir, tmp_path / "data.png"))
    assert any("round trips exact" in line for line in lines)
    assert any("checksums" in line for line in lines)
    with Image.open(tmp_path / "data.png") as picture:
        assert picture.width > 12 * 28


def shuffled(split: LabelledImages) -> LabelledImages:
    order = torch.randperm(len(split), generator=torch.Generator().manual_seed(0))
    return LabelledImages(split.images, split.labels[order], kind=FASHION_MNIST)


def inverted(split: LabelledImages) -> LabelledImages:
    return LabelledImages(255 - split.images, split.labels, kind=FASHION_MNIST)


def between_0_and_1(split: LabelledImages) -> LabelledImages:
    return LabelledImages(split.images // 255, split.labels, kind=FASHION_MNIST)


def floats(split: LabelledImages) -> LabelledImages:
    return LabelledImages(split.images / 255, split.labels, kind=FASHION_MNIST)


def dimmed(split: LabelledImages) -> LabelledImages:
    return LabelledImages(split.images // 2, split.labels, kind=FASHION_MNIST)


def wrong_label(split: LabelledImages) -> LabelledImages:
    return LabelledImages(split.images, split.labels + 1, kind=FASHION_MNIST)


def unbalanced(split: LabelledImages) -> LabelledImages:
    return LabelledImages(split.images[1:], split.labels[1:], kind=FASHION_MNIST)


@pytest.mark.parametrize(
    ("damage", "part"),
    [
        (shuffled, "labels do not belong to the images"),
        (inverted, "inverted"),
        (between_0_and_1, r"they lie in \[0, 1\]"),
        (floats, "must be uint8"),
        (dimmed, "these are other images"),
        (wrong_label, "labels reach from 1 to 10"),
        (unbalanced, "unequal counts"),
    ],
)
def test_each_damage_is_named(
    real: LabelledImages, damage: Callable[[LabelledImages], LabelledImages], part: str
) -> None:
    with pytest.raises(DataError, match=part):
        list(check_split("test", damage(real), SUBSET))


def test_damage_in_the_files_themselves_is_found(data_dir: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    shutil.copytree(data_dir, folder)
    write_raw(raw_folder(folder), inverted(load_split(data_dir, "test")), "t10k")
    write_checksums(raw_folder(folder))
    with pytest.raises(DataError, match="inverted"):
        list(check_data(folder))


def test_a_subset_that_claims_to_be_official_is_refused(data_dir: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    shutil.copytree(data_dir, folder)
    (raw_folder(folder) / "MD5SUMS").unlink()
    with pytest.raises(DataError, match=r"these are other images|has 420 images"):
        list(check_data(folder))
