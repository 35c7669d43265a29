"""Tests of networks as ONNX files: equal to PyTorch's, small, the same each time."""

import copy
import gzip
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto

from fashion_ddpm.core.image_kind import FASHION_MNIST
from fashion_ddpm.data.labelled_images import LabelledImages
from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline, load_pipeline
from fashion_ddpm.diffusion.unet import build_unet
from fashion_ddpm.scoring.clip import ClipScorer
from fashion_ddpm.web.clip_export import (
    MAX_SCORE_DIFFERENCE,
    check_scores,
    export_clip,
    page_label_scores,
)
from fashion_ddpm.web.errors import WebError
from fashion_ddpm.web.onnx_export import UNetModule, check_outputs, export_unet, run_onnx
from fashion_ddpm.web.site_data import UNET_FILE, describe_scorer
from tests.conftest import TINY

BATCHES = (1, 2, 5)


@pytest.fixture(scope="module")
def content(tiny_pipeline: FashionDDPMPipeline) -> bytes:
    return export_unet(tiny_pipeline.unet)


def make_inputs(size: int, channels: int = 1, side: int = 28) -> dict[str, torch.Tensor]:
    """Return inputs of a UNet of ten classes; the last label is the null label."""
    torch.manual_seed(size)
    return {
        "noisy": torch.randn(size, channels, side, side),
        "timestep": torch.rand(size) * 999,
        "class_label": 10 - torch.arange(size),
    }


@pytest.mark.parametrize("size", BATCHES)
def test_a_file_gives_pytorchs_output_in_any_batch(
    content: bytes, tiny_pipeline: FashionDDPMPipeline, size: int
) -> None:
    inputs = make_inputs(size)
    rounded = copy.deepcopy(tiny_pipeline.unet).half().float()
    with torch.no_grad():
        expected = UNetModule(rounded)(**inputs).numpy()
    got = run_onnx(content, {name: values.numpy() for name, values in inputs.items()})
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, expected, atol=1e-5)


def test_a_network_of_other_sizes_and_colours_gives_pytorchs_output(
    shapes_site: Path, shapes_checkpoint: Path
) -> None:
    inputs = make_inputs(4, channels=3, side=32) | {"class_label": torch.arange(4)}
    rounded = load_pipeline(shapes_checkpoint).unet.half().float()
    with torch.no_grad():
        expected = UNetModule(rounded)(**inputs).numpy()
    content = gzip.decompress((shapes_site / UNET_FILE).read_bytes())
    got = run_onnx(content, {name: values.numpy() for name, values in inputs.items()})
    np.testing.assert_allclose(got, expected, atol=1e-5)


def test_the_weights_are_float16_and_nothing_says_where_they_come_from(content: bytes) -> None:
    model = onnx.load_from_string(content)
    large = [each for each in model.graph.initializer if np.prod(each.dims) >= 64]
    assert {each.data_type for each in large} == {TensorProto.FLOAT16}
    assert not any(node.metadata_props or node.doc_string for node in model.graph.node)
    weights = sum(value.numel() for value in build_unet(TINY, kind=FASHION_MNIST).parameters())
    assert len(content) < 2 * weights + 150_000


def test_the_same_network_gives_the_same_file(content: bytes, site: Path) -> None:
    assert gzip.decompress((site / UNET_FILE).read_bytes()) == content


def test_the_exported_network_keeps_its_weights(
    content: bytes, tiny_pipeline: FashionDDPMPipeline, tiny_checkpoint: Path
) -> None:
    saved = load_pipeline(tiny_checkpoint).unet
    for before, after in zip(saved.parameters(), tiny_pipeline.unet.parameters(), strict=True):
        assert torch.equal(before, after)


def test_a_file_of_another_network_is_noticed(content: bytes) -> None:
    torch.manual_seed(7)
    other = build_unet(TINY, kind=FASHION_MNIST).eval()
    with pytest.raises(WebError, match="differs by"):
        check_outputs(content, UNetModule(other), make_inputs(3))


def test_weights_that_float16_cannot_hold_are_refused(tiny_pipeline: FashionDDPMPipeline) -> None:
    unet = copy.deepcopy(tiny_pipeline.unet)
    with torch.no_grad():
        unet.conv_in.weight[0, 0, 0, 0] = 1e6
    with pytest.raises(WebError, match=r"conv_in\.weight.*1e\+06.*65,504"):
        export_unet(unet)


def test_the_page_gives_the_label_scores_of_the_scorer(
    tiny_scorer: ClipScorer, real_images: LabelledImages
) -> None:
    file, images = export_clip(tiny_scorer), real_images.images[:20]
    description = describe_scorer(tiny_scorer, FASHION_MNIST)
    check_scores(file, description, tiny_scorer, images)
    got = page_label_scores(file, description, images)
    expected = tiny_scorer.label_scores(images).numpy()
    np.testing.assert_allclose(got, expected, atol=MAX_SCORE_DIFFERENCE)
    wrong = {**description, "mean": [5.0, 0.5, 0.5], "scale": 100.0}
    with pytest.raises(WebError, match="label scores differ"):
        check_scores(file, wrong, tiny_scorer, images)
