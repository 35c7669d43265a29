"""One image's trajectory from noise: filmstrip, score curves, and when the class is decided."""

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from fashion_ddpm.core.image_kind import CLASS_NAMES
from fashion_ddpm.core.images import make_grid

FILMSTRIP_COLUMNS = 11
"""Frames of a filmstrip: 0 %, 10 % … 100 % of the trajectory."""

FILMSTRIP_SCALE = 3

SETTLED_SCORE = 0.5
"""Label score above which CLIP has settled on a class: of pure noise, too, some class is first."""

NUM_RUNNERS_UP = 2


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


@dataclass(frozen=True)
class ScoreCurve:
    """The label scores of one class along a trajectory.

    Attributes:
        class_name: the class.
        scores: a probability for each of the K steps.
    """

    class_name: str
    scores: list[float]


def filmstrip(trajectory: Trajectory) -> Image.Image:
    """Return x_t in the upper row and the predicted clean images in the lower one."""
    count = len(trajectory.noisy)
    frames = np.linspace(0, count - 1, min(count, FILMSTRIP_COLUMNS)).round().astype(int)
    images = torch.cat([trajectory.noisy[frames], trajectory.clean[frames]])
    return make_grid(images, columns=len(frames), scale=FILMSTRIP_SCALE)


def score_curves(trajectory: Trajectory) -> list[ScoreCurve]:
    """Return the curve of the requested class, then those of its runners-up; [] without scores."""
    scores = trajectory.label_scores
    if not scores.shape[1]:
        return []
    best = scores.max(dim=0).values.clone()
    best[trajectory.label] = -1
    runners_up = best.topk(min(NUM_RUNNERS_UP, len(best) - 1)).indices.tolist()
    return [
        ScoreCurve(trajectory.class_names[label], [round(score, 3) for score in column.tolist()])
        for label in (trajectory.label, *runners_up)
        for column in (scores[:, label],)
    ]


def describe_curves(curves: list[ScoreCurve]) -> str:
    """Return what the chart of the curves shows, as a sentence for screen readers."""
    if not curves:
        return ""
    requested, *runners_up = curves
    first, last = requested.scores[0], requested.scores[-1]
    text = (
        f"Line chart of CLIP's label probability along the denoising: {requested.class_name} goes "
        f"from {_percent(first)} to {_percent(last)}"
    )
    for curve in runners_up:
        text += f"; {curve.class_name} reaches at most {_percent(max(curve.scores))}"
    return f"{text}."


def decision(trajectory: Trajectory) -> str:
    """Return since which step CLIP has settled on the requested class, as a sentence."""
    scores = trajectory.label_scores
    if not scores.shape[1]:
        return ""
    requested = scores[:, trajectory.label]
    wins = (requested > SETTLED_SCORE).tolist()
    name = trajectory.class_names[trajectory.label]
    if not wins[-1]:
        best, winner = scores[-1].max(dim=0)
        return (
            f'CLIP never settles on "{name}" with more than {_percent(SETTLED_SCORE)}; its final '
            f'top label is "{trajectory.class_names[winner]}" ({_percent(float(best))}).'
        )
    first = len(wins) - next((i for i, won in enumerate(reversed(wins)) if not won), len(wins))
    there, end = _percent(float(requested[first])), _percent(float(requested[-1]))
    shown = end if there == end else f"{there} there, {end} at the end"
    step = f"step {first + 1} of {len(wins)}"
    return f'From {step} onward, CLIP\'s top label is "{name}" ({shown}).'


def _percent(score: float) -> str:
    """Return a probability as "97 %"."""
    return f"{100 * score:.0f} %"
