"""The judge: a small classifier of real images, and the feature space that distances live in."""

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from fashion_ddpm.errors import UserError
from fashion_ddpm.images import to_model
from fashion_ddpm.labels import CLASS_NAMES
from fashion_ddpm.weight_files import WeightsError, check_finite, check_folder, check_shapes

BUNDLED_CLASSIFIER = Path(__file__).parent.parent / "checkpoints" / "classifier"
WEIGHTS_FILE = "model.safetensors"
NUM_FEATURES = 128
BATCH_SIZE = 500


class ClassifierError(UserError):
    """The classifier cannot be loaded; the message is one sentence with the fix."""


class ResidualBlock(nn.Module):
    """Two 3×3 convolutions beside a 1×1 one; the first may halve the side."""

    def __init__(self, inside: int, outside: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inside, outside, 3, stride, 1, bias=False),
            nn.BatchNorm2d(outside),
            nn.ReLU(),
            nn.Conv2d(outside, outside, 3, 1, 1, bias=False),
            nn.BatchNorm2d(outside),
        )
        self.shortcut = nn.Conv2d(inside, outside, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Maps [B, inside, H, W] to [B, outside, H / stride, W / stride]."""
        return nn.functional.relu(self.body(x) + self.shortcut(x))


class Classifier(nn.Module):
    """A residual network, 28 → 14 → 7 pixels, then the mean over the places."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Sequential(
            nn.Conv2d(1, 32, 3, 1, 1, bias=False),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            ResidualBlock(32, 64, 2),
            ResidualBlock(64, NUM_FEATURES, 2),
            ResidualBlock(NUM_FEATURES, NUM_FEATURES, 1),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        )
        self.head = nn.Linear(NUM_FEATURES, len(CLASS_NAMES))

    def forward(self, images: Tensor) -> Tensor:
        """Returns logits, [B, 10], of float32 [B, 1, 28, 28] in [−1, 1]."""
        return self.head(self.trunk(images))

    @torch.no_grad()
    def features(self, images: Tensor) -> Tensor:
        """Returns what the last layer sees of stored images: uint8 [N, 28, 28] → float32 [N, D]."""
        return torch.cat([self.trunk(to_model(part)) for part in images.split(BATCH_SIZE)])

    @torch.no_grad()
    def predict(self, features: Tensor) -> Tensor:
        """Returns the most likely classes, int64 [N], of features [N, D]."""
        return self.head(features).argmax(dim=1)


def save_classifier(classifier: Classifier, folder: Path) -> None:
    """Writes the weights into a folder."""
    weights = {name: value.contiguous() for name, value in classifier.state_dict().items()}
    save_file(weights, folder / WEIGHTS_FILE)


def load_classifier(folder: str | Path = BUNDLED_CLASSIFIER) -> Classifier:
    """Loads a classifier, ready to judge.

    Raises:
        ClassifierError: it is not there, it is another network, or a file is damaged.
    """
    classifier, folder = Classifier(), Path(folder)
    try:
        check_folder(folder, WEIGHTS_FILE)
        check_shapes(classifier, folder / WEIGHTS_FILE)
        classifier.load_state_dict(load_file(folder / WEIGHTS_FILE))
        check_finite(classifier)
    except WeightsError as error:
        raise ClassifierError(
            f"The classifier {folder} could not be loaded: {error}, or name a folder that python "
            "-m fashion_ddpm train-classifier wrote."
        ) from error
    return classifier.eval()
