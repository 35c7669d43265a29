"""Power-function averages of the weights, from which one of any length can be rebuilt later.

Karras et al., 2024 (arXiv 2312.02696): the average at time t weighs the weights of time s by
(γ + 1) s^γ / t^(γ + 1) for s in [0, t], so that its length is a share of the run. Averages of two
lengths, saved at several times, are combined by least squares into averages of other lengths.
"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from fashion_ddpm.core.errors import reason
from fashion_ddpm.core.json_files import TEMPORARY_SUFFIX
from fashion_ddpm.training.stopping import TrainingError

LENGTHS = (0.05, 0.1)
"""Lengths that every run saves: standard deviation of the weighting, as a share of the run."""

SUFFIX = ".safetensors"

MIN_LENGTH = 0.01
"""Shortest length to rebuild."""

MAX_KEPT_MOMENTS = 64
"""Most files that a run keeps, at four bytes a weight; older ones are thinned out."""

MAX_FIT_ERROR = 0.15
"""Largest relative deviation of the rebuilt weighting from the requested one."""


def exponent(length: float) -> float:
    """Return the γ for a length: length² = (γ + 1) / ((γ + 2)² (γ + 3)), at most 0.289² at γ = 0.

    Raises:
        TrainingError: the length is out of range.
    """
    longest = 12**-0.5
    if not MIN_LENGTH <= length <= longest:
        raise TrainingError(
            f"--length is {length}; it must be at least {MIN_LENGTH} and at most {longest:.3f}, "
            "the length of a plain mean of the whole run."
        )
    inverse = length**-2
    # (γ + 2)² (γ + 3) − (γ + 1) / length² = 0 is a cubic with one root at or above 0.
    roots = np.roots([1.0, 7.0, 16.0 - inverse, 12.0 - inverse])
    return float(max(root.real for root in roots if abs(root.imag) < 1e-9))


class PowerAverages:
    """Power-function averages of a network's weights, one for each length.

    Args:
        network: the network, in float32.
        lengths: lengths of the averages.
    """

    def __init__(self, network: nn.Module, lengths: Sequence[float] = LENGTHS) -> None:
        self.names = [name for name, _ in network.named_parameters()]
        self.exponents = {length: exponent(length) for length in lengths}
        self.steps = 0
        self.weights = {
            length: [p.detach().clone() for p in network.parameters()] for length in lengths
        }

    @torch.no_grad()
    def step(self, parameters: Iterable[nn.Parameter]) -> None:
        """Update the averages with the weights after an optimizer step."""
        self.steps += 1
        weights = [parameter.detach() for parameter in parameters]
        for length, average in self.weights.items():
            # At step t the decay is (1 − 1/t)^(γ + 1).
            decay = (1 - 1 / self.steps) ** (self.exponents[length] + 1)
            torch._foreach_lerp_(average, weights, 1 - decay)

    def state_dict(self) -> dict[str, Any]:
        """Return what accelerate saves."""
        return {"steps": self.steps, "weights": self.weights}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what accelerate has loaded."""
        self.steps = state["steps"]
        for length, average in state["weights"].items():
            torch._foreach_copy_(self.weights[length], average)

    def save(self, path: Path, images_seen: int) -> None:
        """Write the averages into one float16 file, for rebuilding averages, not for resuming.

        Args:
            path: the file.
            images_seen: end of the averages.
        """
        tensors = {
            f"{length}/{name}": weight.half().contiguous()
            for length, average in self.weights.items()
            for name, weight in zip(self.names, average, strict=True)
        }
        temporary = path.with_name(path.name + TEMPORARY_SUFFIX)
        save_file(tensors, temporary, metadata={"images_seen": str(images_seen)})
        os.replace(temporary, path)


@dataclass(frozen=True)
class Average:
    """One average in a file.

    Attributes:
        path: the file.
        length: its length.
        images_seen: its end.
    """

    path: Path
    length: float
    images_seen: int


def thin_out(folder: Path) -> None:
    """Delete files beyond MAX_KEPT_MOMENTS, each time the one that leaves the smallest gap."""
    named = sorted(folder.glob(f"images-*{SUFFIX}"))
    files = [path for path in named if path.stem.rpartition("-")[2].isdigit()]
    while len(files) > MAX_KEPT_MOMENTS:
        ends = [int(path.stem.rpartition("-")[2]) for path in files]
        gaps = [after - before for before, after in zip(ends, ends[2:], strict=False)]
        files.pop(1 + gaps.index(min(gaps))).unlink()


def list_averages(folder: Path) -> list[Average]:
    """Return the averages in a run's folder, oldest first.

    Raises:
        TrainingError: there are none, or a file is damaged.
    """
    averages: list[Average] = []
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            with safe_open(path, "pt") as file:
                lengths = {float(name.split("/")[0]) for name in file.keys()}  # noqa: SIM118
                images_seen = int(file.metadata()["images_seen"])
        except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
            raise TrainingError(
                f"{path} holds no averages ({reason(error)}); delete it, the others remain."
            ) from error
        averages += [Average(path, length, images_seen) for length in sorted(lengths)]
    if not averages:
        raise TrainingError(f"{folder} holds no averages; name the folder of a training run.")
    return averages


def overlap(first: tuple[float, float], second: tuple[float, float]) -> float:
    """Return the integral of the product of two power-function weightings.

    ∫ (γ₁ + 1) s^γ₁ / t₁^(γ₁ + 1) · (γ₂ + 1) s^γ₂ / t₂^(γ₂ + 1) ds over s in [0, min(t₁, t₂)].

    Args:
        first: γ₁ and t₁.
        second: γ₂ and t₂.
    """
    (gamma1, t1), (gamma2, t2) = first, second
    t = min(t1, t2)
    scale = (gamma1 + 1) * (gamma2 + 1) / (gamma1 + gamma2 + 1) / t
    return scale * (t / t1) ** (gamma1 + 1) * (t / t2) ** (gamma2 + 1)


def coefficients(basis: Sequence[tuple[float, float]], target: tuple[float, float]) -> np.ndarray:
    """Return the combination of weightings that is nearest to a target: float64 [N].

    Args:
        basis: γ and t of each saved average, N of them.
        target: γ and t of the average to rebuild.

    Raises:
        TrainingError: no combination is near enough.
    """
    gram = np.array([[overlap(first, second) for second in basis] for first in basis])
    right = np.array([overlap(weighting, target) for weighting in basis])
    solution: np.ndarray = np.linalg.lstsq(gram, right, rcond=1e-12)[0]
    # The shares of an average add up to 1.
    shares = solution / solution.sum()
    # |Σ share · weighting − target|², expanded into overlaps.
    norm = overlap(target, target)
    deviation = shares @ gram @ shares - 2 * shares @ right + norm
    if deviation > MAX_FIT_ERROR**2 * norm:
        raise TrainingError(
            "the kept averages cannot make one of that --length; give one nearer to "
            f"{' or '.join(map(str, LENGTHS))}, or a run that kept more of them."
        )
    return shares


def rebuild_average(
    averages: Sequence[Average], length: float, images_seen: int
) -> dict[str, Tensor]:
    """Return the weights of an average of any length.

    Args:
        averages: saved averages of one run; those after images_seen are ignored.
        length: length of the average to rebuild.
        images_seen: its end, which must be that of a saved average.

    Returns:
        Each parameter's float32 weights by name.

    Raises:
        TrainingError: the length is out of range, or there is no saved average with that end.
    """
    used = [average for average in averages if average.images_seen <= images_seen]
    ends = sorted({average.images_seen for average in averages})
    if images_seen not in ends:
        raise TrainingError(
            f"--at is {images_seen}; averages were kept at {', '.join(map(str, ends))} images."
        )
    basis = [(exponent(average.length), average.images_seen / images_seen) for average in used]
    shares = coefficients(basis, (exponent(length), 1.0))
    total: dict[str, Tensor] = {}
    for average, share in zip(used, shares, strict=True):
        with safe_open(average.path, "pt") as file:
            for key in file.keys():  # noqa: SIM118
                prefix, name = key.split("/")
                if float(prefix) == average.length:
                    weight = file.get_tensor(key).float() * float(share)
                    if name in total and weight.shape != total[name].shape:
                        raise TrainingError(
                            f"{average.path} is of another network than the files before it; move "
                            "it away, the others remain."
                        )
                    total[name] = total[name] + weight if name in total else weight
    return total
