"""Tests of the measurements during a run: held-out loss and Fréchet distance."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from fashion_ddpm.checkpoints.locate import read_run
from fashion_ddpm.core.config import TrainConfig
from fashion_ddpm.core.image_kind import CLASS_NAMES, NULL_LABEL
from fashion_ddpm.data.labelled_images import LabelledImages
from fashion_ddpm.diffusion.loss import Draws, loss_per_image
from fashion_ddpm.diffusion.pipeline import load_pipeline
from fashion_ddpm.diffusion.schedules import build_noise_scheduler
from fashion_ddpm.training.loop import Run, train
from fashion_ddpm.training.run_folder import RunFolder
from fashion_ddpm.training.validation import LEVEL_BINS, validation_sums
from tests.tools.small_runs import read_run_json, small_config


def predict(x: torch.Tensor, timesteps: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return a prediction that depends on all arguments."""
    return x * 0.5 + timesteps.view(-1, 1, 1, 1) / 1000 + labels.view(-1, 1, 1, 1) / 10


def losses(clean: Tensor, labels: Tensor, draws: Draws) -> Tensor:
    return loss_per_image(
        predict, build_noise_scheduler("cosine"), clean, labels, draws, NULL_LABEL
    )


def test_the_sums_are_the_same_every_time_and_with_any_number_of_ranks(
    real_images: LabelledImages,
) -> None:
    sums = validation_sums(losses, 1000, real_images)
    assert torch.equal(sums, validation_sums(losses, 1000, real_images))
    for num_ranks in (2, 3):
        parts = [validation_sums(losses, 1000, real_images, r, num_ranks) for r in range(num_ranks)]
        assert torch.allclose(torch.stack(parts).sum(dim=0), sums)


def test_every_noise_level_gets_the_same_number_of_images(real_images: LabelledImages) -> None:
    sums = validation_sums(losses, 1000, real_images)
    assert sums[1].tolist() == [len(real_images) / LEVEL_BINS] * LEVEL_BINS


def frechet_run(output_dir: Path) -> TrainConfig:
    """Return a run that measures the Fréchet distance twice."""
    return small_config(output_dir, images_total=256, frechet_every=128, frechet_images=20)


def test_the_weights_with_the_smallest_distance_are_kept(tmp_path: Path) -> None:
    config = frechet_run(tmp_path / "run")
    train(config)
    rows = [row for row in read_run_json(config)["log"] if "frechet_distance" in row]
    assert [row["images_seen"] for row in rows] == [128, 256]
    best = min(rows, key=lambda row: row["frechet_distance"])
    folder = RunFolder(config.output_dir).best_checkpoint
    assert read_run(folder)["images_seen"] == best["images_seen"]
    assert load_pipeline(folder).class_names == CLASS_NAMES


def test_only_a_smaller_distance_is_the_best(tmp_path: Path) -> None:
    run = Run(frechet_run(tmp_path / "run"))
    assert run.validation.log_frechet_distance()
    (row,) = run.progress.log
    assert not run.validation.log_frechet_distance()  # the same weights: not smaller
    assert [each["frechet_distance"] for each in run.progress.log] == pytest.approx(
        [row["frechet_distance"]] * 2
    )


def test_images_without_a_classifier_have_no_distance(tmp_path: Path, shapes_dir: Path) -> None:
    config = small_config(
        tmp_path / "run",
        dataset=f"imagefolder:{shapes_dir}",
        block_out_channels=(8, 8),
        attention_resolutions=(16,),
        frechet_every=128,
    )
    run = Run(config)
    assert not run.validation.log_frechet_distance()
    assert run.progress.log == []
