"""How a result came to be: settings, versions, commit, device."""

import functools
import platform
import subprocess
from importlib.metadata import version
from typing import Any

import torch

from fashion_ddpm.core.config import AnyConfig
from fashion_ddpm.core.paths import ROOT
from fashion_ddpm.core.settings import public_settings

LIBRARIES = (
    *("torch", "torchvision", "diffusers", "accelerate", "transformers", "safetensors"),
    "timm",
)


def provenance(config: AnyConfig) -> dict[str, Any]:
    """Return what every run.json says of how it came to be: settings, versions, commit."""
    return {
        "config": public_settings(config),
        "versions": library_versions(),
        "commit": current_commit(),
    }


def library_versions() -> dict[str, str]:
    """Return the versions of the libraries that a checkpoint depends on, and Python's."""
    return {"python": platform.python_version()} | {name: version(name) for name in LIBRARIES}


def device_name(device: torch.device) -> str:
    """Return the accelerator's name, or the CPU's architecture and number of threads."""
    if device.type == "cuda":
        return str(torch.cuda.get_device_name(device))
    return f"{device.type} ({platform.machine()}, {torch.get_num_threads()} threads a process)"


@functools.cache
def current_commit() -> str | None:
    """Return the commit of this code, with "+changes" if files differ; None outside git.

    Asked when a run begins, it stays the same: the files may change while the run lasts.
    """
    try:
        command = ["git", "describe", "--always", "--abbrev=12", "--dirty=+changes", "--exclude=*"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        return done.stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
