"""What a training step does, from its number alone: its images, its seed, its learning rate."""

import functools
import math

import torch
from torch import Tensor

from fashion_ddpm.config import AnyConfig


@functools.lru_cache(maxsize=2)
def epoch_order(num_images: int, seed: int, epoch: int) -> Tensor:
    """Returns the order in which an epoch shows the images: int64 [num_images]."""
    generator = torch.Generator().manual_seed(step_seed(seed, epoch) + 1)
    return torch.randperm(num_images, generator=generator)


def batch_indices(step: int, batch_size: int, num_images: int, seed: int) -> Tensor:
    """Returns which images a step sees: int64 [batch_size]; an epoch sees each exactly once.

    Nothing but the step number is needed to go on after a stop: no state of a data loader.
    """
    position, missing, taken = step * batch_size, batch_size, []
    while missing:
        epoch, offset = divmod(position, num_images)
        part = epoch_order(num_images, seed, epoch)[offset : offset + missing]
        taken.append(part)
        position, missing = position + len(part), missing - len(part)
    return torch.cat(taken)


def step_seed(seed: int, step: int) -> int:
    """Returns the seed of everything random in a step: even, so that epochs have the odd ones."""
    return 2 * (seed * 1_000_003 + step)


def learning_rate_at(step: int, config: AnyConfig) -> float:
    """Returns the learning rate of a step: linear warm-up, then half a cosine down to 0."""
    if step < config.warmup_steps:
        return config.learning_rate * (step + 1) / config.warmup_steps
    rest = max(1, config.total_steps - config.warmup_steps)
    done = (step - config.warmup_steps) / rest
    return config.learning_rate * 0.5 * (1 + math.cos(math.pi * done))
