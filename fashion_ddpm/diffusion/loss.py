"""One batch's loss: draw noise levels and noise, predict, compare."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from diffusers import DDPMScheduler
from torch import Tensor

from fashion_ddpm.diffusion.schedules import alpha_bars, log_snr

Predictor = Callable[[Tensor, Tensor, Tensor], Tensor]
"""(x_t [B, C, S, S], timestep [B], label [B]) → the network's output, of x_t's shape."""


@dataclass(frozen=True)
class Draws:
    """The random draws of one batch: timesteps, noise, label dropout.

    Attributes:
        timesteps: int64 [B], 0 … T − 1.
        noise: float32 [B, C, S, S], standard normal.
        dropped: bool [B], whether the label becomes the null label.
    """

    timesteps: Tensor
    noise: Tensor
    dropped: Tensor

    def __getitem__(self, part: slice | Tensor) -> "Draws":
        return Draws(self.timesteps[part], self.noise[part], self.dropped[part])

    def to(self, device: torch.device) -> "Draws":
        """Return the same draws on a device."""
        return Draws(*(part.to(device) for part in vars(self).values()))


UNIFORM_SHARE = 0.1
"""Share of the timesteps that stay uniform: the class is decided at pure noise."""


def laplace_probabilities(training: DDPMScheduler, scale: float) -> Tensor:
    """Return each timestep's probability where log-SNR follows a Laplace distribution around 0.

    p(λ) ∝ exp(−|λ| / b) (Hang et al., 2024, arXiv 2407.03297). On the schedule's own grid a
    timestep stands for an interval of width |dλ/dt|; a tenth of the mass is spread evenly.

    Args:
        training: the noise schedule.
        scale: b, in units of the natural logarithm of the signal-to-noise power ratio.

    Returns:
        float32 [T], sum 1.
    """
    levels = log_snr(alpha_bars(training))
    density = np.exp(-np.abs(levels) / scale) * np.abs(np.gradient(levels))
    mixed = (1 - UNIFORM_SHARE) * density / density.sum() + UNIFORM_SHARE / len(levels)
    return torch.from_numpy(mixed).float()


def draw(
    shape: torch.Size,
    num_train_timesteps: int,
    label_dropout: float,
    generator: torch.Generator,
    probabilities: Tensor | None = None,
) -> Draws:
    """Draw timesteps, noise and dropped labels for images of a shape [B, C, S, S].

    Args:
        shape: of the images.
        num_train_timesteps: T.
        label_dropout: probability that a label is dropped.
        generator: the source of chance, on the device where the draws are wanted.
        probabilities: float32 [T], of each timestep; all equal when not given.
    """
    where: dict[str, Any] = {"generator": generator, "device": generator.device}
    if probabilities is None:
        timesteps = torch.randint(num_train_timesteps, shape[:1], **where)
    else:
        timesteps = torch.multinomial(
            probabilities.to(generator.device), shape[0], replacement=True, generator=generator
        )
    return Draws(
        timesteps=timesteps,
        noise=torch.randn(shape, **where),
        dropped=torch.rand(shape[:1], **where) < label_dropout,
    )


def loss_per_image(
    predict: Predictor,
    scheduler: DDPMScheduler,
    clean: Tensor,
    labels: Tensor,
    draws: Draws,
    null_label: int,
) -> Tensor:
    """Return the mean squared error of what the network predicts, before any weight.

    With v-prediction the target is v = sqrt(ᾱ) ε − sqrt(1 − ᾱ) x_0 (Salimans and Ho, 2022).

    Args:
        predict: the network.
        scheduler: the noise schedule, which also says what is predicted.
        clean: float32 [B, C, S, S] in [−1, 1].
        labels: int64 [B].
        draws: the batch's chance.
        null_label: what a dropped label becomes.

    Returns:
        float32 [B].
    """
    noisy = scheduler.add_noise(clean, draws.noise, draws.timesteps)
    labels = torch.where(draws.dropped, null_label, labels)
    output = predict(noisy, draws.timesteps, labels)
    error = output.float() - _target(scheduler, clean, draws)
    return error.square().mean(dim=(1, 2, 3))


def _target(scheduler: DDPMScheduler, clean: Tensor, draws: Draws) -> Tensor:
    kind = scheduler.config["prediction_type"]
    if kind == "epsilon":
        return draws.noise
    if kind == "sample":
        return clean
    return scheduler.get_velocity(clean, draws.noise, draws.timesteps)


def min_snr_weight(scheduler: DDPMScheduler, timesteps: Tensor, gamma: float) -> Tensor:
    """Return the min-SNR weight (Hang et al., 2023) in its form that is safe at zero SNR.

    Raw min(SNR, γ) / (SNR + 1) gives v-prediction a weight of 0 at pure noise, where the class
    is decided; min(SNR + 1, γ + 1) / (SNR + 1) gives it 1.

    Args:
        scheduler: the noise schedule, which also says what is predicted.
        timesteps: int64 [B].
        gamma: SNR at which a level stops gaining weight.

    Returns:
        float32 [B], in (0, γ + 1].
    """
    alpha_bar = scheduler.alphas_cumprod.to(timesteps.device)[timesteps]
    snr = alpha_bar / (1 - alpha_bar)
    kind = scheduler.config["prediction_type"]
    if kind == "epsilon":
        return (gamma / snr).clamp(max=1)
    if kind == "sample":
        return snr.clamp(max=gamma) + 1
    return (snr + 1).clamp(max=gamma + 1) / (snr + 1)
