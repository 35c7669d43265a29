"""A step's images, seed and learning rate, from its number alone: a run resumes exactly."""

import functools
import math
from collections.abc import Iterator

import torch
from torch import Tensor

from fashion_ddpm.core.config import AnyConfig, TrainConfig
from fashion_ddpm.core.settings import ConfigError


@functools.lru_cache(maxsize=2)
def epoch_order(num_images: int, seed: int, epoch: int) -> Tensor:
    """Return the order in which an epoch shows the images: int64 [num_images]."""
    generator = torch.Generator().manual_seed(step_seed(seed, epoch) + 1)
    return torch.randperm(num_images, generator=generator)


def batch_indices(step: int, batch_size: int, num_images: int, seed: int) -> Tensor:
    """Return which images a step sees: int64 [batch_size]; an epoch sees each exactly once.

    Nothing but the step number is needed to go on after a stop: no state of a data loader.
    """
    position, missing, taken = step * batch_size, batch_size, []
    while missing:
        epoch, offset = divmod(position, num_images)
        part = epoch_order(num_images, seed, epoch)[offset : offset + missing]
        taken.append(part)
        position, missing = position + len(part), missing - len(part)
    return torch.cat(taken)


def micro_batch_size(config: TrainConfig, processes: int) -> int:
    """Return the images that one process takes in one accumulation step.

    Raises:
        ConfigError: the batch has no equal parts for so many processes.
    """
    parts = processes * config.gradient_accumulation_steps
    if config.batch_size % parts:
        raise ConfigError(
            f"--batch-size {config.batch_size} cannot be shared by {processes} processes "
            f"× {config.gradient_accumulation_steps} accumulation steps; choose a "
            f"multiple of {parts}."
        )
    return config.batch_size // parts


def micro_batch_slices(config: TrainConfig, rank: int, processes: int) -> Iterator[slice]:
    """Yield one process's slices of the batch, one for each accumulation step."""
    size = micro_batch_size(config, processes)
    for turn in range(config.gradient_accumulation_steps):
        start = (turn * processes + rank) * size
        yield slice(start, start + size)


def step_seed(seed: int, step: int) -> int:
    """Return the seed of everything random in a step: even, so that epochs have the odd ones."""
    return 2 * (seed * 1_000_003 + step)


def learning_rate_at(step: int, config: AnyConfig) -> float:
    """Return the learning rate of a step: linear warm-up, then what the schedule says.

    cosine falls to 0 over the rest of the run. constant stays, and over the last cool_down_images
    falls to 0 as 1 − sqrt(x), x the share of the cool-down that is over (Hägele et al., 2024,
    arXiv 2405.18392).
    """
    if step < config.warmup_steps:
        return config.learning_rate * (step + 1) / config.warmup_steps
    if isinstance(config, TrainConfig) and config.lr_schedule == "constant":
        cool_down_steps = math.ceil(config.cool_down_images / config.batch_size)
        into_cool_down = step - (config.total_steps - cool_down_steps)
        if into_cool_down < 0:
            return config.learning_rate
        return config.learning_rate * (1 - math.sqrt(into_cool_down / cool_down_steps))
    rest = max(1, config.total_steps - config.warmup_steps)
    done = (step - config.warmup_steps) / rest
    return config.learning_rate * 0.5 * (1 + math.cos(math.pi * done))
