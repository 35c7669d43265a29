"""Grids of samples during a run: always the same seeds, so that one can watch them improve."""

from collections.abc import Iterable
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from fashion_ddpm.images import grid
from fashion_ddpm.labels import CLASS_NAMES
from fashion_ddpm.pipeline import FashionDDPMPipeline

ROWS = 2
SCALE = 3

Share = list[tuple[int, Tensor]]
"""Places in the grid and their images, uint8 [28, 28]."""


def draw_share(pipeline: FashionDDPMPipeline, rank: int, num_ranks: int) -> Share:
    """Draws this process's part of the grid, so that none waits while one draws it all."""
    places = range(rank, ROWS * len(CLASS_NAMES), num_ranks)
    labels = [place % len(CLASS_NAMES) for place in places]
    batches = list(pipeline.generate(labels, places))
    return list(zip(places, (image for batch in batches for image in batch.images), strict=True))


def save_shares(shares: Iterable[tuple[int, Tensor]], path: Path) -> Image.Image:
    """Writes the grid of all processes' parts, a class a column; returns the picture."""
    images = torch.stack([image for _, image in sorted(shares, key=lambda share: share[0])])
    picture = grid(images, columns=len(CLASS_NAMES), scale=SCALE)
    picture.save(path)
    return picture
