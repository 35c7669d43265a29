"""Tests of what generated images are judged by."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from fashion_ddpm.core.data_settings import DataSettings
from fashion_ddpm.core.image_kind import FASHION_MNIST, ImageKind
from fashion_ddpm.data.load import load_data_set
from fashion_ddpm.evaluation.image_sets import (
    EvaluationError,
    image_sets,
    matching_data,
    matching_judge,
)
from fashion_ddpm.scoring.classifier import Classifier, load_classifier, save_classifier
from tests.tools import MINI_DATA
from tests.tools.shapes import SHAPES, write_shapes

KIND = ImageKind(SHAPES, image_size=32, channels=3)
MINI = DataSettings(data_dir=str(MINI_DATA))


def test_the_bundled_judge_judges_fashion_mnist_alone() -> None:
    judge = matching_judge(None, FASHION_MNIST)
    assert judge is not None
    assert judge.kind == FASHION_MNIST
    assert matching_judge(None, KIND) is None


def test_a_judge_of_other_classes_is_refused(tmp_path: Path) -> None:
    save_classifier(Classifier(KIND), tmp_path)
    judge = matching_judge(tmp_path, KIND)
    assert judge is not None
    assert judge.kind == KIND
    with pytest.raises(EvaluationError, match=r"knows colour images .+ draws grey images"):
        matching_judge(tmp_path, FASHION_MNIST)


def test_a_data_set_of_other_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=r"has grey images of 28×28 pixels.+draws colour"):
        matching_data(MINI, KIND)
    write_shapes(tmp_path, 12)
    with pytest.raises(EvaluationError, match="has 3 test images; an evaluation needs at least 5"):
        matching_data(DataSettings(dataset=f"imagefolder:{tmp_path}"), KIND)


def pixels(images: Tensor) -> set[bytes]:
    return {image.numpy().tobytes() for image in images}


def test_data_and_judge_have_their_classes_in_the_order_of_the_checkpoint(tmp_path: Path) -> None:
    write_shapes(tmp_path / "data", 60)
    for shape, number in zip(SHAPES, ("1", "2", "10"), strict=True):
        (tmp_path / "data" / shape).rename(tmp_path / "data" / number)
    settings = DataSettings(dataset=f"imagefolder:{tmp_path / 'data'}")
    numeric = load_data_set(settings)
    assert numeric.kind.class_names == ("1", "2", "10")
    earlier = ImageKind(("1", "10", "2"), image_size=32, channels=3)
    data = matching_data(settings, earlier)
    assert data.kind == earlier
    whole = torch.cat([numeric.train.of_class(2), numeric.validation.of_class(2)])
    assert pixels(data.train.of_class(1)) <= pixels(torch.cat([whole, numeric.test.of_class(2)]))

    (tmp_path / "judge").mkdir()
    save_classifier(Classifier(numeric.kind).eval(), tmp_path / "judge")
    judge = matching_judge(tmp_path / "judge", earlier)
    original = load_classifier(tmp_path / "judge")
    assert judge is not None
    assert judge.kind == earlier
    features = original.features(data.test.images)
    assert torch.equal(judge.head(features), original.head(features)[:, [0, 2, 1]])


def test_real_images_are_of_the_classes_that_were_asked_for() -> None:
    data = load_data_set(MINI)
    generated = data.train.chosen(data.train.labels == 3)
    sets = image_sets(data, "test", generated)
    assert set(sets.train.labels.tolist()) == set(sets.test.labels.tolist()) == {3}
    assert len(sets.reference) == 20
    assert image_sets(data, "train", generated).reference is not sets.test
    held_out = image_sets(data, "validation", generated).reference
    assert torch.equal(held_out.images, data.validation.of_class(3))
