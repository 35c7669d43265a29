"""Tests of the images that the page opens with."""

from pathlib import Path

import torch

from fashion_ddpm.core.requests import GenerateRequest
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.gallery import GALLERY, TENSORS, first_images, load_gallery, save_gallery


def test_the_bundled_gallery_is_what_the_bundled_weights_draw(
    bundled_demo: Demo, tmp_path: Path
) -> None:
    gallery = load_gallery(bundled_demo)
    assert gallery is not None, "run make gallery"
    save_gallery(bundled_demo, tmp_path / "gallery.npz")
    redrawn = load_gallery(bundled_demo, tmp_path / "gallery.npz")
    assert redrawn is not None
    assert gallery.request == redrawn.request
    # CPUs round differently, so images may differ a little.
    assert (gallery.clean[-1].int() - redrawn.clean[-1].int()).abs().float().mean() < 2
    assert torch.allclose(gallery.quality_scores, redrawn.quality_scores, atol=0.2)
    assert GALLERY.stat().st_size < 500_000


def test_other_weights_have_no_gallery(demo: Demo, tmp_path: Path) -> None:
    assert load_gallery(demo) is None
    assert load_gallery(demo, tmp_path / "nothing.npz") is None
    save_gallery(demo, tmp_path / "own.npz")
    loaded = load_gallery(demo, tmp_path / "own.npz")
    assert loaded is not None
    assert len(loaded.pictures()) == 10
    assert all(len(getattr(loaded, name)) in (10, 20) for name in TENSORS)


def test_a_page_of_other_weights_opens_with_images_too(tiny_checkpoint: Path) -> None:
    other = Demo(tiny_checkpoint)
    images = first_images(other)
    assert images is not None
    assert images.clean.shape[:2] == (GenerateRequest("all").num_inference_steps, 10)
    other.cost.finished.append(1000.0)
    assert first_images(other) is None
