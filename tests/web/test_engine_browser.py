"""Tests of the static site's engine in a browser: runs, scores, threads, WebGPU, a dead worker."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from playwright.sync_api import Browser, Page

from fashion_ddpm.core.config import TURBO
from fashion_ddpm.core.image_kind import CLASS_NAMES, FASHION_MNIST
from fashion_ddpm.core.images import to_uint8
from fashion_ddpm.data.labelled_images import LabelledImages
from fashion_ddpm.diffusion.pipeline import load_pipeline
from fashion_ddpm.diffusion.sampling import SamplingSettings, denoise, unet_predictor
from fashion_ddpm.scoring.clip import EMBEDDED, load_scorer
from tests.tools.browsing import open_browser_with
from tests.tools.engine_page import generate, open_engine, start
from tests.tools.static_host import ISOLATION, Host, host_folder, not_found

pytestmark = pytest.mark.slow

SOFTWARE_GPU = (
    *("--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"),
    "--enable-features=Vulkan",
)
MAX_LEVELS = 2
"""Grey levels by which the same image may differ between runtimes."""


@pytest.fixture(scope="module")
def host(site: Path) -> Iterator[Host]:
    with host_folder(site) as host:
        yield host


@pytest.fixture
def page(browser: Browser, host: Host) -> Iterator[Page]:
    with open_engine(browser, host) as page:
        yield page


def check_same(run: dict[str, Any], other: dict[str, Any], levels: int) -> None:
    """Check that every pixel of every step of two runs is nearly the same."""
    for name in ("noisy", "clean"):
        got, expected = np.array(run[name]), np.array(other[name])
        assert got.shape == expected.shape
        assert np.abs(got - expected).max() <= levels


def test_every_step_is_shown_and_kept_and_equals_pythons(page: Page, tiny_checkpoint: Path) -> None:
    settings = {"class_name": CLASS_NAMES[8], "num_images": 3, "num_inference_steps": 5, "seed": 7}
    run = generate(page, **settings, schedule="cosine", sampler="ddpm", guidance_scale=1.0)
    assert run["shown"] == [0, 1, 2, 3, 4]
    assert run["ms"] > 0
    pipeline = load_pipeline(tiny_checkpoint)
    steps = denoise(
        unet_predictor(pipeline.unet.half().float()),
        pipeline.scheduler,
        torch.full((3,), 8),
        [7, 8, 9],
        SamplingSettings("cosine", "ddpm", 5),
        kind=FASHION_MNIST,
    )
    for index, step in enumerate(steps):
        assert run["alphaBars"][index] == pytest.approx(step.alpha_bar, rel=1e-6)
        for name in ("noisy", "clean"):
            expected = to_uint8(getattr(step, name)).flatten().numpy().astype(int)
            assert np.abs(np.array(run[name][index]) - expected).max() <= MAX_LEVELS


def test_a_first_run_of_turbo_loads_the_distilled_network_alone(
    browser: Browser, site: Path
) -> None:
    with host_folder(site) as host, open_engine(browser, host) as page:
        host.faults["models/unet.onnx.gz"] = not_found
        run = generate(page, sampler=TURBO, num_inference_steps=4, num_images=2)
        assert len(run["clean"]) == 4
        host.faults.clear()
        run = generate(page, num_inference_steps=2, num_images=1)
        assert len(run["clean"]) == 2


def test_scores_equal_the_scorers(page: Page, real_images: LabelledImages) -> None:
    images, labels = real_images.images[:20], real_images.labels[:20]
    got = page.evaluate(
        """async ([images, labels]) => {
          const both = await engine.score(Uint8Array.from(images), labels);
          const one = await engine.score(Uint8Array.from(images));
          return {labels: [...both.labels], quality: [...both.quality], none: one.quality};
        }""",
        [images.flatten().tolist(), labels.tolist()],
    )
    scorer = load_scorer(EMBEDDED, FASHION_MNIST)
    assert got["labels"] == pytest.approx(scorer.label_scores(images).flatten().tolist(), abs=2e-3)
    quality = scorer.quality_scores(images, labels).flatten().tolist()
    assert got["quality"] == pytest.approx(quality, abs=2e-3)
    assert got["none"] is None


def test_an_isolated_page_uses_threads_and_draws_the_same(
    browser: Browser, page: Page, site: Path
) -> None:
    settings = {"num_images": 5, "num_inference_steps": 4, "seed": 1}
    assert start(page) == {"provider": "wasm", "threads": 1}
    alone = generate(page, **settings)
    with host_folder(site, ISOLATION) as isolated, open_engine(browser, isolated) as threaded:
        cores = threaded.evaluate("navigator.hardwareConcurrency")
        assert start(threaded) == {"provider": "wasm", "threads": min(4, cores)}
        check_same(generate(threaded, **settings), alone, 1)


def test_webgpu_draws_what_wasm_draws(browser: Browser, page: Page, host: Host) -> None:
    """By a GPU in software, which is chosen for no visitor."""
    settings = {"num_images": 2, "num_inference_steps": 4, "seed": 3, "guidance_scale": 2.0}
    expected = generate(page, **settings)
    with open_browser_with(browser, *SOFTWARE_GPU) as with_gpu:
        with open_engine(with_gpu, host) as other:
            assert start(other)["provider"] == "wasm"
        with open_engine(with_gpu, host, "webgpu") as other:
            assert start(other)["provider"] == "webgpu"
            check_same(generate(other, **settings), expected, MAX_LEVELS)
            assert other.evaluate("runtimes.map(({provider}) => provider)") == ["webgpu"]


def test_wasm_takes_over_where_webgpu_fails(browser: Browser, page: Page, host: Host) -> None:
    settings = {"num_images": 1, "num_inference_steps": 3}
    expected = generate(page, **settings)
    with open_engine(browser, host, "webgpu") as other:
        runtime = start(other)
        assert runtime["provider"] == "wasm"
        assert re.fullmatch(r"WebGPU failed here \(.+\), so .+ run on WASM\.", runtime["note"])
        check_same(generate(other, **settings), expected, 1)


def test_a_newer_run_ends_the_older_one(page: Page) -> None:
    got = page.evaluate(
        """async () => {
          const shown = [];
          const older = toRequest({num_images: 16, num_inference_steps: 100});
          const first = await new Promise((resolve) => {
            const run = engine.generate(older, ({index}) => {
              shown.push(index);
              if (index === 1) resolve(run);
            });
          });
          const newer = engine.generate(toRequest({num_images: 1, num_inference_steps: 2}));
          const error = await first.done.catch(({name}) => name);
          const seen = shown.length;
          const run = await newer.done;
          return {error, seen, later: shown.length, steps: run.clean.length};
        }"""
    )
    assert got["error"] == "Stopped"
    assert got["seen"] == got["later"] < 100
    assert got["steps"] == 2


def test_stop_ends_a_run_between_its_steps_and_another_one_can_begin(page: Page) -> None:
    got = page.evaluate(
        """async () => {
          const shown = [];
          let run = null;
          run = engine.generate(toRequest({num_inference_steps: 100}), ({index}) => {
            shown.push(index);
            if (index === 2) run.stop();
          });
          const error = await run.done.catch(({name}) => name);
          const next = engine.generate(toRequest({num_images: 1, num_inference_steps: 1}));
          return {error, shown, steps: (await next.done).clean.length};
        }"""
    )
    assert got == {"error": "Stopped", "shown": [0, 1, 2], "steps": 1}


def test_the_end_of_the_worker_is_said_and_another_one_starts(page: Page) -> None:
    assert start(page)["provider"] == "wasm"
    first = generate(page, num_images=1, num_inference_steps=2)
    page.evaluate(
        """() => {
          const request = toRequest({num_images: 16, num_inference_steps: 100});
          const run = engine.generate(request, () => (window.hasBegun = true));
          window.ended = run.done.catch(({name, message}) => ({name, message}));
        }"""
    )
    page.wait_for_function("window.hasBegun")
    [worker] = page.workers
    worker.evaluate("self.close()")
    ended = page.evaluate("ended")
    assert ended["name"] == "EngineError"
    assert "memory" in ended["message"]
    check_same(generate(page, num_images=1, num_inference_steps=2), first, 0)


def test_own_pictures_in_colour_are_drawn(browser: Browser, shapes_site: Path) -> None:
    with host_folder(shapes_site) as host, open_engine(browser, host) as page:
        run = generate(page, num_images=2, num_inference_steps=3)
        assert [len(step) for step in run["clean"]] == [2 * 32 * 32 * 3] * 3
        error = page.evaluate("engine.score(new Uint8Array(3072)).catch(({message}) => message)")
        assert "no scorer" in error
