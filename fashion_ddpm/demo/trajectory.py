"""One image's trajectory from noise: filmstrip, score curves, and when the class is decided."""

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from fashion_ddpm.core.image_kind import CLASS_NAMES, label_prompts
from fashion_ddpm.core.images import enlarge, make_grid

FILMSTRIP_COLUMNS = 11
"""Frames of a filmstrip: 0 %, 10 % … 100 % of the trajectory."""

FILMSTRIP_SCALE = 3
FRAME_SCALE = 8


@dataclass(frozen=True)
class Trajectory:
    """All steps of one image.

    Attributes:
        noisy: uint8 [K, H, W], or [K, H, W, 3], x_t before each step.
        clean: uint8, of the same shape, the clean image predicted there; the last one is the image.
        alpha_bar: float64 [K], share of the image's power in x_t, rising.
        label_scores: float32 [K, classes], scores of each predicted clean image; [K, 0] without a
            scorer.
        label: the requested class.
        class_names: the classes, in label order.
    """

    noisy: Tensor
    clean: Tensor
    alpha_bar: np.ndarray
    label_scores: Tensor
    label: int
    class_names: tuple[str, ...] = CLASS_NAMES

    @property
    def percent_done(self) -> np.ndarray:
        """Share of the steps that each step completes, in percent: float64 [K]."""
        return 100 * np.arange(1, len(self.noisy) + 1) / len(self.noisy)


def filmstrip(trajectory: Trajectory) -> Image.Image:
    """Return x_t in the upper row and the predicted clean images in the lower one."""
    count = len(trajectory.noisy)
    frames = np.linspace(0, count - 1, min(count, FILMSTRIP_COLUMNS)).round().astype(int)
    images = torch.cat([trajectory.noisy[frames], trajectory.clean[frames]])
    return make_grid(images, columns=len(frames), scale=FILMSTRIP_SCALE)


def frame(trajectory: Trajectory, index: int) -> Image.Image:
    """Return one step, enlarged: x_t on the left, the predicted clean image on the right."""
    pair = torch.stack([trajectory.noisy[index], trajectory.clean[index]])
    return enlarge(np.asarray(make_grid(pair, columns=2)), FRAME_SCALE)


SEEN_SCORE = 0.5
"""Label score above which a class counts as recognized."""

TARGET_CURVE, RIVAL_CURVES = "asked for", ("strongest rival", "second rival")


def score_curves(trajectory: Trajectory) -> list[tuple[float, str, float]]:
    """Return (percent done, curve, score) for the requested class and its strongest rivals."""
    scores = trajectory.label_scores
    if not scores.shape[1]:
        return []
    best = scores.max(dim=0).values.clone()
    best[trajectory.label] = -1
    rivals = min(len(RIVAL_CURVES), len(best) - 1)
    labels = [trajectory.label, *best.topk(rivals).indices.tolist()]
    return [
        (round(float(percent), 1), curve, round(float(row[label]), 3))
        for curve, label in zip((TARGET_CURVE, *RIVAL_CURVES), labels, strict=False)
        for percent, row in zip(trajectory.percent_done, scores, strict=True)
    ]


def decision(trajectory: Trajectory) -> str:
    """Return since which step the scorer recognizes the requested class, as a sentence.

    Recognition takes SEEN_SCORE, because under pure noise some class scores highest, too.
    """
    scores = trajectory.label_scores
    if not scores.shape[1]:
        return ""
    wins = (scores[:, trajectory.label] > SEEN_SCORE).tolist()
    prompts = [prompt[0].lower() + prompt[1:] for prompt in label_prompts(trajectory.class_names)]
    prompt = prompts[trajectory.label]
    if not wins[-1]:
        best, winner = scores[-1].max(dim=0)
        verdict = f"at the end {prompts[winner]} scores highest, with {best:.0%}"
        return f"It never settles on {prompt}: {verdict}."
    first = len(wins) - next((i for i, won in enumerate(reversed(wins)) if not won), len(wins))
    step = f"step {first + 1} of {len(wins)}"
    return (
        f"From {step} on, the scorer sees {prompt} in what the network predicts "
        f"({scores[first, trajectory.label]:.0%} there, {scores[-1, trajectory.label]:.0%} at the "
        "end)."
    )
