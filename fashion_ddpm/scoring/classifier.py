"""A small classifier of real images, whose features the Fréchet distance uses."""

import contextlib
import dataclasses
from collections.abc import Sequence
from pathlib import Path

import torch
from huggingface_hub import PyTorchModelHubMixin
from torch import Tensor, nn

from fashion_ddpm.checkpoints.errors import CheckpointError
from fashion_ddpm.checkpoints.weights import COPY_HINT, check_finite, check_folder, read_config
from fashion_ddpm.core.errors import reason
from fashion_ddpm.core.image_kind import ImageKind
from fashion_ddpm.core.images import to_model
from fashion_ddpm.core.paths import BUNDLED_CLASSIFIER
from fashion_ddpm.core.settings import ConfigError
from fashion_ddpm.scoring.errors import ScoringError

WEIGHTS_FILE = "model.safetensors"
CONFIG_FILE = "config.json"
"""File with the arguments of Classifier."""

MODEL_CARD = """---
{{ card_data }}
---

# Classifier of small images

A residual network that labels real images; the Fréchet distance of fashion-ddpm is in its features.

```python
from fashion_ddpm.scoring.classifier import Classifier

classifier = Classifier.from_pretrained("path of this folder, or USER/NAME on the Hub")
logits = classifier(images)  # of float32 [B, C, S, S] in [−1, 1]
```
"""

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


class Classifier(
    nn.Module,
    PyTorchModelHubMixin,
    library_name="fashion-ddpm",
    pipeline_tag="image-classification",
    model_card_template=MODEL_CARD,
):
    """A residual network that halves the side twice, then averages over all positions.

    Args:
        class_names: in label order.
        image_size: side of the images, pixels.
        channels: 1 grey, 3 colour.

    Raises:
        ConfigError: there are no such images.
    """

    def __init__(self, class_names: Sequence[str], image_size: int, channels: int) -> None:
        super().__init__()
        self.kind = kind = ImageKind(tuple(class_names), image_size, channels)
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
    def reorder(self, class_names: tuple[str, ...]) -> "Classifier":
        """Return the classifier with its classes in another order of the same names."""
        order = [self.kind.class_names.index(name) for name in class_names]
        reordered = build_classifier(dataclasses.replace(self.kind, class_names=class_names))
        weights = self.state_dict()
        weights |= {f"head.{name}": value[order] for name, value in self.head.named_parameters()}
        reordered.load_state_dict(weights)
        return reordered.train(self.training)

    @torch.no_grad()
    def predict(self, features: Tensor) -> Tensor:
        """Return the most likely classes, int64 [N], of features [N, D]."""
        return self.head(features).argmax(dim=1)


def build_classifier(kind: ImageKind) -> Classifier:
    """Return a classifier of a kind of images, with random weights."""
    return Classifier(**dataclasses.asdict(kind))


def load_classifier(folder: str | Path = BUNDLED_CLASSIFIER) -> Classifier:
    """Load a classifier in evaluation mode, after a check of its files.

    Raises:
        ScoringError: it is missing or damaged, or the weights do not fit the network.
    """
    folder = Path(folder)
    try:
        check_folder(folder, WEIGHTS_FILE)
        read_config(folder, CONFIG_FILE)
        classifier = _load_checked(folder)
        check_finite(classifier)
    except CheckpointError as error:
        raise ScoringError(
            f"The classifier {folder} could not be loaded: {error}, or name a folder that python "
            "-m fashion_ddpm train-classifier wrote."
        ) from error
    return classifier


def _load_checked(folder: Path) -> Classifier:
    try:
        with contextlib.redirect_stdout(None):  # from_pretrained prints that it loads
            return Classifier.from_pretrained(folder, strict=True)
    except (ConfigError, RuntimeError, TypeError) as error:
        raise CheckpointError(
            f"{CONFIG_FILE} and {WEIGHTS_FILE} are no classifier ({reason(error)}); {COPY_HINT}"
        ) from error
