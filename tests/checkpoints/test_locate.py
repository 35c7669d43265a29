"""Tests of finding a checkpoint and reading its class names and run.json."""

from pathlib import Path

import pytest

from fashion_ddpm.checkpoints.errors import CheckpointError
from fashion_ddpm.checkpoints.locate import distilled_folder, read_class_names, read_run
from fashion_ddpm.core.image_kind import CLASS_NAMES
from fashion_ddpm.core.json_files import FileError
from fashion_ddpm.core.paths import BUNDLED_CHECKPOINT


def test_class_names_and_run_of_the_bundled_checkpoint() -> None:
    assert read_class_names(BUNDLED_CHECKPOINT) == CLASS_NAMES
    assert read_run(BUNDLED_CHECKPOINT)["images_seen"] >= 8 * 55_000


def test_a_folder_without_a_run_file_has_an_empty_run(tmp_path: Path) -> None:
    assert read_run(tmp_path) == {}


@pytest.mark.parametrize("name", ["nobody/nothing", "../etc/passwd"])
def test_class_names_of_a_missing_checkpoint_are_refused(name: str) -> None:
    with pytest.raises(CheckpointError, match="could not be loaded"):
        read_class_names(name)


def test_a_folder_without_an_index_has_no_class_names(tmp_path: Path) -> None:
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
def test_a_damaged_run_file_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(FileError, match=rf"{tmp_path / 'run.json'} .+ name another folder"):
        read_run(tmp_path)
