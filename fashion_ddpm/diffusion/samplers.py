"""The samplers: diffusers' solvers between any noise levels, and one for distilled networks."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from diffusers import (
    DDIMScheduler,
    DDPMScheduler,
    DPMSolverMultistepScheduler,
    EulerDiscreteScheduler,
)
from diffusers.schedulers.scheduling_utils import SchedulerOutput
from diffusers.utils.torch_utils import randn_tensor
from torch import Tensor

from fashion_ddpm.core.config import SAMPLERS, TURBO
from fashion_ddpm.core.settings import ConfigError
from fashion_ddpm.diffusion.schedules import NoiseLevels

SOLVERS: dict[str, Callable[..., Any]] = {
    "ddpm": partial(DDPMScheduler, clip_sample=False),
    "ddim": partial(DDIMScheduler, clip_sample=False),
    "euler": EulerDiscreteScheduler,
    "dpm++2m": DPMSolverMultistepScheduler,
    "dpm++2m-sde": partial(DPMSolverMultistepScheduler, algorithm_type="sde-dpmsolver++"),
}
"""diffusers' class for each of SAMPLERS."""


class ConsistencySampler:
    """Adds new noise to predicted clean images, up to the next level; has diffusers' interface.

    Attributes:
        timesteps: int64 [K], K − 1 … 0.

    Args:
        alpha_bar: float64 [K], ᾱ of the levels to visit, rising.
    """

    def __init__(self, alpha_bar: np.ndarray) -> None:
        self._alpha_bar = alpha_bar
        self.timesteps = torch.arange(len(alpha_bar)).flip(0)

    def scale_model_input(self, sample: Tensor, timestep: Tensor) -> Tensor:
        """Return x_t unchanged: its variance is near 1 already."""
        return sample

    def step(
        self, clean: Tensor, timestep: Tensor, sample: Tensor, generator: Sequence[torch.Generator]
    ) -> SchedulerOutput:
        """Return the next x_t: the predicted clean images with new noise."""
        if timestep == 0:
            return SchedulerOutput(clean)
        alpha_bar = float(self._alpha_bar[len(self.timesteps) - int(timestep)])
        noise = randn_tensor(clean.shape, list(generator), clean.device, clean.dtype)
        return SchedulerOutput(alpha_bar**0.5 * clean + (1 - alpha_bar) ** 0.5 * noise)


def build_sampler(sampler: str, levels: NoiseLevels) -> Any:
    """Return a fresh diffusers scheduler whose own noise schedule *is* the visited levels.

    With K levels its timesteps are the integers K − 1 … 0, so nothing is rounded, no two levels
    coincide, and every diffusers solver steps between exactly these levels. The model's output is
    the predicted clean image, so that the caller can apply guidance and clamp it.

    Raises:
        ConfigError: the sampler is unknown.
    """
    if sampler == TURBO:
        return ConsistencySampler(levels.alpha_bar)
    if sampler not in SOLVERS:
        known = ", ".join((*SAMPLERS, TURBO))
        raise ConfigError(f"sampler is {sampler!r}; it must be one of {known}.")
    rising_noise = levels.alpha_bar[::-1]
    before = np.concatenate([[1.0], rising_noise[:-1]])
    steps = len(rising_noise)
    scheduler = SOLVERS[sampler](
        num_train_timesteps=steps,
        trained_betas=(1 - rising_noise / before).tolist(),
        prediction_type="sample",
        timestep_spacing="trailing",
    )
    scheduler.set_timesteps(steps)
    return scheduler
