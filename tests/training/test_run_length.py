"""Tests of runs that are given minutes instead of images."""

import dataclasses
import math
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from torch import Tensor

from fashion_ddpm.checkpoints.atomic_folders import list_states
from fashion_ddpm.checkpoints.manifest import is_intact
from fashion_ddpm.core.config import TrainConfig, make_train_config
from fashion_ddpm.core.settings import ConfigError
from fashion_ddpm.training import loop, run_length
from fashion_ddpm.training.loop import Run
from fashion_ddpm.training.run_folder import RunFolder
from fashion_ddpm.training.run_length import SAVE_SECONDS, Costs, config_for_minutes, fit_run_length
from tests.tools.small_runs import (
    ENVIRONMENT,
    argv,
    read_losses,
    read_run_json,
    run_training_script,
    small_config,
)

QUICK = Costs(step=0.01, loss_row=1e-5, sampling_row=1e-5)


def duration(config: TrainConfig, costs: Costs) -> float:
    """Return the seconds of a run, counted event by event."""
    steps = math.ceil(config.images_total / config.batch_size)
    seconds = steps * costs.step

    def count_events(every: int) -> int:
        return sum(
            step * config.batch_size // every > (step - 1) * config.batch_size // every
            or step == steps
            for step in range(1, steps + 1)
        )

    seconds += count_events(config.validate_every) * config.validation_images * costs.loss_row
    seconds += count_events(config.preview_every) * 100 * costs.sampling_row
    seconds += count_events(config.save_every) * SAVE_SECONDS
    if config.frechet_every:
        seconds += (
            count_events(config.frechet_every) * 10 * config.frechet_images * costs.sampling_row
        )
    return seconds


@pytest.mark.parametrize("seconds", [60.0, 600.0, 3600.0])
@pytest.mark.parametrize(
    "costs", [QUICK, Costs(step=2.0, loss_row=5e-3, sampling_row=7e-3)], ids=["fast", "slow"]
)
def test_training_validations_and_saves_fill_the_time(seconds: float, costs: Costs) -> None:
    config = fit_run_length(make_train_config("cpu", {"minutes": seconds / 60}), seconds, costs)
    spent = duration(config, costs)
    one_of_each = duration(dataclasses.replace(config, images_total=1), costs)
    assert seconds - one_of_each - costs.step <= spent <= seconds + costs.step


def test_slow_frechet_distances_are_disabled() -> None:
    slow = Costs(step=2.0, loss_row=5e-3, sampling_row=7e-3)
    assert fit_run_length(make_train_config("cpu", {"minutes": 5}), 300, slow).frechet_every == 0
    assert fit_run_length(make_train_config("cpu", {"minutes": 60}), 3600, slow).frechet_every > 0


def test_the_warm_up_of_a_short_run_is_shortened() -> None:
    config = fit_run_length(make_train_config("cpu", {"minutes": 1}), 10, QUICK)
    assert config.warmup_steps == config.total_steps // 10
    constant = make_train_config("cpu", {"minutes": 1, "lr_schedule": "constant"})
    assert fit_run_length(constant, 10, QUICK).cool_down_images > 0


def test_too_few_minutes_are_refused() -> None:
    config = make_train_config("cpu", {"minutes": 0.1})
    with pytest.raises(ConfigError, match=r"--minutes is 0\.1; starting, one step .+ give more"):
        fit_run_length(config, 6, Costs(step=5.0, loss_row=5e-3, sampling_row=7e-3))


def test_a_resumed_run_keeps_its_length(tmp_path: Path) -> None:
    config = small_config(tmp_path / "run", minutes=5.0)
    begun = dataclasses.replace(config, images_total=4096, warmup_steps=7)
    RunFolder(config.output_dir).begin(begun)

    def must_not_measure(seconds: float) -> Costs:
        raise AssertionError("measured again")

    assert config_for_minutes(config, time.monotonic(), must_not_measure) == begun


def test_a_run_without_minutes_is_unchanged(tmp_path: Path) -> None:
    config = small_config(tmp_path / "run")
    assert config_for_minutes(config, 0.0, lambda seconds: QUICK) is config


def test_all_processes_get_the_same_length_though_they_started_at_different_times(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = make_train_config("cpu", {"minutes": 1.0, "output_dir": "nowhere/at-all"})
    left: list[float] = []

    def with_a_slower_process(part: float) -> list[float]:
        left.append(part)
        return [part - 0.5, part]

    monkeypatch.setattr(run_length, "gather_parts", with_a_slower_process)
    found = config_for_minutes(config, time.monotonic(), lambda seconds: QUICK)
    assert found == fit_run_length(config, left[0] - 0.5, QUICK)
    assert found != fit_run_length(config, left[0], QUICK)


def test_minutes_and_a_cool_down_of_a_given_length_are_refused(tmp_path: Path) -> None:
    flags = {"lr_schedule": "constant", "cool_down_images": 64}
    config = small_config(tmp_path / "run", minutes=1.0, **flags)
    with pytest.raises(ConfigError, match="--cool-down-images is 64, but --minutes chooses"):
        config_for_minutes(config, 0.0, lambda seconds: QUICK)


@pytest.mark.slow
def test_a_measured_run_equals_one_with_the_same_length(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each step is assumed to take an hour, so that the length is the same on all machines."""

    def one_hour(call: Callable[[], Tensor], *_: object) -> float:
        call()
        return 3600.0

    monkeypatch.setattr(run_length, "time_calls", one_hour)
    monkeypatch.setattr(run_length, "PREVIEW_ROWS", 0)
    config = small_config(tmp_path / "measured", minutes=60.0 * 24, validation_images=1)
    loop.train(config)
    settings = RunFolder(config.output_dir).read_settings()
    length = settings["images_total"]
    assert 32 * 15 < length == read_run_json(config)["images_seen"] < 32 * 24
    given = small_config(
        tmp_path / "given",
        images_total=length,
        warmup_steps=settings["warmup_steps"],
        validation_images=1,
    )
    loop.train(given)
    assert read_losses(config) == read_losses(given)


@pytest.mark.slow
def test_a_killed_run_with_minutes_keeps_its_length(tmp_path: Path) -> None:
    """The length is given, so that it does not depend on the load of the machine."""
    config = small_config(tmp_path / "run", minutes=0.4, save_every=64)
    folder = RunFolder(config.output_dir)
    folder.begin(dataclasses.replace(config, images_total=480))
    process = subprocess.Popen(argv(config), env=ENVIRONMENT, stderr=subprocess.DEVNULL)
    while len(list_states(folder.states)) < 2 and process.poll() is None:
        time.sleep(0.01)
    process.kill()
    process.wait()
    done = run_training_script(config)
    assert done.returncode == 0, done.stderr
    assert "resumed at" in done.stderr
    assert read_run_json(config)["images_seen"] == 480
    assert is_intact(folder.checkpoint)


def test_the_costs_of_a_run_are_measured_on_its_own_steps(tmp_path: Path) -> None:
    config = small_config(tmp_path / "run", minutes=60.0)
    costs = Run(config).measure_costs(0.1)
    assert min(costs.step, costs.loss_row, costs.sampling_row) > 0
    assert not (tmp_path / "run").exists()
    assert fit_run_length(config, 3600, costs).images_total > config.images_total
