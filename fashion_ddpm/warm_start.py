"""A new run may begin with the weights of a published checkpoint instead of random ones."""

from typing import Any

from diffusers import UNet2DModel

from fashion_ddpm.config import TrainConfig
from fashion_ddpm.labels import FASHION_MNIST, ImageKind
from fashion_ddpm.model import build_unet
from fashion_ddpm.pipeline import load_pipeline, read_run
from fashion_ddpm.settings import ConfigError


def initial_unet(config: TrainConfig, kind: ImageKind = FASHION_MNIST) -> UNet2DModel:
    """Returns the network a run starts with: random weights, or those of --initial-checkpoint.

    Args:
        config: the run.
        kind: what it shall draw.

    Raises:
        ConfigError: the checkpoint's network has another shape than the run's.
        CheckpointError: the checkpoint cannot be loaded.
    """
    unet = build_unet(config, kind)
    if config.initial_checkpoint:
        initial = load_pipeline(config.initial_checkpoint)
        if initial.kind != kind:
            raise ConfigError(
                f"--initial-checkpoint {config.initial_checkpoint} draws {initial.kind}, but the "
                f"data set has {kind}; start from random weights, or name another."
            )
        published = initial.unet
        try:
            unet.load_state_dict(published.state_dict())
        except RuntimeError as error:
            raise ConfigError(
                f"--initial-checkpoint {config.initial_checkpoint} holds a network of "
                f"{list(published.config['block_out_channels'])} channels and "
                f"{published.config['layers_per_block']} layers a block that does not fit "
                "this run's settings; give the settings in its run.json."
            ) from error
    return unet


def earlier_runs(config: TrainConfig) -> dict[str, Any]:
    """Returns what run.json says of the training before this run, or an empty dict."""
    if not config.initial_checkpoint:
        return {}
    before = read_run(config.initial_checkpoint)
    kept = ("images_seen", "commit", "device", "started_from")
    return {"started_from": {name: before[name] for name in kept if name in before}}
