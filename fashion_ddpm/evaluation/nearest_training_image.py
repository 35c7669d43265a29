"""Find the nearest training image without the data set: each one is stored in 32 bytes."""

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from fashion_ddpm.checkpoints.npz import load_arrays, save_arrays
from fashion_ddpm.core.images import IMAGE_SIZE, to_model, to_uint8
from fashion_ddpm.core.paths import BUNDLED_DIR
from fashion_ddpm.core.wording import whole_percent

NEIGHBOUR_INDEX = BUNDLED_DIR / "training-images.npz"
COMPONENTS = 32
"""Principal components that are stored: enough to tell images apart, though blurred."""

LEVELS = 127
"""Largest absolute code; codes are int8."""

QUANTILES = 100

ROWS_AT_ONCE = 500
"""Rows of a distance matrix in memory together."""


@dataclass(frozen=True)
class Neighbour:
    """The training image nearest to an image.

    Attributes:
        pictures: uint8 [3, 28, 28]: the image; the image decoded from its code; the training
            image decoded from its code.
        number: the training image's index in the training split.
        distance: Euclidean distance of the decoded images, pixels in [−1, 1].
        closer_share: share of real test images that have a nearer neighbour, 0 … 1.
        count: number of training images.
    """

    pictures: Tensor
    number: int
    distance: float
    closer_share: float
    count: int

    def sentence(self) -> str:
        """Return the distance and what it says, compared with those of real test images."""
        verdict = "no sign of a copy" if self.closer_share >= COPY_SHARE else "it may be a copy"
        return (
            f"{verdict}. The nearest of {self.count:,} training images is number {self.number:,}, "
            f"at a distance of {self.distance:.1f}; {whole_percent(self.closer_share)} of real "
            "test images, which are no copies, are closer to theirs."
        )


COPY_SHARE = 0.01
"""If fewer real test images are as close to a training image, an image may be a copy."""


@dataclass(frozen=True)
class NeighbourIndex:
    """Images as codes of their principal components.

    Attributes:
        mean: float32 [784], the mean training image in [−1, 1].
        basis: float32 [32, 784], the components, each scaled so that codes are whole numbers.
        codes: int8 [N, 32], the training images.
        real_distances: float32 [101], quantiles of real test images' distances to the nearest.
    """

    mean: Tensor
    basis: Tensor
    codes: Tensor
    real_distances: Tensor

    def encode(self, images: Tensor) -> Tensor:
        """Return the codes of stored images: uint8 [B, 28, 28] → int8 [B, 32]."""
        flat = to_model(images).flatten(1) - self.mean
        codes = flat @ self.basis.T / self.basis.square().sum(dim=1)
        return codes.round().clamp(-LEVELS, LEVELS).to(torch.int8)

    def decode(self, codes: Tensor) -> Tensor:
        """Return the images of codes, blurred: int8 [B, 32] → uint8 [B, 28, 28]."""
        flat = codes.float() @ self.basis + self.mean
        return to_uint8(flat.view(-1, 1, IMAGE_SIZE, IMAGE_SIZE))

    def distances(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return each image's distance to the nearest training image, and that image's number."""
        lengths = self.basis.norm(
            dim=1
        )  # distances in pixels: codes are in units of their component
        return find_nearest(self.encode(images) * lengths, self.codes * lengths)

    def look_up(self, image: Tensor) -> Neighbour:
        """Find the training image nearest to an image, uint8 [28, 28]."""
        (distance,), (number,) = self.distances(image[None])
        codes = torch.stack([self.encode(image[None])[0], self.codes[number]])
        return Neighbour(
            pictures=torch.cat([image[None], self.decode(codes)]),
            number=int(number),
            distance=float(distance),
            closer_share=float((self.real_distances < distance).float().mean()),
            count=len(self.codes),
        )


def build_index(train: Tensor, test: Tensor) -> NeighbourIndex:
    """Build the index of training images, with the distances of test images for comparison.

    Args:
        train: uint8 [N, 28, 28].
        test: uint8 [M, 28, 28].
    """
    flat = to_model(train).flatten(1)
    mean = flat.mean(dim=0)
    centred = flat - mean
    _, vectors = torch.linalg.eigh(centred.T @ centred)  # in ascending order
    directions = vectors[:, -COMPONENTS:].T.flip(0)
    largest = (centred @ directions.T).abs().max(dim=0).values
    basis = (directions * (largest / LEVELS)[:, None]).half().float()
    empty = NeighbourIndex(mean, basis, codes=torch.empty(0), real_distances=torch.empty(0))
    index = replace(empty, codes=empty.encode(train))
    distances, _ = index.distances(test)
    quantiles = torch.quantile(distances, torch.linspace(0, 1, QUANTILES + 1))
    return replace(index, real_distances=quantiles)


def find_nearest(queries: Tensor, references: Tensor) -> tuple[Tensor, Tensor]:
    """Return each query's distance to its nearest reference, and which: float, int64 [Q]."""
    parts = [torch.cdist(rows, references).min(dim=1) for rows in queries.split(ROWS_AT_ONCE)]
    return torch.cat([part.values for part in parts]), torch.cat([part.indices for part in parts])


def save_index(index: NeighbourIndex, path: Path = NEIGHBOUR_INDEX) -> None:
    """Write the index; half precision is enough for the components."""
    arrays = {name: value.numpy() for name, value in vars(index).items()}
    save_arrays(path, arrays | {"basis": index.basis.half().numpy()})


def load_index(path: Path = NEIGHBOUR_INDEX) -> NeighbourIndex:
    """Load the bundled index.

    Raises:
        CheckpointError: it is missing or damaged.
    """
    arrays = load_arrays(path, "python -m fashion_ddpm neighbours")
    mean, basis, real_distances = (
        torch.from_numpy(arrays[name]).float() for name in ("mean", "basis", "real_distances")
    )
    return NeighbourIndex(mean, basis, torch.from_numpy(arrays["codes"]), real_distances)
