"""Image quality by the independent classifier, as all benchmarks measure it."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from fashion_ddpm.core.requests import GenerateRequest
from fashion_ddpm.data.fashion_mnist import load_split
from fashion_ddpm.evaluation.metrics import frechet_distance
from fashion_ddpm.scoring.classifier import Classifier, load_classifier


@dataclass(frozen=True)
class Reference:
    """Real images to compare with.

    Attributes:
        classifier: the independent classifier.
        features: features of the real images, [N, D].
    """

    classifier: Classifier
    features: Tensor

    def measure(self, images: Tensor, labels: Tensor) -> dict[str, float]:
        """Return the Fréchet distance and the class accuracy of images: uint8 [B, 28, 28], [B]."""
        features = self.classifier.features(images)
        correct = self.classifier.predict(features) == labels
        return {
            "frechet_distance": frechet_distance(features, self.features),
            "class_accuracy": correct.float().mean().item(),
        }

    def floor(self, data_dir: Path | str, count: int) -> float:
        """Return the Fréchet distance of as many training images, as many of each class."""
        train = load_split(data_dir, "train")
        counts = Counter(GenerateRequest("all", num_images=count).labels())
        chosen = [
            torch.nonzero(train.labels == each)[:number, 0] for each, number in counts.items()
        ]
        features = self.classifier.features(train.images[torch.cat(chosen)])
        return frechet_distance(features, self.features)


def load_reference(data_dir: Path | str, split: str = "test") -> Reference:
    """Load a split of Fashion-MNIST and compute its features."""
    classifier = load_classifier()
    return Reference(classifier, classifier.features(load_split(data_dir, split).images))
