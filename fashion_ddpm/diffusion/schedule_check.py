"""The schedule check: is the noisiest level close enough to pure noise to start sampling there?"""

from dataclasses import dataclass

import numpy as np
from diffusers import DDPMScheduler

from fashion_ddpm.core.config import NOISE_SCHEDULES, TrainConfig
from fashion_ddpm.core.settings import ConfigError
from fashion_ddpm.core.wording import format_percent
from fashion_ddpm.diffusion.schedules import (
    SIGMA_SPACED,
    LinearBetas,
    alpha_bars,
    build_noise_scheduler,
    noise_levels,
    schedule_alpha_bars,
)

MAX_TERMINAL_ALPHA_BAR = 1e-3
"""Above this share of the image's power at the last level, sampling cannot start from noise."""


@dataclass(frozen=True)
class ScheduleCheck:
    """What the schedule check found.

    Attributes:
        name: the schedule, with T where it has one.
        terminal_alpha_bar: share of the image's power left at the noisiest level, in (0, 1).
        first_sigma, last_sigma: sqrt(1/ᾱ − 1) at the first and the last level that sampling visits.
    """

    name: str
    terminal_alpha_bar: float
    first_sigma: float
    last_sigma: float

    @property
    def terminal_snr(self) -> float:
        """Signal over noise, as power, at the noisiest level."""
        return self.terminal_alpha_bar / (1 - self.terminal_alpha_bar)

    @property
    def starts_from_noise(self) -> bool:
        """Whether the network was trained on (nearly) pure noise at the noisiest level."""
        return self.terminal_alpha_bar <= MAX_TERMINAL_ALPHA_BAR

    @property
    def verdict(self) -> str:
        """The finding in one or two sentences."""
        amplitude = float(np.sqrt(self.terminal_alpha_bar))
        if self.starts_from_noise:
            only = "only " if amplitude >= 1e-4 else ""
            return (
                f"good: {only}{format_percent(amplitude)} of the image's amplitude is left at the "
                "noisiest level, so sampling can start from pure noise"
            )
        return (
            f"broken: {100 * amplitude:.0f} % of the image's amplitude is left at the noisiest "
            "level, but sampling starts from pure noise, which the network never saw there; "
            "multiply the betas by 1000/T, or use the cosine schedule"
        )


def check_schedule(
    schedule: str | LinearBetas,
    num_inference_steps: int = 20,
    num_train_timesteps: int = 1000,
    beta_scale: float = 1.0,
) -> ScheduleCheck:
    """Check a noise schedule or a sampling schedule, and the levels that K steps visit.

    Raises:
        ConfigError: the schedule is unknown, or the scaled betas reach 1.
    """
    if isinstance(schedule, str) and schedule in NOISE_SCHEDULES:
        noise_scheduler = build_noise_scheduler(
            schedule, num_train_timesteps, beta_scale=beta_scale
        )
        name = f"{schedule} (T = {num_train_timesteps})"
    else:
        noise_scheduler, name = build_noise_scheduler("cosine"), str(schedule)
    visited = noise_levels(schedule, num_inference_steps, noise_scheduler).alpha_bar
    alpha_bar = (
        visited if schedule in SIGMA_SPACED else schedule_alpha_bars(schedule, noise_scheduler)
    )
    sigmas = np.sqrt(1 / visited - 1)
    return ScheduleCheck(name, float(alpha_bar.min()), float(sigmas[0]), float(sigmas[-1]))


def build_run_noise_scheduler(config: TrainConfig) -> DDPMScheduler:
    """Return a run's noise schedule, after checking that sampling can start at its end.

    Raises:
        ConfigError: sampling could not start from its end, and the run does not allow that.
    """
    total = config.num_train_timesteps
    noise_scheduler = build_noise_scheduler(
        config.noise_schedule, total, config.prediction_type, config.beta_scale
    )
    terminal = float(alpha_bars(noise_scheduler).min())
    if terminal > MAX_TERMINAL_ALPHA_BAR and not config.allow_nonzero_terminal_snr:
        raise ConfigError(
            f"terminal alpha-bar is {terminal:.3g}; it must be at most {MAX_TERMINAL_ALPHA_BAR:g}, "
            "or sampling from pure noise starts where training never was: scale the betas by "
            f"1000/T (--beta-scale {1000 / total:g}) or use --noise-schedule cosine "
            "(--allow-nonzero-terminal-snr trains all the same)."
        )
    return noise_scheduler
