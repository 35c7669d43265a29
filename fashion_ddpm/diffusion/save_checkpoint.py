"""Write a checkpoint folder: diffusers files, run.json and a manifest."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fashion_ddpm.checkpoints import atomic_folders
from fashion_ddpm.checkpoints.locate import RUN_FILE
from fashion_ddpm.core.config import TrainConfig
from fashion_ddpm.core.provenance import provenance
from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline

MAX_FILE_BYTES = 10_000_000
"""A plain push to a Space refuses larger files."""


def save_checkpoint(
    pipeline: FashionDDPMPipeline,
    folder: Path,
    config: TrainConfig,
    facts: Mapping[str, Any],
) -> None:
    """Write a checkpoint folder atomically, in float16 if float32 exceeds MAX_FILE_BYTES.

    Args:
        pipeline: the network with the weights to publish, and its noise schedule.
        folder: an older checkpoint there is replaced.
        config: the run's settings.
        facts: further entries of run.json: images seen, losses, device.
    """
    size = sum(parameter.numel() for parameter in pipeline.unet.parameters())
    half = size * 4 > MAX_FILE_BYTES
    temporary = atomic_folders.create_temporary_folder(folder)
    if half:
        id2label = pipeline.config["id2label"]
        sampler = pipeline.config.get("sampler")
        pipeline = FashionDDPMPipeline(_half(pipeline.unet), pipeline.scheduler, id2label, sampler)
    pipeline.save_pretrained(temporary, safe_serialization=True)
    run = {
        "class_names": list(pipeline.class_names),
        "null_label": pipeline.kind.null_label,
        "image_size": pipeline.kind.image_size,
        "channels": pipeline.kind.channels,
        "pixel_range": [-1, 1],
        "weights": "float16" if half else "float32",
        "parameters": size,
        **provenance(config),
        **facts,
    }
    (temporary / RUN_FILE).write_text(json.dumps(run, indent=2) + "\n")
    atomic_folders.finalize_folder(folder)


def _half(unet: Any) -> Any:
    """Return a float16 copy; training continues with the original."""
    copy = type(unet).from_config(unet.config)
    copy.load_state_dict(unet.state_dict())
    return copy.half()
