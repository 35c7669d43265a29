"""Tests of the loaded model and its requests, without a page."""

from pathlib import Path

import pytest
import torch

from fashion_ddpm.checkpoints.locate import distilled_folder
from fashion_ddpm.core.requests import GenerateRequest, RequestError
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.request_note import schedule_note
from fashion_ddpm.demo.results import Preview, Result
from fashion_ddpm.diffusion.pipeline import load_pipeline
from fashion_ddpm.diffusion.sampling import SamplingSettings
from fashion_ddpm.server.limits import PAGE_MAX_IMAGES, PAGE_MAX_STEPS


def test_previews_come_before_one_result(demo: Demo) -> None:
    request = GenerateRequest(class_name="bag", num_images=3, num_inference_steps=4)
    *previews, result = demo.run(request, "embedded")
    assert previews
    assert all(isinstance(event, Preview) for event in previews)
    assert isinstance(result, Result)
    assert [caption for _, caption in result.pictures()] == [f"bag, seed {i}" for i in range(3)]
    assert result.evaluations == 12


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"num_images": PAGE_MAX_IMAGES + 1}, "num_images is 17; .+ from 1 to 16"),
        ({"num_inference_steps": PAGE_MAX_STEPS + 1}, "steps is 101; .+ from 1 to 100"),
    ],
)
def test_one_visitor_cannot_keep_all_others_waiting(
    demo: Demo, changes: dict[str, int], expected: str
) -> None:
    with pytest.raises(RequestError, match=expected):
        next(demo.run(GenerateRequest(class_name="bag", **changes), "embedded"))  # type: ignore[arg-type]


def test_an_unknown_scorer_is_refused_before_any_work(demo: Demo) -> None:
    with pytest.raises(RequestError, match=r"scorer is '\.\./etc'"):
        next(demo.run(GenerateRequest(class_name="bag"), "../etc"))


def test_the_note_says_why_the_reports_schedule_fails() -> None:
    assert "**Broken**: 60 % of the image's amplitude is left" in schedule_note("report", 20)
    assert "**Good**: less than 0.01 %" in schedule_note("cosine", 20)
    assert "**Good**: only 0.63 %" in schedule_note("sigmoid", 20)


def test_turbo_is_drawn_by_the_network_beside_the_checkpoint(checkpoint_with_turbo: Path) -> None:
    demo = Demo(checkpoint_with_turbo)
    assert demo.has_turbo
    request = GenerateRequest("bag", num_images=3, sampler="turbo", num_inference_steps=4)
    result = demo.draw(request, "embedded")
    (batch,) = load_pipeline(distilled_folder(checkpoint_with_turbo)).generate(
        request.labels(), request.seeds(), SamplingSettings.from_request(request)
    )
    assert torch.equal(result.clean[-1], batch.images)
    demo.close()


def test_a_distilled_network_alone_has_turbo_too(checkpoint_with_turbo: Path, demo: Demo) -> None:
    assert Demo(distilled_folder(checkpoint_with_turbo)).has_turbo
    assert not demo.has_turbo
