"""Tests of what a resumed run must know."""

import torch

from fashion_ddpm.training.progress import Progress


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
