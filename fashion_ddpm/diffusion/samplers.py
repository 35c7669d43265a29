"""The sampler of distilled networks: multistep consistency sampling (Song et al., 2023)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from diffusers.utils.torch_utils import randn_tensor
from torch import Tensor


@dataclass(frozen=True)
class Moved:
    """What a step returns, under diffusers' name: x_t of the next level, or the clean images."""

    prev_sample: Tensor


class ConsistencySampler:
    """Noises every predicted clean image anew, to the next level; called as diffusers' schedulers.

    Attributes:
        timesteps: int64 [K], K − 1 … 0.

    Args:
        alpha_bar: float64 [K], ᾱ of the levels to visit, rising.
    """

    def __init__(self, alpha_bar: np.ndarray) -> None:
        self._alpha_bar = alpha_bar
        self.timesteps = torch.arange(len(alpha_bar)).flip(0)

    def scale_model_input(self, sample: Tensor, timestep: Tensor) -> Tensor:
        """Returns x_t as it is: its variance already is near 1."""
        return sample

    def step(
        self, clean: Tensor, timestep: Tensor, sample: Tensor, generator: Sequence[torch.Generator]
    ) -> Moved:
        """Returns the next x_t, made of the predicted clean images and each one's own new noise."""
        if timestep == 0:
            return Moved(clean)
        alpha_bar = float(self._alpha_bar[len(self.timesteps) - int(timestep)])
        noise = randn_tensor(clean.shape, list(generator), clean.device, clean.dtype)
        return Moved(alpha_bar**0.5 * clean + (1 - alpha_bar) ** 0.5 * noise)
