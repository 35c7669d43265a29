"""Tests of images that many processes generate together."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from fashion_ddpm.core.distributed import this_process
from fashion_ddpm.core.requests import GenerateRequest
from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline
from fashion_ddpm.diffusion.sampling import SamplingSettings
from fashion_ddpm.generation import generate
from fashion_ddpm.generation.generate import generate_together

REQUEST = GenerateRequest("all", num_images=5, num_inference_steps=2)


def test_images_come_in_the_order_of_their_seeds(tiny_pipeline: FashionDDPMPipeline) -> None:
    found = generate_together(tiny_pipeline, REQUEST, 2, this_process(), silent=True)
    assert found.images.labels.tolist() == [0, 1, 2, 3, 4]
    assert found.finite.all()
    for place in range(5):
        (alone,) = tiny_pipeline.generate([place], [place], SamplingSettings.of(REQUEST))
        assert torch.equal(found.images.images[place], alone.images[0])


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
