"""What generated images are compared with: real images, and a classifier of the same classes."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from fashion_ddpm.core.data_settings import DataSettings
from fashion_ddpm.core.errors import UserError
from fashion_ddpm.core.image_kind import FASHION_MNIST, ImageKind
from fashion_ddpm.core.paths import BUNDLED_CLASSIFIER
from fashion_ddpm.data.labelled_images import LabelledImages
from fashion_ddpm.data.load import DataSet, load_data_set
from fashion_ddpm.evaluation.metrics import NEIGHBOURS
from fashion_ddpm.scoring.classifier import Classifier, load_classifier

REFERENCES = ("test", "train", "validation")
"""Splits to compare with: choose settings on validation, measure them once on test."""

FLOOR_SEED = 0
MIN_REAL_IMAGES = NEIGHBOURS + 1


class EvaluationError(UserError):
    """An evaluation is not possible."""


@dataclass(frozen=True)
class ImageSets:
    """The generated images and the real ones that they are compared with.

    Attributes:
        generated: the images to measure.
        reference: the real images whose distribution they should have.
        floor: as many other real images, the best that a generator can achieve.
        train: the training split.
        test: as many images of the test split.
    """

    generated: LabelledImages
    reference: LabelledImages
    floor: LabelledImages
    train: LabelledImages
    test: LabelledImages


def load_matching_classifier(folder: str | Path | None, kind: ImageKind) -> Classifier | None:
    """Return a classifier of such images; None if none is given and the bundled one does not fit.

    Raises:
        EvaluationError: the given one classifies other images.
        ScoringError: it cannot be loaded.
    """
    if folder is None and kind != FASHION_MNIST:
        return None
    classifier = load_classifier(folder or BUNDLED_CLASSIFIER)
    if sorted(classifier.kind.class_names) == sorted(kind.class_names):
        classifier = classifier.reorder(kind.class_names)
    if classifier.kind != kind:
        raise EvaluationError(
            f"--classifier {folder} knows {classifier.kind}, but the checkpoint draws {kind}; name "
            "one that train-classifier --dataset … made of the same data set."
        )
    return classifier


def load_matching_data(
    settings: DataSettings, kind: ImageKind, reference: str = REFERENCES[0]
) -> DataSet:
    """Return the data set to compare images of a kind with.

    Args:
        settings: the data set.
        kind: what the checkpoint draws.
        reference: one of REFERENCES.

    Raises:
        EvaluationError: its images differ in classes, size or colours, or are too few.
        DataError: it cannot be read.
    """
    data = load_data_set(settings, kind.class_names)
    if data.kind != kind:
        raise EvaluationError(
            f"--dataset {settings.dataset} has {data.kind}, but the checkpoint draws "
            f"{kind}; name the data set that it was trained on, with the same --image-size, "
            "--fit and --colours."
        )
    check_counts(data, settings, reference)
    return data


def check_counts(data: DataSet, settings: DataSettings, reference: str = REFERENCES[0]) -> None:
    """Raise EvaluationError when a split has too few images to compare with."""
    for name in ("train", "test", reference):
        count = len(getattr(data, name))
        if count < MIN_REAL_IMAGES:
            raise EvaluationError(
                f"--dataset {settings.dataset} has {count} {name} images; an evaluation needs at "
                f"least {MIN_REAL_IMAGES}."
            )


def build_image_sets(data: DataSet, reference: str, generated: LabelledImages) -> ImageSets:
    """Return the image sets of an evaluation, all of the generated classes."""
    labels = generated.labels.unique()
    train, test = (_select_classes(split, labels) for split in (data.train, data.test))
    return ImageSets(
        generated=generated,
        reference=_select_classes(getattr(data, reference), labels),
        floor=_take_random(test if reference == "train" else train, len(generated)),
        train=train,
        test=_take_random(test, len(generated)),
    )


def _select_classes(split: LabelledImages, labels: Tensor) -> LabelledImages:
    """Return the images of the given classes."""
    return split.select(torch.isin(split.labels, labels))


def _take_random(split: LabelledImages, count: int) -> LabelledImages:
    """Return a random sample of a split, always the same; all images if it has fewer."""
    order = torch.randperm(len(split), generator=torch.Generator().manual_seed(FLOOR_SEED))
    return split.select(order[:count])
