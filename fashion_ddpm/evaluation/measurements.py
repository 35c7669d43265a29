"""What an evaluation measures: images in, rows of a report out, each beside its real figure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from fashion_ddpm.core.config import ClassifierConfig
from fashion_ddpm.core.images import to_model
from fashion_ddpm.data.labelled_images import LabelledImages
from fashion_ddpm.evaluation.image_sets import ImageSets
from fashion_ddpm.evaluation.metrics import distances
from fashion_ddpm.evaluation.nearest_training_image import nearest
from fashion_ddpm.evaluation.report import Row
from fashion_ddpm.scoring.classifier import Classifier
from fashion_ddpm.scoring.clip import ClipScorer, load_scorer
from fashion_ddpm.scoring.errors import ScoringError
from fashion_ddpm.scoring.inception import load_inception
from fashion_ddpm.scoring.train_classifier import accuracy, fit

NEARLY_BLACK = 8
"""Highest pixel value that counts as black: clothes lie on exact black."""

NEIGHBOUR_SAMPLE = 500
"""Images whose nearest training image is looked for."""

SYNTHETIC_EPOCHS = 12
"""Passes over the images when a classifier is trained on them alone."""

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
_NEAREST = "median distance to the nearest training image, in"

Features = Callable[[Tensor], Tensor]
"""Stored images, uint8 [N, …] → float [N, D]."""


@dataclass(frozen=True)
class Measurements:
    """Everything that was measured; without a classifier, class_accuracy and confusion are empty.

    Attributes:
        rows: the figures, by key.
        class_accuracy: class name → (generated, real), in [0, 1].
        confusion: [classes][classes] counts, asked for (rows) × seen (columns).
        examples: row of a picture → uint8 [B, …]: images, and the training images next to them.
    """

    rows: dict[str, Row]
    class_accuracy: dict[str, tuple[float, float]]
    confusion: list[list[int]]
    examples: dict[str, Tensor]


def measure_all(
    sets: ImageSets,
    classifier: Classifier | None,
    scorers: Sequence[str],
    inception_weights: str | None,
) -> Measurements:
    """Measure everything; a network that cannot be had leaves a row that says why.

    Args:
        sets: the images.
        classifier: one of the same classes.
        scorers: CLIP models to ask.
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
    names, asked = sets.generated.kind.class_names, sets.generated.labels.unique().tolist()
    recalls = [(table.diagonal() / table.sum(dim=1)).tolist() for table in tables]
    by_class = {names[label]: (recalls[0][label], recalls[1][label]) for label in asked if tables}
    counts = tables[0].tolist() if tables else []
    return Measurements(rows, by_class, counts, examples)


def distance_rows(space: str, features: Features, sets: ImageSets) -> dict[str, Row]:
    """Measure how near generated and real images lie to the reference, in a feature space.

    Args:
        space: the space's name; it begins the keys.
        features: the space.
        sets: the images.
    """
    reference = features(sets.reference.images)
    fakes, floors = (
        distances(features(side.images), reference) for side in (sets.generated, sets.floor)
    )
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


def missing_distances(space: str, why: str) -> dict[str, Row]:
    """Return the row of a feature space that could not be had."""
    return {
        f"{space}_frechet_distance": Row(f"Fréchet distance ({space})", better="lower", missing=why)
    }


def _missing_classifier() -> dict[str, Row]:
    return {
        **missing_distances("domain", NO_CLASSIFIER),
        "class_accuracy": Row("class accuracy", missing=NO_CLASSIFIER),
        "nearest_features": Row(f"{_NEAREST} features", missing=NO_CLASSIFIER),
    }


def _inception_rows(weights: str | None, sets: ImageSets) -> dict[str, Row]:
    if weights is None:
        return missing_distances("Inception", "no --inception-weights")
    try:
        features = load_inception(weights)
    except ScoringError as error:
        return missing_distances("Inception", str(error))
    return distance_rows("Inception", features, sets)


def accuracy_row(fakes: Tensor, reals: Tensor) -> dict[str, Row]:
    """Return how often the classifier sees what was asked for, from both tables of confusion."""
    share, real_share = (float(table.trace() / table.sum()) for table in (fakes, reals))
    return {"class_accuracy": Row("class accuracy", share, real_share)}


def confusion(classifier: Classifier, images: LabelledImages) -> Tensor:
    """Return how often a class (row) is seen as each class (column): int64."""
    seen = classifier.predict(classifier.features(images.images))
    count = classifier.kind.null_label
    return torch.bincount(images.labels * count + seen, minlength=count**2).view(count, count)


def _beside(
    names: Mapping[str, str],
    measure: Callable[[LabelledImages], Iterable[Tensor]],
    sets: ImageSets,
) -> dict[str, Row]:
    """Return figures, key → name, of the generated images beside those of test images."""
    columns = zip(names.items(), measure(sets.generated), measure(sets.test), strict=True)
    return {key: Row(name, float(fake), float(real)) for (key, name), fake, real in columns}


def pixel_rows(sets: ImageSets) -> dict[str, Row]:
    """Measure brightness: the mean pixel and how much is black."""

    def measure(split: LabelledImages) -> Iterable[Tensor]:
        yield to_model(split.images).mean()
        yield (split.images <= NEARLY_BLACK).float().mean()
        yield (split.images == 0).float().mean()

    names = {
        "mean_pixel": "mean pixel, in [−1, 1]",
        "dark_pixels": f"share of pixels ≤ {NEARLY_BLACK}/255",
        "black_pixels": "share of pixels = 0",
    }
    return _beside(names, measure, sets)


def clip_rows(scorer: ClipScorer, sets: ImageSets) -> dict[str, Row]:
    """Measure what a CLIP says: the right label's probability, its wins, and "clear" wins."""

    def measure(split: LabelledImages) -> Iterable[Tensor]:
        scores = scorer.label_scores(split.images)
        yield scores.gather(1, split.labels[:, None]).mean()
        yield (scores.argmax(dim=1) == split.labels).float().mean()
        quality = scorer.quality_scores(split.images, split.labels)
        yield (quality.argmax(dim=1) == 1).float().mean()

    names = {
        f"label_score:{scorer.name}": f"label score ({scorer.name})",
        f"label_wins:{scorer.name}": f"right label wins ({scorer.name})",
        f"clear_wins:{scorer.name}": f'"clear, well-generated" wins ({scorer.name})',
    }
    return _beside(names, measure, sets)


def _scorer_rows(names: Sequence[str], sets: ImageSets) -> dict[str, Row]:
    rows: dict[str, Row] = {}
    for name in names:
        try:
            rows |= clip_rows(load_scorer(name, sets.test.kind), sets)
        except ScoringError as error:
            rows[f"label_score:{name}"] = Row(f"label score ({name})", missing=str(error))
    return rows


def classification_accuracy_score(sets: ImageSets) -> dict[str, Row]:
    """Train a classifier on the generated images alone, and one on as many real ones.

    The classification accuracy score (Ravuri and Vinyals, 2019): accuracy on real test images.
    """
    count = len(sets.generated)
    config = ClassifierConfig(images_total=SYNTHETIC_EPOCHS * count, warmup_steps=100)
    real = sets.train.take(count)
    share, real_share = (
        accuracy(fit(images, config, f"classifier of {title} images"), sets.test)
        for title, images in (("generated", sets.generated), ("real", real))
    )
    name = f"classification accuracy score, {count:,} training images"
    return {"classification_accuracy_score": Row(name, share, real_share, "higher")}


def memorisation(
    classifier: Classifier | None, sets: ImageSets, shown: int = 10
) -> tuple[dict[str, Row], dict[str, Tensor]]:
    """Look for the nearest training image, in pixels and, with a classifier, in its features.

    Returns:
        The median distances, and row of a picture → uint8 [B, …].
    """
    spaces: dict[str, Features] = {"pixels": lambda images: to_model(images).flatten(1)}
    if classifier:
        spaces["features"] = classifier.features
    rows, examples = {}, {"generated": sets.generated.images[:shown]}
    for space, features in spaces.items():
        known = features(sets.train.images)
        (away, indices), (real_away, _) = (
            nearest(features(split.images[:NEIGHBOUR_SAMPLE]), known)
            for split in (sets.generated, sets.test)
        )
        examples[f"in {space}"] = sets.train.images[indices[:shown]]
        medians = away.median().item(), real_away.median().item()
        rows[f"nearest_{space}"] = Row(f"{_NEAREST} {space}", *medians)
    return rows, examples
