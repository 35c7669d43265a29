"""A split of a data set, in memory."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from fashion_ddpm.core.errors import UserError
from fashion_ddpm.core.image_kind import ImageKind


class DataError(UserError):
    """The data cannot be used; the message is one sentence with the fix."""


@dataclass(frozen=True)
class LabelledImages:
    """A split, in memory.

    Attributes:
        images: uint8 [N, H, W] grey, or [N, H, W, 3] in colour, 0 black … 255 white.
        labels: int64 [N], indices into kind.class_names.
        kind: what the images are.
    """

    images: Tensor
    labels: Tensor
    kind: ImageKind

    def __len__(self) -> int:
        return len(self.labels)

    def select_class(self, class_label: int) -> Tensor:
        """Return the images of one class: uint8 [M, H, W] or [M, H, W, 3]."""
        return self.images[self.labels == class_label]

    def select(self, which: Tensor | slice) -> "LabelledImages":
        """Return some of the images: by a mask, by their indices, or by a slice."""
        return replace(self, images=self.images[which], labels=self.labels[which])

    def take(self, count: int) -> "LabelledImages":
        """Return at most so many images of the split."""
        return self.select(slice(count))

    def to(self, device: torch.device) -> "LabelledImages":
        """Return the split on another device."""
        return replace(self, images=self.images.to(device), labels=self.labels.to(device))


def class_counts(split: LabelledImages) -> dict[str, int]:
    """Return how many images each class has."""
    names = split.kind.class_names
    counts = torch.bincount(split.labels, minlength=len(names))
    return dict(zip(names, counts.tolist(), strict=True))
