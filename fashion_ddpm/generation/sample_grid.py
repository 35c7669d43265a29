"""The grid of samples in a model card."""

from pathlib import Path

import torch

from fashion_ddpm.core.images import make_grid
from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline

ROWS = 2
SCALE = 3
MAX_COLUMNS = 20
"""A grid shows at most this many classes, the first ones."""


def save_sample_grid(pipeline: FashionDDPMPipeline, path: Path) -> None:
    """Write a grid of samples, image i from seed i, one class per column."""
    columns = min(len(pipeline.class_names), MAX_COLUMNS)
    seeds = range(ROWS * columns)
    batches = pipeline.generate([seed % columns for seed in seeds], seeds)
    images = torch.cat([batch.images for batch in batches])
    make_grid(images, columns, scale=SCALE).save(path)
