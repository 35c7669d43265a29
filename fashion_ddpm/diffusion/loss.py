"""The training loss of a batch: draw timesteps and noise, predict, compare; the min-SNR weight."""

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
"""Share of timesteps drawn uniformly: the noisiest ones, where the class is decided, must occur."""


def laplace_probabilities(noise_scheduler: DDPMScheduler, scale: float) -> Tensor:
    """Return each timestep's probability where log-SNR follows a Laplace distribution around 0.

    p(λ) ∝ exp(−|λ| / b) (Hang et al., 2024, arXiv 2407.03297). Each timestep stands for an
    interval of width |dλ/dt|; a share UNIFORM_SHARE of the probability is uniform.

    Args:
        noise_scheduler: the noise schedule.
        scale: b, in units of the natural logarithm of the signal-to-noise power ratio.

    Returns:
        float32 [T], sum 1.
    """
    levels = log_snr(alpha_bars(noise_scheduler))
    density = np.exp(-np.abs(levels) / scale) * np.abs(np.gradient(levels))
    mixed = (1 - UNIFORM_SHARE) * density / density.sum() + UNIFORM_SHARE / len(levels)
    return torch.from_numpy(mixed).float()


def sample_draws(
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
        generator: random number generator, on the device of the draws.
        probabilities: float32 [T], of each timestep; default: uniform.
    """
    options: dict[str, Any] = {"generator": generator, "device": generator.device}
    if probabilities is None:
        timesteps = torch.randint(num_train_timesteps, shape[:1], **options)
    else:
        timesteps = torch.multinomial(
            probabilities.to(generator.device), shape[0], replacement=True, generator=generator
        )
    return Draws(
        timesteps=timesteps,
        noise=torch.randn(shape, **options),
        dropped=torch.rand(shape[:1], **options) < label_dropout,
    )


def loss_per_image(
    predict: Predictor,
    noise_scheduler: DDPMScheduler,
    clean: Tensor,
    labels: Tensor,
    draws: Draws,
    null_label: int,
) -> Tensor:
    """Return the unweighted mean squared error of the prediction.

    With v-prediction the target is v = sqrt(ᾱ) ε − sqrt(1 − ᾱ) x_0 (Salimans and Ho, 2022).

    Args:
        predict: the network.
        noise_scheduler: the noise schedule, with the prediction type.
        clean: float32 [B, C, S, S] in [−1, 1].
        labels: int64 [B].
        draws: the batch's random draws.
        null_label: what a dropped label becomes.

    Returns:
        float32 [B].
    """
    noisy = noise_scheduler.add_noise(clean, draws.noise, draws.timesteps)
    labels = torch.where(draws.dropped, null_label, labels)
    output = predict(noisy, draws.timesteps, labels)
    error = output.float() - _target(noise_scheduler, clean, draws)
    return error.square().mean(dim=(1, 2, 3))


def _target(noise_scheduler: DDPMScheduler, clean: Tensor, draws: Draws) -> Tensor:
    prediction_type = noise_scheduler.config["prediction_type"]
    if prediction_type == "epsilon":
        return draws.noise
    if prediction_type == "sample":
        return clean
    return noise_scheduler.get_velocity(clean, draws.noise, draws.timesteps)


def min_snr_weight(noise_scheduler: DDPMScheduler, timesteps: Tensor, gamma: float) -> Tensor:
    """Return the min-SNR weight (Hang et al., 2023) in its form that is safe at zero SNR.

    Raw min(SNR, γ) / (SNR + 1) gives v-prediction a weight of 0 at pure noise, where the class
    is decided; min(SNR + 1, γ + 1) / (SNR + 1) gives it 1.

    Args:
        noise_scheduler: the noise schedule, with the prediction type.
        timesteps: int64 [B].
        gamma: SNR above which the weight is clamped.

    Returns:
        float32 [B], in (0, γ + 1].
    """
    alpha_bar = noise_scheduler.alphas_cumprod.to(timesteps.device)[timesteps]
    snr = alpha_bar / (1 - alpha_bar)
    prediction_type = noise_scheduler.config["prediction_type"]
    if prediction_type == "epsilon":
        return (gamma / snr).clamp(max=1)
    if prediction_type == "sample":
        return snr.clamp(max=gamma) + 1
    return (snr + 1).clamp(max=gamma + 1) / (snr + 1)
