"""Tests of the data sets and of what damaged ones cost."""

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
    """A folder with the small data that a test may damage."""
    shutil.copytree(data_dir, tmp_path / "data")
    return tmp_path / "data"


def test_splits_have_the_announced_shares_and_types(data_dir: Path) -> None:
    train, validation, test = (load_split(data_dir, n) for n in ("train", "validation", "test"))
    assert (len(train), len(validation), len(test)) == (385, 35, 200)
    assert train.images.dtype == torch.uint8
    assert train.images.shape[1:] == (28, 28)
    assert train.labels.dtype == torch.int64
    assert set(class_counts(test).values()) == {20}


def test_validation_is_fixed_and_shares_no_image_with_training(data_dir: Path) -> None:
    train, validation = load_split(data_dir, "train"), load_split(data_dir, "validation")
    assert torch.equal(validation.images, load_split(data_dir, "validation").images)
    known = {image.numpy().tobytes() for image in train.images}
    assert not any(image.numpy().tobytes() in known for image in validation.images)


def test_a_split_can_be_cut_short(data_dir: Path) -> None:
    whole = load_split(data_dir, "test")
    part = whole.take(30)
    assert (part.images == whole.images[:30]).all()
    assert (part.labels == whole.labels[:30]).all()
    assert len(whole.take(10**6)) == len(whole)


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
def test_a_file_that_is_no_data_costs_one_sentence(copy: Path, content: bytes, part: str) -> None:
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
