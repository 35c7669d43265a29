"""One image's way from noise to the end: a filmstrip, and when it becomes what it is."""

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from fashion_ddpm.images import enlarge, grid
from fashion_ddpm.labels import label_prompts

COLUMNS = 11
"""Frames of a filmstrip: 0 %, 10 % … 100 % of the way."""

FILM_SCALE = 3
FRAME_SCALE = 8


@dataclass(frozen=True)
class Trajectory:
    """What one image went through.

    Attributes:
        noisy: uint8 [K, 28, 28], x_t before each step.
        clean: uint8 [K, 28, 28], the clean image predicted there; the last one is the image.
        alpha_bar: float64 [K], share of the image's power in x_t, rising.
        label_scores: float32 [K, 10], what the scorer says of each predicted clean image.
        label: what was asked for, 0 … 9.
    """

    noisy: Tensor
    clean: Tensor
    alpha_bar: np.ndarray
    label_scores: Tensor
    label: int

    @property
    def done(self) -> np.ndarray:
        """How much of the way lies behind each step's prediction, in percent: float64 [K]."""
        return 100 * np.arange(1, len(self.noisy) + 1) / len(self.noisy)


def filmstrip(trajectory: Trajectory) -> Image.Image:
    """Returns x_t in the upper row and the predicted clean images in the lower one."""
    count = len(trajectory.noisy)
    frames = np.linspace(0, count - 1, min(count, COLUMNS)).round().astype(int)
    chosen = torch.cat([trajectory.noisy[frames], trajectory.clean[frames]])
    return grid(chosen, columns=len(frames), scale=FILM_SCALE)


def frame(trajectory: Trajectory, index: int) -> Image.Image:
    """Returns one step, enlarged: x_t on the left, the predicted clean image on the right."""
    pair = torch.stack([trajectory.noisy[index], trajectory.clean[index]])
    return enlarge(np.asarray(grid(pair, columns=2)), FRAME_SCALE)


ASKED, RIVALS = "asked for", ("strongest rival", "second rival")


def score_curves(trajectory: Trajectory) -> list[tuple[float, str, float]]:
    """Returns (percent done, whose, score) for the asked garment and its strongest rivals."""
    scores = trajectory.label_scores
    if scores.isnan().any():
        return []
    best = scores.max(dim=0).values.clone()
    best[trajectory.label] = -1
    shown = [trajectory.label, *best.topk(len(RIVALS)).indices.tolist()]
    return [
        (float(percent), whose, float(row[label]))
        for whose, label in zip((ASKED, *RIVALS), shown, strict=True)
        for percent, row in zip(trajectory.done, scores, strict=True)
    ]


def decision(trajectory: Trajectory) -> str:
    """Returns a sentence: from when on the asked garment scores highest."""
    if trajectory.label_scores.isnan().any():
        return "No scorer is loaded, so nobody can say when."
    wins = (trajectory.label_scores.argmax(dim=1) == trajectory.label).tolist()
    prompts = [prompt[0].lower() + prompt[1:] for prompt in label_prompts()]
    prompt = prompts[trajectory.label]
    if not wins[-1]:
        winner = prompts[int(trajectory.label_scores[-1].argmax())]
        return f"It never settles on {prompt}: at the end the scorer sees {winner}."
    first = len(wins) - next((i for i, won in enumerate(reversed(wins)) if not won), len(wins))
    step = f"step {first + 1} of {len(wins)}"
    return f"From {step} on, the scorer sees {prompt} in what the network predicts."
