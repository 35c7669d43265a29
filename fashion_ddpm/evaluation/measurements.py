"""What an evaluation measures: images in, rows of a report out, each beside its real figure."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from fashion_ddpm.core.config import ClassifierConfig
from fashion_ddpm.core.images import to_model
from fashion_ddpm.data.labelled_images import LabelledImages
from fashion_ddpm.evaluation.image_sets import ImageSets
from fashion_ddpm.evaluation.metrics import (
    Estimate,
    frechet_distance,
    kernel_distance,
    nearest,
    neighbourhoods,
)
from fashion_ddpm.evaluation.report import Row
from fashion_ddpm.scoring.classifier import Classifier
from fashion_ddpm.scoring.clip import ClipScorer
from fashion_ddpm.scoring.train_classifier import accuracy, fit

NEARLY_BLACK = 8
"""Highest pixel value that counts as black: clothes lie on exact black."""

NEIGHBOUR_SAMPLE = 500
"""Images whose nearest training image is looked for."""

NEAREST = "median distance to the nearest training image, in"

SYNTHETIC_EPOCHS = 12
"""Passes over the images when a classifier is trained on them alone."""


def distance_rows(
    space: str, features: Callable[[Tensor], Tensor], sets: ImageSets
) -> dict[str, Row]:
    """Measure how near generated and real images lie to the reference, in a feature space.

    Args:
        space: the space's name; it begins the keys.
        features: stored images, uint8 [N, …] → float [N, D].
        sets: the images.
    """
    reference = features(sets.reference.images)
    sides = [features(images.images) for images in (sets.generated, sets.floor)]
    fakes, floors = (_distances(side, reference) for side in sides)
    rows = {}
    for key, (name, better) in _DISTANCES.items():
        fake, floor = fakes[key], floors[key]
        rows[f"{space}_{key}"] = Row(
            f"{name} ({space})",
            fake.value,
            floor.value,
            better,
            fake.half_width,
            floor.half_width,
        )
    return rows


_DISTANCES = {
    "frechet_distance": ("Fréchet distance", "lower"),
    "kernel_distance": ("kernel distance", "lower"),
    "precision": ("precision, k = 4", "real"),
    "recall": ("recall, k = 4", "real"),
    "density": ("density, k = 4", "real"),
    "coverage": ("coverage, k = 4", "real"),
}


def missing_distances(space: str, why: str) -> dict[str, Row]:
    """Return the row of a feature space that could not be had."""
    key = "frechet_distance"
    name, better = _DISTANCES[key]
    return {f"{space}_{key}": Row(f"{name} ({space})", better=better, missing=why)}


def _distances(features: Tensor, reference: Tensor) -> dict[str, Estimate]:
    near = neighbourhoods(features, reference)
    single = {
        "frechet_distance": frechet_distance(features, reference),
        "precision": near.precision,
        "recall": near.recall,
        "density": near.density,
        "coverage": near.coverage,
    }
    return {key: Estimate(value, torch.nan) for key, value in single.items()} | {
        "kernel_distance": kernel_distance(features, reference)
    }


def missing_classifier(why: str) -> dict[str, Row]:
    """Return the rows that only a classifier of the same classes could fill."""
    return {
        **missing_distances("domain", why),
        "class_accuracy": Row("class accuracy", missing=why),
        "nearest_features": Row(f"{NEAREST} features", missing=why),
    }


@dataclass(frozen=True)
class Agreement:
    """How often the classifier sees what was asked for.

    Attributes:
        rows: the class accuracy.
        by_class: class name → (generated, real), in [0, 1].
        confusion: int64 [classes, classes], asked for (rows) × seen (columns).
    """

    rows: dict[str, Row]
    by_class: dict[str, tuple[float, float]]
    confusion: Tensor


def class_agreement(classifier: Classifier, sets: ImageSets) -> Agreement:
    """Compare what was asked for with what the classifier sees, beside real test images."""
    fakes, reals = (confusion(classifier, images) for images in (sets.generated, sets.test))
    by_class = {
        classifier.kind.class_names[label]: (_recall(fakes, label), _recall(reals, label))
        for label in sets.generated.labels.unique().tolist()
    }
    share, real_share = (float(table.trace() / table.sum()) for table in (fakes, reals))
    return Agreement({"class_accuracy": Row("class accuracy", share, real_share)}, by_class, fakes)


def _recall(table: Tensor, label: int) -> float:
    """Return the share of a class that is seen as that class."""
    return float(table[label, label] / table[label].sum())


def confusion(classifier: Classifier, images: LabelledImages) -> Tensor:
    """Return how often a class (row) is seen as each class (column): int64."""
    seen = classifier.predict(classifier.features(images.images))
    count = classifier.kind.null_label
    return torch.bincount(images.labels * count + seen, minlength=count**2).view(count, count)


def pixel_rows(sets: ImageSets) -> dict[str, Row]:
    """Measure brightness: the mean pixel and how much is black."""
    measures: dict[str, tuple[str, Callable[[Tensor], Tensor]]] = {
        "mean_pixel": ("mean pixel, in [−1, 1]", lambda images: to_model(images).mean()),
        "dark_pixels": (
            f"share of pixels ≤ {NEARLY_BLACK}/255",
            lambda images: (images <= NEARLY_BLACK).float().mean(),
        ),
        "black_pixels": ("share of pixels = 0", lambda images: (images == 0).float().mean()),
    }
    return {
        key: Row(name, measure(sets.generated.images).item(), measure(sets.test.images).item())
        for key, (name, measure) in measures.items()
    }


def clip_rows(scorer: ClipScorer, sets: ImageSets) -> dict[str, Row]:
    """Measure what a CLIP says: the right label's probability, its wins, and "clear" wins."""
    found = []
    for images in (sets.generated, sets.test):
        scores = scorer.label_scores(images.images)
        quality = scorer.quality_scores(images.images, images.labels)
        found.append(
            (
                scores.gather(1, images.labels[:, None]).mean().item(),
                (scores.argmax(dim=1) == images.labels).float().mean().item(),
                (quality.argmax(dim=1) == 1).float().mean().item(),
            )
        )
    names = ("label score", "right label wins", '"clear, well-generated" wins')
    keys = ("label_score", "label_wins", "clear_wins")
    return {
        f"{key}:{scorer.name}": Row(f"{name} ({scorer.name})", fake, real)
        for key, name, fake, real in zip(keys, names, *found, strict=True)
    }


def classification_accuracy_score(sets: ImageSets) -> dict[str, Row]:
    """Train a classifier on the generated images alone, and one on as many real ones.

    The classification accuracy score (Ravuri and Vinyals, 2019): accuracy on real test images.
    """
    count = len(sets.generated)
    config = ClassifierConfig(images_total=SYNTHETIC_EPOCHS * count, warmup_steps=100)
    real = sets.train.first(count)
    share, real_share = (
        accuracy(fit(images, config, f"classifier of {title} images"), sets.test)
        for title, images in (("generated", sets.generated), ("real", real))
    )
    name = f"classification accuracy score, {count:,} training images"
    return {"classification_accuracy_score": Row(name, share, real_share, "higher")}


@dataclass(frozen=True)
class Memorisation:
    """Whether images are copies of training images.

    Attributes:
        rows: median distances to the nearest training image.
        examples: row of a picture → uint8 [B, …].
    """

    rows: dict[str, Row]
    examples: dict[str, Tensor]


def memorisation(classifier: Classifier | None, sets: ImageSets, shown: int = 10) -> Memorisation:
    """Look for the nearest training image, in pixels and, with a classifier, in its features."""
    spaces: dict[str, Callable[[Tensor], Tensor]] = {
        "pixels": lambda images: to_model(images).flatten(1),
    }
    if classifier:
        spaces["features"] = classifier.features
    rows, examples = {}, {"generated": sets.generated.images[:shown]}
    for space, features in spaces.items():
        known = features(sets.train.images)
        medians = []
        for images in (sets.generated.images, sets.test.images):
            distances, indices = nearest(features(images[:NEIGHBOUR_SAMPLE]), known)
            medians.append(distances.median().item())
            if len(medians) == 1:
                examples[f"in {space}"] = sets.train.images[indices[:shown]]
        name = f"{NEAREST} {space}"
        rows[f"nearest_{space}"] = Row(name, medians[0], medians[1])
    return Memorisation(rows, examples)


def only_finite(images: LabelledImages, finite: Tensor) -> LabelledImages:
    """Return the images whose network output was a number."""
    return images.chosen(finite)
