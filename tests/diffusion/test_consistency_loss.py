"""Tests of one batch's loss in distillation."""

import numpy as np
import pytest
import torch
from torch import Tensor

from fashion_ddpm.core.image_kind import NULL_LABEL
from fashion_ddpm.diffusion.consistency_loss import (
    consistency_losses,
    gap_at,
    level_pairs,
    predict_clean,
)
from fashion_ddpm.diffusion.loss import Draws, Predictor, loss_per_image, sample_draws
from fashion_ddpm.diffusion.schedules import MIN_ALPHA_BAR, build_noise_scheduler

TRAINING = build_noise_scheduler("cosine")
TOTAL = 1000
SHAPE = torch.Size((64, 1, 4, 4))
LABELS = torch.zeros(64, dtype=torch.long)
DRAWS = sample_draws(SHAPE, TOTAL, 0.0, torch.Generator().manual_seed(0))
CLEAN = torch.rand(SHAPE, generator=torch.Generator().manual_seed(1)) * 2 - 1


def wild(x: Tensor, timesteps: Tensor, labels: Tensor) -> Tensor:
    """A network that has learned nothing."""
    return (x + timesteps.view(-1, 1, 1, 1)).sin()


def sigma_of(timesteps: Tensor) -> Tensor:
    """Return noise over signal at timesteps that need not be whole."""
    known = np.sqrt(1 / TRAINING.alphas_cumprod.double().numpy() - 1)
    logs = np.interp(timesteps.numpy(), np.arange(TOTAL), np.log(known))
    return torch.from_numpy(np.exp(logs)).float().view(-1, 1, 1, 1)


def only_image(x: Tensor, timesteps: Tensor, labels: Tensor) -> Tensor:
    """The perfect network for data that are one image, all 0.5: f is that image at any level."""
    sigma = sigma_of(timesteps)
    alpha = 1 / (1 + sigma**2).sqrt()
    return (alpha * x - 0.5) / (sigma * alpha)


def losses(predict: Predictor, gap: float, clean: Tensor = CLEAN, draws: Draws = DRAWS) -> Tensor:
    """Return each image's loss."""
    return consistency_losses(predict, TRAINING, clean, LABELS, draws, gap, NULL_LABEL)


def test_without_noise_f_is_the_image_whatever_the_network_says() -> None:
    found = predict_clean(wild, CLEAN, DRAWS.noise, torch.zeros(64), torch.zeros(64), LABELS)
    assert torch.equal(found, CLEAN)


def test_a_perfect_network_has_no_loss_and_another_one_has() -> None:
    image = torch.full(SHAPE, 0.5)
    for gap in (1.0, 0.25):
        assert losses(only_image, gap, image).abs().max() < 1e-3
        assert losses(wild, gap, image).min() > 0.01


def test_with_the_widest_gap_it_is_ordinary_training() -> None:
    """With the clean image as target, the loss is that of predicting v."""
    inside = DRAWS.timesteps < 990  # the noisiest levels count as the noisiest that is visited
    ordinary = loss_per_image(wild, TRAINING, CLEAN, LABELS, DRAWS, null_label=NULL_LABEL)
    assert torch.allclose(losses(wild, 1.0)[inside], ordinary[inside], rtol=1e-3)


def test_the_target_stands_still() -> None:
    """Only the answer at the noisier level is pulled."""
    scale = torch.ones((), requires_grad=True)
    calls: list[bool] = []

    def predict(x: Tensor, timesteps: Tensor, labels: Tensor) -> Tensor:
        calls.append(torch.is_grad_enabled())
        return scale * wild(x, timesteps, labels)

    losses(predict, 0.1).mean().backward()
    assert calls == [False, True]
    assert scale.grad is not None
    assert scale.grad.isfinite()
    assert scale.grad != 0


def test_the_loss_is_divided_by_the_gap_once() -> None:
    """The squared error between two close levels falls with the gap's square, the loss with it."""
    wide, narrow = (losses(lambda x, t, y: x, gap).mean() for gap in (0.02, 0.01))
    assert wide / narrow == pytest.approx(2, rel=0.05)


def test_both_levels_see_the_same_labels_of_which_some_may_be_dropped() -> None:
    draws = sample_draws(SHAPE, TOTAL, 0.5, torch.Generator().manual_seed(0))
    seen: list[Tensor] = []

    def predict(x: Tensor, timesteps: Tensor, labels: Tensor) -> Tensor:
        seen.append(labels)
        return x

    losses(predict, 0.1, draws=draws)
    assert torch.equal(seen[0], seen[1])
    assert torch.equal(seen[0] == NULL_LABEL, draws.dropped)


def test_the_gap_halves_as_often_as_asked() -> None:
    assert gap_at(0.0, halvings=6) == 1
    assert gap_at(0.5, halvings=6) == 1 / 8
    assert gap_at(1.0, halvings=6) == 1 / 64


def test_the_run_begins_with_clean_images_as_targets_and_the_levels_come_together() -> None:
    assert not level_pairs(TRAINING, 1.0).target_sigma.any()
    gaps = (0.5, 0.1, 1 / 64)
    ratios = [
        level_pairs(TRAINING, gap).target_sigma / level_pairs(TRAINING, gap).sigma for gap in gaps
    ]
    assert (ratios[0] <= ratios[1]).all()
    assert (ratios[1] < ratios[2]).all()
    assert ratios[2].min() > 0.9
    assert ratios[2].max() < 1
    noisiest = ratios[2][-1]
    assert noisiest == pytest.approx(1 - 1 / 64)


def test_levels_are_known_by_the_networks_own_timesteps() -> None:
    pairs = level_pairs(TRAINING, 0.1)
    assert pairs.timesteps[:990] == pytest.approx(np.arange(990))
    assert (pairs.target_timesteps <= pairs.timesteps).all()
    target = torch.from_numpy(pairs.target_timesteps[100:])
    assert sigma_of(target).flatten().numpy() == pytest.approx(pairs.target_sigma[100:], rel=1e-3)


def test_no_level_is_noisier_than_those_that_sampling_visits() -> None:
    noisiest = level_pairs(TRAINING, 0.1).sigma.max()
    assert noisiest == pytest.approx((1 / MIN_ALPHA_BAR - 1) ** 0.5)
    assert losses(wild, 0.01).isfinite().all()
