"""Is a folder a checkpoint of this package's kind, and is the loaded network what it says?"""

from pathlib import Path
from typing import Any

import torch
from diffusers import DDPMScheduler, UNet2DModel
from torch import nn

from fashion_ddpm.images import IMAGE_SIZE
from fashion_ddpm.labels import CLASS_NAMES, NULL_LABEL
from fashion_ddpm.weight_files import (
    WeightsError,
    check_finite,
    check_folder,
    check_shapes,
    read_config,
)

INDEX = "model_index.json"
UNET_WEIGHTS = "unet/diffusion_pytorch_model.safetensors"
PIPELINES = ("FashionDDPMPipeline", "DDPMPipeline")
PARTS = {"unet": ["diffusers", "UNet2DModel"], "scheduler": ["diffusers", "DDPMScheduler"]}
PREDICTIONS = ("epsilon", "sample", "v_prediction")


def check_files(folder: Path) -> dict[str, Any]:
    """Looks at a checkpoint's files before the network is built.

    Returns:
        What model_index.json says, with id2label, the class names by label ("0" → "T-shirt").

    Raises:
        WeightsError: a file is not what it must be, or asks for another class than this package's.
    """
    check_folder(folder, UNET_WEIGHTS)
    index = read_config(folder, INDEX, **PARTS)
    if index.get("_class_name") not in PIPELINES:
        raise WeightsError(
            f"{INDEX} asks for the class {index.get('_class_name')!r:.80}, but only "
            f"{' and '.join(PIPELINES)} are loaded; name a folder of that kind"
        )
    read_config(folder, "unet/config.json", _class_name="UNet2DModel")
    read_config(folder, "scheduler/scheduler_config.json", _class_name="DDPMScheduler")
    return {**index, "id2label": _class_names(index)}


def _class_names(index: dict[str, Any]) -> dict[str, str]:
    names = index.get("id2label") or {str(at): name for at, name in enumerate(CLASS_NAMES)}
    sound = isinstance(names, dict) and all(isinstance(name, str) for name in names.values())
    if not sound or set(names) != {str(label) for label in range(len(names))}:
        raise WeightsError(
            f"{INDEX} must give each label, from 0 on, a name in id2label; copy it anew from the "
            "checkpoint of these weights"
        )
    return dict(names)


def check_network(
    unet: UNet2DModel, scheduler: DDPMScheduler, id2label: dict[str, str], folder: Path
) -> None:
    """Looks whether a loaded network knows its classes, and has whole weights.

    Raises:
        WeightsError: it does not, or a weight is missing, of another shape, or not a number; or it
            draws other images than 28×28 grey ones of ten classes.
    """
    rows = unet.class_embedding.num_embeddings if _knows_classes(unet) else 0
    if rows != len(id2label) + 1:
        raise WeightsError(
            f"unet/config.json has {rows} class embeddings, but the {len(id2label)} classes of "
            f"{INDEX} and the null label need {len(id2label) + 1}; copy both from one checkpoint"
        )
    _check_kind(unet.config, len(id2label))
    check_shapes(unet, folder / UNET_WEIGHTS)
    check_finite(unet)
    _check_schedule(scheduler)


def _knows_classes(unet: UNet2DModel) -> bool:
    return isinstance(unet.class_embedding, nn.Embedding)


def _check_kind(config: dict[str, Any], classes: int) -> None:
    sizes = (config["sample_size"], config["in_channels"], config["out_channels"])
    if sizes != (IMAGE_SIZE, 1, 1):
        raise WeightsError(
            f"unet/config.json has sample_size, in_channels, out_channels {sizes}, but must have "
            f"{(IMAGE_SIZE, 1, 1)}; name a checkpoint of Fashion-MNIST"
        )
    if classes != NULL_LABEL:
        raise WeightsError(
            f"{INDEX} names {classes} classes, but must name {NULL_LABEL}; name a checkpoint of "
            "Fashion-MNIST"
        )


def _check_schedule(scheduler: DDPMScheduler) -> None:
    levels, kind = scheduler.alphas_cumprod, scheduler.config["prediction_type"]
    falling = len(levels) > 1 and bool((torch.diff(levels) < 0).all())
    if not (falling and levels[0] <= 1 and levels[-1] >= 0 and kind in PREDICTIONS):
        raise WeightsError(
            "scheduler/scheduler_config.json is no noise schedule: alpha-bar must fall from 1 to "
            f"0, and prediction_type must be one of {', '.join(PREDICTIONS)}; copy it anew from "
            "the checkpoint of these weights"
        )
