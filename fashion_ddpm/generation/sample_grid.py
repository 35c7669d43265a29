"""Grids of samples during a run: always the same seeds, so that one can watch them improve."""

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
"""Classes that a grid shows, the first ones; more would be too small to see."""

Share = list[tuple[int, Tensor]]
"""Places in the grid and their images, uint8 [H, W] or [H, W, 3]."""


def draw_grid_share(pipeline: FashionDDPMPipeline, rank: int, num_ranks: int) -> Share:
    """Draw this process's part of the grid, so that none waits while one draws it all."""
    columns = min(len(pipeline.class_names), MAX_COLUMNS)
    indices = range(rank, ROWS * columns, num_ranks)
    labels = [index % columns for index in indices]
    batches = list(pipeline.generate(labels, indices))
    return list(zip(indices, (image for batch in batches for image in batch.images), strict=True))


def save_grid(shares: Iterable[tuple[int, Tensor]], path: Path) -> Image.Image:
    """Write the grid of all processes' parts, a class a column; return the picture."""
    images = torch.stack([image for _, image in sorted(shares, key=lambda share: share[0])])
    picture = make_grid(images, columns=len(images) // ROWS, scale=SCALE)
    picture.save(path)
    return picture
