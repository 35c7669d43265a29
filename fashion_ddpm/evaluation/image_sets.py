"""What generated images are measured by: a data set and a classifier of the same classes."""

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
"""Splits to compare with: settings are chosen on the last, and the first measures them once."""

FLOOR_SEED = 0
FEWEST_REAL = NEIGHBOURS + 1


class EvaluationError(UserError):
    """An evaluation that cannot be done; the message is one sentence with the fix."""


@dataclass(frozen=True)
class ImageSets:
    """The generated images and the real ones they stand beside.

    Attributes:
        generated: the images to measure.
        reference: the real images whose distribution they should have.
        floor: as many other real images, what no generator can beat.
        train: the training split.
        test: as many images of the test split.
    """

    generated: LabelledImages
    reference: LabelledImages
    floor: LabelledImages
    train: LabelledImages
    test: LabelledImages


def matching_classifier(folder: str | Path | None, kind: ImageKind) -> Classifier | None:
    """Return the classifier of such images; None where none was named and the bundled one is not.

    Raises:
        EvaluationError: the named one knows other images.
        ScoringError: it cannot be loaded.
    """
    if folder is None and kind != FASHION_MNIST:
        return None
    classifier = load_classifier(folder or BUNDLED_CLASSIFIER)
    if sorted(classifier.kind.class_names) == sorted(kind.class_names):
        classifier.reorder(kind.class_names)
    if classifier.kind != kind:
        raise EvaluationError(
            f"--classifier {folder} knows {classifier.kind}, but the checkpoint draws {kind}; name "
            "one that train-classifier --dataset … made of the same data set."
        )
    return classifier


def matching_data(
    settings: DataSettings, kind: ImageKind, reference: str = REFERENCES[0]
) -> DataSet:
    """Return the data set by which such images can be measured.

    Args:
        settings: the data set.
        kind: what the checkpoint draws.
        reference: one of REFERENCES, which must have images enough.

    Raises:
        EvaluationError: its images are of another kind than the checkpoint's, or too few.
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
        if count < FEWEST_REAL:
            raise EvaluationError(
                f"--dataset {settings.dataset} has {count} {name} images; an evaluation needs at "
                f"least {FEWEST_REAL}."
            )


def image_sets(data: DataSet, reference: str, generated: LabelledImages) -> ImageSets:
    """Return the generated images beside the real ones of an evaluation."""
    asked = generated.labels.unique()
    train, test = (_of_classes(split, asked) for split in (data.train, data.test))
    return ImageSets(
        generated=generated,
        reference=_of_classes(getattr(data, reference), asked),
        floor=_some(test if reference == "train" else train, len(generated)),
        train=train,
        test=_some(test, len(generated)),
    )


def _of_classes(split: LabelledImages, labels: Tensor) -> LabelledImages:
    """Return the images of the given classes."""
    return split.select(torch.isin(split.labels, labels))


def _some(split: LabelledImages, count: int) -> LabelledImages:
    """Return so many images of a split (all, if it has fewer), drawn once and for all."""
    order = torch.randperm(len(split), generator=torch.Generator().manual_seed(FLOOR_SEED))
    return split.select(order[:count])
