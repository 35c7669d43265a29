"""The data check: are the images and labels those of Fashion-MNIST, and is preprocessing exact?"""

from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from fashion_ddpm.core.image_kind import CLASS_NAMES
from fashion_ddpm.core.images import IMAGE_SIZE, make_labelled_grid, to_model, to_uint8
from fashion_ddpm.data.fashion_mnist import (
    CHECKSUM_FILE,
    checksum_errors,
    load_split,
    raw_folder,
    read_unchecked,
)
from fashion_ddpm.data.labelled_images import DataError, LabelledImages, class_counts
from fashion_ddpm.diffusion.schedules import alpha_bars, build_noise_scheduler

KNOWN_MEAN, KNOWN_SIGMA = -0.428, 0.706
"""Mean and standard deviation of the official training images in [−1, 1]."""

OFFICIAL_COUNTS = {"train": 60_000, "test": 10_000}
MIN_CENTROID_ACCURACY = 0.5
"""A nearest-class-mean classifier reaches 0.68; shuffled labels give 0.1."""

EXAMPLES_PER_CLASS = 12
NOISE_TIMESTEPS = (0, 250, 500, 750, 990)

OFFICIAL_TOLERANCE, SUBSET_TOLERANCE = 0.002, 0.06
"""Allowed deviation from KNOWN_MEAN and KNOWN_SIGMA."""


def check_data(data_dir: Path, picture: Path | None = None) -> Iterator[str]:
    """Check the image and label files; yield a line for each check.

    Args:
        data_dir: torchvision's root. Files with an MD5SUMS file are a subset: any number of
            images, wider tolerances.
        picture: file for a labelled grid of examples.

    Raises:
        DataError: a check fails.
    """
    raw = raw_folder(data_dir)
    subset = (raw / CHECKSUM_FILE).exists()
    if not any(raw.glob("*")):
        load_split(data_dir, "train")
    for name, count in OFFICIAL_COUNTS.items():
        split = read_unchecked(data_dir, train=name == "train")
        yield from check_split(name, split, SUBSET_TOLERANCE if subset else OFFICIAL_TOLERANCE)
        if not subset and len(split) != count:
            raise DataError(f"{name} has {len(split):,} images; Fashion-MNIST has {count:,}.")
        if picture and name == "train":
            rows = {
                c: split.select_class(k)[:EXAMPLES_PER_CLASS] for k, c in enumerate(CLASS_NAMES)
            }
            make_labelled_grid(rows).save(picture)
            yield f"picture: {picture}"
    if errors := checksum_errors(raw):
        raise DataError(errors[0])
    yield "checksums: as declared by the subset" if subset else "checksums: official"


def check_split(name: str, split: LabelledImages, tolerance: float) -> Iterator[str]:
    """Check one split; yield a line for each check.

    Raises:
        DataError: a check fails.
    """
    images, labels = split.images, split.labels
    if images.dtype != torch.uint8 or images.shape[1:] != (IMAGE_SIZE, IMAGE_SIZE):
        raise DataError(
            f"{name}: images are {images.dtype} {list(images.shape)}; they must be uint8 "
            f"[N, {IMAGE_SIZE}, {IMAGE_SIZE}]."
        )
    yield f"{name}: {len(split):,} images, uint8 {list(images.shape)}, labels {list(labels.shape)}"
    yield _check_range(name, images)
    yield _check_labels(name, split)
    yield _check_moments(name, images, tolerance)
    yield _check_agreement(name, split)
    yield _check_round_trips(name, images[:256])


def _check_range(name: str, images: Tensor) -> str:
    low, high = int(images.min()), int(images.max())
    if high <= 1:
        raise DataError(
            f"{name}: values reach only {high}, so they lie in [0, 1]; they must lie in "
            "[0, 255]: multiply by 255."
        )
    corners = images[:, [0, 0, -1, -1], [0, -1, 0, -1]].float().mean().item()
    if corners > 127:
        raise DataError(
            f"{name}: the corners' mean is {corners:.0f}; clothes lie on black (0): the images are "
            "inverted, take 255 minus each value."
        )
    return f"{name}: values {low} … {high}, corners {corners:.1f}"


def _check_labels(name: str, split: LabelledImages) -> str:
    low, high = int(split.labels.min()), int(split.labels.max())
    if low < 0 or high >= len(CLASS_NAMES):
        raise DataError(f"{name}: labels reach from {low} to {high}; they must lie in 0 … 9.")
    counts = class_counts(split)
    if min(counts.values()) != max(counts.values()):
        raise DataError(f"{name}: classes have unequal counts, {counts}; all must be equal.")
    return f"{name}: {min(counts.values()):,} images in each of {len(counts)} classes"


def _check_moments(name: str, images: Tensor, tolerance: float) -> str:
    values = images.double() / 127.5 - 1
    mean, sigma = values.mean().item(), values.std().item()
    if max(abs(mean - KNOWN_MEAN), abs(sigma - KNOWN_SIGMA)) > tolerance + 0.01 * (name == "test"):
        raise DataError(
            f"{name}: mean {mean:.3f} and sigma {sigma:.3f} in [-1, 1]; Fashion-MNIST has "
            f"{KNOWN_MEAN} and {KNOWN_SIGMA}: these are other images."
        )
    return f"{name}: mean {mean:.4f} ({KNOWN_MEAN}), sigma {sigma:.4f} ({KNOWN_SIGMA}) in [-1, 1]"


def _check_agreement(name: str, split: LabelledImages) -> str:
    """Classify the odd images by the class means of the even ones; shuffled labels give 10 %."""
    images, labels = split.images.flatten(1).float(), split.labels
    classes = range(len(CLASS_NAMES))
    means = torch.stack([images[::2][labels[::2] == label].mean(dim=0) for label in classes])
    predictions = torch.cdist(images[1::2], means).argmin(dim=1)
    accuracy = (predictions == labels[1::2]).float().mean().item()
    if not accuracy >= MIN_CENTROID_ACCURACY:
        raise DataError(
            f"{name}: class means recognize {accuracy:.0%} of the images (usually 68 %): the "
            "labels do not belong to the images; load both files again."
        )
    return f"{name}: class means recognize {accuracy:.1%} (shuffled labels: 10 %)"


def _check_round_trips(name: str, images: Tensor) -> str:
    """Check that the model's range, and noise that is subtracted again, change no pixel."""
    clean = to_model(images)
    if not torch.equal(to_uint8(clean), images):
        raise DataError(f"{name}: to_uint8(to_model(images)) differs from the images.")
    schedule = build_noise_scheduler("cosine")
    levels = alpha_bars(schedule)
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))
    for timestep in NOISE_TIMESTEPS:
        noisy = schedule.add_noise(clean, noise, torch.full((len(clean),), timestep))
        alpha, sigma = levels[timestep] ** 0.5, (1 - levels[timestep]) ** 0.5
        if not torch.equal(to_uint8((noisy - sigma * noise) / alpha), images):
            raise DataError(f"{name}: noise added at timestep {timestep} cannot be taken away.")
    steps = ", ".join(map(str, NOISE_TIMESTEPS))
    return f"{name}: round trips exact, through [-1, 1] and through noise at timesteps {steps}"
