"""Tests of how images go to disk."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from fashion_ddpm.checkpoints.errors import CheckpointError
from fashion_ddpm.core.images import read_settings
from fashion_ddpm.core.requests import GenerateRequest, RequestError
from fashion_ddpm.demo.share import parse_picture
from fashion_ddpm.diffusion.pipeline import Batch
from fashion_ddpm.generation.files import check_output, picture_name, save
from tests.tools.full_disk import limit_file_size

REQUEST = GenerateRequest(class_name="all", num_images=12, seed=100)
ABOUT = {"model": "0123456789ab"}


def batches() -> list[Batch]:
    images = torch.randint(256, (12, 28, 28), generator=torch.Generator().manual_seed(0)).byte()
    labels = torch.tensor(REQUEST.labels())
    return [
        Batch(images[:8], labels[:8], list(range(100, 108)), torch.ones(8, dtype=torch.bool)),
        Batch(images[8:], labels[8:], list(range(108, 112)), torch.ones(4, dtype=torch.bool)),
    ]


def test_npz_holds_images_labels_and_seeds(tmp_path: Path) -> None:
    save(batches(), tmp_path / "out.npz", REQUEST, ABOUT)
    with np.load(tmp_path / "out.npz") as arrays:
        assert arrays["images"].shape == (12, 28, 28)
        assert arrays["images"].dtype == np.uint8
        assert arrays["labels"].dtype == arrays["seeds"].dtype == np.int64
        assert arrays["seeds"].tolist() == list(range(100, 112))
    assert len(list(tmp_path.iterdir())) == 1


def test_png_is_a_grid_with_its_settings(tmp_path: Path) -> None:
    save(batches(), tmp_path / "out.png", REQUEST, ABOUT)
    assert read_settings(tmp_path / "out.png") == REQUEST.as_settings() | ABOUT


def test_a_folder_has_one_lossless_png_an_image_with_its_own_settings(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    save(batches(), folder, REQUEST, ABOUT)
    rows = [json.loads(line) for line in (folder / "metadata.jsonl").read_text().splitlines()]
    assert len(rows) == 12
    images = torch.cat([batch.images for batch in batches()])
    for row, image in zip(rows, images, strict=True):
        path = folder / row["file_name"]
        with Image.open(path) as picture:
            assert np.array_equal(np.asarray(picture), image.numpy())
        again = parse_picture(path)
        assert again.model == ABOUT["model"]
        assert again.request.seed == row["seed"]
        assert again.request.labels() == [row["label"]]


def test_what_is_in_the_way_is_refused_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("mine")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(RequestError, match="not an empty folder"):
        check_output(tmp_path / "full")
    with pytest.raises(RequestError, match="a folder; name a file"):
        check_output(tmp_path / "folder.png")
    with pytest.raises(RequestError, match=r"a single file is \.png or \.npz"):
        check_output(tmp_path / "grid.JPG")
    check_output(tmp_path / "new" / "deep.npz")
    check_output(tmp_path / "another")


def test_a_files_name_is_one_that_every_system_takes() -> None:
    names = ("a:b?", "c*d")
    assert picture_name(GenerateRequest("a:b?", seed=3, class_names=names)) == "a-b--0000000003.png"


@pytest.mark.parametrize("name", ["out.npz", "out.PNG", "out"])
def test_a_full_disk_costs_one_sentence_and_leaves_nothing(tmp_path: Path, name: str) -> None:
    with (
        limit_file_size(100),
        pytest.raises(CheckpointError, match=f"{name} could not .+ make room"),
    ):
        save(batches(), tmp_path / name, REQUEST, ABOUT)
    assert not list(tmp_path.iterdir())
    save(batches(), tmp_path / name, REQUEST, ABOUT)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_folder_that_was_left_half_written_is_made_again(tmp_path: Path) -> None:
    def stopped() -> Iterator[Batch]:
        yield batches()[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        save(stopped(), tmp_path / "out", REQUEST, ABOUT)
    check_output(tmp_path / "out")
    save(batches(), tmp_path / "out", REQUEST, ABOUT)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert len(list((tmp_path / "out").glob("*.png"))) == 12
