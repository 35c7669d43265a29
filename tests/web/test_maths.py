"""Tests that the static site computes what Python computes: levels, noise, sampling."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from fashion_ddpm.core.config import SAMPLERS, SCHEDULES, TURBO
from fashion_ddpm.core.image_kind import ALL_CLASSES, CLASS_NAMES, ImageKind
from fashion_ddpm.core.images import to_uint8
from fashion_ddpm.core.requests import MAX_SEED, GenerateRequest
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.diffusion.sampling import SamplingSettings, denoise
from fashion_ddpm.diffusion.schedules import build_noise_scheduler, noise_levels
from tests.tools.node import run_node

SCRIPT = Path(__file__).with_name("maths.mjs")
STEPS = (1, 4, 7, 10, 20, 61, 100)
TOLERANCES = {"v_prediction": 1e-4, "sample": 1e-4, "epsilon": 1e-3}
"""Prediction type → largest difference; an epsilon's rounding is divided by sqrt(ᾱ), up to 316."""

COLOURS = ImageKind(CLASS_NAMES, image_size=8, channels=3)


def test_the_levels_of_every_schedule_equal_pythons(site: Path) -> None:
    cases = [(schedule, steps) for schedule in SCHEDULES for steps in STEPS]
    scheduler = build_noise_scheduler("cosine")
    results = run_node(SCRIPT, site, "levels", stdin=cases)
    for (schedule, steps), got in zip(cases, results, strict=True):
        expected = noise_levels(schedule, steps, scheduler)
        assert got["alphaBar"] == pytest.approx(expected.alpha_bar.tolist(), rel=1e-6)
        assert got["timesteps"] == pytest.approx(expected.timesteps.tolist(), rel=1e-6, abs=1e-6)


def test_the_noise_of_a_seed_equals_torchs_over_consecutive_calls(site: Path) -> None:
    seeds = [0, 1, MAX_SEED]
    # Below 16 numbers torch draws them one by one; after that in blocks of 16.
    counts = [1, 5, 15, 16, 17, 100, 784, 3, 3072, 147, 784]
    values = {"seeds": seeds, "counts": counts}
    for seed, calls in zip(seeds, run_node(SCRIPT, site, "noise", stdin=values), strict=True):
        generator = torch.Generator("cpu").manual_seed(seed)
        for count, got in zip(counts, calls, strict=True):
            expected = torch.randn(count, generator=generator)
            assert (torch.tensor(got) - expected).abs().max() <= 1e-6, (seed, count)


def predict(noisy: Tensor, timesteps: Tensor, labels: Tensor) -> Tensor:
    """Return the output of the formula that replaces the network in maths.mjs."""
    index = torch.arange(noisy[0].numel()).reshape(noisy[0].shape)
    timestep, label = (each.double().reshape(-1, 1, 1, 1) for each in (timesteps, labels))
    return torch.tanh(0.3 * noisy.double() + torch.sin(0.01 * timestep + label + index)).float()


@pytest.mark.parametrize("prediction_type", TOLERANCES)
def test_every_sampler_steps_as_diffusers_does(
    site: Path, tmp_path: Path, prediction_type: str
) -> None:
    requests = [
        GenerateRequest(
            ALL_CLASSES,
            num_images=2,
            schedule=schedule,
            sampler=sampler,
            num_inference_steps=steps,
            guidance_scale=1.0 if sampler == TURBO else 2.5,
            guidance_low=0.2,
            guidance_high=0.8,
            seed=MAX_SEED - 1,
        )
        for sampler in (*SAMPLERS, TURBO)
        for schedule in SCHEDULES
        for steps in (STEPS if prediction_type == "v_prediction" else (4, 20))
    ]
    file = tmp_path / "trajectories.bin"
    values = {
        "requests": [request.as_settings() for request in requests],
        "kind": {"image_size": COLOURS.image_size, "channels": COLOURS.channels},
        "predictionType": prediction_type,
        "file": str(file),
    }
    run_node(SCRIPT, site, "trajectories", stdin=values)
    trajectories = np.fromfile(file, np.float32).reshape(-1, 2, 2, *COLOURS.shape)
    scheduler = build_noise_scheduler("cosine", prediction_type=prediction_type)
    at = 0
    for request in requests:
        settings = SamplingSettings.from_request(request)
        labels, seeds = torch.tensor(request.labels()), request.seeds()
        for step in denoise(predict, scheduler, labels, seeds, settings, kind=COLOURS):
            expected = torch.stack([step.noisy, step.clean]).numpy()
            difference = np.abs(trajectories[at] - expected).max()
            assert difference <= TOLERANCES[prediction_type], (request, step.index)
            at += 1
    assert at == len(trajectories)


@pytest.mark.parametrize("channels", [1, 3])
def test_pixels_are_rounded_and_laid_out_as_by_python(site: Path, channels: int) -> None:
    values = torch.randn(2, channels, 8, 8, generator=torch.Generator().manual_seed(0))
    levels = torch.arange(128) / 127.5 - 1 + 1 / 255  # halves between two grey levels
    values.view(-1)[:128] = levels
    stdin = {"values": values.flatten().tolist(), "kind": {"image_size": 8, "channels": channels}}
    got = run_node(SCRIPT, site, "pixels", stdin=stdin)
    assert got == to_uint8(values).flatten().tolist()


def test_a_request_has_pythons_labels_seeds_and_evaluations(
    site: Path, checkpoint_with_turbo: Path
) -> None:
    demo = Demo(checkpoint_with_turbo)
    requests = [
        GenerateRequest("all", 13, "linear", "ddim", 20, 3.0, 0.25, 0.75, 7),
        GenerateRequest("all", 3, "report", "ddpm", 7, 3.0, 0.0, 1.0, 7),
        GenerateRequest("bag", 16, "karras", "euler", 61, 1.0, 0.25, 0.75, MAX_SEED - 15),
        GenerateRequest("coat", 4, "sigmoid", TURBO, 4, seed=3),
    ]
    stdin = [request.as_settings() for request in requests]
    for request, got in zip(requests, run_node(SCRIPT, site, "requests", stdin=stdin), strict=True):
        network = demo.pipeline.network_for(request.sampler)
        assert got == {
            "labels": request.labels(),
            "seeds": list(request.seeds()),
            "images": request.select_image(1).as_settings(),
            "evaluations": demo.evaluations(request),
            "network": "base" if network is demo.pipeline else TURBO,
        }
    demo.close()
