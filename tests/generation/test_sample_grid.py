"""Tests of the grids of samples."""

from pathlib import Path

import pytest
from PIL import Image

from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline
from fashion_ddpm.generation.sample_grid import ROWS, draw_grid_share, save_grid


@pytest.mark.parametrize("num_ranks", [1, 3, 25])
def test_the_ranks_draw_the_grid_together(
    tiny_pipeline: FashionDDPMPipeline, tmp_path: Path, num_ranks: int
) -> None:
    shares = [
        part for r in range(num_ranks) for part in draw_grid_share(tiny_pipeline, r, num_ranks)
    ]
    assert sorted(place for place, _ in shares) == list(range(ROWS * 10))
    alone = dict(draw_grid_share(tiny_pipeline, 0, 1))
    assert all((alone[place] == image).all() for place, image in shares)
    save_grid(shares, tmp_path / "grid.png")
    with Image.open(tmp_path / "grid.png") as picture:
        assert picture.width > 10 * 28
