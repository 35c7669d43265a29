"""Tests of what generated images are judged by."""

from pathlib import Path

import pytest
import torch

from fashion_ddpm.classifier import Classifier, save_classifier
from fashion_ddpm.data_sets import load_data_set
from fashion_ddpm.data_settings import DataSettings
from fashion_ddpm.image_sets import EvaluationError, image_sets, matching_data, matching_judge
from fashion_ddpm.labels import FASHION_MNIST, ImageKind
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


def test_real_images_are_of_the_classes_that_were_asked_for() -> None:
    data = load_data_set(MINI)
    generated = data.train.chosen(data.train.labels == 3)
    sets = image_sets(data, "test", generated)
    assert set(sets.train.labels.tolist()) == set(sets.test.labels.tolist()) == {3}
    assert len(sets.reference) == 20
    assert image_sets(data, "train", generated).reference is not sets.test
    held_out = image_sets(data, "validation", generated).reference
    assert torch.equal(held_out.images, data.validation.of_class(3))
