"""One batch's loss in distillation: two noise levels of an image must give the same clean image.

Easy consistency tuning (Geng et al., 2024, arXiv 2406.14548). The network predicts v, so that
f(x_t) = α x_t − σ v is x_0 itself where there is no noise, and what f answers at one level can be
pulled towards what it answers at a less noisy one, down to the image.
"""

from dataclasses import dataclass

import numpy as np
import torch
from diffusers import DDPMScheduler
from torch import Tensor

from fashion_ddpm.diffusion.loss import Draws, Predictor
from fashion_ddpm.diffusion.schedules import MIN_ALPHA_BAR, alpha_bars

WIDER = 8.0
"""How much wider the gap between two levels is near the clean image (the paper's k)."""


def gap_at(done: float, halvings: float) -> float:
    """Return the gap between two levels, as a share of the noisier one, by progress in the run.

    Args:
        done: share of the run that is over, in [0, 1].
        halvings: how often the gap halves; it begins at 1, where the target is the clean image.

    Returns:
        In (0, 1].
    """
    return float(2.0 ** (-halvings * done))


@dataclass(frozen=True)
class LevelPairs:
    """For each timestep, its σ_t and the smaller σ_r of its consistency target.

    Attributes:
        sigma: float64 [T], noise over signal, rising.
        less: float64 [T], the other level's noise over signal, below sigma; 0 is the clean image.
        timesteps: float64 [T], the noise schedule's timestep with that sigma.
        less_timesteps: float64 [T].
    """

    sigma: np.ndarray
    less: np.ndarray
    timesteps: np.ndarray
    less_timesteps: np.ndarray

    def of(self, timesteps: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return the four attributes at some timesteps, int64 [B]: float32 [B] each."""
        columns = (self.sigma, self.less, self.timesteps, self.less_timesteps)
        where = timesteps.device
        sigma, less, first, second = (
            torch.from_numpy(column).float().to(where)[timesteps] for column in columns
        )
        return sigma, less, first, second


def level_pairs(training: DDPMScheduler, gap: float) -> LevelPairs:
    """Return r = t · (1 − gap · (1 + k · sigmoid(−t))), at least 0, for each level t (a sigma).

    Levels noisier than any that sampling visits count as the noisiest that it visits.

    Args:
        training: the noise schedule.
        gap: in (0, 1]; from 1 on all levels are paired with the clean image.
    """
    known = np.sqrt(1 / alpha_bars(training) - 1)
    sigma = known.clip(max=np.sqrt(1 / MIN_ALPHA_BAR - 1))
    wider = 1 + WIDER / (1 + np.exp(sigma))
    less = (sigma * (1 - gap * wider)).clip(min=0)
    positions = np.arange(len(known))
    found = [
        np.interp(np.log(s.clip(min=known[0])), np.log(known), positions) for s in (sigma, less)
    ]
    return LevelPairs(sigma, less, *found)


def clean_at(
    predict: Predictor, image: Tensor, noise: Tensor, sigma: Tensor, where: tuple[Tensor, Tensor]
) -> Tensor:
    """Return f at a noise level: x_0 as the network sees it, float32 [B, 1, 28, 28].

    Args:
        predict: the network, which predicts v.
        image: float32 [B, 1, 28, 28] in [−1, 1].
        noise: the same shape, standard normal.
        sigma: float32 [B], noise over signal.
        where: the level's timesteps [B], and the labels [B].
    """
    alpha = (1 / (1 + sigma**2).sqrt()).view(-1, 1, 1, 1)
    share = sigma.view(-1, 1, 1, 1) * alpha
    noisy = alpha * image + share * noise
    return alpha * noisy - share * predict(noisy, *where).float()


def consistency_losses(
    predict: Predictor,
    training: DDPMScheduler,
    clean: Tensor,
    labels: Tensor,
    draws: Draws,
    gap: float,
    null_label: int,
) -> Tensor:
    """Return each image's squared error between f(x_t) and f(x_r), which stands still, by the gap.

    The error is measured in v, so that while the gap is 1 the loss is that of ordinary training.

    Args:
        predict: the network.
        training: its noise schedule.
        clean: float32 [B, C, S, S] in [−1, 1].
        labels: int64 [B].
        draws: the batch's chance; both levels of an image share its noise.
        gap: in (0, 1], as level_pairs takes it.
        null_label: what a dropped label becomes.

    Returns:
        float32 [B].
    """
    sigma, less, timesteps, less_timesteps = level_pairs(training, gap).of(draws.timesteps)
    labels = torch.where(draws.dropped, null_label, labels)
    with torch.no_grad():
        target = clean_at(predict, clean, draws.noise, less, (less_timesteps, labels))
    found = clean_at(predict, clean, draws.noise, sigma, (timesteps, labels))
    in_v = (1 + sigma**2) / sigma**2
    error = (found - target).square().mean(dim=(1, 2, 3)) * in_v
    return error * sigma / (sigma - less)
