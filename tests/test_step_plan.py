"""Tests that a step's number alone decides what the step does."""

import torch

from fashion_ddpm.config import TrainConfig
from fashion_ddpm.step_plan import batch_indices, learning_rate_at, step_seed


def test_an_epoch_shows_every_image_exactly_once() -> None:
    seen = torch.cat([batch_indices(step, 32, 320, seed=3) for step in range(10)])
    assert torch.equal(seen.sort().values, torch.arange(320))


def test_a_batch_may_lie_across_two_epochs_or_hold_several() -> None:
    first, second = batch_indices(0, 7, 10, 0), batch_indices(1, 7, 10, 0)
    assert torch.equal(torch.cat([first, second])[:10].sort().values, torch.arange(10))
    assert torch.bincount(batch_indices(0, 30, 10, 0)).tolist() == [3] * 10


def test_epochs_have_different_orders() -> None:
    assert not torch.equal(batch_indices(0, 100, 100, 0), batch_indices(1, 100, 100, 0))


def test_no_two_steps_share_a_seed() -> None:
    assert len({step_seed(seed, step) for seed in range(3) for step in range(1000)}) == 3000


def test_learning_rate_rises_to_its_peak_and_falls_to_nothing() -> None:
    config = TrainConfig(images_total=128 * 1000, warmup_steps=100)
    rates = [learning_rate_at(step, config) for step in range(1000)]
    assert max(rates) == rates[100] == config.learning_rate
    assert rates[:100] == sorted(rates[:100])
    assert rates[100:] == sorted(rates[100:], reverse=True)
    assert 0 < rates[-1] < 1e-4 * config.learning_rate
