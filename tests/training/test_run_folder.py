"""Tests of a run's folder, its recorded settings and its progress."""

import dataclasses
from pathlib import Path

import pytest
import torch

from fashion_ddpm.core.config import TrainConfig
from fashion_ddpm.core.settings import ConfigError
from fashion_ddpm.training.run_folder import Progress, RunFolder


def test_the_same_settings_are_accepted_and_others_refused(tmp_path: Path) -> None:
    folder, config = RunFolder(tmp_path / "run"), TrainConfig()
    folder.check_same_run(config)
    folder.begin(config)
    folder.check_same_run(dataclasses.replace(config, data_dir="elsewhere", keep_states=5))
    with pytest.raises(ConfigError, match=r"--learning-rate is 0\.5, but the run in .+ has 0\.001"):
        folder.check_same_run(dataclasses.replace(config, learning_rate=0.5))


def test_later_states_sort_after_earlier_ones(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    assert folder.state(99_999) < folder.state(100_000) < folder.state(16_500_000)


def test_progress_survives_saving() -> None:
    progress = Progress(3, torch.tensor(1.5), [{"images_seen": 64, "loss": 0.5}])
    other = Progress()
    other.load_state_dict(progress.state_dict())
    assert other == progress


def test_steps_are_counted_from_the_last_row_that_has_a_loss() -> None:
    progress = Progress(step=5)
    assert progress.steps_since_loss(32) == 5
    progress.log = [{"images_seen": 64, "loss": 0.5}, {"images_seen": 96, "validation_loss": 1.0}]
    assert progress.steps_since_loss(32) == 3
