"""Tests of the Space's README."""

from pathlib import Path

import pytest

from fashion_ddpm.space_card import SpaceError, front_matter, space_card

README = (Path(__file__).parent.parent / "README.md").read_text()


def test_the_front_matter_is_the_repositorys_with_the_model_and_the_data() -> None:
    made = front_matter(space_card(README, "ada/boots"))
    assert made.pop("models") == ["ada/boots"]
    assert made.pop("datasets") == ["zalando-datasets/fashion_mnist"]
    assert made == front_matter(README)


def test_the_python_version_stays_a_word() -> None:
    assert front_matter(space_card(README, "ada/boots"))["python_version"] == "3.11"


@pytest.mark.parametrize("block", ["title: [", "- a list", "? [1, 2]\n: 3"])
def test_front_matter_that_cannot_be_read_costs_one_sentence(block: str) -> None:
    with pytest.raises(SpaceError, match="front matter cannot be read"):
        front_matter(f"---\n{block}\n---\n# Title\n")
