"""Tests of loading Fashion-MNIST and of damaged files."""

import gzip
import shutil
from pathlib import Path

import pytest
import torch

from fashion_ddpm.data.fashion_mnist import load_split, raw_folder
from fashion_ddpm.data.labelled_images import DataError, class_counts
from tests.tools.make_data import write_checksums

IMAGES = "train-images-idx3-ubyte.gz"


@pytest.fixture
def copy(tmp_path: Path, data_dir: Path) -> Path:
    """A copy of the small data set."""
    shutil.copytree(data_dir, tmp_path / "data")
    return tmp_path / "data"


def test_splits_have_the_documented_sizes_and_types(data_dir: Path) -> None:
    train, validation, test = (load_split(data_dir, n) for n in ("train", "validation", "test"))
    assert (len(train), len(validation), len(test)) == (385, 35, 200)
    assert train.images.dtype == torch.uint8
    assert train.images.shape[1:] == (28, 28)
    assert train.labels.dtype == torch.int64
    assert set(class_counts(test).values()) == {20}


def test_validation_is_fixed_and_shares_no_image_with_training(data_dir: Path) -> None:
    train, validation = load_split(data_dir, "train"), load_split(data_dir, "validation")
    assert torch.equal(validation.images, load_split(data_dir, "validation").images)
    train_images = {image.numpy().tobytes() for image in train.images}
    assert not any(image.numpy().tobytes() in train_images for image in validation.images)


def test_take_returns_the_first_images(data_dir: Path) -> None:
    images = load_split(data_dir, "test")
    part = images.take(30)
    assert (part.images == images.images[:30]).all()
    assert (part.labels == images.labels[:30]).all()
    assert len(images.take(10**6)) == len(images)


def test_packed_and_unpacked_files_give_the_same_images(data_dir: Path, copy: Path) -> None:
    for path in raw_folder(copy).glob("*.gz"):
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    assert torch.equal(load_split(copy, "test").images, load_split(data_dir, "test").images)


def test_nothing_is_written_beside_the_packed_files(copy: Path) -> None:
    before = set(copy.rglob("*"))
    load_split(copy, "train")
    assert set(copy.rglob("*")) == before


def test_a_changed_file_is_found_by_its_checksum(copy: Path) -> None:
    path = raw_folder(copy) / IMAGES
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(DataError, match=f"{IMAGES} has md5 .+ delete it"):
        load_split(copy, "train")


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (gzip.compress(b"\0" * 100), "not in the IDX format"),
        (b"not packed at all", "cannot be unpacked"),
        (gzip.compress(b"\0" * 10_000)[:-20], "cannot be unpacked"),
    ],
    ids=["not IDX", "not packed", "cut off"],  # packed bytes hold the time: no names for tests
)
def test_a_damaged_file_is_refused(copy: Path, content: bytes, part: str) -> None:
    (raw_folder(copy) / IMAGES).write_bytes(content)
    write_checksums(raw_folder(copy))
    with pytest.raises(DataError, match=part):
        load_split(copy, "train")


def test_without_data_and_network_the_message_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "torchvision.datasets.FashionMNIST.mirrors", ["http://127.0.0.1:9/nothing/"]
    )
    with pytest.raises(DataError, match=r"could not be downloaded .+ put its four \.gz files"):
        load_split(tmp_path, "train")
