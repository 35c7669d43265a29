"""Tests of docs/reproducibility.md: where images are equal bit by bit, and where nearly.

That neither the batch, nor other visitors, nor the number of processes changes an image is tested
in test_sampling, test_pipeline, test_dynamic_batching and test_bulk.
"""

import copy
import json
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from fashion_ddpm.core.images import to_uint8
from fashion_ddpm.core.paths import BUNDLED_CHECKPOINT
from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline, load_pipeline, weights_hash
from fashion_ddpm.diffusion.sampling import SamplingSettings
from tests.tools.golden import GOLDEN, SAMPLERS, STEPS, checksums, draw, machine
from tests.tools.threads import use_threads

MAX_PIXEL_DISTANCE, MAX_DIFFERENT_SHARE = 2, 0.01
"""Largest allowed pixel difference (of 255) and share of different pixels, on any CPU."""

MAX_GPU_MEAN_DISTANCE = 2.0
"""Mean pixel difference (of 255) allowed on a GPU, which multiplies with fewer bits."""

each_sampler = pytest.mark.parametrize("sampler", SAMPLERS)


@pytest.fixture(scope="module")
def pipeline() -> FashionDDPMPipeline:
    return load_pipeline(BUNDLED_CHECKPOINT)


@pytest.fixture(scope="module")
def about() -> dict[str, Any]:
    """The recorded machine, weights and checksums of the golden images."""
    with np.load(GOLDEN, allow_pickle=False) as arrays:
        found: dict[str, Any] = json.loads(str(arrays["about"]))
        return found


def golden(sampler: str) -> np.ndarray:
    with np.load(GOLDEN, allow_pickle=False) as arrays:
        return arrays[sampler]


def assert_near(drawn: np.ndarray, expected: np.ndarray) -> None:
    distance = np.abs(drawn.astype(int) - expected)
    assert distance.max() <= MAX_PIXEL_DISTANCE
    assert (distance > 0).mean() <= MAX_DIFFERENT_SHARE


def test_the_golden_images_are_of_the_bundled_weights(
    pipeline: FashionDDPMPipeline, about: dict[str, Any]
) -> None:
    assert about["weights"] == weights_hash(pipeline), "run python -m tests.tools.golden"
    assert about["sha256"] == {sampler: checksums(golden(sampler)) for sampler in SAMPLERS}
    assert len({digest for row in about["sha256"].values() for digest in row}) == 30


@each_sampler
def test_any_cpu_draws_the_golden_images(pipeline: FashionDDPMPipeline, sampler: str) -> None:
    assert_near(draw(pipeline, sampler), golden(sampler))


@each_sampler
def test_a_cpu_like_the_recorded_one_draws_them_to_the_last_bit(
    pipeline: FashionDDPMPipeline, about: dict[str, Any], sampler: str
) -> None:
    if machine() != about["machine"]:
        pytest.skip(f"recorded on {about['machine']}; this is {machine()}")
    assert checksums(draw(pipeline, sampler)) == about["sha256"][sampler]


@each_sampler
def test_rounding_could_not_move_an_image_further_than_is_allowed(
    pipeline: FashionDDPMPipeline, sampler: str
) -> None:
    """Double precision stands for exact arithmetic, which float32 on every CPU approximates."""
    exact, unet = copy.copy(pipeline), copy.deepcopy(pipeline.unet).double()
    exact.predict = lambda x, t, labels: unet(x.double(), t.double(), labels).sample.float()
    assert_near(draw(exact, sampler), golden(sampler))


@each_sampler
def test_another_class_is_further_than_is_allowed(
    pipeline: FashionDDPMPipeline, sampler: str
) -> None:
    with pytest.raises(AssertionError):
        assert_near(draw(pipeline, sampler), np.roll(golden(sampler), 1, axis=0))


def all_steps(pipeline: FashionDDPMPipeline) -> Tensor:
    settings = SamplingSettings("cosine", "ddpm", num_inference_steps=STEPS)
    return torch.stack([step.clean for step in pipeline.stream(range(8), range(8), settings)])


def test_the_same_machine_draws_the_same_bits(pipeline: FashionDDPMPipeline) -> None:
    assert torch.equal(all_steps(pipeline), all_steps(load_pipeline(BUNDLED_CHECKPOINT)))


def test_the_number_of_threads_moves_an_image_no_further_than_is_allowed(
    pipeline: FashionDDPMPipeline,
) -> None:
    drawn = []
    for count in (1, 2, 3):
        with use_threads(count):
            drawn.append(all_steps(pipeline))
    for other in drawn[1:]:
        assert torch.allclose(other, drawn[0], atol=1e-4)
        assert_near(to_uint8(other[-1]).numpy(), to_uint8(drawn[0][-1]).numpy())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@each_sampler
def test_a_gpu_draws_nearly_the_golden_images(sampler: str) -> None:
    drawn = draw(load_pipeline(BUNDLED_CHECKPOINT, "cuda"), sampler)
    assert np.abs(drawn.astype(int) - golden(sampler)).mean() <= MAX_GPU_MEAN_DISTANCE
