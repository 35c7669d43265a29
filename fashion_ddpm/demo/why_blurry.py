"""Why the report's images were blurry: any betas beside cosine, as pictures and numbers."""

import base64
import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image

from fashion_ddpm.core.image_kind import CLASS_NAMES
from fashion_ddpm.core.images import make_grid, to_uint8
from fashion_ddpm.core.requests import RequestError, class_label
from fashion_ddpm.demo.engine import Demo, StepWrapper
from fashion_ddpm.demo.gallery import STORY_CLASS, STORY_SEEDS
from fashion_ddpm.demo.game_requests import CustomScheduleRequest
from fashion_ddpm.demo.trajectory import Trajectory
from fashion_ddpm.diffusion.sampling import SamplingSettings
from fashion_ddpm.diffusion.schedule_check import MAX_TERMINAL_ALPHA_BAR, check_schedule
from fashion_ddpm.diffusion.schedules import (
    MIN_ALPHA_BAR,
    STUDENT_BETAS,
    LinearBetas,
    alpha_bars,
    build_noise_scheduler,
    noise_levels,
)
from fashion_ddpm.scoring.clip import select_scores
from fashion_ddpm.scoring.clip_baseline import load_real_sample

COSINE = "cosine"
CURVE_POINTS = 101
"""Points of cosine's curve."""

NOISED_LEVELS = 10
SCALE = 3

HALF_FIX = LinearBetas(200, STUDENT_BETAS.beta_start, STUDENT_BETAS.beta_end)
GUESSES = ("Fixed", "Still broken")
"""What a visitor may guess of it."""

HALF_FIX_NAME = "Half a fix: T = 200"
FIXES: dict[str, LinearBetas] = {
    "Student's report: T = 100": STUDENT_BETAS,
    HALF_FIX_NAME: HALF_FIX,
    "Fix: T = 1000": LinearBetas(1000, STUDENT_BETAS.beta_start, STUDENT_BETAS.beta_end),
    "Fix: betas × 10": LinearBetas(100, 10 * STUDENT_BETAS.beta_start, 10 * STUDENT_BETAS.beta_end),
}
"""Button → betas; each but the first changes one thing."""


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
        score = "" if self.score is None else f" · CLIP: {100 * self.score:.0f} % {self.class_name}"
        return f"**{self.schedule}**{score}"

    def alt_text(self) -> str:
        """Return what the eight images are, for screen readers."""
        seeds = f"seeds {STORY_SEEDS[0]} to {STORY_SEEDS[-1]}"
        return f"eight images of class {self.class_name}, {seeds}, with {self.schedule}"


def explorer_data(num_inference_steps: int) -> dict[str, Any]:
    """Return what the browser needs to show any noise schedule beside cosine, as JSON.

    The browser computes all that depends on the visitor's betas: ᾱ, log-SNR, the levels that K
    steps visit, the noised image and the verdict (ui/assets/schedule_math.js).

    Returns:
        max_terminal_alpha_bar, min_alpha_bar: limits of ᾱ, as in schedule_check and schedules.
        steps: K.
        images: class → the first real test image of it, 784 grey levels in base64.
        noise: 784 values of N(0, 1), the same for each image and level.
        size: 28.
        cosine: `curve` and `visited` as [t / T, ᾱ] points, and `noised`: ᾱ at ten levels.
    """
    scheduler = build_noise_scheduler(COSINE)
    levels = alpha_bars(scheduler)
    last = len(levels) - 1
    visited = noise_levels(COSINE, num_inference_steps, scheduler)
    real = load_real_sample()
    noise = torch.randn(real.images.shape[1:], generator=torch.Generator().manual_seed(0))
    curve = np.linspace(0, last, CURVE_POINTS).round().astype(int)
    noised = np.linspace(0, last, NOISED_LEVELS).round().astype(int)
    return {
        "max_terminal_alpha_bar": MAX_TERMINAL_ALPHA_BAR,
        "min_alpha_bar": MIN_ALPHA_BAR,
        "steps": num_inference_steps,
        "images": {
            name: base64.b64encode(real.select_class(label)[0].numpy().tobytes()).decode()
            for label, name in enumerate(CLASS_NAMES)
        },
        "noise": [round(value, 4) for value in noise.flatten().tolist()],
        "size": real.images.shape[-1],
        "cosine": {
            "curve": [[index / last, float(levels[index])] for index in curve.tolist()],
            "visited": [
                [float(timestep) / last, float(level)]
                for timestep, level in zip(visited.timesteps, visited.alpha_bar, strict=True)
            ],
            "noised": [float(levels[index]) for index in noised],
        },
    }


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
    labels = [label] * len(STORY_SEEDS)
    steps = list(wrap_steps(demo.pipeline.stream(labels, STORY_SEEDS, settings)))
    scorer, _ = demo.scorer(demo.scorers[0])
    clean = torch.cat([to_uint8(step.clean[:1]) for step in steps]).cpu()
    noisy = torch.cat([to_uint8(step.noisy[:1]) for step in steps]).cpu()
    images = to_uint8(steps[-1].clean).cpu()
    trajectory = Trajectory(
        noisy,
        clean,
        scorer.label_scores(clean),
        label,
    )
    scores = select_scores(scorer.label_scores(images), torch.tensor(labels))
    score = None if scores is None else scores.mean().item()
    picture = make_grid(images, columns=len(STORY_SEEDS), scale=SCALE)
    return Samples(schedule, class_name, trajectory, picture, score)


def answer_guess(guess: str) -> str:
    """Return whether T = 200 is fixed, and why."""
    check = check_schedule(HALF_FIX)
    is_right = check.starts_from_noise == (guess == GUESSES[0])
    state = "fixed" if check.starts_from_noise else "still broken"
    left = 100 * check.terminal_alpha_bar**0.5
    return (
        f"You said “{guess}”. {'Right' if is_right else 'Not quite'}: **{state}**. With twice the "
        f"levels, {left:.0f} % of the image's amplitude is left at the noisiest one, instead of "
        "60 %. Sampling still starts from pure noise, which a network trained on these levels "
        "never saw. This demo's network saw it, but cannot go on from it at these levels:"
    )


def parse_settings(settings: Any) -> CustomScheduleRequest:
    """Return the request that the explorer's value makes.

    Raises:
        RequestError: it is no such value, or a setting is out of bounds.
        ConfigError: the betas fall.
    """
    names = [field.name for field in dataclasses.fields(CustomScheduleRequest)]
    if not isinstance(settings, dict) or sorted(settings) != sorted(names):
        raise RequestError("The schedule's settings must be complete: reload the page.")
    request = CustomScheduleRequest(**settings)
    to_betas(request)
    return request


def to_betas(request: CustomScheduleRequest) -> LinearBetas:
    """Return the noise schedule of a request."""
    return LinearBetas(request.num_levels, request.first_beta, request.last_beta)


def to_request(betas: LinearBetas, class_name: str = STORY_CLASS) -> CustomScheduleRequest:
    """Return the request for betas and a class."""
    return CustomScheduleRequest(
        betas.num_train_timesteps, betas.beta_start, betas.beta_end, class_name
    )
