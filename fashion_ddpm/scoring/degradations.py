"""Noisy, blurred and half-denoised images, which the scorer is trained to tell from clear ones."""

import torch
from torch import Tensor
from torchvision.transforms.functional import gaussian_blur

from fashion_ddpm.core.image_kind import FASHION_MNIST, NULL_LABEL
from fashion_ddpm.core.images import to_model, to_uint8
from fashion_ddpm.core.settings import ConfigError
from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline
from fashion_ddpm.diffusion.sampling import SamplingSettings

NOISE_SIGMAS = (0.3, 4.0)
"""Range of noise over signal of noisy images."""

BLUR_SIGMAS = (1.2, 3.0)
"""Range of the Gaussian's standard deviation in blurred images, in pixels."""

CLEAR_SIGMA = 0.06
"""Largest noise over signal of clear images, where it is hardly visible."""

MAX_SHIFT = 2
"""Largest shift of a clear image in each direction, in pixels."""

BATCH_SIZE = 100
HALF_DENOISED_SETTINGS = SamplingSettings("cosine", num_inference_steps=12)
REPORT_SETTINGS = SamplingSettings(schedule="report", num_inference_steps=12)
HALF_DENOISED_ALPHA_BAR = 0.12
"""Below this ᾱ, predictions of x_0 are hazy averages of many garments."""


def add_noise(images: Tensor, sigma: Tensor, generator: torch.Generator) -> Tensor:
    """Add noise as diffusion does, x_t = (x_0 + sigma ε) / sqrt(1 + sigma²): ᾱ = 1 / (1 + sigma²).

    Args:
        images: uint8 [B, 28, 28].
        sigma: float32 [B], noise over signal.
        generator: for ε.

    Returns:
        uint8 [B, 28, 28].
    """
    clean, spread = to_model(images), sigma.view(-1, 1, 1, 1)
    noisy = clean + spread * torch.randn(clean.shape, generator=generator)
    return to_uint8(noisy / (1 + spread.square()).sqrt())


def add_random_noise(images: Tensor, generator: torch.Generator) -> Tensor:
    """Add noise with log-uniform sigmas in NOISE_SIGMAS: uint8 [B, 28, 28] → same."""
    low, high = torch.tensor(NOISE_SIGMAS).log().tolist()
    sigma = (low + (high - low) * torch.rand(len(images), generator=generator)).exp()
    return add_noise(images, sigma, generator)


def add_random_blur(images: Tensor, generator: torch.Generator) -> Tensor:
    """Blur the batch with one random sigma in BLUR_SIGMAS: uint8 [B, 28, 28] → same."""
    low, high = BLUR_SIGMAS
    return blur(images, low + (high - low) * torch.rand((), generator=generator).item())


def blur(images: Tensor, sigma: float) -> Tensor:
    """Blur images, uint8 [B, 28, 28], with a Gaussian of sigma pixels."""
    return gaussian_blur(images, kernel_size=[13, 13], sigma=[sigma, sigma])


def shift_images(images: Tensor, generator: torch.Generator) -> Tensor:
    """Shift each image randomly by up to MAX_SHIFT pixels: uint8 [B, H, W, …] → same."""
    count, height, width = images.shape[:3]
    dy, dx = torch.randint(0, 2 * MAX_SHIFT + 1, (2, count, 1), generator=generator)
    rows, columns = torch.arange(height) + dy, torch.arange(width) + dx
    channel_padding = [0, 0] * (images.ndim - 3)  # pad takes the last axis first
    padded = torch.nn.functional.pad(images, [*channel_padding, *[MAX_SHIFT] * 4])
    return padded[torch.arange(count)[:, None, None], rows[:, :, None], columns[:, None]]


def perturb_slightly(images: Tensor, generator: torch.Generator) -> Tensor:
    """Shift each image and add little noise to half of them: uint8 [B, 28, 28] → same."""
    images = shift_images(images, generator)
    sigma = CLEAR_SIGMA * torch.rand(len(images), generator=generator)
    sigma[: len(images) // 2] = 0
    return add_noise(images, sigma, generator)


def draw_half_denoised(
    pipeline: FashionDDPMPipeline, count: int, seed: int
) -> tuple[Tensor, Tensor]:
    """Return early predictions of x_0, and images drawn with the report's broken schedule.

    Args:
        pipeline: the diffusion model.
        count: number of seeds, each for a few predictions and one image.
        seed: the first seed.

    Returns:
        uint8 [B, 28, 28], and labels int64 [B]: the null label for the images of the schedule.

    Raises:
        ConfigError: the model does not draw Fashion-MNIST.
    """
    if pipeline.kind != FASHION_MNIST:
        raise ConfigError(
            f"--checkpoint draws {pipeline.kind}; the embedded scorer learns Fashion-MNIST alone."
        )
    images, labels = [], []
    for start in range(0, count, BATCH_SIZE):
        class_labels = [index % NULL_LABEL for index in range(BATCH_SIZE)]
        seeds = [seed + start + index for index in range(BATCH_SIZE)]
        for step in pipeline.stream(class_labels, seeds, HALF_DENOISED_SETTINGS):
            if step.alpha_bar > HALF_DENOISED_ALPHA_BAR:
                break
            if step.index % 2:
                images.append(to_uint8(step.clean))
                labels += class_labels
        *_, last = pipeline.stream(class_labels, seeds, REPORT_SETTINGS)
        images.append(to_uint8(last.clean))
        labels += [NULL_LABEL] * BATCH_SIZE
    return torch.cat(images), torch.tensor(labels)
