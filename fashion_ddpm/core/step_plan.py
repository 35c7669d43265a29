"""Images, seed and learning rate of a step as functions of its number, for exact resuming."""

import functools
import math
from collections.abc import Iterator

import torch
from torch import Tensor

from fashion_ddpm.core.config import AnyConfig, TrainConfig
from fashion_ddpm.core.settings import ConfigError


@functools.lru_cache(maxsize=2)
def epoch_order(num_images: int, seed: int, epoch: int) -> Tensor:
    """Return the order of the images in an epoch: int64 [num_images]."""
    generator = torch.Generator().manual_seed(step_seed(seed, epoch) + 1)
    return torch.randperm(num_images, generator=generator)


def batch_indices(step: int, batch_size: int, num_images: int, seed: int) -> Tensor:
    """Return the images of a step: int64 [batch_size]; each image occurs once in an epoch."""
    start, end, parts = step * batch_size, (step + 1) * batch_size, []
    while start < end:
        epoch, offset = divmod(start, num_images)
        parts.append(epoch_order(num_images, seed, epoch)[offset : offset + end - start])
        start += len(parts[-1])
    return torch.cat(parts)


def micro_batch_size(config: TrainConfig, num_processes: int) -> int:
    """Return the number of images of one process in one accumulation step.

    Raises:
        ConfigError: the batch cannot be split equally.
    """
    parts = num_processes * config.gradient_accumulation_steps
    if config.batch_size % parts:
        raise ConfigError(
            f"--batch-size {config.batch_size} cannot be shared by {num_processes} processes "
            f"× {config.gradient_accumulation_steps} accumulation steps; choose a "
            f"multiple of {parts}."
        )
    return config.batch_size // parts


def micro_batch_slices(config: TrainConfig, rank: int, num_processes: int) -> Iterator[slice]:
    """Yield a process's slice of the batch in each accumulation step."""
    size = micro_batch_size(config, num_processes)
    for index in range(config.gradient_accumulation_steps):
        start = (index * num_processes + rank) * size
        yield slice(start, start + size)


def step_seed(seed: int, step: int) -> int:
    """Return the random seed of a step: an even number, as seeds of epochs are odd."""
    return 2 * (seed * 1_000_003 + step)


def learning_rate_at(step: int, config: AnyConfig) -> float:
    """Return the learning rate of a step: linear warm-up, then cosine decay or a constant.

    The constant rate decays over the last cool_down_images as 1 − sqrt(x), x from 0 to 1
    (Hägele et al., 2024, arXiv 2405.18392).
    """
    if step < config.warmup_steps:
        return config.learning_rate * (step + 1) / config.warmup_steps
    if isinstance(config, TrainConfig) and config.lr_schedule == "constant":
        cool_down_steps = math.ceil(config.cool_down_images / config.batch_size)
        cool_down_step = step - (config.total_steps - cool_down_steps)
        if cool_down_step < 0:
            return config.learning_rate
        return config.learning_rate * (1 - math.sqrt(cool_down_step / cool_down_steps))
    decay_steps = max(1, config.total_steps - config.warmup_steps)
    progress = (step - config.warmup_steps) / decay_steps
    return config.learning_rate * 0.5 * (1 + math.cos(math.pi * progress))
