"""Tests of the classifier: its shapes, its files, and the bundled one on real images."""

from pathlib import Path

import pytest
import torch

from fashion_ddpm.core.image_kind import FASHION_MNIST
from fashion_ddpm.data.labelled_images import LabelledImages
from fashion_ddpm.scoring.classifier import (
    NUM_FEATURES,
    Classifier,
    load_classifier,
    save_classifier,
)
from fashion_ddpm.scoring.errors import ScoringError
from fashion_ddpm.scoring.train_classifier import accuracy


def test_the_bundled_classifier_knows_real_clothes(real: LabelledImages) -> None:
    assert accuracy(load_classifier(), real) >= 0.9


def test_logits_are_the_head_over_the_features(real: LabelledImages) -> None:
    classifier = load_classifier()
    features = classifier.features(real.images)
    assert features.shape == (200, NUM_FEATURES)
    logits = classifier((real.images.unsqueeze(1) / 127.5) - 1)
    assert torch.equal(classifier.predict(features), logits.argmax(dim=1))


def test_saved_and_loaded_it_is_the_same(tmp_path: Path, real: LabelledImages) -> None:
    classifier = Classifier(kind=FASHION_MNIST).eval()
    save_classifier(classifier, tmp_path)
    again = load_classifier(tmp_path)
    assert torch.equal(classifier.features(real.images), again.features(real.images))


def test_a_folder_without_a_classifier_costs_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ScoringError, match=r"could not be loaded.+ train-classifier"):
        load_classifier(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(ScoringError, match="could not be loaded"):
        load_classifier(tmp_path)


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"class_names": 7}'])
def test_a_damaged_kind_of_images_costs_a_sentence(tmp_path: Path, content: str) -> None:
    save_classifier(Classifier(kind=FASHION_MNIST), tmp_path)
    (tmp_path / "kind.json").write_text(content)
    with pytest.raises(ScoringError, match=r"kind\.json"):
        load_classifier(tmp_path)
