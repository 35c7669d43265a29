"""Clear images become noisy, blurred or half-denoised ones: what the scorer learns to tell."""

import torch
from torch import Tensor
from torchvision.transforms.functional import gaussian_blur

from fashion_ddpm.core.image_kind import FASHION_MNIST, NULL_LABEL
from fashion_ddpm.core.images import to_model, to_uint8
from fashion_ddpm.core.settings import ConfigError
from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline
from fashion_ddpm.diffusion.sampling import SamplingSettings

NOISE_SIGMAS = (0.3, 4.0)
"""Noise over signal at which an image counts as noisy, in units of the model's range."""

BLUR_SIGMAS = (1.2, 3.0)
"""Standard deviation in pixels at which an image counts as blurred."""

CLEAR_SIGMA = 0.06
"""Up to this much noise, which only a close look finds, an image still is clear."""

MAX_SHIFT = 2
"""Pixels up, down, left or right that a clear image may be moved by."""

BATCH_SIZE = 100
HALF_DENOISED_SETTINGS = SamplingSettings(num_inference_steps=12)
REPORT_SETTINGS = SamplingSettings(schedule="report", num_inference_steps=12)
HALF_DENOISED_ALPHA_BAR = 0.12
"""Predictions of x_0 from noisier levels than this are hazes: averages over many garments."""


def add_noise(images: Tensor, sigma: Tensor, generator: torch.Generator) -> Tensor:
    """Put images onto diffusion noise levels and back into pixels.

    x_t = (x_0 + sigma ε) / sqrt(1 + sigma²), so that ᾱ = 1 / (1 + sigma²).

    Args:
        images: uint8 [B, 28, 28].
        sigma: float32 [B], noise over signal, 0 up.
        generator: source of ε.

    Returns:
        uint8 [B, 28, 28].
    """
    clean, spread = to_model(images), sigma.view(-1, 1, 1, 1)
    noisy = clean + spread * torch.randn(clean.shape, generator=generator)
    return to_uint8(noisy / (1 + spread.square()).sqrt())


def add_random_noise(images: Tensor, generator: torch.Generator) -> Tensor:
    """Add noise between NOISE_SIGMAS, evenly in its logarithm: uint8 [B, 28, 28] → same."""
    low, high = torch.tensor(NOISE_SIGMAS).log().tolist()
    sigma = (low + (high - low) * torch.rand(len(images), generator=generator)).exp()
    return add_noise(images, sigma, generator)


def add_random_blur(images: Tensor, generator: torch.Generator) -> Tensor:
    """Blur with one sigma between BLUR_SIGMAS for the batch: uint8 [B, 28, 28] → same."""
    low, high = BLUR_SIGMAS
    return blur(images, low + (high - low) * torch.rand((), generator=generator).item())


def blur(images: Tensor, sigma: float) -> Tensor:
    """Blur images, uint8 [B, 28, 28], with a Gaussian of so many pixels."""
    return gaussian_blur(images, kernel_size=[13, 13], sigma=[sigma, sigma])


def shift_images(images: Tensor, generator: torch.Generator) -> Tensor:
    """Move each image by up to MAX_SHIFT pixels in both directions: uint8 [B, H, W, …] → same."""
    count, height, width = images.shape[:3]
    dy, dx = torch.randint(0, 2 * MAX_SHIFT + 1, (2, count, 1), generator=generator)
    rows, columns = torch.arange(height) + dy, torch.arange(width) + dx
    colours = [0, 0] * (images.ndim - 3)  # the last axis comes first, and is not moved along
    padded = torch.nn.functional.pad(images, [*colours, *[MAX_SHIFT] * 4])
    return padded[torch.arange(count)[:, None, None], rows[:, :, None], columns[:, None]]


def perturb_slightly(images: Tensor, generator: torch.Generator) -> Tensor:
    """Shift each image and add a trace of noise: uint8 [B, 28, 28] → same."""
    moved = shift_images(images, generator)
    sigma = CLEAR_SIGMA * torch.rand(len(images), generator=generator)
    sigma[: len(images) // 2] = 0
    return add_noise(moved, sigma, generator)


def draw_half_denoised(
    pipeline: FashionDDPMPipeline, count: int, seed: int
) -> tuple[Tensor, Tensor]:
    """Stop the model early: the hazes that it predicts, and what the report's schedule makes.

    Args:
        pipeline: the diffusion model.
        count: seeds to use; each gives a few hazes and one image of the report's.
        seed: seed of the first.

    Raises:
        ConfigError: the model draws something else than Fashion-MNIST.

    Returns:
        uint8 [B, 28, 28], and int64 [B]: the class of a haze, the null label for the report's.
    """
    if pipeline.kind != FASHION_MNIST:
        raise ConfigError(
            f"--checkpoint draws {pipeline.kind}; the embedded scorer learns Fashion-MNIST alone."
        )
    images, labels = [], []
    for start in range(0, count, BATCH_SIZE):
        asked = [index % NULL_LABEL for index in range(BATCH_SIZE)]
        seeds = [seed + start + index for index in range(BATCH_SIZE)]
        for step in pipeline.stream(asked, seeds, HALF_DENOISED_SETTINGS):
            if step.alpha_bar > HALF_DENOISED_ALPHA_BAR:
                break
            if step.index % 2:
                images.append(to_uint8(step.clean))
                labels += asked
        *_, last = pipeline.stream(asked, seeds, REPORT_SETTINGS)
        images.append(to_uint8(last.clean))
        labels += [NULL_LABEL] * BATCH_SIZE
    return torch.cat(images), torch.tensor(labels)
