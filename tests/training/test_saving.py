"""Tests of checkpoints of rebuilt averages; states are tested in test_loop."""

import shutil
from pathlib import Path

import pytest
import torch

from fashion_ddpm.checkpoints.locate import read_run
from fashion_ddpm.core.config import TrainConfig
from fashion_ddpm.diffusion.pipeline import load_pipeline
from fashion_ddpm.training.loop import Run
from fashion_ddpm.training.power_averages import LENGTHS
from fashion_ddpm.training.run_folder import RunFolder
from fashion_ddpm.training.saving import rebuild_checkpoint
from fashion_ddpm.training.stopping import TrainingError


def test_a_kept_length_gives_the_weights_that_the_run_had(
    finished_run: TrainConfig, tmp_path: Path
) -> None:
    output = rebuild_checkpoint(
        Path(finished_run.output_dir), LENGTHS[1], None, tmp_path / "average"
    )
    run = Run(finished_run)
    run.resume()
    rebuilt = torch.cat([p.flatten() for p in load_pipeline(output).unet.parameters()]).half()
    deviations = []
    for weights in run.network.power_averages.weights.values():
        expected = torch.cat([p.flatten() for p in weights]).half()
        deviations.append((rebuilt - expected).abs().max())
    assert deviations[1] < 1e-4 < deviations[0]


def test_the_new_checkpoint_says_which_average_it_is(
    finished_run: TrainConfig, tmp_path: Path
) -> None:
    output = rebuild_checkpoint(Path(finished_run.output_dir), 0.12, 384, tmp_path / "average")
    run = read_run(output)
    assert run["images_seen"] == 384
    assert run["average_length"] == 0.12
    assert run["log"][-1]["images_seen"] == 384
    assert load_pipeline(output)([3], seed=0).shape == (1, 28, 28)


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="is no training run"):
        rebuild_checkpoint(tmp_path, 0.1, None, tmp_path / "average")


def test_a_folder_that_is_no_checkpoint_is_not_replaced(
    finished_run: TrainConfig, tmp_path: Path
) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises(TrainingError, match="is no checkpoint to replace"):
        rebuild_checkpoint(Path(finished_run.output_dir), 0.1, None, tmp_path / "mine")


def test_averages_of_another_network_are_refused_with_a_sentence(
    finished_run: TrainConfig, shapes_run: TrainConfig, tmp_path: Path
) -> None:
    """One file of another run among those of a run, then only files of another run."""
    shutil.copytree(finished_run.output_dir, tmp_path / "run")
    ours, theirs = (RunFolder(root).averages for root in (tmp_path / "run", shapes_run.output_dir))
    (foreign,) = theirs.glob("*00512.safetensors")
    shutil.copy(foreign, ours)
    with pytest.raises(TrainingError, match=rf"{ours / foreign.name} is of another network"):
        rebuild_checkpoint(tmp_path / "run", 0.1, None, tmp_path / "average")
    shutil.rmtree(ours)
    shutil.copytree(theirs, ours)
    with pytest.raises(TrainingError, match=rf"{ours} holds the averages of another network"):
        rebuild_checkpoint(tmp_path / "run", 0.1, None, tmp_path / "average")
    assert not (tmp_path / "average").exists()
