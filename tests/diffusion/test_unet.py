"""Tests of the network's construction."""

import pytest
import torch

from fashion_ddpm.core.config import TrainConfig, make_train_config
from fashion_ddpm.core.image_kind import FASHION_MNIST, ImageKind
from fashion_ddpm.core.settings import ConfigError
from fashion_ddpm.diffusion.unet import build_unet, training_layout


def test_the_class_embedding_has_a_row_for_the_null_label() -> None:
    assert build_unet(TrainConfig(), kind=FASHION_MNIST).class_embedding.weight.shape[0] == 11


@pytest.mark.parametrize("preset", ["smoke", "cpu", "gpu"])
def test_every_preset_builds_a_network_that_keeps_the_shape(preset: str) -> None:
    unet = build_unet(make_train_config(preset, {}), kind=FASHION_MNIST).eval()
    with torch.no_grad():
        output = unet(torch.randn(2, 1, 28, 28), torch.tensor([3.5, 900.0]), torch.tensor([0, 10]))
    assert output.sample.shape == (2, 1, 28, 28)


def test_attention_sits_where_it_was_asked_for() -> None:
    unet = build_unet(TrainConfig(attention_resolutions=(14, 7)), kind=FASHION_MNIST)
    assert unet.config["down_block_types"] == (
        "DownBlock2D",
        "AttnDownBlock2D",
        "AttnDownBlock2D",
    )


def test_the_label_and_the_noise_level_change_the_output() -> None:
    torch.manual_seed(0)
    unet = build_unet(make_train_config("smoke", {}), kind=FASHION_MNIST).eval()
    x = torch.randn(1, 1, 28, 28)

    def output(timestep: float, label: int) -> torch.Tensor:
        with torch.no_grad():
            return unet(x, torch.tensor([timestep]), torch.tensor([label])).sample

    assert not torch.allclose(output(100, 0), output(100, 1))
    assert not torch.allclose(output(100, 0), output(900, 0))


@pytest.mark.parametrize(
    "changes",
    [
        {"attention_resolutions": (8,)},
        {"block_out_channels": (32, 64, 128, 128)},
        {"block_out_channels": (32, 30)},
    ],
)
def test_a_network_that_cannot_be_built_costs_one_sentence(changes: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="--"):
        build_unet(TrainConfig(**changes), kind=FASHION_MNIST)  # type: ignore[arg-type]


def test_the_layout_for_training_changes_neither_outputs_nor_gradients() -> None:
    torch.manual_seed(0)
    fused = build_unet(make_train_config("smoke", {}), kind=FASHION_MNIST)
    plain = build_unet(make_train_config("smoke", {}), kind=FASHION_MNIST)
    plain.load_state_dict(fused.state_dict())
    assert training_layout(plain, torch.device("cpu")) is torch.contiguous_format
    x = torch.randn(4, 1, 28, 28)
    for unet in (fused, plain):
        unet(x, torch.arange(4) * 250, torch.arange(4)).sample.square().mean().backward()
    for (name, expected), other in zip(fused.named_parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(other.grad, expected.grad, rtol=1e-4, atol=1e-6, msg=name)


def test_size_colours_and_classes_come_from_the_kind_of_images() -> None:
    kind = ImageKind(("on", "off"), image_size=32, channels=3)
    config = make_train_config("smoke", {"attention_resolutions": (8,)})
    unet = build_unet(config, kind).eval()
    assert unet.config["sample_size"] == 32
    assert unet.class_embedding.weight.shape[0] == 3
    with torch.no_grad():
        output = unet(torch.randn(1, 3, 32, 32), torch.tensor([5.0]), torch.tensor([2]))
    assert output.sample.shape == (1, 3, 32, 32)


def test_attention_where_no_level_is_names_the_levels() -> None:
    kind = ImageKind(("on",), image_size=32, channels=1)
    expected = "allowed are 32, 16, 8: give --attention-resolutions 8"
    with pytest.raises(ConfigError, match=expected):
        build_unet(make_train_config("smoke", {}), kind)
    with pytest.raises(ConfigError, match="28 pixels cannot be halved 3 times"):
        build_unet(TrainConfig(block_out_channels=(8, 8, 8, 8)), kind=FASHION_MNIST)


def test_zero_init_makes_the_network_begin_with_nothing() -> None:
    unet = build_unet(make_train_config("smoke", {"zero_init": True}), kind=FASHION_MNIST)
    x, timesteps, labels = torch.randn(2, 1, 28, 28), torch.tensor([0, 999]), torch.tensor([0, 1])
    assert torch.all(unet(x, timesteps, labels).sample == 0)
