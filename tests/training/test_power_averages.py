"""Tests of averages of any length: their weighting, and the accuracy of rebuilt ones."""

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from fashion_ddpm.training.power_averages import (
    LENGTHS,
    MAX_KEPT_MOMENTS,
    PowerAverages,
    exponent,
    list_averages,
    rebuild_average,
    thin_out,
)
from fashion_ddpm.training.stopping import TrainingError

STEPS = 400


class Walk(nn.Module):
    """A network whose weight vector follows a smooth path with noise."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(64))

    def move(self, step: int, generator: torch.Generator) -> None:
        """Set the weights to those of a step."""
        path = torch.linspace(0.5, 2.0, 64) * (step / STEPS) ** 0.5
        self.weight.data = path + 0.1 * torch.randn(64, generator=generator)


@pytest.mark.parametrize("length", [0.02, 0.05, 0.1, 0.2, 0.28])
def test_the_exponent_gives_the_weighting_its_relative_standard_deviation(length: float) -> None:
    gamma, moments = exponent(length), np.linspace(0, 1, 2_000_001)
    weighting = moments**gamma
    mean = np.average(moments, weights=weighting)
    deviation = np.sqrt(np.average((moments - mean) ** 2, weights=weighting))
    assert deviation == pytest.approx(length, rel=1e-3)


@pytest.mark.parametrize("length", [0.0, -0.1, 1e-160, 0.3])
def test_a_length_that_no_power_function_has_is_refused(length: float) -> None:
    with pytest.raises(TrainingError, match=rf"--length is {length}; it must be at least 0\.01"):
        exponent(length)


def test_an_average_weighs_every_step_by_the_power_function() -> None:
    network, generator = Walk(), torch.Generator().manual_seed(0)
    averages = PowerAverages(network, (0.1,))
    history = []
    for step in range(1, STEPS + 1):
        network.move(step, generator)
        averages.step(network.parameters())
        history.append(network.weight.detach().clone())
    edges = torch.linspace(0, 1, STEPS + 1, dtype=torch.float64) ** (exponent(0.1) + 1)
    expected = (edges.diff()[:, None] * torch.stack(history)).sum(dim=0)
    assert torch.allclose(averages.weights[0.1][0].double(), expected, atol=1e-5)


def test_an_average_of_another_length_is_rebuilt_from_the_kept_ones(tmp_path: Path) -> None:
    network, generator = Walk(), torch.Generator().manual_seed(0)
    averages = PowerAverages(network)
    expected_averages = PowerAverages(network, (0.03, 0.07, 0.15))
    for step in range(1, STEPS + 1):
        network.move(step, generator)
        averages.step(network.parameters())
        expected_averages.step(network.parameters())
        if step % 40 == 0:
            averages.save(tmp_path / f"images-{step:011d}.safetensors", step)
    kept = list_averages(tmp_path)
    assert len(kept) == 10 * len(LENGTHS)
    for length, (goal,) in expected_averages.weights.items():
        found = rebuild_average(kept, length, STEPS)["weight"]
        nearest = min((averages.weights[one][0] - goal).norm() for one in LENGTHS)
        assert (found - goal).norm() < 0.3 * nearest, length


def test_a_loaded_state_continues_as_the_saved_one() -> None:
    network, generator = Walk(), torch.Generator().manual_seed(0)
    averages, resumed = PowerAverages(network), PowerAverages(network)
    for step in range(1, 5):
        network.move(step, generator)
        averages.step(network.parameters())
    resumed.load_state_dict(averages.state_dict())
    network.move(5, generator)
    for each in (averages, resumed):
        each.step(network.parameters())
    for length in LENGTHS:
        assert torch.equal(averages.weights[length][0], resumed.weights[length][0])


def test_an_unsaved_end_and_an_empty_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="holds no averages"):
        list_averages(tmp_path)
    file = tmp_path / "images-00000000064.safetensors"
    PowerAverages(Walk()).save(file, 64)
    with pytest.raises(TrainingError, match="cannot make one of that --length"):
        rebuild_average(list_averages(tmp_path), 0.25, 64)
    with pytest.raises(TrainingError, match="--at is 65; averages were kept at 64 images"):
        rebuild_average(list_averages(tmp_path), 0.1, 65)
    file.write_bytes(b"damaged")
    with pytest.raises(TrainingError, match=r"images-00000000064\.safetensors holds no averages"):
        list_averages(tmp_path)


def test_older_files_are_thinned_out_and_the_newest_stays(tmp_path: Path) -> None:
    for moment in range(1, 200):
        (tmp_path / f"images-{moment:011d}.safetensors").touch()
        thin_out(tmp_path)
        left = sorted(tmp_path.iterdir())
        assert len(left) <= MAX_KEPT_MOMENTS
        assert left[-1].name == f"images-{moment:011d}.safetensors"
    moments = [int(path.stem.split("-")[1]) for path in left]
    gaps = [after - before for before, after in itertools.pairwise(moments)]
    assert max(gaps) <= 4
