"""Tests of the schedule check: it finds the report's mistake, and only that."""

import dataclasses

import pytest
import torch

from fashion_ddpm.core.config import SCHEDULES, TrainConfig
from fashion_ddpm.core.settings import ConfigError
from fashion_ddpm.diffusion.schedule_check import (
    build_run_noise_scheduler,
    check_schedule,
)
from fashion_ddpm.diffusion.schedules import LinearBetas, build_noise_scheduler


def test_the_report_starts_with_most_of_the_image_still_there() -> None:
    check = check_schedule("report")
    assert check.terminal_alpha_bar == pytest.approx(0.364, abs=0.001)
    assert not check.starts_from_noise
    assert "broken: 60 %" in check.verdict
    assert "1000/T" in check.verdict


@pytest.mark.parametrize("name", [name for name in SCHEDULES if name != "report"])
def test_every_other_sampling_schedule_is_good(name: str) -> None:
    assert check_schedule(name).starts_from_noise
    assert check_schedule(name).verdict.startswith("good")


def test_a_runs_noise_schedule_is_the_one_its_settings_name() -> None:
    config = TrainConfig(noise_schedule="linear", num_train_timesteps=100, beta_scale=10)
    noise = build_run_noise_scheduler(config)
    assert torch.equal(noise.betas, build_noise_scheduler("linear", 100, beta_scale=10).betas)
    assert noise.config["prediction_type"] == config.prediction_type


def test_training_where_sampling_cannot_start_is_refused_with_the_fix() -> None:
    report = TrainConfig(noise_schedule="linear", num_train_timesteps=100)
    with pytest.raises(ConfigError, match=r"0\.364.+--beta-scale 10\b.+cosine"):
        build_run_noise_scheduler(report)
    allowed = dataclasses.replace(report, allow_nonzero_terminal_snr=True)
    assert len(build_run_noise_scheduler(allowed).betas) == 100


def test_betas_of_ones_own_are_checked_too() -> None:
    assert check_schedule(LinearBetas(1000, 1e-4, 0.02)).starts_from_noise
    check = check_schedule(LinearBetas(200, 1e-4, 0.02))
    assert check.name == "linear (T = 200, β 0.0001 … 0.02)"
    assert check.terminal_alpha_bar == pytest.approx(0.132, abs=0.001)
    assert "broken" in check.verdict
