"""Tests of a run's log and printed lines."""

import math
from typing import Any

import pytest
import torch

from fashion_ddpm.core.config import TrainConfig
from fashion_ddpm.training.run_folder import Progress
from fashion_ddpm.training.run_log import RunLog

CONFIG = TrainConfig(batch_size=32, images_total=320, warmup_steps=0)


def run_log(step: int, is_main: bool = True) -> tuple[RunLog, list[Any]]:
    sent: list[Any] = []
    log = RunLog(CONFIG, Progress(step), is_main, lambda *numbers: sent.append(numbers))
    log.begin()
    return log, sent


def test_a_loss_is_printed_logged_and_sent(capsys: pytest.CaptureFixture[str]) -> None:
    log, sent = run_log(step=0)
    log.progress.step = 4
    log.record_loss(0.25, gradient_norm=1.5, ema_decay=0.9)
    (row,) = log.progress.log
    ((numbers, images_seen),) = sent
    assert row == {"images_seen": 128, **numbers}
    assert images_seen == 128
    assert (numbers["loss"], numbers["gradient_norm"], numbers["ema_decay"]) == (0.25, 1.5, 0.9)
    assert 0 < numbers["learning_rate"] < CONFIG.learning_rate
    printed = capsys.readouterr().err
    assert "128 images  loss 0.2500" in printed
    assert "left" in printed


def test_a_gradient_that_overflowed_is_left_out() -> None:
    log, sent = run_log(step=0)
    log.progress.step = 1
    log.record_loss(0.25, gradient_norm=math.inf, ema_decay=0.9)
    assert "gradient_norm" not in sent[0][0]


def test_a_validation_is_recorded_overall_and_by_noise_level() -> None:
    log, sent = run_log(step=2)
    log.record_validation(torch.tensor([[3.0, 1.0], [2.0, 2.0]]))
    assert log.progress.log == [
        {"images_seen": 64, "validation_loss": 1.0, "validation_loss_by_level": [1.5, 0.5]}
    ]
    assert sent[0][0]["validation_loss_by_level/1"] == 0.5


def test_the_smallest_distance_is_known_although_an_earlier_one_was_no_number() -> None:
    log, _ = run_log(step=2)
    distances = (math.nan, 0.3, 0.4, 0.2)
    assert [log.record_frechet_distance(value) for value in distances] == [False, True, False, True]


def test_other_processes_keep_the_log_and_print_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    log, _ = run_log(step=2, is_main=False)
    log.record_validation(torch.ones(2, 4))
    assert len(log.progress.log) == 1
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("step", "every_images", "expected"),
    [(2, 65, False), (3, 65, True), (4, 65, False), (5, 65, True), (CONFIG.total_steps, 999, True)],
)
def test_something_is_due_after_each_multiple_and_at_the_last_step(
    step: int, every_images: int, expected: bool
) -> None:
    assert run_log(step)[0].is_due(every_images) == expected
