"""Tests of the index of training images."""

from pathlib import Path

import pytest
import torch

from fashion_ddpm.data.labelled_images import LabelledImages
from fashion_ddpm.evaluation.nearest_training_image import (
    COMPONENTS,
    NEIGHBOUR_INDEX,
    NeighbourIndex,
    build_index,
    find_nearest,
    load_index,
    save_index,
)


@pytest.fixture(scope="module")
def index(real_images: LabelledImages) -> NeighbourIndex:
    return build_index(real_images.images[:150], real_images.images[150:])


def test_a_training_image_finds_itself(index: NeighbourIndex, real_images: LabelledImages) -> None:
    found = index.look_up(real_images.images[77])
    assert (found.number, found.distance, found.closer_share) == (77, 0, 0)
    assert torch.equal(found.pictures[1], found.pictures[2])
    assert "nearest of 150 training images is number 77" in found.sentence()


def test_an_unknown_image_lies_where_real_test_images_lie(
    index: NeighbourIndex, real_images: LabelledImages
) -> None:
    distances, _ = index.distances(real_images.images[150:])
    median = torch.quantile(distances, 0.5)
    assert median == pytest.approx(float(index.real_distances[50]), rel=1e-4)
    noise = torch.randint(0, 256, (28, 28), generator=torch.Generator().manual_seed(0))
    assert index.look_up(noise.to(torch.uint8)).distance > 0


def test_components_keep_most_of_an_image(
    index: NeighbourIndex, real_images: LabelledImages
) -> None:
    images = real_images.images[:150].float()
    left = (index.decode(index.codes).float() - images).square().mean()
    assert index.codes.shape == (150, COMPONENTS)
    assert left < 0.2 * images.var()


def test_a_saved_index_finds_the_same(
    index: NeighbourIndex, real_images: LabelledImages, tmp_path: Path
) -> None:
    save_index(index, tmp_path / "index.npz")
    found = load_index(tmp_path / "index.npz").look_up(real_images.images[199])
    expected = index.look_up(real_images.images[199])
    assert (found.number, found.distance) == (expected.number, expected.distance)


def test_the_bundled_index_holds_the_training_split_in_two_megabytes(
    real_images: LabelledImages,
) -> None:
    bundled = load_index()
    assert bundled.codes.shape == (55_000, COMPONENTS)
    assert NEIGHBOUR_INDEX.stat().st_size < 2_000_000
    _, numbers = bundled.distances(real_images.images)
    assert len(numbers.unique()) > 150


def test_the_nearest_reference_is_found() -> None:
    distances, indices = find_nearest(torch.tensor([[0.2], [7.6]]), torch.arange(10.0)[:, None])
    assert indices.tolist() == [0, 8]
    assert distances.tolist() == pytest.approx([0.2, 0.4], abs=1e-5)
