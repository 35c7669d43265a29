"""Tests of the cost meter."""

import pytest

from fashion_ddpm.core.requests import GenerateRequest
from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline
from fashion_ddpm.diffusion.schedules import build_noise_scheduler
from fashion_ddpm.runtime.cost import CostMeter, calibrate

METER = CostMeter(0.02, build_noise_scheduler("cosine"))


@pytest.mark.parametrize(
    ("images", "steps", "guidance", "expected"),
    [(8, 10, 1.0, 0.2), (1, 10, 1.0, 0.2), (9, 10, 1.0, 0.4), (8, 10, 2.0, 0.4), (8, 20, 1.0, 0.4)],
)
def test_the_estimate_counts_calls(
    images: int, steps: int, guidance: float, expected: float
) -> None:
    request = GenerateRequest(
        "bag", num_images=images, num_inference_steps=steps, guidance_scale=guidance
    )
    assert METER.seconds(request) == pytest.approx(expected)


def test_the_sentence_says_what_the_estimate_rests_on() -> None:
    assert METER.sentence(GenerateRequest("bag", num_inference_steps=10)) == (
        "About **0.2 s**: 8 images × 10 network evaluations"
    )


def test_the_estimate_learns_from_finished_requests() -> None:
    meter = CostMeter(3.0, build_noise_scheduler("cosine"))  # calibrated while the machine was busy
    request = GenerateRequest("bag", num_images=16, num_inference_steps=10)
    for seconds in (0.4, 0.4, 90.0):
        meter.learn(request, seconds)
    assert meter.seconds_per_call == pytest.approx(0.02)
    meter.learn(GenerateRequest("bag", num_images=1, num_inference_steps=10), 0.01)
    assert len(meter.finished) == 3


def test_calibration_finds_a_time(tiny_pipeline: FashionDDPMPipeline) -> None:
    assert calibrate(tiny_pipeline).seconds_per_call > 0
