"""Tests of what generated images are measured by."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from fashion_ddpm.core.data_settings import DataSettings
from fashion_ddpm.core.image_kind import FASHION_MNIST, ImageKind
from fashion_ddpm.data.load import load_data_set
from fashion_ddpm.evaluation.image_sets import (
    EvaluationError,
    build_image_sets,
    load_matching_classifier,
    load_matching_data,
)
from fashion_ddpm.scoring.classifier import build_classifier, load_classifier
from tests.tools import MINI_DATA
from tests.tools.shapes import SHAPES, write_shapes

KIND = ImageKind(SHAPES, image_size=32, channels=3)
MINI = DataSettings(data_dir=str(MINI_DATA))


def test_the_bundled_classifier_knows_fashion_mnist_alone() -> None:
    classifier = load_matching_classifier(None, FASHION_MNIST)
    assert classifier is not None
    assert classifier.kind == FASHION_MNIST
    assert load_matching_classifier(None, KIND) is None


def test_a_classifier_of_other_classes_is_refused(tmp_path: Path) -> None:
    build_classifier(KIND).save_pretrained(tmp_path)
    classifier = load_matching_classifier(tmp_path, KIND)
    assert classifier is not None
    assert classifier.kind == KIND
    with pytest.raises(EvaluationError, match=r"knows colour images .+ draws grey images"):
        load_matching_classifier(tmp_path, FASHION_MNIST)


def test_a_data_set_of_other_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=r"has grey images of 28×28 pixels.+draws colour"):
        load_matching_data(MINI, KIND)
    write_shapes(tmp_path, 12)
    with pytest.raises(EvaluationError, match="has 3 test images; an evaluation needs at least 5"):
        load_matching_data(DataSettings(dataset=f"imagefolder:{tmp_path}"), KIND)


def pixels(images: Tensor) -> set[bytes]:
    return {image.numpy().tobytes() for image in images}


def test_data_and_classifier_have_the_order_of_the_checkpoints_classes(
    tmp_path: Path,
) -> None:
    write_shapes(tmp_path / "data", 60)
    for shape, number in zip(SHAPES, ("1", "2", "10"), strict=True):
        (tmp_path / "data" / shape).rename(tmp_path / "data" / number)
    settings = DataSettings(dataset=f"imagefolder:{tmp_path / 'data'}")
    numeric = load_data_set(settings)
    assert numeric.kind.class_names == ("1", "2", "10")
    earlier = ImageKind(("1", "10", "2"), image_size=32, channels=3)
    data = load_matching_data(settings, earlier)
    assert data.kind == earlier
    whole = torch.cat([numeric.train.select_class(2), numeric.validation.select_class(2)])
    assert pixels(data.train.select_class(1)) <= pixels(
        torch.cat([whole, numeric.test.select_class(2)])
    )

    build_classifier(numeric.kind).save_pretrained(tmp_path / "classifier")
    classifier = load_matching_classifier(tmp_path / "classifier", earlier)
    original = load_classifier(tmp_path / "classifier")
    assert classifier is not None
    assert classifier.kind == earlier
    features = original.features(data.test.images)
    assert torch.equal(classifier.head(features), original.head(features)[:, [0, 2, 1]])


def test_real_images_are_of_the_classes_that_were_asked_for() -> None:
    data = load_data_set(MINI)
    generated = data.train.select(data.train.labels == 3)
    sets = build_image_sets(data, "test", generated)
    assert set(sets.train.labels.tolist()) == set(sets.test.labels.tolist()) == {3}
    assert len(sets.reference) == 20
    assert build_image_sets(data, "train", generated).reference is not sets.test
    held_out = build_image_sets(data, "validation", generated).reference
    assert torch.equal(held_out.images, data.validation.select_class(3))
