"""Denoising trajectories: filmstrip, score curves, the frames of the player, an animated GIF."""

import io
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

from fashion_ddpm.core.image_kind import CLASS_NAMES
from fashion_ddpm.core.images import make_grid, to_channels_first
from fashion_ddpm.core.wording import format_number, whole_percent
from fashion_ddpm.demo.results import Result, preview_picture
from fashion_ddpm.generation.files import file_name
from fashion_ddpm.server.limits import PAGE_MAX_STEPS

FILMSTRIP_COLUMNS = 11
"""Frames of a filmstrip: 0 %, 10 % … 100 % of the trajectory."""

FILMSTRIP_SCALE = 3

SETTLED_SCORE = 0.5
"""Label score above which CLIP has settled on a class: of pure noise, too, some class is first."""

NUM_RUNNERS_UP = 2

MAX_SIDE = 64
"""Longest side of a frame, in pixels; larger images are shown reduced."""

MAX_SPRITE_BYTES = 4_000_000
"""Most bytes of a sprite before compression: room for 16 grey images of 28×28 pixels at 100 steps;
of larger ones it holds fewer steps."""

GIF_SIDE = 56
"""Images in an animated GIF are enlarged to about so many pixels."""

GIF_MAX_STEPS = 40
"""Most steps in an animated GIF: noise cannot be compressed, and each takes 3 kB an image."""

GIF_MS, GIF_LAST_MS = 4000, 2000
"""Duration of an animated GIF, and of its last frame, in milliseconds."""

GIF_FRAME_MS = (100, 400)
"""Shortest and longest duration of another frame."""


@dataclass(frozen=True)
class Trajectory:
    """All steps of one image.

    Attributes:
        noisy: uint8 [K, H, W], or [K, H, W, 3], x_t before each step.
        clean: uint8, of the same shape, the clean image predicted there; the last one is the image.
        label_scores: float32 [K, classes], scores of each predicted clean image; [K, 0] without a
            scorer.
        label: the requested class.
        class_names: the classes, in label order.
    """

    noisy: Tensor
    clean: Tensor
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
        f"from {whole_percent(first)} to {whole_percent(last)}"
    )
    for curve in runners_up:
        text += f"; {curve.class_name} reaches at most {whole_percent(max(curve.scores))}"
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
            f'CLIP never settles on "{name}" with more than {whole_percent(SETTLED_SCORE)}; its '
            f'final top label is "{trajectory.class_names[winner]}" ({whole_percent(float(best))}).'
        )
    first = len(wins) - next((i for i, won in enumerate(reversed(wins)) if not won), len(wins))
    there, end = (
        whole_percent(float(requested[first])),
        whole_percent(float(requested[-1])),
    )
    shown = end if there == end else f"{there} there, {end} at the end"
    step = f"step {first + 1} of {len(wins)}"
    return f'From {step} onward, CLIP\'s top label is "{name}" ({shown}).'


@dataclass(frozen=True)
class Frames:
    """The steps of a run that are shown: all of them, or evenly spaced ones.

    Attributes:
        steps: indices of the steps, rising; the last one is the run's last.
        noisy: uint8 [F, B, H, W], or [F, B, H, W, 3], x_t before each of the F steps.
        clean: uint8, of the same shape, the clean images predicted there.
    """

    steps: list[int]
    noisy: Tensor
    clean: Tensor

    def sprite(self) -> Image.Image:
        """Return all frames in one picture: a column for each step; x_t above, predicted below.

        The row of image i of B is i for x_t, and B + i for the predicted clean image.
        """
        images = torch.cat([self.noisy, self.clean], dim=1)  # [F, 2B, H, W(, 3)]
        count, rows, height, width = images.shape[:4]
        canvas = images.transpose(0, 1).transpose(1, 2)  # [2B, H, F, W(, 3)] after both
        shape = (rows * height, count * width, *images.shape[4:])
        return Image.fromarray(canvas.reshape(shape).numpy())


def select_frames(result: Result, max_steps: int = PAGE_MAX_STEPS) -> Frames:
    """Return a run's frames, reduced to MAX_SIDE and thinned out to MAX_SPRITE_BYTES."""
    count, batch, height, width, *colours = result.noisy.shape
    factor = max(1, -(-max(height, width) // MAX_SIDE))
    size = (height // factor, width // factor)
    step_bytes = 2 * batch * size[0] * size[1] * (colours[0] if colours else 1)
    most = min(count, max_steps, max(2, MAX_SPRITE_BYTES // step_bytes))
    steps = [int(step) for step in np.linspace(count - 1, 0, most).round()[::-1]]
    noisy, clean = result.noisy[steps], result.clean[steps]
    if factor > 1:
        noisy, clean = (
            torch.stack([_reduce(images, size) for images in stack]) for stack in (noisy, clean)
        )
    return Frames(steps, noisy, clean)


def _reduce(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Return uint8 [B, H, W] or [B, H, W, 3] at a smaller size, each pixel the mean of its area."""
    small = interpolate(to_channels_first(images).float(), size, mode="area")
    small = small.squeeze(1) if images.ndim == 3 else small.permute(0, 2, 3, 1)
    return small.round().to(torch.uint8)


def sigma_text(alpha_bar: float) -> str:
    """Return the noise-to-signal ratio σ at a noise level, with three digits."""
    return format_number(max(1 / alpha_bar - 1, 0.0) ** 0.5)


def animate(result: Result) -> bytes:
    """Return an animated GIF of a run: x_t in the upper rows, the predicted clean images below."""
    frames = select_frames(result, GIF_MAX_STEPS)
    scale = max(1, GIF_SIDE // frames.noisy.shape[2])
    pictures = (
        preview_picture(noisy, clean, scale)
        for noisy, clean in zip(frames.noisy, frames.clean, strict=True)
    )
    shortest, longest = GIF_FRAME_MS
    duration = min(max(GIF_MS // len(frames.steps), shortest), longest)
    durations = [duration] * (len(frames.steps) - 1) + [GIF_LAST_MS]
    buffer, first = io.BytesIO(), next(pictures)
    first.save(
        buffer, "GIF", save_all=True, append_images=pictures, duration=durations, loop=0, disposal=1
    )
    return buffer.getvalue()


def gif_name(result: Result) -> str:
    """Return the name of the GIF file, such as "bag-seed-0.gif"."""
    return file_name(f"{result.request.class_name}-seed-{result.request.seed}", ending=".gif")
