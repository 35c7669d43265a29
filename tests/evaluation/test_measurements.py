"""Tests of the measurements on real images that stand in for generated ones, good and bad."""

from dataclasses import replace

import pytest
import torch

from fashion_ddpm.core.image_kind import FASHION_MNIST
from fashion_ddpm.data.fashion_mnist import load_split
from fashion_ddpm.data.labelled_images import LabelledImages
from fashion_ddpm.evaluation.image_sets import ImageSets
from fashion_ddpm.evaluation.measurements import (
    accuracy_row,
    classification_accuracy_score,
    clip_rows,
    confusion,
    distance_rows,
    memorisation,
    pixel_rows,
)
from fashion_ddpm.scoring.classifier import Classifier, load_classifier
from fashion_ddpm.scoring.clip import EMBEDDED, load_scorer
from tests.tools import MINI_DATA


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return load_classifier()


@pytest.fixture(scope="module")
def sets(real_images: LabelledImages) -> ImageSets:
    """Test images in the place of generated ones: a generator without a fault."""
    train = load_split(MINI_DATA, "train")
    floor = LabelledImages(train.images[:200], train.labels[:200], kind=FASHION_MNIST)
    return ImageSets(real_images, real_images, floor, train, real_images)


@pytest.fixture(scope="module")
def noisy(sets: ImageSets) -> ImageSets:
    """The same with noise in the place of generated images."""
    noise = torch.randint(0, 256, (200, 28, 28), generator=torch.Generator().manual_seed(0))
    return replace(sets, generated=replace(sets.generated, images=noise.byte()))


def test_the_reference_itself_is_at_distance_zero_and_noise_is_far(
    classifier: Classifier, sets: ImageSets, noisy: ImageSets
) -> None:
    perfect = distance_rows("domain", classifier.features, sets)
    far = distance_rows("domain", classifier.features, noisy)
    key = "domain_frechet_distance"
    assert perfect[key].generated == pytest.approx(0, abs=1e-6)
    assert far[key].generated > 5 * far[key].real  # type: ignore[operator]
    assert perfect["domain_precision"].generated == 1
    assert far["domain_coverage"].generated < 0.05  # type: ignore[operator]
    assert far[key].real == perfect[key].real


def test_agreement_counts_every_image_once(classifier: Classifier, noisy: ImageSets) -> None:
    fakes, reals = (confusion(classifier, images) for images in (noisy.generated, noisy.test))
    assert fakes.sum() == 200
    assert fakes.sum(dim=1).tolist() == [20] * 10
    (row,) = accuracy_row(fakes, reals).values()
    assert row.generated < 0.3  # type: ignore[operator]
    assert row.real > 0.9  # type: ignore[operator]


def test_pixels_of_real_images_are_half_black(sets: ImageSets) -> None:
    rows = pixel_rows(sets)
    assert rows["mean_pixel"].generated == pytest.approx(-0.428, abs=0.05)
    assert rows["dark_pixels"].generated == pytest.approx(0.529, abs=0.05)
    assert rows["black_pixels"] == replace(
        rows["black_pixels"], real=rows["black_pixels"].generated
    )


def test_clip_is_asked_for_the_label_and_for_clearness(noisy: ImageSets) -> None:
    rows = clip_rows(load_scorer(EMBEDDED, FASHION_MNIST), noisy)
    assert set(rows) == {f"{key}:embedded" for key in ("label_score", "label_wins", "clear_wins")}
    assert rows["clear_wins:embedded"].generated < 0.05  # type: ignore[operator]
    assert rows["clear_wins:embedded"].real > 0.95  # type: ignore[operator]


@pytest.mark.slow
def test_noise_is_worth_less_as_training_data_than_real_images(noisy: ImageSets) -> None:
    (row,) = classification_accuracy_score(noisy).values()
    assert row.generated < row.real - 0.1  # type: ignore[operator]


def test_a_small_training_split_is_compared_with_as_few_generated_images(sets: ImageSets) -> None:
    few = replace(sets, train=sets.train.take(60))
    (row,) = classification_accuracy_score(few).values()
    assert "60 training images" in row.name


def test_copies_of_training_images_are_found_out(classifier: Classifier, sets: ImageSets) -> None:
    copies = LabelledImages(sets.train.images[5:105], sets.train.labels[5:105], kind=FASHION_MNIST)
    rows, examples = memorisation(classifier, replace(sets, generated=copies))
    assert rows["nearest_pixels"].generated == pytest.approx(0, abs=0.02)
    assert rows["nearest_pixels"].real > 3  # type: ignore[operator]
    assert torch.equal(examples["in pixels"], copies.images[:10])
