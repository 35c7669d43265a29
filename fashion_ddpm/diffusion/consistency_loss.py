"""The distillation loss of a batch: two noise levels of an image must predict the same clean image.

Easy consistency tuning (Geng et al., 2024, arXiv 2406.14548). The network predicts v, so that
f(x_t) = α x_t − σ v equals x_0 where there is no noise, and its output at one level is pulled
towards its output at a less noisy one, down to the image.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from diffusers import DDPMScheduler
from torch import Tensor

from fashion_ddpm.diffusion.loss import Draws, Predictor
from fashion_ddpm.diffusion.schedules import MIN_ALPHA_BAR, alpha_bars

GAP_WIDENING = 8.0
"""How much wider the gap between two levels is near the clean image: the paper's k."""


def gap_at(progress_fraction: float, halvings: float) -> float:
    """Return the gap between two levels, as a share of the noisier one, by progress in the run.

    Args:
        progress_fraction: share of the run that is over, in [0, 1].
        halvings: how often the gap halves; it starts at 1, where the target is the clean image.

    Returns:
        In (0, 1].
    """
    return float(2.0 ** (-halvings * progress_fraction))


@dataclass(frozen=True)
class LevelPairs:
    """For each timestep, its σ_t and the smaller σ_r of its consistency target.

    Attributes:
        sigma: float64 [T], noise over signal, rising.
        target_sigma: float64 [T], that of the target, below sigma; 0 is the clean image.
        timesteps: float64 [T], the noise schedule's timestep with that sigma.
        target_timesteps: float64 [T].
    """

    sigma: np.ndarray
    target_sigma: np.ndarray
    timesteps: np.ndarray
    target_timesteps: np.ndarray

    def at(self, timesteps: Tensor) -> Iterator[Tensor]:
        """Yield the four attributes at given timesteps, int64 [B]: float32 [B] each."""
        for column in (self.sigma, self.target_sigma, self.timesteps, self.target_timesteps):
            yield torch.from_numpy(column).float().to(timesteps.device)[timesteps]


def level_pairs(noise_scheduler: DDPMScheduler, gap: float) -> LevelPairs:
    """Return r = t · (1 − gap · (1 + k · sigmoid(−t))), at least 0, for each level t (a sigma).

    Levels noisier than sampling visits are clamped to the noisiest one that it visits.

    Args:
        noise_scheduler: the noise schedule.
        gap: in (0, 1]; from 1 on all levels are paired with the clean image.
    """
    training_sigma = np.sqrt(1 / alpha_bars(noise_scheduler) - 1)
    sigma = training_sigma.clip(max=np.sqrt(1 / MIN_ALPHA_BAR - 1))
    wider = 1 + GAP_WIDENING / (1 + np.exp(sigma))
    target_sigma = (sigma * (1 - gap * wider)).clip(min=0)
    positions = np.arange(len(training_sigma))
    found = [
        np.interp(np.log(s.clip(min=training_sigma[0])), np.log(training_sigma), positions)
        for s in (sigma, target_sigma)
    ]
    return LevelPairs(sigma, target_sigma, *found)


def predict_clean(
    predict: Predictor,
    image: Tensor,
    noise: Tensor,
    sigma: Tensor,
    timesteps: Tensor,
    labels: Tensor,
) -> Tensor:
    """Return f(x_t), the predicted x_0: float32 [B, C, S, S].

    Args:
        predict: the network, which predicts v.
        image: float32 [B, C, S, S] in [−1, 1].
        noise: the same shape, standard normal.
        sigma: float32 [B], noise over signal.
        timesteps: float32 [B], those of sigma.
        labels: int64 [B].
    """
    alpha = (1 / (1 + sigma**2).sqrt()).view(-1, 1, 1, 1)
    share = sigma.view(-1, 1, 1, 1) * alpha
    noisy = alpha * image + share * noise
    return alpha * noisy - share * predict(noisy, timesteps, labels).float()


def consistency_losses(
    predict: Predictor,
    noise_scheduler: DDPMScheduler,
    clean: Tensor,
    labels: Tensor,
    draws: Draws,
    gap: float,
    null_label: int,
) -> Tensor:
    """Return each image's squared error between f(x_t) and the stop-gradient target f(x_r).

    The error is divided by the gap and measured in v: with a gap of 1 this is the usual v-loss.

    Args:
        predict: the network.
        noise_scheduler: its noise schedule.
        clean: float32 [B, C, S, S] in [−1, 1].
        labels: int64 [B].
        draws: the batch's random draws; both levels of an image share its noise.
        gap: in (0, 1], as level_pairs takes it.
        null_label: what a dropped label becomes.

    Returns:
        float32 [B].
    """
    sigma, target_sigma, timesteps, target_timesteps = level_pairs(noise_scheduler, gap).at(
        draws.timesteps
    )
    labels = torch.where(draws.dropped, null_label, labels)
    with torch.no_grad():
        target = predict_clean(predict, clean, draws.noise, target_sigma, target_timesteps, labels)
    found = predict_clean(predict, clean, draws.noise, sigma, timesteps, labels)
    in_v = (1 + sigma**2) / sigma**2
    error = (found - target).square().mean(dim=(1, 2, 3)) * in_v
    return error * sigma / (sigma - target_sigma)
