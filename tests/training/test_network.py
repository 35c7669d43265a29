"""Tests of the network during training."""

import dataclasses
from typing import Any

import pytest
import torch
from torch import Tensor

from fashion_ddpm.core.image_kind import FASHION_MNIST
from fashion_ddpm.core.images import to_model
from fashion_ddpm.data.labelled_images import LabelledImages
from fashion_ddpm.diffusion.loss import Draws, sample_draws
from fashion_ddpm.diffusion.schedules import build_noise_scheduler
from fashion_ddpm.diffusion.unet import build_unet
from fashion_ddpm.training.network import Network, build_optimizer
from tests.conftest import TINY


def small_network(**changes: Any) -> Network:
    torch.manual_seed(0)
    unet = build_unet(TINY, kind=FASHION_MNIST)
    config = dataclasses.replace(TINY, **changes)
    return Network(
        unet,
        unet,
        build_noise_scheduler("cosine"),
        torch.contiguous_format,
        config,
        kind=FASHION_MNIST,
    )


def make_batch(
    real_images: LabelledImages, label_dropout: float = 0.1
) -> tuple[Tensor, Tensor, Draws]:
    """Return eight images, their labels and the batch's draws."""
    generator = torch.Generator().manual_seed(0)
    draws = sample_draws(torch.Size((8, 1, 28, 28)), 1000, label_dropout, generator)
    return to_model(real_images.images[:8]), real_images.labels[:8], draws


def weights(network: Network) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in network.unet.parameters()])


def test_the_ema_weights_are_in_the_network_only_within_the_context(
    real_images: LabelledImages,
) -> None:
    network = small_network()
    first = weights(network)
    with torch.no_grad():
        for parameter in network.unet.parameters():
            parameter += 1
    with network.ema_pipeline() as pipeline:
        assert torch.equal(weights(network), first)
        assert not pipeline.unet.training
    assert torch.equal(weights(network), first + 1)
    assert network.unet.training


@pytest.mark.parametrize("optimizer_name", ["adamw", "muon"])
def test_a_step_of_the_optimizer_lowers_the_loss(
    real_images: LabelledImages, optimizer_name: str
) -> None:
    network = small_network()
    config = dataclasses.replace(TINY, learning_rate=1e-3, optimizer=optimizer_name)
    optimizer = build_optimizer(network.unet, config)
    losses = []
    for _ in range(2):
        loss = network.loss(*make_batch(real_images))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[1] < losses[0]


def test_the_loss_weighting_is_that_of_the_settings(real_images: LabelledImages) -> None:
    uniform, min_snr = (
        small_network(loss_weighting=kind).loss(*make_batch(real_images))
        for kind in ("uniform", "min-snr")
    )
    assert min_snr < uniform


def test_a_distillations_loss_falls_and_depends_on_how_far_the_run_is(
    real_images: LabelledImages,
) -> None:
    network = small_network(teacher="somewhere", label_dropout=0.0)
    optimizer = build_optimizer(network.unet, dataclasses.replace(TINY, learning_rate=1e-3))
    batch = make_batch(real_images, label_dropout=0.0)
    losses = []
    for _ in range(16):
        loss = network.loss(*batch, progress_fraction=0.5)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]
    start, end = (network.loss(*batch, fraction) for fraction in (0.0, 1.0))
    assert start != end
    assert network.validation_losses(*batch).mean() == end


def test_a_distilled_network_has_its_own_sampling_settings() -> None:
    with small_network(teacher="somewhere").ema_pipeline() as pipeline:
        assert pipeline.is_distilled
        assert pipeline.default_settings.sampler == "turbo"
    with small_network().ema_pipeline() as pipeline:
        assert not pipeline.is_distilled


def test_muon_takes_the_matrices_and_adamw_the_rest_the_first_and_the_last_layer() -> None:
    network = small_network()
    config = dataclasses.replace(TINY, optimizer="muon")
    optimizer = build_optimizer(network.unet, config)
    named = {id(parameter): name for name, parameter in network.unet.named_parameters()}
    matrices, rest = ({named[id(p)] for p in group["params"]} for group in optimizer.param_groups)
    assert matrices | rest == set(named.values())
    assert "down_blocks.0.resnets.0.conv1.weight" in matrices
    assert {"conv_in.weight", "conv_out.weight", "class_embedding.weight"} < rest
    assert not any(name.endswith("bias") for name in matrices)
    draws = network.draw(2, torch.Generator().manual_seed(0))
    network.loss(torch.zeros(2, 1, 28, 28), torch.zeros(2, dtype=torch.long), draws).backward()
    optimizer.step()
    states = {named[id(p)]: set(state) for p, state in optimizer.state.items()}
    assert all("momentum_buffer" in states[name] for name in matrices)
    assert all("exp_avg_sq" in states[name] for name in rest)
