"""The scores of real test images, shown next to the scores of generated ones."""

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from fashion_ddpm.checkpoints.npz import load_arrays
from fashion_ddpm.checkpoints.weights import COPY_HINT
from fashion_ddpm.core.errors import reason
from fashion_ddpm.core.image_kind import FASHION_MNIST
from fashion_ddpm.core.paths import BUNDLED_SCORER
from fashion_ddpm.data.labelled_images import LabelledImages
from fashion_ddpm.scoring.clip import EMBEDDED, ClipScorer
from fashion_ddpm.scoring.errors import ScoringError

REAL_SAMPLE = BUNDLED_SCORER.parent / "real-test-images.npz"
BASELINE_FILE = "baseline.json"


@dataclass(frozen=True)
class Baseline:
    """The mean scores of real test images.

    Attributes:
        labels: float32 [10, 10], row c: mean over the images of class c of the probabilities of
            the ten label prompts.
        quality: float32 [10, 3], the same for the class's three quality prompts.
        count: number of scored images.
    """

    labels: Tensor
    quality: Tensor
    count: int


def measure_baseline(scorer: ClipScorer, real: LabelledImages) -> Baseline:
    """Return the mean scores of real images by class."""
    labels = scorer.label_scores(real.images)
    quality = scorer.quality_scores(real.images, real.labels)
    masks = [real.labels == label for label in range(scorer.kind.null_label)]
    return Baseline(
        torch.stack([labels[mask].mean(dim=0) for mask in masks]),
        torch.stack([quality[mask].mean(dim=0) for mask in masks]),
        len(real),
    )


def save_baseline(baseline: Baseline, folder: Path) -> None:
    """Write a baseline into the folder of its scorer."""
    content = {
        "labels": baseline.labels.tolist(),
        "quality": baseline.quality.tolist(),
        "count": baseline.count,
    }
    (folder / BASELINE_FILE).write_text(json.dumps(content) + "\n")


def load_baseline(scorer: ClipScorer) -> Baseline | None:
    """Return the scores of real test images; None for other images than Fashion-MNIST.

    The embedded scorer has a file of them, measured on the test split; any other scorer scores the
    bundled sample of real test images.

    Raises:
        ScoringError: the file is missing or damaged.
    """
    if scorer.kind != FASHION_MNIST:
        return None
    if scorer.name != EMBEDDED:
        return measure_baseline(scorer, load_real_sample())
    try:
        content = json.loads((BUNDLED_SCORER / BASELINE_FILE).read_text())
        labels, quality = torch.tensor(content["labels"]), torch.tensor(content["quality"])
        return Baseline(labels, quality, content["count"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ScoringError(
            f"{BUNDLED_SCORER / BASELINE_FILE} could not be loaded ({reason(error)}); {COPY_HINT}."
        ) from error


def load_real_sample() -> LabelledImages:
    """Return the bundled real test images, the first of each class in the test split.

    Raises:
        CheckpointError: they are missing or damaged.
    """
    arrays = load_arrays(REAL_SAMPLE, "python -m tests.tools.make_data")
    images, labels = torch.from_numpy(arrays["images"]), torch.from_numpy(arrays["labels"])
    return LabelledImages(images, labels.long(), FASHION_MNIST)
