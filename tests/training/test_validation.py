"""Tests of the validation loss."""

import torch
from torch import Tensor

from fashion_ddpm.data.fashion_mnist import LabelledImages
from fashion_ddpm.diffusion.loss import Draws, loss_per_image
from fashion_ddpm.diffusion.schedules import noise_scheduler
from fashion_ddpm.training.validation import LEVEL_BINS, validation_sums


def predict(x: torch.Tensor, timesteps: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """A network that depends on all it is given."""
    return x * 0.5 + timesteps.view(-1, 1, 1, 1) / 1000 + labels.view(-1, 1, 1, 1) / 10


def losses(clean: Tensor, labels: Tensor, draws: Draws) -> Tensor:
    return loss_per_image(predict, noise_scheduler("cosine"), clean, labels, draws)


def test_the_sums_are_the_same_every_time_and_with_any_number_of_ranks(
    real: LabelledImages,
) -> None:
    alone = validation_sums(losses, 1000, real)
    assert torch.equal(alone, validation_sums(losses, 1000, real))
    for num_ranks in (2, 3):
        parts = [validation_sums(losses, 1000, real, r, num_ranks) for r in range(num_ranks)]
        assert torch.allclose(torch.stack(parts).sum(dim=0), alone)


def test_every_noise_level_gets_the_same_number_of_images(real: LabelledImages) -> None:
    sums = validation_sums(losses, 1000, real)
    assert sums[1].tolist() == [len(real) / LEVEL_BINS] * LEVEL_BINS
