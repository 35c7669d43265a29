"""Tests of what a run is examined by."""

from pathlib import Path

import pytest

from fashion_ddpm.checkpoints.locate import read_run
from fashion_ddpm.core.config import TrainConfig
from fashion_ddpm.core.image_kind import CLASS_NAMES
from fashion_ddpm.diffusion.pipeline import load_pipeline
from fashion_ddpm.training.loop import Run, train
from fashion_ddpm.training.run_folder import RunFolder
from tests.tools.small_runs import run_json, small


def compared(output_dir: Path) -> TrainConfig:
    """Returns a run that compares its samples with real images twice."""
    return small(output_dir, images_total=256, frechet_every=128, frechet_images=20)


def test_the_weights_whose_samples_come_nearest_are_kept(tmp_path: Path) -> None:
    config = compared(tmp_path / "run")
    train(config)
    rows = [row for row in run_json(config)["log"] if "frechet_distance" in row]
    assert [row["images_seen"] for row in rows] == [128, 256]
    best = min(rows, key=lambda row: row["frechet_distance"])
    folder = RunFolder(config.output_dir).best
    assert read_run(folder)["images_seen"] == best["images_seen"]
    assert load_pipeline(folder).class_names == CLASS_NAMES


def test_worse_samples_replace_nothing(tmp_path: Path) -> None:
    run = Run(compared(tmp_path / "run"))
    assert run.examination.compare()
    (row,) = run.progress.log
    assert not run.examination.compare()  # the same weights are as near, not nearer
    assert [each["frechet_distance"] for each in run.progress.log] == pytest.approx(
        [row["frechet_distance"]] * 2
    )


def test_images_that_no_judge_knows_are_not_compared(tmp_path: Path, shapes: Path) -> None:
    config = small(
        tmp_path / "run",
        dataset=f"imagefolder:{shapes}",
        block_out_channels=(8, 8),
        attention_resolutions=(16,),
        frechet_every=128,
    )
    run = Run(config)
    assert not run.examination.compare()
    assert run.progress.log == []
