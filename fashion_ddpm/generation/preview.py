"""Previews of a network in training: how each class emerges, class i always from seed i."""

import os
from collections.abc import Iterable
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from fashion_ddpm.checkpoints.atomic_folders import temporary_path
from fashion_ddpm.core.images import make_grid, save_png, to_uint8
from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline
from fashion_ddpm.diffusion.sampling import SamplingSettings

SETTINGS = SamplingSettings("cosine", num_inference_steps=10)
"""Those of previews, except of distilled networks, so that several networks can be compared."""

SHOWN_STEPS = (1, 2, 3, 4, 6, 8, 10)
"""The steps whose predicted clean image is shown, counted from 1."""

MAX_CLASSES = 20
"""A preview shows at most this many classes, the first ones."""

STEPS_KEY = "shown_steps"
"""Key in a preview's settings: the step of each column; 0 is the noise."""

Share = list[tuple[int, Tensor]]
"""Labels and their rows of the preview, uint8 [columns, H, W] or [columns, H, W, 3]."""


def preview_name(images_seen: int) -> str:
    """Return the file name of a preview; later ones sort after earlier ones."""
    return f"{images_seen:011d}.png"


def draw_preview_share(pipeline: FashionDDPMPipeline, rank: int = 0, num_ranks: int = 1) -> Share:
    """Generate this process's rows of the preview: the noise, then predicted clean images."""
    labels = list(range(rank, min(len(pipeline.class_names), MAX_CLASSES), num_ranks))
    if not labels:
        return []
    settings = pipeline.default_settings if pipeline.is_distilled else SETTINGS
    steps = list(pipeline.stream(labels, labels, settings))
    shown = [step.clean for step in steps if step.index + 1 in SHOWN_STEPS]
    columns = [to_uint8(images.cpu().nan_to_num()) for images in (steps[0].noisy, *shown)]
    return list(zip(labels, torch.stack(columns, dim=1), strict=True))


def save_preview(shares: Iterable[tuple[int, Tensor]], path: Path) -> Image.Image:
    """Write and return the preview: one row per class, one column per shown step.

    Args:
        shares: the parts of all processes.
        path: a PNG file, which carries its steps.
    """
    rows = torch.stack([row for _, row in sorted(shares, key=lambda share: share[0])])
    num_columns = rows.shape[1]
    picture = make_grid(rows.flatten(0, 1), columns=num_columns)
    temporary = temporary_path(path)
    try:
        save_png(picture, temporary, {STEPS_KEY: [0, *SHOWN_STEPS[: num_columns - 1]]})
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return picture
