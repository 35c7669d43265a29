"""Noise schedules, and the noise levels that a sampling schedule visits."""

import warnings
from dataclasses import dataclass

import numpy as np
from diffusers import DDPMScheduler

from fashion_ddpm.core.config import NOISE_SCHEDULES, SCHEDULES
from fashion_ddpm.core.settings import ConfigError

# diffusers 0.42 copies tensors in a way that numpy 2 deprecates; python -W error would end there.
warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning, r"diffusers\.")

MIN_ALPHA_BAR = 1e-5
"""ᾱ of the noisiest level that sampling visits: below it float32 betas cannot tell levels apart."""

LEVEL_TOLERANCE = 1e-6
"""Relative difference of ᾱ below which two levels count as equal."""

MAX_SIGMA = 80.0
"""Where karras and exponential start (EDM's value); from higher, half the steps see only noise."""

KARRAS_RHO = 7.0
SIGMA_SPACED = ("karras", "exponential", "cosine-midpoint")
"""Sampling schedules that space the levels by sigma and are not noise schedules."""

_BETAS: dict[str, tuple[str, float, float]] = {
    "cosine": ("squaredcos_cap_v2", 1e-4, 0.02),
    "linear": ("linear", 1e-4, 0.02),
    "scaled-linear": ("scaled_linear", 1e-4, 0.03),
    "sigmoid": ("sigmoid", 1e-4, 0.02),
}
"""diffusers' name, first and last beta. Scaled-linear's usual 0.02 would end at ᾱ = 8e-4."""


@dataclass(frozen=True)
class LinearBetas:
    """A custom noise schedule: T levels, betas rising linearly from the first to the last.

    Raises:
        ConfigError: there are fewer than two levels, or the betas do not rise within (0, 1).
    """

    num_train_timesteps: int
    beta_start: float
    beta_end: float

    def __post_init__(self) -> None:
        if not (self.num_train_timesteps >= 2 and 0 < self.beta_start <= self.beta_end < 1):
            raise ConfigError(
                f"{self}: a linear schedule needs T of at least 2 and betas that rise within "
                "(0, 1), such as T = 1000 from 0.0001 to 0.02."
            )

    def __str__(self) -> str:
        return f"linear (T = {self.num_train_timesteps}, β {self.beta_start:g} … {self.beta_end:g})"

    def alpha_bars(self) -> np.ndarray:
        """Return ᾱ_t: float64 [T], falling."""
        betas = np.linspace(self.beta_start, self.beta_end, self.num_train_timesteps)
        return np.cumprod(1 - betas)


STUDENT_BETAS = LinearBetas(100, 1e-4, 0.02)
"""The noise schedule of the student's report, for training and sampling."""


def build_noise_scheduler(
    noise_schedule: str,
    num_train_timesteps: int = 1000,
    prediction_type: str = "v_prediction",
    beta_scale: float = 1.0,
) -> DDPMScheduler:
    """Return the noise schedule that a network is trained on.

    Raises:
        ConfigError: the schedule is unknown, or the scaled betas reach 1.
    """
    if noise_schedule not in NOISE_SCHEDULES:
        raise ConfigError(
            f"noise schedule is {noise_schedule!r}; it must be one of {', '.join(NOISE_SCHEDULES)}."
        )
    kind, beta_start, beta_end = _BETAS[noise_schedule]
    if beta_end * beta_scale >= 1:
        raise ConfigError(
            f"--beta-scale {beta_scale} makes the last beta {beta_end * beta_scale:g}; it must "
            f"stay below 1: use less than {1 / beta_end:g}, or the cosine schedule."
        )
    return DDPMScheduler(
        num_train_timesteps=num_train_timesteps,
        beta_schedule=kind,
        beta_start=beta_start * beta_scale,
        beta_end=beta_end * beta_scale,
        prediction_type=prediction_type,
        timestep_spacing="trailing",
        clip_sample=True,
    )


def alpha_bars(noise_scheduler: DDPMScheduler) -> np.ndarray:
    """Return ᾱ_t, the share of the image's power left at timestep t: float64 [T], falling."""
    return np.cumprod(1 - noise_scheduler.betas.double().numpy())


def log_snr(alpha_bar: np.ndarray) -> np.ndarray:
    """Return log(ᾱ / (1 − ᾱ)), the logarithm of the signal-to-noise power ratio."""
    return np.log(alpha_bar) - np.log1p(-alpha_bar)


@dataclass(frozen=True)
class NoiseLevels:
    """The noise levels that sampling visits, noisiest first.

    Attributes:
        alpha_bar: float64 [K], rising, in (0, 1).
        timesteps: float64 [K], the *training* schedule's timestep with that log-SNR.
    """

    alpha_bar: np.ndarray
    timesteps: np.ndarray

    def take_last(self, count: int) -> "NoiseLevels":
        """Return the least noisy levels."""
        return NoiseLevels(self.alpha_bar[-count:], self.timesteps[-count:])

    def continue_from(self, alpha_bar: float, noise_scheduler: DDPMScheduler) -> "NoiseLevels":
        """Return a given level, then those of these levels that are less noisy."""
        less_noisy = self.alpha_bar[self.alpha_bar > alpha_bar * (1 + LEVEL_TOLERANCE)]
        return _to_noise_levels(np.concatenate([[alpha_bar], less_noisy]), noise_scheduler)


def noise_levels(
    schedule: str | LinearBetas, num_inference_steps: int, noise_scheduler: DDPMScheduler
) -> NoiseLevels:
    """Return the levels that a sampling schedule visits in K steps.

    The optimal denoiser depends on the noise level alone, so a network trained on one schedule
    serves all: each level is mapped, by log-SNR, to a timestep of the network's own schedule.

    Args:
        schedule: one of SCHEDULES, or custom betas.
        num_inference_steps: K, from 1 up.
        noise_scheduler: the noise schedule of the checkpoint.

    Raises:
        ConfigError: the schedule is unknown.
    """
    if not isinstance(schedule, LinearBetas) and schedule not in SCHEDULES:
        raise ConfigError(f"schedule is {schedule!r}; it must be one of {', '.join(SCHEDULES)}.")
    known = alpha_bars(noise_scheduler)
    if isinstance(schedule, str) and schedule in SIGMA_SPACED:
        lowest_sigma = float(np.sqrt(1 / known[0] - 1))
        visited = _space_by_sigma(schedule, num_inference_steps, lowest_sigma)
    else:
        visited = _space_trailing(
            schedule_alpha_bars(schedule, noise_scheduler), num_inference_steps
        )
    return _to_noise_levels(visited, noise_scheduler)


def _to_noise_levels(visited: np.ndarray, noise_scheduler: DDPMScheduler) -> NoiseLevels:
    """Map levels, by log-SNR, to timesteps of the schedule that the network was trained on."""
    known = log_snr(alpha_bars(noise_scheduler))
    return NoiseLevels(visited, np.interp(-log_snr(visited), -known, np.arange(len(known))))


def schedule_alpha_bars(schedule: str | LinearBetas, noise_scheduler: DDPMScheduler) -> np.ndarray:
    """Return ᾱ_t of a sampling schedule that is also a noise schedule: float64 [T], falling."""
    if isinstance(schedule, LinearBetas):
        return schedule.alpha_bars()
    if schedule == "report":
        return STUDENT_BETAS.alpha_bars()
    if _BETAS[schedule][0] == noise_scheduler.config["beta_schedule"]:
        return alpha_bars(noise_scheduler)
    return alpha_bars(build_noise_scheduler(schedule))


def _space_trailing(alpha_bar: np.ndarray, num_inference_steps: int) -> np.ndarray:
    """Space K timesteps evenly from the noisiest, T − 1, down to T/K − 1 (float: any K works)."""
    total = len(alpha_bar)
    levels = log_snr(alpha_bar)
    noisiest = float(np.interp(-log_snr(np.array(MIN_ALPHA_BAR)), -levels, np.arange(total)))
    last = max(total / num_inference_steps - 1, 0)
    timesteps = np.linspace(noisiest, min(last, noisiest), num_inference_steps)
    return _sigmoid(np.interp(timesteps, np.arange(total), levels))


def _space_by_sigma(schedule: str, num_inference_steps: int, lowest: float) -> np.ndarray:
    """Space K levels by sigma = sqrt(1/ᾱ − 1).

    karras: as Karras et al. (2022). exponential: evenly in the logarithm. cosine-midpoint: evenly
    in the angle arctan(sigma), from cosine's first level to half the angle of its last.
    """
    if schedule == "karras":
        first, last = MAX_SIGMA ** (1 / KARRAS_RHO), lowest ** (1 / KARRAS_RHO)
        sigmas = np.linspace(first, last, num_inference_steps) ** KARRAS_RHO
    elif schedule == "cosine-midpoint":
        first = np.arctan(np.sqrt(1 / MIN_ALPHA_BAR - 1))
        last = max(np.pi / 2 / num_inference_steps / 2, np.arctan(lowest))
        sigmas = np.tan(np.linspace(first, last, num_inference_steps))
    else:
        sigmas = np.geomspace(MAX_SIGMA, lowest, num_inference_steps)
    return 1 / (1 + sigmas**2)


def _sigmoid(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-values))
