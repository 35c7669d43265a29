"""The images and labels of a split in memory."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from fashion_ddpm.core.errors import UserError
from fashion_ddpm.core.image_kind import ImageKind


class DataError(UserError):
    """The data cannot be used."""


@dataclass(frozen=True)
class LabelledImages:
    """The images and labels of a split.

    Attributes:
        images: uint8 [N, H, W] grey, or [N, H, W, 3] in colour, 0 black … 255 white.
        labels: int64 [N], indices into kind.class_names.
        kind: the kind of the images.
    """

    images: Tensor
    labels: Tensor
    kind: ImageKind

    def __len__(self) -> int:
        return len(self.labels)

    def select_class(self, class_label: int) -> Tensor:
        """Return the images of one class: uint8 [M, H, W] or [M, H, W, 3]."""
        return self.images[self.labels == class_label]

    def select(self, index: Tensor | slice) -> "LabelledImages":
        """Return the images of a mask, of indices or of a slice."""
        return replace(self, images=self.images[index], labels=self.labels[index])

    def take(self, count: int) -> "LabelledImages":
        """Return the first images of the split."""
        return self.select(slice(count))

    def to(self, device: torch.device) -> "LabelledImages":
        """Return the split on another device."""
        return replace(self, images=self.images.to(device), labels=self.labels.to(device))


def class_counts(split: LabelledImages) -> dict[str, int]:
    """Return class name → number of images."""
    names = split.kind.class_names
    counts = torch.bincount(split.labels, minlength=len(names))
    return dict(zip(names, counts.tolist(), strict=True))
