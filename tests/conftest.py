"""Shared fixtures: a tiny checkpoint, a tiny CLIP, the small real data."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from playwright.sync_api import Browser, Page, expect

# Set before any library reads them: no test may use the network.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

from fashion_ddpm.checkpoints.locate import distilled_folder
from fashion_ddpm.core.config import TURBO, ScorerConfig, TrainConfig
from fashion_ddpm.core.image_kind import FASHION_MNIST
from fashion_ddpm.core.paths import BUNDLED_DIR
from fashion_ddpm.data.fashion_mnist import load_split
from fashion_ddpm.data.labelled_images import LabelledImages
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline, load_pipeline, weights_hash
from fashion_ddpm.diffusion.save_checkpoint import save_checkpoint
from fashion_ddpm.diffusion.schedules import build_noise_scheduler
from fashion_ddpm.diffusion.unet import build_unet
from fashion_ddpm.scoring.clip import ClipScorer
from fashion_ddpm.scoring.clip_captions import build_captions
from fashion_ddpm.scoring.train_clip import build_clip, build_processor, build_tokenizer
from fashion_ddpm.training.loop import train
from tests.tools import MINI_DATA
from tests.tools.browsing import NO_BROWSER, browser_path, open_browser, open_page
from tests.tools.serving import serve_app
from tests.tools.shapes import write_shapes
from tests.tools.small_runs import small_config

TINY = TrainConfig(block_out_channels=(8, 8, 16), batch_size=32, mixed_precision="no")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The small real subset, as torchvision's root."""
    return MINI_DATA


@pytest.fixture(scope="session")
def real_images() -> LabelledImages:
    """200 real test images, 20 of each class."""
    return load_split(MINI_DATA, "test")


@pytest.fixture(scope="session")
def tiny_pipeline() -> FashionDDPMPipeline:
    """A pipeline with a small untrained network."""
    torch.manual_seed(0)
    return FashionDDPMPipeline(
        build_unet(TINY, kind=FASHION_MNIST).eval(), build_noise_scheduler("cosine")
    )


@pytest.fixture(scope="session")
def tiny_checkpoint(
    tmp_path_factory: pytest.TempPathFactory, tiny_pipeline: FashionDDPMPipeline
) -> Path:
    """The same, saved to a folder."""
    folder = tmp_path_factory.mktemp("checkpoint") / "tiny"
    save_checkpoint(tiny_pipeline, folder, TINY, {"images_seen": 0, "device": "cpu", "log": []})
    return folder


@pytest.fixture(scope="session")
def demo(tiny_checkpoint: Path) -> Demo:
    """A demo of a small untrained network."""
    return Demo(tiny_checkpoint)


@pytest.fixture(scope="session")
def bundled_demo() -> Demo:
    """A demo of the bundled network."""
    return Demo()


@pytest.fixture(scope="session")
def checkpoint_with_turbo(tmp_path_factory: pytest.TempPathFactory, tiny_checkpoint: Path) -> Path:
    """The same, with a small network beside it that counts as distilled from it."""
    folder = tmp_path_factory.mktemp("taught") / "tiny"
    shutil.copytree(tiny_checkpoint, folder)
    torch.manual_seed(1)
    unet, scheduler = build_unet(TINY, kind=FASHION_MNIST).eval(), build_noise_scheduler("cosine")
    distilled = FashionDDPMPipeline(unet, scheduler, sampler=TURBO)
    teacher = {"weights_sha256": weights_hash(load_pipeline(folder))}
    facts = {"images_seen": 0, "device": "cpu", "log": [], "teacher": teacher}
    save_checkpoint(distilled, distilled_folder(folder), TINY, facts)
    return folder


@pytest.fixture(scope="session")
def tiny_scorer() -> ClipScorer:
    """A small untrained CLIP with its real processor."""
    torch.manual_seed(0)
    tokenizer = build_tokenizer(build_captions().texts)
    config = ScorerConfig(vision_width=16, vision_layers=1, text_width=16, text_layers=1)
    return ClipScorer(
        build_clip(config, tokenizer), build_processor(tokenizer), "tiny", kind=FASHION_MNIST
    )


@pytest.fixture(scope="session")
def tiny_clip(tmp_path_factory: pytest.TempPathFactory, tiny_scorer: ClipScorer) -> Path:
    """The same, saved to a folder like a model of the Hub."""
    folder = tmp_path_factory.mktemp("clip") / "tiny"
    tiny_scorer.model.save_pretrained(folder)
    tiny_scorer.processor.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """The app on the bundled weights, for tests that do not change it."""
    with serve_app() as address:
        yield address


@pytest.fixture(scope="session")
def quick_address(checkpoint_with_turbo: Path) -> Iterator[str]:
    """The app on small untrained networks, with all parts of the page, for hundreds of requests."""
    shutil.copytree(BUNDLED_DIR / "previews", checkpoint_with_turbo.parent / "previews")
    with serve_app("--checkpoint", str(checkpoint_with_turbo)) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium or Chrome; module scope, because a running playwright forbids asyncio.run."""
    if browser_path() is None and os.environ.get("REQUIRE_BROWSER") != "1":
        pytest.skip(NO_BROWSER)
    with open_browser() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """The demo's page on a desktop, with the first pictures loaded."""
    with open_page(browser, address) as page:
        expect(page.get_by_text("Ready-made samples")).to_be_visible()
        yield page


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> TrainConfig:
    """A finished small training run; tests may copy but not change it."""
    config = small_config(tmp_path_factory.mktemp("finished") / "run")
    train(config)
    return config


@pytest.fixture(scope="session")
def shapes_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image folder data set: three classes of coloured shapes, 32×32."""
    return write_shapes(tmp_path_factory.mktemp("own") / "shapes", 70)


@pytest.fixture(scope="session")
def shapes_run(shapes_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainConfig:
    """A finished small training run on the shapes; tests may not change it."""
    folder = tmp_path_factory.mktemp("shapes") / "run"
    config = small_config(folder, dataset=f"imagefolder:{shapes_dir}", attention_resolutions=(8,))
    train(config)
    return config


@pytest.fixture(scope="session")
def shapes_checkpoint(shapes_run: TrainConfig) -> Path:
    """The checkpoint of that run."""
    return Path(shapes_run.output_dir) / "checkpoint"
