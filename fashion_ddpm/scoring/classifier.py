"""A small classifier of real images, whose features the Fréchet distance uses."""

import dataclasses
import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from fashion_ddpm.checkpoints.errors import CheckpointError
from fashion_ddpm.checkpoints.weights import (
    COPY_HINT,
    check_finite,
    check_folder,
    check_shapes,
    read_config,
)
from fashion_ddpm.core.image_kind import FASHION_MNIST, ImageKind
from fashion_ddpm.core.images import to_model
from fashion_ddpm.core.paths import BUNDLED_CLASSIFIER
from fashion_ddpm.core.settings import ConfigError
from fashion_ddpm.scoring.errors import ScoringError

WEIGHTS_FILE = "model.safetensors"
KIND_FILE = "kind.json"
"""File with the kind of images of a classifier; without it, they are Fashion-MNIST."""

NUM_FEATURES = 128
BATCH_SIZE = 500


class ResidualBlock(nn.Module):
    """Two 3×3 convolutions and a 1×1 shortcut, with a stride."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(),
            nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False),
            nn.BatchNorm2d(out_channels),
        )
        self.shortcut = nn.Conv2d(in_channels, out_channels, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, in_channels, H, W] to [B, out_channels, H / stride, W / stride]."""
        return nn.functional.relu(self.body(x) + self.shortcut(x))


class Classifier(nn.Module):
    """A residual network that halves the side twice, then averages over all positions."""

    def __init__(self, kind: ImageKind) -> None:
        super().__init__()
        self.kind = kind
        self.trunk = nn.Sequential(
            nn.Conv2d(kind.channels, 32, 3, 1, 1, bias=False),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            ResidualBlock(32, 64, 2),
            ResidualBlock(64, NUM_FEATURES, 2),
            ResidualBlock(NUM_FEATURES, NUM_FEATURES, 1),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        )
        self.head = nn.Linear(NUM_FEATURES, len(kind.class_names))

    def forward(self, images: Tensor) -> Tensor:
        """Return logits, [B, classes], of float32 [B, C, S, S] in [−1, 1]."""
        return self.head(self.trunk(images))

    @torch.no_grad()
    def features(self, images: Tensor) -> Tensor:
        """Return the input of the last layer for images uint8 [N, …]: float32 [N, D]."""
        return torch.cat([self.trunk(to_model(part)) for part in images.split(BATCH_SIZE)])

    @torch.no_grad()
    def reorder(self, class_names: tuple[str, ...]) -> None:
        """Put the classes into another order of the same names."""
        order = [self.kind.class_names.index(name) for name in class_names]
        self.kind = dataclasses.replace(self.kind, class_names=class_names)
        for parameter in self.head.parameters():
            parameter.copy_(parameter[order].clone())

    @torch.no_grad()
    def predict(self, features: Tensor) -> Tensor:
        """Return the most likely classes, int64 [N], of features [N, D]."""
        return self.head(features).argmax(dim=1)


def save_classifier(classifier: Classifier, folder: Path) -> None:
    """Write the weights and the kind of images into a folder."""
    weights = {name: value.contiguous() for name, value in classifier.state_dict().items()}
    save_file(weights, folder / WEIGHTS_FILE)
    (folder / KIND_FILE).write_text(json.dumps(dataclasses.asdict(classifier.kind)) + "\n")


def load_classifier(folder: str | Path = BUNDLED_CLASSIFIER) -> Classifier:
    """Load a classifier in evaluation mode.

    Raises:
        ScoringError: it is missing or damaged, or the weights do not fit the network.
    """
    folder = Path(folder)
    try:
        check_folder(folder, WEIGHTS_FILE)
        classifier = Classifier(_read_kind(folder / KIND_FILE))
        check_shapes(classifier, folder / WEIGHTS_FILE)
        classifier.load_state_dict(load_file(folder / WEIGHTS_FILE))
        check_finite(classifier)
    except CheckpointError as error:
        raise ScoringError(
            f"The classifier {folder} could not be loaded: {error}, or name a folder that python "
            "-m fashion_ddpm train-classifier wrote."
        ) from error
    return classifier.eval()


def _read_kind(path: Path) -> ImageKind:
    if not path.exists():
        return FASHION_MNIST
    kind = read_config(path.parent, path.name)
    try:
        return ImageKind(tuple(kind["class_names"]), kind["image_size"], kind["channels"])
    except (KeyError, TypeError, ConfigError) as error:
        raise CheckpointError(f"{KIND_FILE} names no kind of images; {COPY_HINT}") from error
