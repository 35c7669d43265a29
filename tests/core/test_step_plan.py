"""Tests of the images, seed and learning rate of a step."""

import pytest
import torch

from fashion_ddpm.core.config import TrainConfig
from fashion_ddpm.core.settings import ConfigError
from fashion_ddpm.core.step_plan import (
    batch_indices,
    learning_rate_at,
    micro_batch_size,
    micro_batch_slices,
    step_seed,
)


def test_an_epoch_shows_every_image_exactly_once() -> None:
    seen = torch.cat([batch_indices(step, 32, 320, seed=3) for step in range(10)])
    assert torch.equal(seen.sort().values, torch.arange(320))


def test_a_batch_may_span_two_or_more_epochs() -> None:
    first, second = batch_indices(0, 7, 10, 0), batch_indices(1, 7, 10, 0)
    assert torch.equal(torch.cat([first, second])[:10].sort().values, torch.arange(10))
    assert torch.bincount(batch_indices(0, 30, 10, 0)).tolist() == [3] * 10


def test_epochs_have_different_orders() -> None:
    assert not torch.equal(batch_indices(0, 100, 100, 0), batch_indices(1, 100, 100, 0))


def test_no_two_steps_share_a_seed() -> None:
    assert len({step_seed(seed, step) for seed in range(3) for step in range(1000)}) == 3000


@pytest.mark.parametrize(("processes", "accumulation"), [(1, 1), (1, 4), (2, 1), (3, 2), (4, 3)])
def test_the_processes_take_every_image_of_a_batch_exactly_once(
    processes: int, accumulation: int
) -> None:
    config = TrainConfig(batch_size=24, gradient_accumulation_steps=accumulation)
    indices = [
        index
        for rank in range(processes)
        for part in micro_batch_slices(config, rank, processes)
        for index in range(24)[part]
    ]
    assert sorted(indices) == list(range(24))
    assert len(indices) == processes * accumulation * micro_batch_size(config, processes)


def test_a_batch_that_the_processes_cannot_share_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"--batch-size 24 .+ by 5 processes .+ multiple of 5"):
        micro_batch_size(TrainConfig(batch_size=24), num_processes=5)


def test_learning_rate_rises_to_its_peak_and_falls_to_zero() -> None:
    config = TrainConfig(images_total=128 * 1000, warmup_steps=100)
    rates = [learning_rate_at(step, config) for step in range(1000)]
    assert max(rates) == rates[100] == config.learning_rate
    assert rates[:100] == sorted(rates[:100])
    assert rates[100:] == sorted(rates[100:], reverse=True)
    assert 0 < rates[-1] < 1e-4 * config.learning_rate


def test_a_constant_learning_rate_falls_to_zero_only_in_its_cool_down() -> None:
    config = TrainConfig(
        images_total=128 * 1000,
        warmup_steps=100,
        lr_schedule="constant",
        cool_down_images=128 * 200,
    )
    rates = [learning_rate_at(step, config) for step in range(1000)]
    assert set(rates[99:801]) == {config.learning_rate}
    assert rates[801:] == sorted(rates[801:], reverse=True)
    assert 0 < rates[-1] < 0.01 * config.learning_rate
    endless = TrainConfig(lr_schedule="constant", warmup_steps=0, images_total=10**9)
    assert learning_rate_at(10**6, endless) == endless.learning_rate
