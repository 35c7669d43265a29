"""Tests of the distances: against closed forms and at their extremes."""

import math

import pytest
import torch
from torch import Tensor

from fashion_ddpm.evaluation.metrics import (
    ball_radii,
    frechet_distance,
    kernel_distance,
    neighbourhoods,
)


def normal(count: int, seed: int, dimensions: int = 8) -> Tensor:
    return torch.randn(count, dimensions, generator=torch.Generator().manual_seed(seed))


def test_the_frechet_distance_of_gaussians_has_its_closed_form() -> None:
    x = normal(200_000, 0, 4)
    expected = 4 * 0.5**2 + 4 * (2 - 1) ** 2
    assert frechet_distance(x, 2 * x + 0.5) == pytest.approx(expected, rel=0.01)
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-9)


def test_the_frechet_distance_of_one_repeated_image_is_a_number() -> None:
    repeated = torch.ones(50, 8)
    assert frechet_distance(repeated, repeated) == 0
    assert math.isfinite(frechet_distance(repeated, normal(50, 1)))


def test_one_block_of_the_kernel_distance_is_the_mean_of_the_kernel_without_each_image_itself() -> (
    None
):
    x, y = torch.tensor([[0.0], [1.0]]), torch.tensor([[1.0], [2.0]])
    # (1·0 + 1)³ + (1·2 + 1)³ − 2 · ((0 + 1)³ + (0 + 1)³ + (1 + 1)³ + (2 + 1)³) / 4
    assert kernel_distance(x, y).value == pytest.approx(1 + 27 - 2 * (1 + 1 + 8 + 27) / 4)


def test_the_kernel_distance_is_zero_within_its_interval_only_for_equal_sources() -> None:
    same = kernel_distance(normal(4_000, 0), normal(4_000, 1))
    assert abs(same.value) < 3 * same.half_width
    other = kernel_distance(normal(4_000, 0), normal(4_000, 1) + 0.5)
    assert other.value > 10 * other.half_width
    assert math.isnan(kernel_distance(normal(50, 0), normal(60, 1)).half_width)


def test_two_samples_of_one_source_share_their_neighbourhoods() -> None:
    found = neighbourhoods(normal(1_000, 0, 2), normal(1_000, 1, 2))
    assert found.precision > 0.9
    assert found.recall > 0.9
    assert found.density == pytest.approx(1, abs=0.1)
    assert found.coverage > 0.9


def test_far_images_have_no_precision_and_few_modes_no_recall() -> None:
    real = normal(500, 0, 2)
    far = neighbourhoods(normal(500, 1, 2) + 100, real)
    assert (far.precision, far.recall, far.density, far.coverage) == (0, 0, 0, 0)
    collapsed = neighbourhoods(real[:1] + 0.001 * normal(500, 2, 2), real)
    assert collapsed.precision > 0.9
    assert collapsed.recall < 0.1
    assert collapsed.coverage < 0.1


def test_a_ball_reaches_its_kth_neighbour() -> None:
    line = torch.arange(10.0)[:, None]
    assert ball_radii(line)[[0, 5, 9]].tolist() == [4, 2, 4]
