"""Tests of loading any --dataset as three splits."""

from pathlib import Path

import pytest
import torch

from fashion_ddpm.core.data_settings import DataSettings
from fashion_ddpm.core.image_kind import FASHION_MNIST, ImageKind
from fashion_ddpm.core.settings import ConfigError
from fashion_ddpm.data.fashion_mnist import load_split
from fashion_ddpm.data.labelled_images import DataError
from fashion_ddpm.data.load import DataSet, load_data_set
from tests.tools.shapes import SHAPES, draw_shape, write_shapes


def load(folder: Path) -> DataSet:
    return load_data_set(DataSettings(dataset=f"imagefolder:{folder}"))


def test_fashion_mnist_has_its_fixed_splits(data_dir: Path) -> None:
    data = load_data_set(DataSettings(data_dir=str(data_dir)))
    assert data.kind == FASHION_MNIST
    for name in ("train", "validation", "test"):
        assert torch.equal(getattr(data, name).images, load_split(data_dir, name).images)


def test_image_folders_are_split_deterministically_by_class(tmp_path: Path) -> None:
    folder = write_shapes(tmp_path / "shapes", 24)
    data, again = load(folder), load(folder)
    assert data.kind == ImageKind(SHAPES, image_size=32, channels=3)
    assert data.name == "imagefolder:shapes"
    assert torch.equal(data.train.images, again.train.images)
    known = {draw_shape(name, seed).tobytes(): name for name in SHAPES for seed in range(24)}
    for split, count in ((data.train, 20), (data.validation, 2), (data.test, 2)):
        assert torch.bincount(split.labels).tolist() == [count] * 3
        assert split.images.shape[1:] == (32, 32, 3)
        # Each picture is in one split alone, under the label of its class.
        names = [known.pop(image.numpy().tobytes()) for image in split.images]
        assert names == [SHAPES[label] for label in split.labels]
    assert not known


def test_the_first_images_of_a_split_are_of_all_classes(tmp_path: Path) -> None:
    write_shapes(tmp_path / "train", 24)
    write_shapes(tmp_path / "test", 24)
    data = load(tmp_path)
    for split in (data.train, data.test):
        assert set(split.take(15).labels.tolist()) == {0, 1, 2}


def test_a_test_folder_is_the_test_split(tmp_path: Path) -> None:
    write_shapes(tmp_path / "train", 12)
    write_shapes(tmp_path / "test", 5)
    data = load(tmp_path)
    assert [len(data.train), len(data.validation), len(data.test)] == [33, 3, 15]


def test_damaged_pictures_change_no_label_and_no_split(tmp_path: Path) -> None:
    write_shapes(tmp_path / "train", 40)
    write_shapes(tmp_path / "test", 5)
    (tmp_path / "train" / "circle" / "0003.png").write_bytes(b"no picture")
    data = load(tmp_path)
    assert len(data.train) + len(data.validation) == 119
    assert torch.bincount(data.test.labels).tolist() == [5, 5, 5]
    assert "train/circle/0003.png" in data.notes[0]
    assert data.notes[0] in list(data.lines())


def test_the_lines_count_each_class(tmp_path: Path) -> None:
    write_shapes(tmp_path / "shapes", 12)
    for path in sorted((tmp_path / "shapes" / "circle").iterdir())[:4]:
        path.unlink()
    first, train, validation, _ = load(tmp_path / "shapes").lines()
    assert first.startswith("imagefolder:shapes: colour images of 32×32 pixels, classes circle,")
    assert train == "train: 28 images (circle 8, square 10, triangle 10)"
    assert validation == "validation: 2 images (circle 0, square 1, triangle 1)"


def test_too_few_pictures_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no class has 12 pictures"):
        load(write_shapes(tmp_path, 11))


def test_class_folders_with_reserved_names_are_refused(tmp_path: Path) -> None:
    write_shapes(tmp_path, 1)
    (tmp_path / "circle").rename(tmp_path / "All")
    with pytest.raises(ConfigError, match="named 'All', which means something else"):
        load(tmp_path)


def test_a_data_set_may_have_one_class(tmp_path: Path) -> None:
    (tmp_path / "circle").mkdir()
    for seed in range(12):
        draw_shape("circle", seed, 16, "L").save(tmp_path / "circle" / f"{seed}.png")
    assert load(tmp_path).kind == ImageKind(("circle",), image_size=16, channels=1)
