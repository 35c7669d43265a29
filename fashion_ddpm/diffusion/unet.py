"""The architecture: a diffusers UNet2DModel with a class embedding, from a TrainConfig."""

import torch
from diffusers import UNet2DModel
from diffusers.models.attention_processor import Attention, AttnProcessor
from diffusers.models.resnet import ResnetBlock2D
from torch import nn

from fashion_ddpm.core.config import TrainConfig
from fashion_ddpm.core.image_kind import ImageKind
from fashion_ddpm.core.settings import ConfigError

GROUP_NORM_CHANNELS = 4
"""Fewest channels of a normalization group, as in EDM: a group is never a single channel."""


def build_unet(config: TrainConfig, kind: ImageKind) -> UNet2DModel:
    """Return a freshly initialised UNet: images [B, C, S, S], timestep [B], label [B] → images.

    Args:
        config: the network's settings.
        kind: classes, size and colours of its images.

    Raises:
        ConfigError: a channel count or an attention resolution does not fit the images.
    """
    channels = config.block_out_channels
    sides = _sides(kind.image_size, len(channels))
    unknown = sorted(set(config.attention_resolutions) - set(sides))
    if unknown:
        raise ConfigError(
            f"--attention-resolutions {' '.join(map(str, unknown))} is no side that images of "
            f"{kind.image_size} pixels have on {len(channels)} levels; allowed are "
            f"{', '.join(map(str, sides))}: give --attention-resolutions {sides[-1]}."
        )
    groups = min(32, channels[0] // GROUP_NORM_CHANNELS)
    if any(width % groups for width in channels):
        raise ConfigError(
            f"--block-out-channels {list(channels)} must all be multiples of {groups}, "
            "the number of group-norm groups."
        )
    attention = [side in config.attention_resolutions for side in sides]
    unet = UNet2DModel(
        sample_size=kind.image_size,
        in_channels=kind.channels,
        out_channels=kind.channels,
        block_out_channels=channels,
        layers_per_block=config.layers_per_block,
        down_block_types=tuple("AttnDownBlock2D" if a else "DownBlock2D" for a in attention),
        up_block_types=tuple("AttnUpBlock2D" if a else "UpBlock2D" for a in reversed(attention)),
        attention_head_dim=32 if channels[-1] % 32 == 0 else channels[-1],
        norm_num_groups=groups,
        dropout=config.dropout,
        resnet_time_scale_shift="scale_shift" if config.scale_shift else "default",
        num_class_embeds=kind.null_label + 1,
    )
    if config.zero_init:
        _zero_last_layers(unet)
    return unet


def _zero_last_layers(unet: UNet2DModel) -> None:
    """Zero the last layer of every residual block, of every attention and of the network."""
    last = [unet.conv_out]
    for module in unet.modules():
        if isinstance(module, ResnetBlock2D):
            last.append(module.conv2)
        elif isinstance(module, Attention):
            last.append(module.to_out[0])
    for layer in last:
        nn.init.zeros_(layer.weight)
        nn.init.zeros_(layer.bias)


def _sides(image_size: int, levels: int) -> list[int]:
    """Return the resolution of each level.

    Raises:
        ConfigError: the image size cannot be halved that often.
    """
    if image_size % 2 ** (levels - 1):
        raise ConfigError(
            f"--block-out-channels has {levels} numbers, one a level, but {image_size} pixels "
            f"cannot be halved {levels - 1} times: give fewer."
        )
    return [image_size >> level for level in range(levels)]


def training_layout(unet: UNet2DModel, device: torch.device) -> torch.memory_format:
    """Prepare the network to train fastest on a device, in place; its outputs stay the same.

    On a CPU the backward passes of fused attention and of group norms over channels-last memory
    are slow: unfused attention and contiguous memory train 1.5 times as fast
    (docs/experiments.md). On a GPU it is the other way round.

    Returns:
        The memory format that the network's inputs should have.
    """
    if device.type != "cpu":
        unet.to(memory_format=torch.channels_last)
        return torch.channels_last
    for module in unet.modules():
        if isinstance(module, Attention):
            module.set_processor(AttnProcessor())
    unet.to(memory_format=torch.contiguous_format)
    return torch.contiguous_format
