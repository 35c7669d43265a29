"""Tests of the evidence on the loaded network."""

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from fashion_ddpm.core.image_kind import CLASS_NAMES
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.trust import (
    RUN_CURVES,
    bundled_report,
    describe_confusion,
    describe_losses,
    loss_points,
    preview_paths,
    scorer_confusion,
    training_previews,
)
from fashion_ddpm.generation.preview import draw_preview_share, preview_name, save_preview
from fashion_ddpm.scoring.clip import EMBEDDED


@pytest.fixture
def tiny_copy(tiny_checkpoint: Path, tmp_path: Path) -> Path:
    """A copy of the small network that a test may change."""
    return Path(shutil.copytree(tiny_checkpoint, tmp_path / "tiny"))


def test_previews_lie_beside_the_checkpoint_in_the_order_of_training(tiny_copy: Path) -> None:
    tiny = Demo(tiny_copy)
    assert not preview_paths(tiny)
    assert not training_previews(tiny)
    folder = tiny_copy.parent / "previews"
    folder.mkdir()
    shares = draw_preview_share(tiny.pipeline)
    for name in ("00000000200.png", "00000000090.png"):
        save_preview(shares, folder / name)
    (folder / "1 copy.png").touch()
    Image.new("L", (30, 30)).save(folder / "00000000100.png")  # of an earlier version
    assert [path.stem[-3:] for path in preview_paths(tiny)] == ["090", "100", "200"]
    assert [preview.images_seen for preview in training_previews(tiny)] == [90, 200]


def test_a_preview_has_a_row_for_each_class(bundled_demo: Demo) -> None:
    previews = training_previews(bundled_demo)
    rows = [preview.row(9) for preview in previews]
    assert [preview.num_classes for preview in previews] == [10] * len(previews)
    assert len({row.size for row in rows}) == 1
    noise = {row.crop((0, 0, 28, 28)).tobytes() for row in rows}
    finished = {row.crop((row.width - 28, 0, row.width, 28)).tobytes() for row in rows}
    assert len(noise) == 1
    assert len(finished) == len(previews) >= 3


def test_the_report_belongs_to_the_bundled_weights_alone(
    bundled_demo: Demo, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    assert bundled_report(bundled_demo) is not None
    assert bundled_report(Demo(tiny_checkpoint)) is None
    assert bundled_report(bundled_demo, tmp_path) is None


def test_the_losses_are_those_of_the_run_that_trained_the_network(
    bundled_demo: Demo, tiny_checkpoint: Path, tiny_copy: Path
) -> None:
    log = [
        {"images_seen": 10, "loss": 0.5},
        {"images_seen": 30, "validation_loss": 0.3},
        {"images_seen": 40, "loss": 0.2},
        {"images_seen": 60, "validation_loss": 0.4},
    ]
    tiny = Demo(tiny_copy)
    run = {"images_seen": 60, "log": log, "started_from": {"images_seen": 5000}}
    (tiny_copy / "run.json").write_text(json.dumps(run))
    training = RUN_CURVES[0]
    assert loss_points(tiny)[:2] == [(10, training, 0.5), (40, training, 0.2)]
    assert describe_losses(tiny) == (
        "The run started from a network that had seen 5,000 images: "
        "the training loss falls from 0.5000 at 10 images to 0.2000 at 40 and "
        "the validation loss rises from 0.3000 at 30 images to 0.4000 at 60."
    )
    untrained = Demo(tiny_checkpoint)
    assert loss_points(untrained) == []
    assert describe_losses(untrained) == ""
    assert len(loss_points(bundled_demo)) > 10
    assert "from random weights" in describe_losses(bundled_demo)


def test_the_best_and_the_worst_class_of_a_matrix_are_named(bundled_demo: Demo) -> None:
    shares = [[0.9, 0.1, 0.0], [0.2, 0.5, 0.3], [0.0, 0.0, 1.0]]
    assert describe_confusion(shares, ("a", "b", "c")) == (
        "On the diagonal, c is highest (100.0 %) and b lowest (50.0 %), where c comes next with "
        "30.0 %."
    )
    matrix = scorer_confusion(bundled_demo, EMBEDDED)
    assert len(matrix) == len(matrix[0]) == 10
    assert "shirt lowest" in describe_confusion(matrix, CLASS_NAMES)


def test_damaged_previews_are_left_out_and_at_most_eight_are_spread_over_training(
    tiny_copy: Path,
) -> None:
    tiny = Demo(tiny_copy)
    folder = tiny_copy.parent / "previews"
    folder.mkdir()
    whole = folder / preview_name(0)
    save_preview(draw_preview_share(tiny.pipeline), whole)
    content = whole.read_bytes()
    for images_seen in range(1, 19):
        (folder / preview_name(images_seen)).write_bytes(content)
    whole.write_bytes(b"")
    (folder / preview_name(19)).write_bytes(content[:-400])
    assert [each.images_seen for each in training_previews(tiny)] == [1, 3, 6, 8, 11, 13, 16, 18]
