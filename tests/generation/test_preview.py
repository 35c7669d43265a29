"""Tests of the previews of a network in training."""

from pathlib import Path

import pytest
import torch
from PIL import Image

from fashion_ddpm.checkpoints.locate import distilled_folder
from fashion_ddpm.core.images import read_settings, to_uint8
from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline, load_pipeline
from fashion_ddpm.generation.preview import (
    SETTINGS,
    SHOWN_STEPS,
    STEPS_KEY,
    draw_preview_share,
    save_preview,
)


@pytest.mark.parametrize("num_ranks", [1, 3, 12])
def test_the_ranks_draw_a_preview_together(
    tiny_pipeline: FashionDDPMPipeline, tmp_path: Path, num_ranks: int
) -> None:
    shares = [
        part for r in range(num_ranks) for part in draw_preview_share(tiny_pipeline, r, num_ranks)
    ]
    assert sorted(label for label, _ in shares) == list(range(10))
    alone = dict(draw_preview_share(tiny_pipeline))
    assert all(torch.equal(alone[label], row) for label, row in shares)
    path = tmp_path / "preview.png"
    picture = save_preview(shares, path)
    assert picture.size == (8 * 30 - 2, 10 * 30 - 2)
    with Image.open(path) as saved:
        assert saved.tobytes() == picture.tobytes()
    assert read_settings(path)[STEPS_KEY] == [0, *SHOWN_STEPS]


def test_a_row_begins_with_noise_and_ends_with_the_image(
    tiny_pipeline: FashionDDPMPipeline,
) -> None:
    first, *_, last = tiny_pipeline.stream([4], [4], SETTINGS)
    row = dict(draw_preview_share(tiny_pipeline))[4]
    assert torch.equal(row[0], to_uint8(first.noisy)[0])
    assert torch.equal(row[-1], to_uint8(last.clean)[0])


def test_a_distilled_network_is_shown_at_all_of_its_few_steps(
    checkpoint_with_turbo: Path, tmp_path: Path
) -> None:
    pipeline = load_pipeline(distilled_folder(checkpoint_with_turbo))
    save_preview(draw_preview_share(pipeline), tmp_path / "preview.png")
    assert read_settings(tmp_path / "preview.png")[STEPS_KEY] == [0, 1, 2, 3, 4]
