"""Tests of the evidence on the loaded network."""

import json
import shutil
from pathlib import Path

from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.trust import (
    RUN_CURVES,
    bundled_report,
    loss_points,
    real_scores,
    scorer_confusion,
    training_previews,
)
from fashion_ddpm.scoring.clip import EMBEDDED


def test_previews_lie_beside_the_checkpoint_in_the_order_of_training(
    bundled_demo: Demo, tiny_checkpoint: Path
) -> None:
    assert len(training_previews(bundled_demo)) >= 6
    tiny = Demo(tiny_checkpoint)
    assert training_previews(tiny) == []
    folder = tiny_checkpoint.parent / "previews"
    folder.mkdir()
    for name in ("00000000200.png", "00000000090.png", "1 copy.png"):
        (folder / name).touch()
    assert training_previews(tiny) == [
        (90, folder / "00000000090.png"),
        (200, folder / "00000000200.png"),
    ]
    shutil.rmtree(folder)


def test_the_report_belongs_to_the_bundled_weights_alone(
    bundled_demo: Demo, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    assert bundled_report(bundled_demo) is not None
    assert bundled_report(Demo(tiny_checkpoint)) is None
    assert bundled_report(bundled_demo, tmp_path) is None


def test_the_losses_are_those_of_the_run_that_trained_the_network(
    bundled_demo: Demo, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    log = [{"images_seen": 10, "loss": 0.5}, {"images_seen": 30, "validation_loss": 0.3}]
    shutil.copytree(tiny_checkpoint, tmp_path / "copy")
    tiny = Demo(tmp_path / "copy")
    (tmp_path / "copy" / "run.json").write_text(json.dumps({"log": log}))
    assert loss_points(tiny) == [(10, RUN_CURVES[0], 0.5), (30, RUN_CURVES[1], 0.3)]
    assert loss_points(Demo(tiny_checkpoint)) == []
    assert len(loss_points(bundled_demo)) > 10


def test_the_scorers_limits_are_told_class_by_class(bundled_demo: Demo) -> None:
    scores = dict(real_scores(bundled_demo, EMBEDDED))
    assert min(scores, key=scores.__getitem__) == "shirt"
    assert len(scorer_confusion(bundled_demo, EMBEDDED)) == 10
    assert scorer_confusion(bundled_demo, EMBEDDED)[1][:1] == ["trouser"]
