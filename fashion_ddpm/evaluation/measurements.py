"""What an evaluation measures: from images to rows of a report, generated and real."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from fashion_ddpm.core.config import ClassifierConfig
from fashion_ddpm.core.image_kind import CLEAR_PROMPT
from fashion_ddpm.core.images import to_model
from fashion_ddpm.data.labelled_images import LabelledImages
from fashion_ddpm.evaluation.image_sets import ImageSets
from fashion_ddpm.evaluation.metrics import distances
from fashion_ddpm.evaluation.nearest_training_image import find_nearest
from fashion_ddpm.evaluation.report import Row
from fashion_ddpm.scoring.classifier import Classifier
from fashion_ddpm.scoring.clip import ClipScorer, load_scorer
from fashion_ddpm.scoring.errors import ScoringError
from fashion_ddpm.scoring.inception import load_inception
from fashion_ddpm.scoring.train_classifier import accuracy, fit

MAX_DARK = 8
"""Highest value of a dark pixel; the background of real images is 0."""

NEIGHBOUR_SAMPLE = 500
"""Number of images whose nearest training image is searched."""

EXAMPLES = 10
"""Number of images shown beside their nearest training image."""

CAS_EPOCHS = 12
"""Epochs of each classifier of the classification accuracy score."""

NO_CLASSIFIER = (
    "the bundled classifier knows Fashion-MNIST alone; train-classifier --dataset … makes one, and "
    "--classifier names it"
)

_DISTANCES = {
    "frechet_distance": ("Fréchet distance", "lower"),
    "kernel_distance": ("kernel distance", "lower"),
    "precision": ("precision, k = 4", "real"),
    "recall": ("recall, k = 4", "real"),
    "density": ("density, k = 4", "real"),
    "coverage": ("coverage, k = 4", "real"),
}
_PIXELS = {
    "mean_pixel": "mean pixel, in [−1, 1]",
    "dark_pixels": f"share of pixels ≤ {MAX_DARK}/255",
    "black_pixels": "share of pixels = 0",
}
_CLIP = {
    "label_score": "label score",
    "label_wins": "right label wins",
    "clear_wins": '"clear, well-generated" wins',
}
_CLASS_ACCURACY = "class accuracy"
_CAS = "classification accuracy score"
_NEAREST = "median distance to the nearest training image, in"

Features = Callable[[Tensor], Tensor]
"""Images, uint8 [N, …] → features, float [N, D]."""


@dataclass(frozen=True)
class Measurements:
    """The results; without a classifier, class_accuracy and confusion are empty.

    Attributes:
        rows: the metrics, by key.
        class_accuracy: class name → (generated, real), in [0, 1].
        confusion: [classes][classes] counts, requested (rows) × classified (columns).
        examples: row of nearest.png → uint8 [B, …]: images and their nearest training images.
    """

    rows: dict[str, Row]
    class_accuracy: dict[str, tuple[float, float]]
    confusion: list[list[int]]
    examples: dict[str, Tensor]


def metric_names(scorers: Sequence[str]) -> dict[str, str]:
    """Return the key and the name of each row that measure_all may return.

    Args:
        scorers: names of the CLIP models.
    """
    distance_names = {
        f"{space}_{key}": f"{name} ({space})"
        for space in ("domain", "Inception")
        for key, (name, _) in _DISTANCES.items()
    }
    clip_names = {
        f"{key}:{scorer}": f"{name} ({scorer})" for scorer in scorers for key, name in _CLIP.items()
    }
    return {
        **distance_names,
        "class_accuracy": _CLASS_ACCURACY,
        **_PIXELS,
        **clip_names,
        "classification_accuracy_score": _CAS,  # its row also says after how many images
        **{f"nearest_{space}": f"{_NEAREST} {space}" for space in ("pixels", "features")},
    }


def measure_all(
    sets: ImageSets,
    classifier: Classifier | None,
    scorers: Sequence[str],
    inception_weights: str | None,
) -> Measurements:
    """Measure everything; for a scorer that cannot be loaded, a row says why.

    Distances in feature spaces, class accuracy, pixels, CLIP scores, the classification accuracy
    score, and distances to the nearest training images.

    Args:
        sets: the images.
        classifier: one of the same classes.
        scorers: names of CLIP models.
        inception_weights: a file, "download", or None.
    """
    tables = [confusion(classifier, side) for side in (sets.generated, sets.test) if classifier]
    nearest_rows, examples = memorisation(classifier, sets)
    rows = {
        **(distance_rows("domain", classifier.features, sets) if classifier else {}),
        **_inception_rows(inception_weights, sets),
        **(accuracy_row(*tables) if tables else _missing_classifier()),
        **pixel_rows(sets),
        **_scorer_rows(scorers, sets),
        **classification_accuracy_score(sets),
        **nearest_rows,
    }
    names, labels = sets.generated.kind.class_names, sets.generated.labels.unique().tolist()
    recalls = [(table.diagonal() / table.sum(dim=1)).tolist() for table in tables]
    by_class = {names[label]: (recalls[0][label], recalls[1][label]) for label in labels if tables}
    counts = tables[0].tolist() if tables else []
    return Measurements(rows, by_class, counts, examples)


def distance_rows(space: str, features: Features, sets: ImageSets) -> dict[str, Row]:
    """Measure the distances of generated and of real images to the reference in a feature space.

    Args:
        space: its name, the prefix of the keys.
        features: maps images to features.
        sets: the images.
    """
    reference = features(sets.reference.images)
    generated, real = (
        distances(features(side.images), reference) for side in (sets.generated, sets.floor)
    )
    rows = {}
    for key, (name, better) in _DISTANCES.items():
        rows[f"{space}_{key}"] = Row(
            f"{name} ({space})",
            generated[key].value,
            real[key].value,
            better,
            generated[key].half_width,
            real[key].half_width,
        )
    return rows


def missing_distances(space: str, reason: str) -> dict[str, Row]:
    """Return the row of a feature space that is not available."""
    return {
        f"{space}_frechet_distance": Row(
            f"Fréchet distance ({space})", better="lower", missing=reason
        )
    }


def _missing_classifier() -> dict[str, Row]:
    return {
        **missing_distances("domain", NO_CLASSIFIER),
        "class_accuracy": Row(_CLASS_ACCURACY, missing=NO_CLASSIFIER),
        "nearest_features": Row(f"{_NEAREST} features", missing=NO_CLASSIFIER),
    }


def _inception_rows(weights: str | None, sets: ImageSets) -> dict[str, Row]:
    if weights is None:
        return missing_distances("Inception", "Inception weights not included")
    try:
        features = load_inception(weights)
    except ScoringError as error:
        return missing_distances("Inception", str(error))
    return distance_rows("Inception", features, sets)


def accuracy_row(generated: Tensor, real: Tensor) -> dict[str, Row]:
    """Return the class accuracy, from the confusion of generated and of real images."""
    share, real_share = (float(table.trace() / table.sum()) for table in (generated, real))
    return {"class_accuracy": Row(_CLASS_ACCURACY, share, real_share)}


def confusion(classifier: Classifier, images: LabelledImages) -> Tensor:
    """Return the confusion matrix, class (row) × predicted class (column): int64."""
    predicted = classifier.predict(classifier.features(images.images))
    count = len(classifier.kind.class_names)
    return torch.bincount(images.labels * count + predicted, minlength=count**2).view(count, count)


def _compare(
    names: Mapping[str, str],
    measure: Callable[[LabelledImages], Iterable[Tensor]],
    sets: ImageSets,
) -> dict[str, Row]:
    """Return the rows of measured values, key → name, for generated and for test images."""
    columns = zip(names.items(), measure(sets.generated), measure(sets.test), strict=True)
    return {key: Row(name, float(fake), float(real)) for (key, name), fake, real in columns}


def pixel_rows(sets: ImageSets) -> dict[str, Row]:
    """Measure brightness: the mean pixel, the shares of dark and of black pixels."""

    def measure(split: LabelledImages) -> Iterable[Tensor]:
        yield to_model(split.images).mean()
        yield (split.images <= MAX_DARK).float().mean()
        yield (split.images == 0).float().mean()

    return _compare(_PIXELS, measure, sets)


def clip_rows(scorer: ClipScorer, sets: ImageSets) -> dict[str, Row]:
    """Measure CLIP scores: the right label's probability, top-1 accuracy, and wins of "clear"."""

    def measure(split: LabelledImages) -> Iterable[Tensor]:
        scores = scorer.label_scores(split.images)
        yield scores.gather(1, split.labels[:, None]).mean()
        yield (scores.argmax(dim=1) == split.labels).float().mean()
        quality = scorer.quality_scores(split.images, split.labels)
        yield (quality.argmax(dim=1) == CLEAR_PROMPT).float().mean()

    names = {f"{key}:{scorer.name}": f"{name} ({scorer.name})" for key, name in _CLIP.items()}
    return _compare(names, measure, sets)


def _scorer_rows(names: Sequence[str], sets: ImageSets) -> dict[str, Row]:
    rows: dict[str, Row] = {}
    for name in names:
        try:
            rows |= clip_rows(load_scorer(name, sets.test.kind), sets)
        except ScoringError as error:
            rows[f"label_score:{name}"] = Row(f"label score ({name})", missing=str(error))
    return rows


def classification_accuracy_score(sets: ImageSets) -> dict[str, Row]:
    """Train a classifier on generated images alone, and one on as many real ones.

    The classification accuracy score (Ravuri and Vinyals, 2019): accuracy on real test images.
    """
    count = min(len(sets.generated), len(sets.train))
    config = ClassifierConfig(images_total=CAS_EPOCHS * count, warmup_steps=100)
    share, real_share = (
        accuracy(fit(images.take(count), config, f"classifier of {title} images"), sets.test)
        for title, images in (("generated", sets.generated), ("real", sets.train))
    )
    name = f"{_CAS}, {count:,} training images"
    return {"classification_accuracy_score": Row(name, share, real_share, "higher")}


def memorisation(
    classifier: Classifier | None, sets: ImageSets
) -> tuple[dict[str, Row], dict[str, Tensor]]:
    """Find the nearest training images, in pixels and, with a classifier, in its features.

    Returns:
        The rows of median distances, and EXAMPLES images for each row of nearest.png.
    """
    spaces: dict[str, Features] = {"pixels": lambda images: to_model(images).flatten(1)}
    if classifier:
        spaces["features"] = classifier.features
    rows, examples = {}, {"generated": sets.generated.images[:EXAMPLES]}
    for space, features in spaces.items():
        train_features = features(sets.train.images)
        (distance, indices), (real_distance, _) = (
            find_nearest(features(split.images[:NEIGHBOUR_SAMPLE]), train_features)
            for split in (sets.generated, sets.test)
        )
        examples[f"in {space}"] = sets.train.images[indices[:EXAMPLES]]
        medians = distance.median().item(), real_distance.median().item()
        rows[f"nearest_{space}"] = Row(f"{_NEAREST} {space}", *medians)
    return rows, examples
