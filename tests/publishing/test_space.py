"""Tests of the Space's README and of the checks of a Space's folder."""

import re
from pathlib import Path
from typing import Any

import pytest

from fashion_ddpm.checkpoints.locate import read_run
from fashion_ddpm.core.paths import BUNDLED_CHECKPOINT
from fashion_ddpm.publishing.errors import PublishingError
from fashion_ddpm.publishing.space import check_space, check_static_space
from fashion_ddpm.publishing.space_card import read_front_matter, space_card, static_space_card

ROOT = Path(__file__).parent.parent.parent
RUN = read_run(BUNDLED_CHECKPOINT)
README = (ROOT / "README.md").read_text()


@pytest.fixture
def space(tmp_path: Path) -> Path:
    (tmp_path / "README.md").write_text(space_card(README, ["ada/boots"], RUN))
    (tmp_path / "requirements.txt").write_text((ROOT / "requirements.txt").read_text())
    (tmp_path / "app.py").touch()
    return tmp_path


def test_the_repositorys_own_front_matter_and_pins_are_sound(space: Path) -> None:
    check_space(space)


@pytest.mark.parametrize(
    ("line", "changed", "fault"),
    [
        ("emoji: 👢", "emojy: 👢", "emojy is no key of a Space's front matter; emoji is missing"),
        ("colorTo: indigo", "colorTo: teal", "colorTo is teal, but must be one of red"),
        ("sdk: gradio", "sdk: docker", "sdk is docker"),
        ("sdk_version: 6.31.0", "sdk_version: 6.3.0", "sdk_version is 6.3.0, but requirements"),
        ("python_version: '3.11'", "python_version: 3.11", "python_version is 3.11, but .* quotes"),
        ("python_version: '3.11'", "python_version: '3.10'", "python_version is '3.10'"),
        ("app_file: app.py", "app_file: demo.py", "app_file is demo.py, which is not there"),
        ("license: mit\n", "", "license is missing"),
    ],
)
def test_a_fault_of_the_front_matter_is_named(
    space: Path, line: str, changed: str, fault: str
) -> None:
    readme = (space / "README.md").read_text()
    assert line in readme
    (space / "README.md").write_text(readme.replace(line, changed, 1))
    with pytest.raises(PublishingError, match=fault):
        check_space(space)


def test_a_description_may_have_sixty_characters(space: Path) -> None:
    readme = (space / "README.md").read_text()
    for length in (60, 61):
        line = f"short_description: {'x' * length}"
        (space / "README.md").write_text(re.sub("short_description: .*", line, readme))
        if length == 60:
            check_space(space)
    with pytest.raises(PublishingError, match="has 61 characters, but at most 60 fit"):
        check_space(space)


@pytest.mark.parametrize("line", ["rich", "rich>=14", "rich==14.*", "rich @ https://example.org"])
def test_what_is_not_pinned_is_named(space: Path, line: str) -> None:
    with open(space / "requirements.txt", "a") as file:
        file.write(f"# a comment\n\n{line}\n")
    with pytest.raises(PublishingError, match=r"asks for rich.*, but must pin one version with =="):
        check_space(space)


def test_a_large_file_is_named(space: Path) -> None:
    (space / "checkpoints").mkdir()
    with open(space / "checkpoints" / "weights", "wb") as file:
        file.truncate(10_000_001)
    with pytest.raises(PublishingError, match="checkpoints/weights has 10,000,001 bytes"):
        check_space(space)


def test_all_faults_are_told_at_once(space: Path) -> None:
    (space / "app.py").unlink()
    (space / "requirements.txt").write_text("rich\n")
    with pytest.raises(PublishingError, match=r"pins another gradio; app_file .*; requirements"):
        check_space(space)


def test_the_front_matter_is_the_repositorys_with_the_model_and_the_data() -> None:
    made = read_front_matter(space_card(README, ["ada/boots"], RUN))
    assert made.pop("models") == ["ada/boots"]
    assert made.pop("datasets") == ["zalando-datasets/fashion_mnist"]
    assert made == read_front_matter(README)


def test_a_model_of_other_pictures_promises_no_clothes() -> None:
    run = {"class_names": ["on", "off"], "image_size": 32, "channels": 3}
    card = space_card(README, ["ada/lamps"], {**run, "dataset": "imagefolder:lamps"})
    made = read_front_matter(card)
    assert made["title"] == "lamps"
    assert len(made["short_description"]) <= 60
    assert "datasets" not in made
    assert "clothes" not in card
    from_hub = read_front_matter(
        space_card(README, ["ada/lamps"], {**run, "dataset": "hub:ada/lamps"})
    )
    assert from_hub["datasets"] == ["ada/lamps"]


DEMO_URL = "https://huggingface.co/spaces/ada/boots-demo"
OWN_RUN = {"class_names": ["on"], "image_size": 32, "channels": 3, "dataset": "imagefolder:lamps"}


@pytest.mark.parametrize("run", [RUN, OWN_RUN], ids=["clothes", "own"])
def test_a_static_space_is_isolated_and_names_its_models(
    tmp_path: Path, run: dict[str, Any]
) -> None:
    models = ["ada/boots", "ada/boots-turbo"]
    card = static_space_card(README, models, run, DEMO_URL)
    (tmp_path / "README.md").write_text(card)
    (tmp_path / "index.html").touch()
    check_static_space(tmp_path)
    made = read_front_matter(card)
    assert (made["sdk"], made["models"], made["license"]) == ("static", models, "mit")
    assert made["custom_headers"]["cross-origin-embedder-policy"] == "require-corp"
    assert made["custom_headers"]["cross-origin-opener-policy"] == "same-origin"
    assert "fashion-mnist" in made["tags"] or run is OWN_RUN
    assert not {"sdk_version", "python_version"} & set(made)
    assert f"({DEMO_URL})" in card
    assert DEMO_URL not in static_space_card(README, models, run)


def test_faults_of_a_static_space_are_named(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(README)
    with open(tmp_path / "unet.onnx", "wb") as file:
        file.truncate(10_000_001)
    with pytest.raises(PublishingError, match=r"sdk must be static.*app\.py.*unet\.onnx has 10,"):
        check_static_space(tmp_path)


def test_a_space_links_to_its_static_one() -> None:
    assert DEMO_URL in space_card(README, ["ada/boots"], RUN, DEMO_URL)


@pytest.mark.parametrize("block", ["title: [", "- a list", "? [1, 2]\n: 3"])
def test_front_matter_that_cannot_be_read_costs_one_sentence(block: str) -> None:
    with pytest.raises(PublishingError, match="front matter cannot be read"):
        read_front_matter(f"---\n{block}\n---\n# Title\n")
