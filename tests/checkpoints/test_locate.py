"""Tests of what a checkpoint's folder says of it."""

from pathlib import Path

import pytest

from fashion_ddpm.checkpoints.errors import CheckpointError
from fashion_ddpm.checkpoints.locate import distilled_folder, read_class_names, read_run
from fashion_ddpm.core.image_kind import CLASS_NAMES
from fashion_ddpm.core.json_files import FileError
from fashion_ddpm.core.paths import BUNDLED_CHECKPOINT


def test_the_bundled_checkpoint_names_its_classes_and_how_it_was_trained() -> None:
    assert read_class_names(BUNDLED_CHECKPOINT) == CLASS_NAMES
    assert read_run(BUNDLED_CHECKPOINT)["images_seen"] >= 8 * 55_000


def test_a_folder_without_a_run_says_nothing(tmp_path: Path) -> None:
    assert read_run(tmp_path) == {}


@pytest.mark.parametrize("name", ["nobody/nothing", "../etc/passwd"])
def test_classes_that_cannot_be_had_cost_one_sentence(name: str) -> None:
    with pytest.raises(CheckpointError, match="could not be loaded"):
        read_class_names(name)


def test_a_folder_without_an_index_names_no_classes(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"model_index\.json"):
        read_class_names(tmp_path)


def test_a_distilled_network_lies_beside_its_teacher() -> None:
    assert distilled_folder("runs/mine") == Path("runs/mine-turbo")
    assert distilled_folder("user/name@main") == Path("user/name@main-turbo")


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[1]",
        '{"images_seen": "all"}',
        '{"config": []}',
        '{"log": {}}',
        '{"log": [7]}',
        '{"log": [{"loss": 0.5}]}',
        '{"log": [{"images_seen": 3, "loss": "low"}]}',
        '{"teacher": "me"}',
    ],
)
def test_a_damaged_record_of_the_training_costs_a_sentence(tmp_path: Path, content: str) -> None:
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(FileError, match=rf"{tmp_path / 'run.json'} .+ name another folder"):
        read_run(tmp_path)
