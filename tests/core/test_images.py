"""Tests of the pixel ranges, the grids and the PNG files."""

from pathlib import Path

import numpy as np
import pytest
import torch

from fashion_ddpm.core.images import (
    enlarge,
    make_grid,
    make_labelled_grid,
    read_settings,
    save_png,
    to_model,
    to_uint8,
)


def test_all_256_values_survive_the_round_trip() -> None:
    images = torch.arange(256, dtype=torch.uint8).view(1, 16, 16)
    assert torch.equal(to_uint8(to_model(images)), images)


def test_to_model_gives_floats_between_minus_one_and_one() -> None:
    model = to_model(torch.tensor([[[0, 255]]], dtype=torch.uint8))
    assert model.shape == (1, 1, 1, 2)
    assert model.flatten().tolist() == [-1, 1]


def test_to_uint8_clamps_values_out_of_range() -> None:
    assert to_uint8(torch.tensor([[[[-3.0, 3.0]]]])).flatten().tolist() == [0, 255]


@pytest.mark.parametrize("images", [torch.rand(2, 28, 28), torch.zeros(28, 28, dtype=torch.uint8)])
def test_to_model_refuses_other_types_and_shapes(images: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="must be uint8"):
        to_model(images)


def test_grid_puts_images_in_rows_with_a_gap() -> None:
    images = torch.full((3, 4, 4), 200, dtype=torch.uint8)
    picture = np.asarray(make_grid(images, columns=2))
    assert picture.shape == (10, 10)
    assert picture[:4, :4].min() == 200
    assert picture[4:6].max() == 0
    assert picture[6:, 6:].max() == 0


def test_enlarging_repeats_pixels() -> None:
    image = torch.tensor([[0, 255], [10, 20]], dtype=torch.uint8)
    large = np.asarray(enlarge(image, 3))
    assert np.array_equal(large, image.numpy().repeat(3, 0).repeat(3, 1))


def test_png_carries_its_settings(tmp_path: Path) -> None:
    path = tmp_path / "image.png"
    save_png(enlarge(torch.zeros(4, 4, dtype=torch.uint8), 1), path, {"seed": 7})
    assert read_settings(path) == {"seed": 7}


def test_labelled_grid_has_a_row_for_each_name() -> None:
    images = torch.full((2, 4, 4), 255, dtype=torch.uint8)
    picture = make_labelled_grid({"one": images, "two": images}, scale=10)
    assert picture.height == 2 * 40 + 20


def test_colours_survive_the_round_trip_and_the_grid() -> None:
    images = torch.randint(256, (3, 8, 8, 3), dtype=torch.uint8)
    assert to_model(images).shape == (3, 3, 8, 8)
    assert torch.equal(to_uint8(to_model(images)), images)
    picture = np.asarray(make_grid(images, columns=3))
    assert np.array_equal(picture[:, 10:18], images[1])
    assert make_labelled_grid({"one": images}).mode == "RGB"
