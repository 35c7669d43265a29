"""Tests that the static site's page says of numbers, settings and scores what the app says."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from fashion_ddpm.core.config import NOISE_SCHEDULES
from fashion_ddpm.core.requests import GenerateRequest
from fashion_ddpm.core.wording import format_number, format_seconds, quantity, whole_percent
from fashion_ddpm.demo.compare import sampling_in_words
from fashion_ddpm.demo.quality import MEASURED_SCHEDULE, advice, load_measurements
from fashion_ddpm.demo.request_note import schedule_note
from fashion_ddpm.demo.results import Result
from fashion_ddpm.demo.trajectory import (
    Trajectory,
    decision,
    describe_curves,
    score_curves,
    select_frames,
    sigma_text,
)
from fashion_ddpm.diffusion.sampling import SamplingSettings, num_evaluations
from fashion_ddpm.diffusion.schedules import SIGMA_SPACED, build_noise_scheduler
from fashion_ddpm.web.site_data import describe_quality
from tests.tools.node import run_node

SCRIPT = Path(__file__).with_name("page_texts.mjs")


def run(site: Path, task: str, values: Any) -> Any:
    return run_node(SCRIPT, site, task, stdin=values)


def plain(text: str) -> str:
    """Return a text without Markdown and with plain blanks."""
    return text.replace("**", "").replace("\u00a0", " ")


def test_numbers_are_written_alike(site: Path) -> None:
    numbers = [0.0004, 0.00123, 0.14, 0.9996, 1.005, 9.99, 15.94, 158.7, 1234.6, 20291.0]
    levels = [3.968182977946923e-05, 0.014756972795036873, 0.98, 0.9999587]
    calls = [
        *(["formatNumber", number] for number in numbers),
        *(["sigmaText", level] for level in levels),
        *(["formatSeconds", ms] for ms in (0, 99, 100, 2345.6, 61_000)),
        *(["wholePercent", share] for share in (0, 0.004, 0.327, 0.996, 1)),
        *(["quantity", count, "image"] for count in (0, 1, 2, 1600)),
    ]
    expected = [
        *map(format_number, numbers),
        *map(sigma_text, levels),
        *(format_seconds(ms / 1000) for ms in (0, 99, 100, 2345.6, 61_000)),
        *map(whole_percent, (0, 0.004, 0.327, 0.996, 1)),
        *(quantity(count, "image") for count in (0, 1, 2, 1600)),
    ]
    assert [plain(text) for text in run(site, "words", calls)] == expected


def test_settings_are_named_alike(site: Path) -> None:
    requests = [
        GenerateRequest("bag"),
        GenerateRequest("bag", schedule="report", sampler="ddpm", guidance_scale=2.5),
        GenerateRequest("bag", guidance_scale=3.0, guidance_low=0.1, guidance_high=0.75),
    ]
    named = run(site, "settings", [request.as_settings() for request in requests])
    assert named == [[list(each) for each in sampling_in_words(request)] for request in requests]


def make_trajectories() -> list[tuple[np.ndarray, int]]:
    """Return label scores [K, 10] with a requested label, of every kind that sentences tell."""
    random = np.random.default_rng(0)
    cases = []
    for steps, sharpness in ((1, 1.0), (1, 9.0), (7, 2.0), (20, 6.0), (100, 4.0)):
        for label in (0, 4, 9):
            logits = random.normal(size=(steps, 10)) * sharpness
            logits[:, label] += np.linspace(-4, 3, steps) * sharpness
            scores = np.exp(logits - logits.max(axis=1, keepdims=True))
            cases.append(((scores / scores.sum(axis=1, keepdims=True)).astype(np.float32), label))
    return cases


def test_curves_and_sentences_of_a_trajectory_are_the_apps(site: Path) -> None:
    cases = make_trajectories()
    values = [{"scores": scores.tolist(), "label": label} for scores, label in cases]
    sentences = set()
    for (scores, label), found in zip(cases, run(site, "trajectories", values), strict=True):
        blank = torch.zeros(len(scores), 28, 28, dtype=torch.uint8)
        trajectory = Trajectory(blank, blank, torch.from_numpy(scores), label)
        curves = score_curves(trajectory)
        assert [each["class_name"] for each in found["curves"]] == [
            each.class_name for each in curves
        ]
        for each, expected in zip(found["curves"], curves, strict=True):
            assert each["scores"] == pytest.approx(expected.scores, abs=1.1e-3)
        assert plain(found["decision"]) == decision(trajectory)
        assert plain(found["chart"]) == describe_curves(curves)
        sentences.add(found["decision"].split()[0])
    assert sentences == {"CLIP", "From"}, "both kinds of sentences were compared"


@pytest.mark.parametrize("schedule", [*NOISE_SCHEDULES, *SIGMA_SPACED])
def test_the_verdict_on_a_good_schedule_is_the_apps(site: Path, schedule: str) -> None:
    for steps in (1, 10, 61):
        request = GenerateRequest("bag", schedule=schedule, num_inference_steps=steps)
        [[cost, verdict]] = run(site, "notes", [request.as_settings()])
        assert cost.startswith(f"8 images × {quantity(steps, 'network evaluation')}; ")
        assert plain(verdict) == plain(schedule_note(schedule, steps))


def test_the_verdict_on_the_students_schedule_is_that_it_is_broken(site: Path) -> None:
    request = GenerateRequest("bag", schedule="report", guidance_scale=2.0, guidance_high=0.5)
    [[cost, interval, verdict]] = run(site, "notes", [request.as_settings()])
    noise_scheduler = build_noise_scheduler("cosine")
    evaluations = num_evaluations(SamplingSettings.from_request(request), noise_scheduler)
    assert f"8 images × {evaluations} network evaluations" in cost
    assert interval.startswith("Guidance acts from 0 to 0.5 ")
    assert "Broken: at the noisiest level 60 %" in plain(verdict)


def test_the_advice_on_steps_is_the_apps(site: Path) -> None:
    measurements = load_measurements()
    assert measurements is not None
    quality = describe_quality(measurements)
    assert quality is not None
    few, some, most = measurements.steps[0], measurements.steps[1], measurements.steps[-1]
    quality["enough_steps"]["ddim"] = some
    sentences = {
        ("dpm++2m", few): advice("dpm++2m", few, measurements),
        ("dpm++2m", most): advice("dpm++2m", most, measurements),
        ("ddim", few): f"ddim: more steps improve the images, up to about {some}.",
        ("ddim", some): f"ddim: hardly better after {some} steps, so these are enough.",
        ("ddim", most): f"ddim: hardly better after {some} steps; more only take longer.",
    }
    requests = [
        GenerateRequest(
            "bag", schedule=MEASURED_SCHEDULE, sampler=sampler, num_inference_steps=steps
        )
        for sampler, steps in sentences
    ]
    unmeasured = [
        GenerateRequest("bag", schedule="cosine"),
        GenerateRequest("bag", schedule=MEASURED_SCHEDULE, guidance_scale=2.0),
    ]
    settings = [request.as_settings() for request in (*requests, *unmeasured)]
    found = run(site, "advice", {"quality": quality, "requests": settings})
    assert found == [*sentences.values(), "", ""]


def test_a_run_tells_what_others_take(site: Path) -> None:
    few = GenerateRequest("bag", 1, num_inference_steps=10).as_settings()
    many = GenerateRequest("bag", 8, num_inference_steps=10).as_settings()
    turbo = GenerateRequest("bag", 8, sampler="turbo", num_inference_steps=4).as_settings()
    twice = GenerateRequest("bag", 8, num_inference_steps=20).as_settings()
    guided = GenerateRequest("bag", 8, num_inference_steps=10, guidance_scale=2.0).as_settings()
    values = {
        "runs": [{"request": few, "ms": 500}, {"request": many, "ms": 2400}],
        "requests": [few, many, twice, guided, turbo],
    }
    assert run(site, "estimates", values) == pytest.approx([500, 2400, 4800, 4800, None])
    values["runs"] = [{"request": few, "ms": 500}]
    assert run(site, "estimates", values) == pytest.approx([500, 4000, 8000, 8000, None])


@pytest.mark.parametrize(
    ("steps", "images", "size", "channels"),
    [(1, 1, 28, 1), (10, 16, 28, 1), (100, 16, 28, 1), (100, 16, 32, 3), (60, 16, 96, 3)],
)
def test_the_player_shows_the_steps_that_the_app_shows(
    site: Path, steps: int, images: int, size: int, channels: int
) -> None:
    kind = {"image_size": size, "channels": channels}
    case = {"steps": steps, "images": images, "kind": kind}
    shape = (steps, images, size, size, *([3] if channels == 3 else []))
    batches = torch.zeros(1, dtype=torch.uint8).expand(shape)
    names = tuple(f"class {label}" for label in range(10))
    scores = torch.zeros(images, 0)
    request = GenerateRequest("class 1", images, class_names=names)
    result = Result(request, "", "", batches, batches, np.ones(steps), scores, scores, None, 0, 0.0)
    frames = select_frames(result)
    assert run(site, "frames", [case]) == [[frames.steps, frames.noisy.shape[2]]]
