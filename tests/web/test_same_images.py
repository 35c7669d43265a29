"""Tests that the static site draws the images of the app: the same for the same seed."""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from playwright.sync_api import Browser

from fashion_ddpm.core.config import TURBO, TURBO_SCHEDULE, TURBO_STEPS
from fashion_ddpm.core.image_kind import ALL_CLASSES
from fashion_ddpm.core.requests import GenerateRequest
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.results import Frame
from tests.tools.browsing import open_page
from tests.tools.node import run_node
from tests.tools.static_host import host_folder

SCRIPT = Path(__file__).with_name("same_images.mjs")
MAX_DIFFERENCE = 2
"""Largest allowed difference of a pixel, in grey levels."""

STEPS = {"dpm++2m": 10, "ddim": 10, TURBO: TURBO_STEPS}
REQUESTS = [
    GenerateRequest(ALL_CLASSES, 10, schedule, sampler, steps)
    for sampler, steps in STEPS.items()
    for schedule in ("cosine", "karras", "sigmoid", "report")
]
OTHERS = [
    replace(REQUESTS[0], schedule="linear", guidance_scale=2.0, seed=4_294_967_280),
    replace(REQUESTS[0], schedule="exponential", sampler="euler", seed=1),
    replace(REQUESTS[0], schedule=TURBO_SCHEDULE, sampler=TURBO, num_inference_steps=TURBO_STEPS),
    replace(REQUESTS[0], sampler="dpm++2m-sde", num_inference_steps=20, seed=2),
    replace(REQUESTS[0], sampler="ddpm", num_inference_steps=40, seed=3),
    replace(
        REQUESTS[0],
        schedule="scaled-linear",
        guidance_scale=3.0,
        guidance_low=0.2,
        guidance_high=0.7,
    ),
]
"""What the first twelve leave out: guidance, samplers with noise, the other schedules, seeds."""


IN_BROWSER = """async (requests) => {
  const {Engine} = await import("./js/runtime/engine.js");
  const {loadText} = await import("./js/runtime/model_files.js");
  const engine = new Engine(JSON.parse(await loadText("data/site.json.gz")));
  const runs = [];
  for (const request of requests) {
    const {clean} = await engine.generate(request, () => {}).done;
    runs.push(btoa(clean.map((step) => String.fromCharCode(...step)).join("")));
  }
  return runs;
}"""
"""JavaScript: draws requests in the page's worker; returns every step of each in base64."""


@dataclass(frozen=True)
class Comparison:
    """The images of one request, drawn on the static site and by the app.

    Attributes:
        request: what was drawn.
        differences: int [K, B], the largest difference of a pixel in each predicted clean image;
            the last ones are the images.
    """

    request: GenerateRequest
    differences: np.ndarray

    def __str__(self) -> str:
        request, images = self.request, self.differences[-1]
        guidance = f" · guidance {request.guidance_scale:g}" if request.guidance_scale != 1 else ""
        name = f"{request.sampler} · {request.schedule}{guidance}"
        classes = "  ".join(map(str, images))
        return (
            f"{name:<38} {request.num_inference_steps:>3} steps   {classes}   "
            f"at any step {self.differences.max()}"
        )


def compare(demo: Demo, request: GenerateRequest, drawn: np.ndarray) -> Comparison:
    """Return the comparison of the site's pixels with those of the app.

    Args:
        demo: the app.
        request: what was drawn.
        drawn: uint8 [K · B · H · W(· 3)], the predicted clean images of each step.
    """
    frames = [Frame.from_step(step) for step in demo.pipeline.stream_request(request)]
    expected = torch.stack([frame.clean for frame in frames]).numpy()
    assert expected[-1].std() > 10, "the images show something"
    differences = np.abs(drawn.reshape(expected.shape).astype(int) - expected)
    return Comparison(request, differences.reshape(*expected.shape[:2], -1).max(axis=-1))


def draw_in_node(
    site: Path, requests: Sequence[GenerateRequest], file: Path
) -> Iterator[np.ndarray]:
    """Yield the pixels that the static site draws for each request, by way of a file."""
    with host_folder(site) as host:
        values = [request.as_settings() for request in requests]
        run_node(SCRIPT, site, host.address, file, stdin=values)
    drawn = np.fromfile(file, np.uint8)
    numbers = [request.num_inference_steps * request.num_images for request in requests]
    size = len(drawn) // sum(numbers)
    yield from np.split(drawn, np.cumsum(numbers)[:-1] * size)


def too_different(comparisons: Sequence[Comparison]) -> list[str]:
    """Return the comparisons in which an image differs by more than MAX_DIFFERENCE."""
    return [str(each) for each in comparisons if each.differences[-1].max() > MAX_DIFFERENCE]


def test_a_small_network_draws_the_images_of_the_app(
    site: Path, checkpoint_with_turbo: Path, tmp_path: Path
) -> None:
    demo = Demo(checkpoint_with_turbo)
    for pipeline, _ in demo.networks:
        pipeline.unet.half().float()  # as the site keeps its weights
    requests = [
        replace(request, num_images=2, num_inference_steps=min(request.num_inference_steps, 10))
        for request in (*REQUESTS, *OTHERS)
    ]
    drawn = draw_in_node(site, requests, tmp_path / "images.bin")
    comparisons = [compare(demo, *each) for each in zip(requests, drawn, strict=True)]
    demo.close()
    assert too_different(comparisons) == []


@pytest.mark.slow
def test_every_image_is_that_of_the_app(
    bundled_demo: Demo, bundled_site: Path, tmp_path: Path
) -> None:
    requests = [*REQUESTS, *OTHERS]
    drawn = draw_in_node(bundled_site, requests, tmp_path / "images.bin")
    comparisons = [compare(bundled_demo, *each) for each in zip(requests, drawn, strict=True)]
    print("\nLargest difference of a pixel in grey levels, of the images of ten classes")
    print(*comparisons, sep="\n")
    assert too_different(comparisons) == []


@pytest.mark.slow
def test_a_browser_draws_the_images_of_the_app(
    browser: Browser, bundled_demo: Demo, bundled_site: Path
) -> None:
    requests = [
        replace(request, num_images=4) for request in (REQUESTS[0], REQUESTS[-2], OTHERS[0])
    ]
    with (
        host_folder(bundled_site) as host,
        open_page(browser, host.address) as page,
    ):
        runs = page.evaluate(IN_BROWSER, [request.as_settings() for request in requests])
    for request, run in zip(requests, runs, strict=True):
        drawn = np.frombuffer(base64.b64decode(run), np.uint8)
        assert too_different([compare(bundled_demo, request, drawn)]) == []
