"""Tests of autoguidance: where it changes nothing, and what it combines."""

import pytest
import torch
from torch import Tensor

from fashion_ddpm.autoguidance import autoguided
from fashion_ddpm.objective import Predictor
from fashion_ddpm.sampling import Midway, SamplingSettings, denoise
from fashion_ddpm.schedules import noise_scheduler


def network(x: Tensor, timesteps: Tensor, labels: Tensor) -> Tensor:
    """Predicts clean images that never leave the data's range, so that nothing is clamped."""
    return (x + timesteps.view(-1, 1, 1, 1) / 500).sin()


def weaker_network(x: Tensor, timesteps: Tensor, labels: Tensor) -> Tensor:
    return network(x, timesteps, labels) / 2


def small_network(x: Tensor, timesteps: Tensor, labels: Tensor) -> Tensor:
    return network(x, timesteps, labels) / 4


def sample_with(predict: Predictor) -> Tensor:
    """Returns one image of a network that predicts clean images."""
    training = noise_scheduler("cosine", prediction_type="sample")
    settings = SamplingSettings(num_inference_steps=5)
    *_, last = denoise(predict, training, torch.tensor([3]), [0], settings)
    return last.clean


def test_a_guide_of_scale_one_changes_nothing() -> None:
    guided = autoguided(network, weaker_network, scale=1.0)
    assert torch.equal(sample_with(guided), sample_with(network))


def test_the_network_as_its_own_guide_changes_nothing() -> None:
    guided = autoguided(network, network, scale=2.0)
    assert torch.equal(sample_with(guided), sample_with(network))


def test_a_guide_moves_the_image() -> None:
    guided = autoguided(network, weaker_network, scale=2.0)
    assert not torch.allclose(sample_with(guided), sample_with(network))


@pytest.mark.parametrize("prediction_type", ["v_prediction", "epsilon", "sample"])
def test_a_guide_combines_clean_images_whatever_the_network_predicts(prediction_type: str) -> None:
    training, labels = noise_scheduler("cosine", prediction_type=prediction_type), torch.tensor([3])
    # Little noise and small values, so that nothing is clamped.
    start = Midway(torch.linspace(-0.3, 0.3, 28 * 28).view(1, 1, 28, 28), alpha_bar=0.9)
    good, weak, guided = (
        next(denoise(predict, training, labels, [0], SamplingSettings(), start)).clean
        for predict in (
            small_network,
            lambda *inputs: small_network(*inputs) / 2,
            autoguided(small_network, lambda *inputs: small_network(*inputs) / 2, scale=1.5),
        )
    )
    assert torch.allclose(guided, weak + 1.5 * (good - weak), atol=1e-6)
