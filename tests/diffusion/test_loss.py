"""Tests of one batch's loss."""

from functools import partial

import pytest
import torch
from diffusers import DDPMScheduler
from torch import Tensor

from fashion_ddpm.core.image_kind import NULL_LABEL
from fashion_ddpm.diffusion.loss import (
    Draws,
    laplace_probabilities,
    loss_per_image,
    min_snr_weight,
    sample_draws,
)
from fashion_ddpm.diffusion.schedules import alpha_bars, build_noise_scheduler, log_snr

PREDICTIONS = ("v_prediction", "epsilon", "sample")


def make_draws(count: int = 64) -> Draws:
    shape = torch.Size((count, 1, 4, 4))
    return sample_draws(shape, 1000, 0.1, torch.Generator().manual_seed(0))


def perfect(scheduler: DDPMScheduler, clean: Tensor, draws: Draws) -> Tensor:
    """What a network that knows the image would answer, from the definitions."""
    alpha_bar = scheduler.alphas_cumprod[draws.timesteps].view(-1, 1, 1, 1)
    return {
        "v_prediction": alpha_bar.sqrt() * draws.noise - (1 - alpha_bar).sqrt() * clean,
        "epsilon": draws.noise,
        "sample": clean,
    }[scheduler.config["prediction_type"]]


@pytest.mark.parametrize("kind", PREDICTIONS)
def test_a_perfect_network_has_no_loss_and_another_one_its_squared_error(kind: str) -> None:
    scheduler, draws = build_noise_scheduler("cosine", prediction_type=kind), make_draws()
    clean = torch.rand(64, 1, 4, 4) * 2 - 1
    right = perfect(scheduler, clean, draws)
    labels = torch.zeros(64, dtype=torch.long)
    for shift in (0.0, 0.5):
        network = partial(lambda s, x, t, y: right + s, shift)
        losses = loss_per_image(network, scheduler, clean, labels, draws, NULL_LABEL)
        assert torch.allclose(losses, torch.full((64,), shift**2), atol=1e-6)


def test_dropped_labels_become_the_null_label_and_no_others_change() -> None:
    draws, labels = make_draws(500), torch.arange(500) % 10
    seen: list[Tensor] = []

    def predict(x: Tensor, timesteps: Tensor, labels: Tensor) -> Tensor:
        seen.append(labels)
        return x

    clean = torch.zeros(500, 1, 4, 4)
    loss_per_image(predict, build_noise_scheduler("cosine"), clean, labels, draws, NULL_LABEL)
    assert torch.all(seen[0][draws.dropped] == NULL_LABEL)
    assert torch.equal(seen[0][~draws.dropped], labels[~draws.dropped])
    assert 20 < draws.dropped.sum() < 90


def test_draws_cover_all_timesteps_and_repeat_with_their_seed() -> None:
    draws, again = make_draws(5000), make_draws(5000)
    assert torch.equal(draws.noise, again.noise)
    assert draws.timesteps.min() < 10
    assert draws.timesteps.max() > 989
    assert torch.equal(draws[2:5].noise, draws.noise[2:5])


@pytest.mark.parametrize("kind", PREDICTIONS)
def test_min_snr_weighs_the_clean_image_the_same_in_every_prediction(kind: str) -> None:
    """Whatever is predicted, an error in x_0 counts min(SNR, γ), plus 1 in the safe forms."""
    scheduler = build_noise_scheduler("cosine", prediction_type=kind)
    timesteps = torch.tensor([5, 300, 700, 990])
    snr = scheduler.alphas_cumprod[timesteps] / (1 - scheduler.alphas_cumprod[timesteps])
    in_clean = {"v_prediction": snr + 1, "epsilon": snr, "sample": torch.ones(4)}[kind]
    safe = 0 if kind == "epsilon" else 1
    weight = min_snr_weight(scheduler, timesteps, gamma=5.0)
    assert torch.allclose(weight * in_clean, snr.clamp(max=5) + safe, rtol=1e-4)


def test_the_safe_weight_of_pure_noise_is_one_for_v_prediction() -> None:
    weight = min_snr_weight(build_noise_scheduler("cosine"), torch.tensor([999]), gamma=5.0)
    assert weight.item() == pytest.approx(1.0)


def test_laplace_timesteps_follow_the_density_of_log_snr_and_reach_every_level() -> None:
    training = build_noise_scheduler("cosine")
    probabilities = laplace_probabilities(training, scale=1.0)
    assert probabilities.sum() == pytest.approx(1)
    assert probabilities.min() >= 0.1 / 1000
    levels = torch.from_numpy(log_snr(alpha_bars(training)))
    # Nine tenths of the mass, of which 1 − 1/e lies within one scale of 0, and the uniform tenth.
    near = levels.abs() < 1
    expected = 0.9 * (1 - 1 / torch.e) + 0.1 * near.float().mean()
    assert probabilities[near].sum() == pytest.approx(float(expected), abs=0.01)
    drawn = sample_draws(torch.Size((20_000, 1, 1, 1)), 1000, 0.0, torch.Generator(), probabilities)
    share = near[drawn.timesteps].float().mean()
    assert share == pytest.approx(float(expected), abs=0.02)
