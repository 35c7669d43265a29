"""The loss on images never trained on, with fixed noise and timesteps, split by noise level."""

from collections.abc import Callable

import torch
from torch import Tensor

from fashion_ddpm.core.images import to_model
from fashion_ddpm.data.fashion_mnist import LabelledImages
from fashion_ddpm.diffusion.loss import Draws

Losses = Callable[[Tensor, Tensor, Draws], Tensor]
"""(images [B,1,28,28], labels [B], chance) → each image's loss [B]."""

LEVEL_BINS = 4
BATCH_SIZE = 250
SEED = 1


@torch.no_grad()
def validation_sums(
    losses: Losses,
    num_train_timesteps: int,
    data: LabelledImages,
    rank: int = 0,
    num_ranks: int = 1,
) -> Tensor:
    """Returns one rank's share of the sums; their total does not depend on the number of ranks.

    Args:
        losses: what is summed.
        num_train_timesteps: T of the network's noise schedule.
        data: the validation images; the same noise falls on the same image every time.
        rank: this process takes images rank, rank + num_ranks, …
        num_ranks: number of processes.

    Returns:
        float64 [2, LEVEL_BINS]: sums of the loss, and counts, by quarter of the timesteps.
    """
    sums = torch.zeros(2, LEVEL_BINS, dtype=torch.float64)
    draws = _fixed_draws(data, num_train_timesteps)
    mine = torch.arange(rank, len(data), num_ranks)
    for chosen in mine.split(BATCH_SIZE):
        part = Draws(draws.timesteps[chosen], draws.noise[chosen], draws.dropped[chosen])
        where = data.images.device
        on_device = Draws(part.timesteps.to(where), part.noise.to(where), part.dropped.to(where))
        index = chosen.to(where)
        clean, labels = to_model(data.images[index]), data.labels[index]
        bins = part.timesteps * LEVEL_BINS // num_train_timesteps
        sums[0].index_add_(0, bins, losses(clean, labels, on_device).double().cpu())
        sums[1] += torch.bincount(bins, minlength=LEVEL_BINS)
    return sums


def _fixed_draws(data: LabelledImages, num_train_timesteps: int) -> Draws:
    """Draws noise once and for all; timesteps are spread evenly over the images."""
    generator = torch.Generator().manual_seed(SEED)
    count = len(data)
    places = (torch.randperm(count, generator=generator) + 0.5) / count
    noise = torch.randn((count, *data.kind.shape), generator=generator)
    timesteps = (places * num_train_timesteps).long()
    return Draws(timesteps, noise, torch.zeros(count, dtype=torch.bool))
