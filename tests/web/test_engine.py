"""Tests that the static site's networks and scorer give what PyTorch gives, in Node."""

from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import UNet2DModel

from fashion_ddpm.checkpoints.locate import distilled_folder
from fashion_ddpm.core.image_kind import FASHION_MNIST
from fashion_ddpm.core.images import to_channels_first
from fashion_ddpm.data.labelled_images import LabelledImages
from fashion_ddpm.diffusion.pipeline import load_pipeline
from fashion_ddpm.scoring.clip import EMBEDDED, load_scorer
from fashion_ddpm.web.npm_packages import WEB
from tests.tools.node import check_types, run_node
from tests.tools.static_host import host_folder

SCRIPT = Path(__file__).with_name("engine.mjs")


def load_half(checkpoint: Path) -> UNet2DModel:
    """Return a checkpoint's network with its weights rounded as the site keeps them."""
    return load_pipeline(checkpoint).unet.half().float().eval()


def check_predictions(site: Path, network: str, unet: UNet2DModel) -> None:
    """Check batches of 1, 3 and 9: one call, one call, and three calls of the network."""
    config = unet.config
    shape = (config["in_channels"], config["sample_size"], config["sample_size"])
    generator = torch.Generator().manual_seed(0)
    batches, expected = [], []
    for count, timestep in ((1, 0.0), (3, 437.25), (9, 999.0)):
        noisy = torch.randn(count, *shape, generator=generator)
        labels = torch.arange(count) % config["num_class_embeds"]
        batches.append(
            {"noisy": noisy.flatten().tolist(), "timestep": timestep, "labels": labels.tolist()}
        )
        with torch.no_grad():
            expected.append(unet(noisy, torch.full((count,), timestep), labels).sample)
    with host_folder(site) as host:
        values = {"network": network, "batches": batches}
        got = run_node(SCRIPT, site, host.address, "predict", stdin=values)
    assert got["runtime"] == {"provider": "wasm", "threads": 1}
    assert got["calls"] == 1 + 1 + 3
    for output, tensor in zip(got["outputs"], expected, strict=True):
        assert (torch.tensor(output) - tensor.flatten()).abs().max() <= 1e-4


def test_the_network_gives_what_pytorch_gives(site: Path, tiny_checkpoint: Path) -> None:
    check_predictions(site, "base", load_half(tiny_checkpoint))


def test_the_distilled_network_is_another_one(site: Path, checkpoint_with_turbo: Path) -> None:
    check_predictions(site, "turbo", load_half(distilled_folder(checkpoint_with_turbo)))


def test_a_network_of_other_images_gives_what_pytorch_gives(
    shapes_site: Path, shapes_checkpoint: Path
) -> None:
    check_predictions(shapes_site, "base", load_half(shapes_checkpoint))


def test_label_scores_and_quality_scores_equal_the_scorers(
    site: Path, real_images: LabelledImages
) -> None:
    images, labels = real_images.images[:50], real_images.labels[:50]
    scorer = load_scorer(EMBEDDED, FASHION_MNIST)
    with host_folder(site) as host:
        values = {"images": images.flatten().tolist(), "labels": labels.tolist()}
        got = run_node(SCRIPT, site, host.address, "score", stdin=values)
        alone = {"images": images[:1].flatten().tolist(), "labels": None}
        first = run_node(SCRIPT, site, host.address, "score", stdin=alone)
    expected = scorer.label_scores(images)
    assert len(expected) > 32  # more than one call
    assert (torch.tensor(got["labels"]).reshape(expected.shape) - expected).abs().max() <= 2e-3
    expected = scorer.quality_scores(images, labels)
    assert (torch.tensor(got["quality"]).reshape(expected.shape) - expected).abs().max() <= 2e-3
    assert first["labels"] == pytest.approx(got["labels"][:10], abs=1e-5)
    assert first["quality"] is None


@pytest.mark.parametrize("channels", [1, 3])
def test_pixels_are_normalised_by_channel_and_grey_is_repeated(site: Path, channels: int) -> None:
    kind = {"channels": channels, "image_size": 4}
    scorer = {"mean": [0.5, 0.4, 0.3], "std": [0.5, 0.25, 0.125]}
    shape = (2, 4, 4) if channels == 1 else (2, 4, 4, 3)
    images = torch.arange(2 * 16 * channels, dtype=torch.uint8).reshape(shape)
    values = {"images": images.flatten().tolist(), "kind": kind, "scorer": scorer}
    got = run_node(SCRIPT, site, "none", "pixels", stdin=values)
    planes = to_channels_first(images).expand(-1, 3, -1, -1).numpy() / 255
    mean, deviation = (np.array(scorer[name])[:, None, None] for name in ("mean", "std"))
    assert got == pytest.approx(((planes - mean) / deviation).ravel(), abs=1e-6)


def test_the_service_worker_has_types() -> None:
    assert check_types(WEB / "tsconfig.service_worker.json") == ""
