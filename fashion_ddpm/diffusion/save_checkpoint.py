"""A trained network becomes a checkpoint folder: diffusers files, run.json, a few figures."""

import functools
import json
import platform
import subprocess
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from fashion_ddpm.checkpoints import atomic_folders
from fashion_ddpm.checkpoints.locate import RUN_FILE
from fashion_ddpm.core.config import AnyConfig, TrainConfig
from fashion_ddpm.core.paths import ROOT
from fashion_ddpm.core.settings import recorded
from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline

MAX_FILE_BYTES = 10_000_000
"""A plain push to a Space refuses larger files."""

LIBRARIES = (
    *("torch", "torchvision", "diffusers", "accelerate", "transformers", "safetensors"),
    "timm",
)


def publish(
    pipeline: FashionDDPMPipeline,
    folder: Path,
    config: TrainConfig,
    facts: Mapping[str, Any],
) -> None:
    """Writes a checkpoint folder, whole or not at all; in float16 where float32 is too large.

    Args:
        pipeline: the network with the weights to publish, and its noise schedule.
        folder: where to; an older checkpoint there is replaced.
        config: the run's settings.
        facts: what else run.json says: images seen, losses, device.
    """
    size = sum(parameter.numel() for parameter in pipeline.unet.parameters())
    half = size * 4 > MAX_FILE_BYTES
    temporary = atomic_folders.temporary_folder(folder)
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
    atomic_folders.seal(folder)


def provenance(config: AnyConfig) -> dict[str, Any]:
    """Returns what every run.json says of how it came to be: settings, versions, commit."""
    return {
        "config": recorded(config),
        "versions": library_versions(),
        "commit": current_commit(),
    }


def _half(unet: Any) -> Any:
    """Returns a float16 copy; the original goes on training."""
    copy = type(unet).from_config(unet.config)
    copy.load_state_dict(unet.state_dict())
    return copy.half()


def library_versions() -> dict[str, str]:
    """Returns the versions of the libraries that a checkpoint depends on, and Python's."""
    return {"python": platform.python_version()} | {name: version(name) for name in LIBRARIES}


def device_name(device: torch.device) -> str:
    """Returns the accelerator's name, or the CPU's architecture and number of threads."""
    if device.type == "cuda":
        return str(torch.cuda.get_device_name(device))
    return f"{device.type} ({platform.machine()}, {torch.get_num_threads()} threads a process)"


@functools.cache
def current_commit() -> str | None:
    """Returns the commit of this code, with "+changes" if files differ; None outside git.

    Asked when a run begins, it stays the same: the files may change while the run lasts.
    """
    try:
        command = ["git", "describe", "--always", "--abbrev=12", "--dirty=+changes", "--exclude=*"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        return done.stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
