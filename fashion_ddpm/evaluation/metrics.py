"""How far generated images are from real ones, in any feature space: tensors in, numbers out."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

ROWS_AT_ONCE = 2_000
"""Rows of a distance matrix in memory together."""

KERNEL_BLOCK = 500
"""Images of each side in one unbiased estimate of the kernel distance."""

NEIGHBOURS = 4
"""k of precision, recall, density and coverage."""


def frechet_distance(features: Tensor, others: Tensor) -> float:
    """Return the squared Fréchet distance of two Gaussians fitted to features (Heusel, 2017).

    |μ₁ − μ₂|² + tr(Σ₁ + Σ₂ − 2 (Σ₁^½ Σ₂ Σ₁^½)^½). It is biased upwards for few images: compare
    only values at equal counts.

    Args:
        features: float [N, D].
        others: float [M, D].
    """
    (mean, covariance), (other_mean, other_covariance) = _moments(features), _moments(others)
    values, vectors = torch.linalg.eigh(covariance)
    root = vectors * values.clamp(min=0).sqrt() @ vectors.T
    overlap = torch.linalg.eigvalsh(root @ other_covariance @ root).clamp(min=0).sqrt().sum()
    spread = covariance.trace() + other_covariance.trace() - 2 * overlap
    return ((mean - other_mean).square().sum() + spread).clamp(min=0).item()


def _moments(features: Tensor) -> tuple[Tensor, Tensor]:
    return features.double().mean(dim=0), features.double().T.cov()


@dataclass(frozen=True)
class Estimate:
    """A value and half the width of its 95 % confidence interval (NaN where there is none)."""

    value: float
    half_width: float


def kernel_distance(features: Tensor, others: Tensor) -> Estimate:
    """Return the kernel distance (Bińkowski et al., 2018): unbiased MMD² with (x·y/D + 1)³.

    Disjoint random blocks give independent estimates; their spread gives the interval.

    Args:
        features: float [N, D].
        others: float [M, D].
    """
    size = min(KERNEL_BLOCK, len(features), len(others))
    count = min(len(features), len(others)) // size
    generator = torch.Generator().manual_seed(0)
    blocks = [
        rows[torch.randperm(len(rows), generator=generator)][: size * count].double().split(size)
        for rows in (features, others)
    ]
    values = torch.stack([_mmd(x, y) for x, y in zip(*blocks, strict=True)])
    half_width = 1.96 * values.std().item() / math.sqrt(count) if count > 1 else math.nan
    return Estimate(values.mean().item(), half_width)


def _mmd(x: Tensor, y: Tensor) -> Tensor:
    """Return the unbiased squared maximum mean discrepancy of two blocks of one size."""
    size, dimensions = x.shape

    def kernel(one: Tensor, other: Tensor) -> Tensor:
        return (one @ other.T / dimensions + 1) ** 3

    within = [
        (gram.sum() - gram.trace()) / (size * (size - 1)) for gram in (kernel(x, x), kernel(y, y))
    ]
    return within[0] + within[1] - 2 * kernel(x, y).mean()


@dataclass(frozen=True)
class Neighbourhoods:
    """Whether each side lies where the other one is, all from k-nearest-neighbour balls.

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


def neighbourhoods(generated: Tensor, real: Tensor, k: int = NEIGHBOURS) -> Neighbourhoods:
    """Compare generated with real features, float [N, D] and [M, D]; both need more than k."""
    real_radii, generated_radii = ball_radii(real, k), ball_radii(generated, k)
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
        density=inside.mean().item() / k,
        coverage=torch.cat(covered).float().mean().item(),
    )


def ball_radii(points: Tensor, k: int) -> Tensor:
    """Return each point's distance to its k-th nearest other point: float [N]."""
    parts = [
        # The nearest point is the point itself.
        torch.cdist(rows, points).topk(k + 1, largest=False).values[:, -1]
        for rows in points.split(ROWS_AT_ONCE)
    ]
    return torch.cat(parts)


def nearest(queries: Tensor, references: Tensor) -> tuple[Tensor, Tensor]:
    """Return each query's distance to its nearest reference, and which: float, int64 [Q]."""
    parts = [torch.cdist(rows, references).min(dim=1) for rows in queries.split(ROWS_AT_ONCE // 4)]
    return torch.cat([part.values for part in parts]), torch.cat([part.indices for part in parts])
