"""Tests of the Space's README."""

from pathlib import Path

import pytest

from fashion_ddpm.checkpoints.locate import read_run
from fashion_ddpm.core.paths import BUNDLED_CHECKPOINT
from fashion_ddpm.publishing.errors import PublishingError
from fashion_ddpm.publishing.space_card import front_matter, space_card

RUN = read_run(BUNDLED_CHECKPOINT)
README = (Path(__file__).parent.parent.parent / "README.md").read_text()


def test_the_front_matter_is_the_repositorys_with_the_model_and_the_data() -> None:
    made = front_matter(space_card(README, "ada/boots", RUN))
    assert made.pop("models") == ["ada/boots"]
    assert made.pop("datasets") == ["zalando-datasets/fashion_mnist"]
    assert made == front_matter(README)


def test_the_python_version_stays_a_word() -> None:
    assert front_matter(space_card(README, "ada/boots", RUN))["python_version"] == "3.11"


def test_a_model_of_other_pictures_promises_no_clothes() -> None:
    run = {"class_names": ["on", "off"], "image_size": 32, "channels": 3}
    card = space_card(README, "ada/lamps", {**run, "dataset": "imagefolder:lamps"})
    made = front_matter(card)
    assert made["title"] == "lamps"
    assert len(made["short_description"]) <= 60
    assert "datasets" not in made
    assert "clothes" not in card
    from_hub = front_matter(space_card(README, "ada/lamps", {**run, "dataset": "hub:ada/lamps"}))
    assert from_hub["datasets"] == ["ada/lamps"]


@pytest.mark.parametrize("block", ["title: [", "- a list", "? [1, 2]\n: 3"])
def test_front_matter_that_cannot_be_read_costs_one_sentence(block: str) -> None:
    with pytest.raises(PublishingError, match="front matter cannot be read"):
        front_matter(f"---\n{block}\n---\n# Title\n")
