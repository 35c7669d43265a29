"""Distances between generated and real images in a feature space: from tensors to numbers."""

import dataclasses
import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch_fidelity.metric_fid import (
    KEY_METRIC_FID,
    fid_features_to_statistics,
    fid_statistics_to_metric,
)
from torch_fidelity.metric_kid import kernel_mmd

ROWS_AT_ONCE = 2_000
"""Rows of a distance matrix in memory together."""

KERNEL_BLOCK = 500
"""Images of each side in one unbiased estimate of the kernel distance."""

NEIGHBOURS = 4
"""k of precision, recall, density and coverage."""


def frechet_distance(features: Tensor, reference: Tensor) -> float:
    """Return the squared Fréchet distance of two Gaussians fitted to features (Heusel, 2017).

    It is biased upwards for few images: compare only values at equal counts.

    Args:
        features: float [N, D].
        reference: float [M, D].
    """
    # In single precision the relative error is up to 6e-6.
    sides = [fid_features_to_statistics(rows.double()) for rows in (features, reference)]
    distance = fid_statistics_to_metric(*sides, verbose=False)[KEY_METRIC_FID]
    return max(distance, 0.0)  # it can be negative by rounding


@dataclass(frozen=True)
class Estimate:
    """A value and half the width of its 95 % confidence interval (NaN where there is none)."""

    value: float
    half_width: float = math.nan


def kernel_distance(features: Tensor, reference: Tensor) -> Estimate:
    """Return the kernel distance (Bińkowski et al., 2018): unbiased MMD² with (x·y/D + 1)³.

    Disjoint random blocks give independent estimates; their spread gives the interval.

    Args:
        features: float [N, D].
        reference: float [M, D].
    """
    size = min(KERNEL_BLOCK, len(features), len(reference))
    count = min(len(features), len(reference)) // size
    generator = torch.Generator().manual_seed(0)
    blocks = [
        rows[torch.randperm(len(rows), generator=generator)][: size * count].double().split(size)
        for rows in (features, reference)
    ]
    values = np.array([kernel_mmd(x.numpy(), y.numpy()) for x, y in zip(*blocks, strict=True)])
    half_width = 1.96 * values.std(ddof=1) / math.sqrt(count) if count > 1 else math.nan
    return Estimate(float(values.mean()), float(half_width))


@dataclass(frozen=True)
class Neighbourhoods:
    """Overlap of generated and real images, from balls around the k nearest neighbours.

    Attributes:
        precision: share of generated images inside a real image's ball (Kynkäänniemi, 2019).
        recall: share of real images inside a generated image's ball.
        density: mean number of real balls around a generated image, over k (Naeem, 2020).
        coverage: share of real images whose ball holds a generated image.
    """

    precision: float
    recall: float
    density: float
    coverage: float


def neighbourhoods(generated: Tensor, real: Tensor) -> Neighbourhoods:
    """Compare features, float [N, D] and [M, D], each with more than NEIGHBOURS rows."""
    real_radii, generated_radii = ball_radii(real), ball_radii(generated)
    inside = torch.zeros(len(generated))
    recalled, covered = [], []
    for rows, radii in zip(real.split(ROWS_AT_ONCE), real_radii.split(ROWS_AT_ONCE), strict=True):
        distances = torch.cdist(rows, generated)
        in_ball = distances < radii[:, None]
        inside += in_ball.sum(dim=0)
        covered.append(in_ball.any(dim=1))
        recalled.append((distances < generated_radii).any(dim=1))
    return Neighbourhoods(
        precision=(inside > 0).float().mean().item(),
        recall=torch.cat(recalled).float().mean().item(),
        density=inside.mean().item() / NEIGHBOURS,
        coverage=torch.cat(covered).float().mean().item(),
    )


def distances(features: Tensor, reference: Tensor) -> dict[str, Estimate]:
    """Return all distances, by name, of features float [N, D] to reference ones, float [M, D]."""
    shares = dataclasses.asdict(neighbourhoods(features, reference))
    return {
        "frechet_distance": Estimate(frechet_distance(features, reference)),
        "kernel_distance": kernel_distance(features, reference),
        **{name: Estimate(share) for name, share in shares.items()},
    }


def ball_radii(points: Tensor) -> Tensor:
    """Return each point's distance to its NEIGHBOURS-th nearest other point: float [N]."""
    parts = [
        # The nearest point is the point itself.
        torch.cdist(rows, points).topk(NEIGHBOURS + 1, largest=False).values[:, -1]
        for rows in points.split(ROWS_AT_ONCE)
    ]
    return torch.cat(parts)
