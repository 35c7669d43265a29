"""Tests of the generate command, and of what many processes generate together."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from fashion_ddpm.core.distributed import this_process
from fashion_ddpm.core.requests import GenerateRequest
from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline
from fashion_ddpm.diffusion.sampling import SamplingSettings
from fashion_ddpm.generation import generate
from fashion_ddpm.generation.command import run
from fashion_ddpm.generation.generate import generate_together
from fashion_ddpm.generation.sample_grid import ROWS, SCALE, save_sample_grid

REQUEST = GenerateRequest("all", num_images=5, num_inference_steps=2)


def test_images_come_in_the_order_of_their_seeds(tiny_pipeline: FashionDDPMPipeline) -> None:
    found = generate_together(tiny_pipeline, REQUEST, 2, this_process(), silent=True)
    assert found.images.labels.tolist() == [0, 1, 2, 3, 4]
    assert found.finite.all()
    for index in range(5):
        (alone,) = tiny_pipeline.generate([index], [index], SamplingSettings.from_request(REQUEST))
        assert torch.equal(found.images.images[index], alone.images[0])


def test_a_process_draws_its_share(
    tiny_pipeline: FashionDDPMPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second of two processes; the first one's part is made up of its own shape."""
    drawn: list[int] = []

    def gather(part: Any) -> list[Any]:
        drawn.append(len(part[0]))
        black = torch.zeros(3, *part[0].shape[1:])
        return [(black, torch.ones(3, dtype=torch.bool), 9.0), part]

    monkeypatch.setattr(generate, "gather_parts", gather)
    other: Any = SimpleNamespace(process_index=1, num_processes=2, is_main_process=False)
    found = generate_together(tiny_pipeline, REQUEST, 2, other, silent=True)
    assert drawn == [2]
    assert found.seconds == 9.0
    assert (found.images.images[::2] == 0).all()
    assert not (found.images.images[1::2] == 0).all()


def test_a_model_card_has_two_samples_of_each_class(
    tiny_pipeline: FashionDDPMPipeline, tmp_path: Path
) -> None:
    save_sample_grid(tiny_pipeline, tmp_path / "grid.png")
    with Image.open(tmp_path / "grid.png") as picture:
        assert picture.size == (SCALE * (10 * 30 - 2), SCALE * (ROWS * 30 - 2))


def test_images_are_written_and_scored_beside_real_ones(
    tiny_checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    request = GenerateRequest(class_name="bag", num_images=3, num_inference_steps=2)
    run(request, str(tiny_checkpoint), tmp_path / "out.npz", 2, "embedded")
    printed = capsys.readouterr().out
    assert "real" in printed
    assert "of 3 images" in printed
    with np.load(tmp_path / "out.npz") as arrays:
        assert arrays["labels"].tolist() == [8, 8, 8]
