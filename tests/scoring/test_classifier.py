"""Tests of the classifier: shapes, files, training on the small real data, the bundled one."""

import json
from pathlib import Path

import pytest
import torch

from fashion_ddpm.checkpoints.manifest import is_intact
from fashion_ddpm.core.config import ClassifierConfig
from fashion_ddpm.core.image_kind import FASHION_MNIST
from fashion_ddpm.data.fashion_mnist import load_split
from fashion_ddpm.data.labelled_images import LabelledImages
from fashion_ddpm.scoring.classifier import (
    NUM_FEATURES,
    Classifier,
    build_classifier,
    load_classifier,
)
from fashion_ddpm.scoring.errors import ScoringError
from fashion_ddpm.scoring.train_classifier import accuracy, erase, fit, train_classifier


def test_the_bundled_classifier_knows_real_clothes(real_images: LabelledImages) -> None:
    assert accuracy(load_classifier(), real_images) >= 0.9


def test_logits_are_the_head_over_the_features(real_images: LabelledImages) -> None:
    classifier = load_classifier()
    features = classifier.features(real_images.images)
    assert features.shape == (200, NUM_FEATURES)
    logits = classifier((real_images.images.unsqueeze(1) / 127.5) - 1)
    assert torch.equal(classifier.predict(features), logits.argmax(dim=1))


def test_saved_and_loaded_it_is_the_same(tmp_path: Path, real_images: LabelledImages) -> None:
    classifier = build_classifier(FASHION_MNIST).eval()
    classifier.save_pretrained(tmp_path)
    for loaded in (load_classifier(tmp_path), Classifier.from_pretrained(tmp_path)):
        assert loaded.kind == FASHION_MNIST
        features = loaded.features(real_images.images)
        assert torch.equal(classifier.features(real_images.images), features)


def test_its_classes_in_another_order_are_saved_in_that_order(
    tmp_path: Path, real_images: LabelledImages
) -> None:
    classifier = load_classifier()
    names = classifier.kind.class_names[::-1]
    classifier.reorder(names).save_pretrained(tmp_path)
    reordered = load_classifier(tmp_path)
    assert reordered.kind.class_names == names
    features = classifier.features(real_images.images)
    assert torch.equal(reordered.predict(features), 9 - classifier.predict(features))


def test_loading_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    load_classifier()
    assert capfd.readouterr().out == ""


def test_a_folder_without_a_classifier_is_refused_with_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ScoringError, match=r"could not be loaded.+ train-classifier"):
        load_classifier(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(ScoringError, match="could not be loaded"):
        load_classifier(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        *("{", "[]", "{}", '{"class_names": 7}'),
        '{"class_names": ["on", "off"], "image_size": 28, "channels": 1}',
        '{"class_names": ["on", "off"], "image_size": 28, "channels": 2}',
    ],
)
def test_a_damaged_config_is_refused_with_a_sentence(tmp_path: Path, content: str) -> None:
    build_classifier(FASHION_MNIST).save_pretrained(tmp_path)
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(ScoringError, match=r"config\.json"):
        load_classifier(tmp_path)


def small(**changes: object) -> ClassifierConfig:
    settings = {"images_total": 4_800, "batch_size": 32, "warmup_steps": 20, "erased": 0.2}
    return ClassifierConfig(**(settings | changes))  # type: ignore[arg-type]


@pytest.mark.slow
def test_it_learns_real_classes_and_writes_its_accuracy(data_dir: Path, tmp_path: Path) -> None:
    folder = train_classifier(small(data_dir=str(data_dir), output_dir=str(tmp_path / "out")))
    assert is_intact(folder)
    run = json.loads((folder / "run.json").read_text())
    assert run["scores"]["test_accuracy"] >= 0.6
    assert "data_dir" not in run["config"]
    measured = accuracy(load_classifier(folder), load_split(data_dir, "test"))
    assert measured == pytest.approx(run["scores"]["test_accuracy"])


def test_noise_teaches_nothing(real_images: LabelledImages) -> None:
    generator = torch.Generator().manual_seed(0)
    noise = torch.randint(0, 256, (200, 28, 28), generator=generator, dtype=torch.uint8)
    classifier = fit(
        LabelledImages(noise, real_images.labels, kind=FASHION_MNIST),
        small(images_total=1_600),
        "noise",
    )
    assert accuracy(classifier, real_images) < 0.3


def test_the_same_seed_gives_the_same_classifier(real_images: LabelledImages) -> None:
    first, second = (fit(real_images, small(images_total=320), "twice") for _ in range(2))
    pairs = zip(first.parameters(), second.parameters(), strict=True)
    assert all(torch.equal(*pair) for pair in pairs)


def test_erasing_blackens_one_square_in_the_given_share_of_images() -> None:
    white = torch.full((400, 28, 28), 255, dtype=torch.uint8)
    erased = erase(white, 0.5, torch.Generator().manual_seed(0))
    touched = (erased == 0).flatten(1).sum(dim=1)
    assert 0.4 < (touched > 0).float().mean().item() < 0.6
    assert touched.max() <= 12 * 12
    assert torch.equal(erase(white, 0.0, torch.Generator().manual_seed(0)), white)


def test_a_patch_is_erased_in_all_colours() -> None:
    grey = torch.full((6, 28, 28), 9, dtype=torch.uint8)
    colour = grey[..., None].expand(-1, -1, -1, 3)
    erased = [erase(images, 1.0, torch.Generator().manual_seed(0)) for images in (grey, colour)]
    assert (erased[0] == 0).any()
    assert torch.equal(erased[1][..., 2], erased[0])
