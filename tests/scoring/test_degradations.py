"""Tests of the degradations of clear images."""

import pytest
import torch

from fashion_ddpm.core.image_kind import NULL_LABEL
from fashion_ddpm.core.images import to_model
from fashion_ddpm.data.labelled_images import LabelledImages
from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline
from fashion_ddpm.scoring.degradations import (
    CLEAR_SIGMA,
    add_noise,
    add_random_blur,
    add_random_noise,
    blur,
    draw_half_denoised,
    perturb_slightly,
    shift_images,
)


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_no_noise_changes_nothing(real_images: LabelledImages) -> None:
    assert torch.equal(
        add_noise(real_images.images, torch.zeros(200), generator()), real_images.images
    )


def test_noise_has_the_variance_of_its_diffusion_level() -> None:
    """Noise on mid-grey images has the standard deviation sigma / sqrt(1 + sigma²)."""
    grey = torch.full((200, 28, 28), 128, dtype=torch.uint8)
    noisy = to_model(add_noise(grey, torch.full((200,), 0.2), generator()))
    assert noisy.std().item() == pytest.approx(0.2 / (1 + 0.2**2) ** 0.5, rel=0.02)


def test_blur_smooths_and_keeps_the_mean(real_images: LabelledImages) -> None:
    soft = blur(real_images.images, 1.5).float()
    sharp = real_images.images.float()
    assert soft.diff(dim=2).abs().mean() < 0.6 * sharp.diff(dim=2).abs().mean()
    assert soft.mean().item() == pytest.approx(sharp.mean().item(), rel=0.05)


def test_random_degradations_repeat_with_their_generator(real_images: LabelledImages) -> None:
    for degrade in (add_random_noise, add_random_blur, perturb_slightly):
        degraded = degrade(real_images.images, generator())
        assert degraded.dtype == torch.uint8
        assert torch.equal(degraded, degrade(real_images.images, generator()))
        assert not torch.equal(degraded, real_images.images)


def test_nearly_clear_images_are_only_moved_and_slightly_noisy(real_images: LabelledImages) -> None:
    near = perturb_slightly(real_images.images, generator())
    spread = near.float().std() / real_images.images.float().std()
    assert spread.item() == pytest.approx(1, abs=2 * CLEAR_SIGMA)


def test_half_denoised_images_come_from_the_model(tiny_pipeline: FashionDDPMPipeline) -> None:
    images, labels = draw_half_denoised(tiny_pipeline, count=100, seed=0)
    assert images.dtype == torch.uint8
    assert len(images) == len(labels)
    assert set(labels.tolist()) == set(range(NULL_LABEL + 1))


def test_colours_move_together_with_their_pixels() -> None:
    grey = torch.randint(256, (5, 12, 12), dtype=torch.uint8)
    colour = grey[..., None].expand(-1, -1, -1, 3)
    assert torch.equal(shift_images(colour, generator())[..., 1], shift_images(grey, generator()))
