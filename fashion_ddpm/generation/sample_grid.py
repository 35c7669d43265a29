"""Grids of samples during a training run, always from the same seeds."""

from collections.abc import Iterable
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from fashion_ddpm.core.images import make_grid
from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline

ROWS = 2
SCALE = 3
MAX_COLUMNS = 20
"""A grid shows at most this many classes, the first ones."""

Share = list[tuple[int, Tensor]]
"""Indices in the grid and their images, uint8 [H, W] or [H, W, 3]."""


def draw_grid_share(pipeline: FashionDDPMPipeline, rank: int, num_ranks: int) -> Share:
    """Generate this process's part of the grid."""
    columns = min(len(pipeline.class_names), MAX_COLUMNS)
    indices = range(rank, ROWS * columns, num_ranks)
    labels = [index % columns for index in indices]
    batches = list(pipeline.generate(labels, indices))
    return list(zip(indices, (image for batch in batches for image in batch.images), strict=True))


def save_grid(shares: Iterable[tuple[int, Tensor]], path: Path) -> Image.Image:
    """Write and return the grid of all processes' parts, one class per column."""
    images = torch.stack([image for _, image in sorted(shares, key=lambda share: share[0])])
    picture = make_grid(images, columns=len(images) // ROWS, scale=SCALE)
    picture.save(path)
    return picture
