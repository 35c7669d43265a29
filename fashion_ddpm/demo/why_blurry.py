"""Why the report's images were blurry: any betas beside cosine, as pictures and numbers."""

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

from fashion_ddpm.core.images import make_grid, to_model, to_uint8
from fashion_ddpm.core.requests import class_label
from fashion_ddpm.demo.engine import Demo, StepWrapper
from fashion_ddpm.demo.trajectory import Trajectory
from fashion_ddpm.diffusion.sampling import SamplingSettings
from fashion_ddpm.diffusion.schedules import (
    LinearBetas,
    alpha_bars,
    build_noise_scheduler,
    log_snr,
    noise_levels,
)
from fashion_ddpm.scoring.clip import select_scores
from fashion_ddpm.scoring.clip_baseline import load_real_sample

COSINE = "cosine"
CUSTOM_BETAS = "yours"
SEEDS = range(8)
CURVE_POINTS = 60
"""Points of a curve."""

NOISED_LEVELS = 10
SCALE = 3

Point = tuple[float, str, float]
"""t / T or step, name of the curve, value."""


@dataclass(frozen=True)
class Samples:
    """Samples of eight fixed seeds with one schedule.

    Attributes:
        schedule: the schedule's name, or the betas.
        class_name: the requested class.
        trajectory: the first seed's.
        picture: the eight images.
        score: mean probability that the scorer gives to that class; None without a scorer.
    """

    schedule: str | LinearBetas
    class_name: str
    trajectory: Trajectory
    picture: Image.Image
    score: float | None

    def sentence(self) -> str:
        """Return the schedule and its score as a sentence."""
        score = "no label score" if self.score is None else f"label score {self.score:.0%}"
        return f"**{self.schedule}**: {score} as {self.class_name}, mean of eight images"


def curves(betas: LinearBetas) -> tuple[list[Point], list[Point]]:
    """Return the points of ᾱ and of natural log-SNR over t / T, for the betas and cosine."""
    schedules = {
        CUSTOM_BETAS: betas.alpha_bars(),
        COSINE: alpha_bars(build_noise_scheduler(COSINE)),
    }
    alpha_bar_points, log_snr_points = [], []
    for name, levels in schedules.items():
        for position in np.linspace(0, 1, CURVE_POINTS):
            level = float(np.interp(position, np.linspace(0, 1, len(levels)), levels))
            time = round(float(position), 3)
            alpha_bar_points.append((time, name, round(level, 4)))
            log_snr_points.append((time, name, round(float(log_snr(np.array(level))), 2)))
    return alpha_bar_points, log_snr_points


def visited_levels(betas: LinearBetas, num_inference_steps: int) -> list[Point]:
    """Return the log-SNR of the levels that K steps visit."""
    schedules: dict[str, str | LinearBetas] = {CUSTOM_BETAS: betas, COSINE: COSINE}
    return [
        (float(index + 1), name, round(float(ratio), 2))
        for name, schedule in schedules.items()
        for index, ratio in enumerate(
            log_snr(
                noise_levels(schedule, num_inference_steps, build_noise_scheduler(COSINE)).alpha_bar
            )
        )
    ]


def noised_image(betas: LinearBetas, class_name: str) -> Image.Image:
    """Return a real image noised to ten levels from first to last; betas above, cosine below."""
    real = load_real_sample()
    clean = to_model(real.select_class(class_label(class_name))[:1])
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))
    rows = []
    for levels in (betas.alpha_bars(), alpha_bars(build_noise_scheduler(COSINE))):
        for index in np.linspace(0, len(levels) - 1, NOISED_LEVELS).round().astype(int):
            level = float(levels[index])
            rows.append(to_uint8(level**0.5 * clean + (1 - level) ** 0.5 * noise))
    return make_grid(torch.cat(rows), columns=NOISED_LEVELS, scale=SCALE)


def draw_samples(
    demo: Demo,
    schedule: str | LinearBetas,
    class_name: str,
    num_inference_steps: int,
    wrap_steps: StepWrapper = iter,
) -> Samples:
    """Sample eight seeds with a schedule and score them."""
    label = class_label(class_name)
    settings = SamplingSettings(schedule, num_inference_steps=num_inference_steps)
    steps = list(wrap_steps(demo.pipeline.stream([label] * len(SEEDS), SEEDS, settings)))
    scorer, _ = demo.scorer(demo.scorers[0])
    clean = torch.cat([to_uint8(step.clean[:1]) for step in steps]).cpu()
    noisy = torch.cat([to_uint8(step.noisy[:1]) for step in steps]).cpu()
    images = to_uint8(steps[-1].clean).cpu()
    trajectory = Trajectory(
        noisy,
        clean,
        np.array([step.alpha_bar for step in steps]),
        scorer.label_scores(clean),
        label,
    )
    scores = select_scores(scorer.label_scores(images), torch.tensor([label] * len(SEEDS)))
    score = None if scores is None else scores.mean().item()
    picture = make_grid(images, columns=len(SEEDS), scale=SCALE)
    return Samples(schedule, class_name, trajectory, picture, score)
