"""The choice of bfloat16 or float32 for a run: the faster of the two on this machine."""

import time
from dataclasses import dataclass
from pathlib import Path

import torch
from accelerate import PartialState
from diffusers import UNet2DModel

from fashion_ddpm.core.config import TrainConfig
from fashion_ddpm.core.distributed import gather_parts
from fashion_ddpm.core.image_kind import ImageKind
from fashion_ddpm.core.json_files import FileError, read_object, write_object
from fashion_ddpm.core.provenance import machine_name
from fashion_ddpm.core.step_plan import micro_batch_size
from fashion_ddpm.diffusion.unet import build_unet, training_layout
from fashion_ddpm.training.run_folder import RunFolder

TIMED_STEPS = 3
"""Most timed steps in each format, alternating, after one warm-up step."""

CLEAR_RATIO = 2.0
"""Timing ends when all steps of one format took longer than all of the other by this factor."""

MAX_CPU_IMAGES = 16
"""Most images of a timed step on a CPU, where a full batch may take many seconds."""


@dataclass(frozen=True)
class Precision:
    """The number format in which a run trains on one machine.

    Attributes:
        machine: name of the processor or accelerator.
        mixed_precision: the argument of accelerate: "no" or "bf16".
        reason: why, in words.
    """

    machine: str
    mixed_precision: str
    reason: str


def choose_precision(config: TrainConfig, kind: ImageKind, ranks: PartialState) -> Precision:
    """Return the mixed precision of a run, the same in all processes.

    The caller writes it into the run's folder. A run that is resumed on the same machine, and its
    cool-down, use it again, so that a repeated command gives the same weights.

    Args:
        config: the run; measured only if its mixed_precision is "auto".
        kind: the kind of images.
        ranks: accelerate's state of this process.
    """
    machine = machine_name(ranks.device)
    if config.mixed_precision != "auto":
        return Precision(machine, config.mixed_precision, "as --mixed-precision says")
    unet = build_unet(config, kind)  # on all processes, so that all raise on invalid settings
    precision = None
    if ranks.is_main_process:
        precision = _read_measured(config, machine) or _measure(unet, config, ranks, machine)
    return next(filter(None, gather_parts(precision)))


def _read_measured(config: TrainConfig, machine: str) -> Precision | None:
    """Return what was measured on this machine for this run or for the run that it cools down."""
    folders = [RunFolder(config.output_dir)]
    if config.from_state:
        source = Path(config.from_state)
        folders += [RunFolder(source), RunFolder(source.parent.parent)]
    found = [precision for folder in folders if (precision := read_precision(folder))]
    return next((precision for precision in found if precision.machine == machine), None)


def read_precision(folder: RunFolder) -> Precision | None:
    """Return what was measured for the run in a folder, or None if that cannot be read."""
    try:
        found = Precision(**read_object(folder.precision, "delete it"))
    except (FileError, TypeError):
        return None
    return found if found.mixed_precision in ("no", "bf16") else None


def write_precision(folder: RunFolder, precision: Precision) -> None:
    """Write the precision into the run's folder."""
    write_object(folder.precision, vars(precision))


def _measure(
    unet: UNet2DModel, config: TrainConfig, ranks: PartialState, machine: str
) -> Precision:
    """Time steps in both formats, unless the device does not support bfloat16."""
    device = ranks.device
    has_bf16 = device.type == "cpu" or (
        device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    )
    if not has_bf16:
        return Precision(machine, "no", f"{machine} has no bfloat16")
    rows = micro_batch_size(config, ranks.num_processes)
    rows = min(rows, MAX_CPU_IMAGES) if device.type == "cpu" else rows
    seconds = measure_step_seconds(unet.to(device), rows)
    reason = (
        f"a step of {rows} images takes {seconds['no']:.3f} s in float32 and "
        f"{seconds['bf16']:.3f} s in bf16 on {machine}"
    )
    return Precision(machine, min(seconds, key=seconds.__getitem__), reason)


def measure_step_seconds(unet: UNet2DModel, rows: int) -> dict[str, float]:
    """Return the time of a forward and backward pass in seconds, by precision.

    The formats alternate and the shortest time of each counts, so that other load on the machine
    has little influence. A format that is clearly slower is not waited for again.

    Args:
        unet: the network, on its device.
        rows: images per step.
    """
    layout = training_layout(unet, unet.device)
    times: dict[str, list[float]] = {"no": [], "bf16": []}
    for _ in range(1 + TIMED_STEPS):
        for name, seconds in times.items():
            seconds.append(_time_step(unet, rows, layout, name == "bf16"))
        faster, slower = sorted(times.values(), key=min)
        if len(faster) > 1 and min(slower) > CLEAR_RATIO * max(faster):
            break
    return {name: min(seconds[1:]) for name, seconds in times.items()}


def _time_step(unet: UNet2DModel, rows: int, layout: torch.memory_format, bf16: bool) -> float:
    """Return the time of one forward and backward pass in seconds."""
    device, config = unet.device, unet.config
    shape = (rows, config["in_channels"], config["sample_size"], config["sample_size"])
    x = torch.randn(shape, device=device).contiguous(memory_format=layout)
    labels = torch.arange(rows, device=device) % config["num_class_embeds"]
    begin = time.perf_counter()
    with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
        output = unet(x, labels, labels).sample
    output.float().square().mean().backward()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - begin
