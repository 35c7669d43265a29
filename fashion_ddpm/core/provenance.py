"""The provenance of a result: settings, versions, commit, device."""

import functools
import platform
import subprocess
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch

from fashion_ddpm.core.config import AnyConfig
from fashion_ddpm.core.paths import ROOT
from fashion_ddpm.core.settings import public_settings

LIBRARIES = (
    *("torch", "torchvision", "diffusers", "accelerate", "transformers", "safetensors"),
    *("timm", "openvino"),
)

INSTRUCTIONS = {
    "amx_bf16": "AMX",
    "avx512_bf16": "AVX512-bf16",
    "avx512_f": "AVX-512",
    "avx2": "AVX2",
}
"""Vector instructions, fastest first, by torch's names: they decide how fast a network is."""


def provenance(config: AnyConfig) -> dict[str, Any]:
    """Return the settings, versions and commit for a run.json."""
    return {
        "config": public_settings(config),
        "versions": library_versions(),
        "commit": current_commit(),
    }


def library_versions() -> dict[str, str]:
    """Return the versions of Python and of the installed libraries that results depend on."""
    versions = {"python": platform.python_version()}
    for name in LIBRARIES:
        with suppress(PackageNotFoundError):
            versions[name] = version(name)
    return versions


def machine_name(device: torch.device) -> str:
    """Return the GPU's name, or the CPU's with the fastest instructions that it has."""
    if device.type == "cuda":
        return str(torch.cuda.get_device_name(device))
    capabilities = torch.cpu.get_capabilities()
    name = str(capabilities.get("cpu_name", platform.machine()))
    fastest = next((text for key, text in INSTRUCTIONS.items() if capabilities.get(key)), None)
    return f"{name} with {fastest}" if fastest else name


def device_name(device: torch.device) -> str:
    """Return the machine's name, with the number of threads that a process has on a CPU."""
    name = machine_name(device)
    if device.type == "cuda":
        return name
    return f"{name}, threads a process: {torch.get_num_threads()}"


@functools.cache
def current_commit() -> str | None:
    """Return the commit of this code, with "+changes" if files differ; None outside a clone.

    Call it when a run begins: the result is cached, as files may change during the run.
    """
    if not (ROOT / ".git").exists():
        return None
    try:
        command = ["git", "describe", "--always", "--abbrev=12", "--dirty=+changes", "--exclude=*"]
        result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        return result.stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
