"""Checks of a checkpoint's files before loading, and of the loaded network."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from diffusers import DDPMScheduler, UNet2DModel
from torch import nn

from fashion_ddpm.checkpoints.errors import CheckpointError
from fashion_ddpm.checkpoints.weights import (
    COPY_HINT,
    check_finite,
    check_folder,
    check_shapes,
    read_config,
)
from fashion_ddpm.core.errors import reason
from fashion_ddpm.core.image_kind import CLASS_NAMES, FASHION_MNIST, ImageKind
from fashion_ddpm.core.settings import ConfigError

INDEX_FILE = "model_index.json"
UNET_WEIGHTS = "unet/diffusion_pytorch_model.safetensors"
STANDALONE_CLASS = ["pipeline", "ClassConditionalPipeline"]
"""What diffusers loads from pipeline.py, which this package never runs."""

PIPELINE_CLASSES = ("FashionDDPMPipeline", "DDPMPipeline")
SCHEDULER_CLASSES = ("DDPMScheduler", "LCMScheduler")
PREDICTION_TYPES = ("epsilon", "sample", "v_prediction")


def make_id2label(class_names: Sequence[str]) -> dict[str, str]:
    """Return label → class name for model_index.json; JSON needs strings as keys."""
    return {str(label): name for label, name in enumerate(class_names)}


def check_files(folder: Path) -> tuple[tuple[str, ...], str | None]:
    """Check a checkpoint's files before the network is built.

    Returns:
        The class names in label order, and the only sampler of a distilled network.

    Raises:
        CheckpointError: a file is invalid, or names a class of another package.
    """
    check_folder(folder, UNET_WEIGHTS)
    scheduler = read_config(folder, "scheduler/scheduler_config.json").get("_class_name")
    if scheduler not in SCHEDULER_CLASSES:
        raise CheckpointError(
            f"scheduler/scheduler_config.json asks for the class {scheduler!r:.80}, but only "
            f"{' and '.join(SCHEDULER_CLASSES)} are loaded; {COPY_HINT}"
        )
    components = {"unet": ["diffusers", "UNet2DModel"], "scheduler": ["diffusers", scheduler]}
    index = read_config(folder, INDEX_FILE, **components)
    if index.get("_class_name") not in (STANDALONE_CLASS, *PIPELINE_CLASSES):
        raise CheckpointError(
            f"{INDEX_FILE} asks for the class {index.get('_class_name')!r:.80}, but only "
            f"{', '.join((STANDALONE_CLASS[1], *PIPELINE_CLASSES))} are loaded; name a folder of "
            "that kind"
        )
    unet = read_config(folder, "unet/config.json", _class_name="UNet2DModel")
    expected = FASHION_MNIST.image_size, FASHION_MNIST.channels
    if "id2label" not in index and (unet.get("sample_size"), unet.get("in_channels")) != expected:
        raise CheckpointError(
            f"{INDEX_FILE} names no classes in id2label, and the images are not Fashion-MNIST's; "
            "add the names"
        )
    return parse_class_names(index), index.get("sampler")


def parse_class_names(index: dict[str, Any]) -> tuple[str, ...]:
    """Return the class names of a model_index.json in label order; by default, Fashion-MNIST's.

    Raises:
        CheckpointError: they are not the names of labels 0, 1, 2 and so on.
    """
    names = index.get("id2label") or make_id2label(CLASS_NAMES)
    is_valid = isinstance(names, dict) and all(isinstance(name, str) for name in names.values())
    labels = [str(label) for label in range(len(names))]
    if not is_valid or sorted(names) != sorted(labels):
        raise CheckpointError(
            f"{INDEX_FILE} must name the labels 0, 1, 2 and so on in id2label; {COPY_HINT}"
        )
    return tuple(names[label] for label in labels)


def check_network(
    unet: UNet2DModel, noise_scheduler: DDPMScheduler, folder: Path, names: tuple[str, ...]
) -> None:
    """Check a loaded network's sizes, classes, weights and noise schedule.

    Raises:
        CheckpointError: a size is wrong, or a weight is missing, misshapen or not finite.
    """
    config = unet.config
    try:
        kind = ImageKind(names, config["sample_size"], config["in_channels"])
    except (ConfigError, TypeError) as error:
        raise CheckpointError(f"{reason(error)}; {COPY_HINT}") from error
    if config["out_channels"] != kind.channels:
        raise CheckpointError(
            f"unet/config.json has in_channels {kind.channels}, but out_channels "
            f"{config['out_channels']}; {COPY_HINT}"
        )
    embedding = unet.class_embedding
    rows = embedding.num_embeddings if isinstance(embedding, nn.Embedding) else 0
    if rows != kind.null_label + 1:
        raise CheckpointError(
            f"unet/config.json has {rows} class embeddings, but {len(names)} classes and the null "
            f"label need {kind.null_label + 1}; copy both from one checkpoint"
        )
    check_shapes(unet, folder / UNET_WEIGHTS)
    check_finite(unet)
    _check_noise_schedule(noise_scheduler)


def _check_noise_schedule(noise_scheduler: DDPMScheduler) -> None:
    alpha_bar = noise_scheduler.alphas_cumprod
    falls = len(alpha_bar) > 1 and bool((torch.diff(alpha_bar) < 0).all())
    is_known = noise_scheduler.config["prediction_type"] in PREDICTION_TYPES
    if not (falls and alpha_bar[0] <= 1 and alpha_bar[-1] >= 0 and is_known):
        raise CheckpointError(
            "scheduler/scheduler_config.json is no noise schedule: alpha-bar must fall from 1 to "
            f"0, and prediction_type must be one of {', '.join(PREDICTION_TYPES)}; copy it "
            "anew from the checkpoint of these weights"
        )
