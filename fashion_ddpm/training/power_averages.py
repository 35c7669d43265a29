"""Averages of the weights over a run, from which one of any length is rebuilt afterwards.

Karras et al., 2024 (arXiv 2312.02696): a power-function average weighs the weights of time s with
(γ + 1) s^γ / t^(γ + 1) for s in [0, t], so that its length is a share of the run. Two lengths, kept
at many moments, span the averages of other lengths by least squares.
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
"""Lengths that every run keeps: standard deviation of the weighting as a share of the run."""

SUFFIX = ".safetensors"

MIN_LENGTH = 0.01
"""Shortest length that is rebuilt: of a long run a hundredth is already many steps."""

MAX_KEPT_MOMENTS = 64
"""Most moments that a run keeps; older ones are thinned out. A file takes four bytes a weight."""

MAX_FIT_ERROR = 0.15
"""Largest deviation of the rebuilt weighting from the wanted one, relative to it."""


def exponent(length: float) -> float:
    """Return γ of the power function whose relative standard deviation is a length.

    length² = (γ + 1) / ((γ + 2)² (γ + 3)), which falls from 0.289 at γ = 0 to 0.

    Raises:
        TrainingError: no γ of at least 0 has that length.
    """
    longest = 12**-0.5
    if not MIN_LENGTH <= length <= longest:
        raise TrainingError(
            f"--length is {length}; it must be at least {MIN_LENGTH} and at most {longest:.3f}, "
            "the length of a plain mean of the whole run."
        )
    inverse = length**-2
    # (γ + 2)² (γ + 3) − (γ + 1) / length² = 0, a cubic with one root at or above 0.
    roots = np.roots([1.0, 7.0, 16.0 - inverse, 12.0 - inverse])
    return float(max(root.real for root in roots if abs(root.imag) < 1e-9))


class PowerAverages:
    """Power-function averages of a network's weights, one for each length.

    Args:
        network: whose weights are averaged; float32.
        lengths: of the averages.
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
        """Take the weights after one more optimizer step into every average."""
        self.steps += 1
        now = [parameter.detach() for parameter in parameters]
        for length, average in self.weights.items():
            # From t − 1 to t steps the old average keeps (1 − 1/t)^(γ + 1) of its weight.
            kept = (1 - 1 / self.steps) ** (self.exponents[length] + 1)
            torch._foreach_lerp_(average, now, 1 - kept)

    def state_dict(self) -> dict[str, Any]:
        """Return the averages for accelerate to save."""
        return {"steps": self.steps, "weights": self.weights}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take the averages that accelerate has loaded."""
        self.steps = state["steps"]
        for length, average in state["weights"].items():
            torch._foreach_copy_(self.weights[length], average)

    def save(self, path: Path, images_seen: int) -> None:
        """Write the averages into one file, in float16: a record for rebuilding, not for resuming.

        Args:
            path: the file.
            images_seen: the moment of the run.
        """
        tensors = {
            f"{length}/{name}": weight.half().contiguous()
            for length, average in self.weights.items()
            for name, weight in zip(self.names, average, strict=True)
        }
        whole = path.with_name(path.name + TEMPORARY_SUFFIX)
        save_file(tensors, whole, metadata={"images_seen": str(images_seen)})
        os.replace(whole, path)


@dataclass(frozen=True)
class Average:
    """One average in a file.

    Attributes:
        path: the file.
        length: its length.
        images_seen: the moment of the run at which it was kept.
    """

    path: Path
    length: float
    images_seen: int


def thin_out(folder: Path) -> None:
    """Delete kept moments while there are too many: always the one that leaves the smallest gap."""
    named = sorted(folder.glob(f"images-*{SUFFIX}"))
    files = [path for path in named if path.stem.rpartition("-")[2].isdigit()]
    while len(files) > MAX_KEPT_MOMENTS:
        moments = [int(path.stem.rpartition("-")[2]) for path in files]
        gaps = [after - before for before, after in zip(moments, moments[2:], strict=False)]
        files.pop(1 + gaps.index(min(gaps))).unlink()


def list_averages(folder: Path) -> list[Average]:
    """Return the averages in a run's folder, oldest first.

    Raises:
        TrainingError: there are none, or a file is damaged.
    """
    found = []
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            with safe_open(path, "pt") as file:
                lengths = {float(name.split("/")[0]) for name in file.keys()}  # noqa: SIM118
                images_seen = int(file.metadata()["images_seen"])
        except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
            raise TrainingError(
                f"{path} holds no averages ({reason(error)}); delete it, the others remain."
            ) from error
        found += [Average(path, length, images_seen) for length in sorted(lengths)]
    if not found:
        raise TrainingError(f"{folder} holds no averages; name the folder of a training run.")
    return found


def overlap(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Return the integral of the product of two power-function weightings.

    ∫ (γ₁ + 1) s^γ₁ / t₁^(γ₁ + 1) · (γ₂ + 1) s^γ₂ / t₂^(γ₂ + 1) ds over s in [0, min(t₁, t₂)].

    Args:
        one: γ₁ and t₁.
        other: γ₂ and t₂.
    """
    (gamma, time), (other_gamma, other_time) = one, other
    total = gamma + other_gamma + 1
    shorter = min(time, other_time)
    scale = (gamma + 1) * (other_gamma + 1) / total / shorter
    return scale * (shorter / time) ** (gamma + 1) * (shorter / other_time) ** (other_gamma + 1)


def coefficients(kept: Sequence[tuple[float, float]], wanted: tuple[float, float]) -> np.ndarray:
    """Return how much of each kept weighting makes the wanted one, by least squares: float64 [N].

    Args:
        kept: γ and t of each kept average, N of them.
        wanted: γ and t of the average to rebuild.

    Raises:
        TrainingError: the kept ones cannot make it.
    """
    gram = np.array([[overlap(one, other) for other in kept] for one in kept])
    right = np.array([overlap(one, wanted) for one in kept])
    found: np.ndarray = np.linalg.lstsq(gram, right, rcond=1e-12)[0]
    # An average neither shrinks nor stretches the weights: its shares add up to 1.
    shares = found / found.sum()
    # |Σ share · kept − wanted|² / |wanted|², expanded into overlaps.
    total = overlap(wanted, wanted)
    deviation = shares @ gram @ shares - 2 * shares @ right + total
    if deviation > MAX_FIT_ERROR**2 * total:
        raise TrainingError(
            "the kept averages cannot make one of that --length; give one nearer to "
            f"{' or '.join(map(str, LENGTHS))}, or a run that kept more of them."
        )
    return shares


def rebuild_average(kept: Sequence[Average], length: float, images_seen: int) -> dict[str, Tensor]:
    """Return the weights of an average of any length that ends at a kept moment.

    Args:
        kept: averages of one run; those after the moment are left out.
        length: of the average to rebuild.
        images_seen: the moment.

    Returns:
        Each parameter's float32 weights by its name.

    Raises:
        TrainingError: the length has no γ, or nothing was kept at that moment.
    """
    used = [one for one in kept if one.images_seen <= images_seen]
    if images_seen not in {one.images_seen for one in used}:
        moments = sorted({one.images_seen for one in kept})
        raise TrainingError(
            f"--at is {images_seen}; averages were kept at {', '.join(map(str, moments))} images."
        )
    weightings = [(exponent(one.length), one.images_seen / images_seen) for one in used]
    shares = coefficients(weightings, (exponent(length), 1.0))
    total: dict[str, Tensor] = {}
    for one, share in zip(used, shares, strict=True):
        with safe_open(one.path, "pt") as file:
            for key in file.keys():  # noqa: SIM118
                prefix, name = key.split("/")
                if float(prefix) == one.length:
                    weight = file.get_tensor(key).float() * float(share)
                    if name in total and weight.shape != total[name].shape:
                        raise TrainingError(
                            f"{one.path} is of another network than the files before it; move it "
                            "away, the others remain."
                        )
                    total[name] = total[name] + weight if name in total else weight
    return total
