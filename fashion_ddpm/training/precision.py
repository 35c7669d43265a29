"""Whether a run trains in bfloat16 or in float32: the faster of the two on this machine."""

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
from fashion_ddpm.core.step_plan import micro_batch_size
from fashion_ddpm.diffusion.unet import build_unet, training_layout
from fashion_ddpm.training.run_folder import RunFolder

TIMED_STEPS = 3
"""Steps that are timed in each format, in turns, after one that is not."""

MAX_CPU_IMAGES = 16
"""Most images of a timed step on a CPU, where a whole batch may take many seconds."""


@dataclass(frozen=True)
class Precision:
    """The format that a run trains in on one machine.

    Attributes:
        machine: the processor or accelerator that this holds for.
        mixed_precision: what accelerate is told: "no" or "bf16".
        reason: why, in words.
    """

    machine: str
    mixed_precision: str
    reason: str


def choose_precision(config: TrainConfig, kind: ImageKind, ranks: PartialState) -> Precision:
    """Return what accelerate is told about mixed precision; all processes get the same answer.

    What was measured is written into the run's folder by the caller. On the same machine a run
    that goes on keeps it, and so does its cool-down: a repeated command gives the same weights.

    Args:
        config: the run; a precision that it names is taken as it is.
        kind: what the images are.
        ranks: this process among all.
    """
    machine = machine_name(ranks.device)
    if config.mixed_precision != "auto":
        return Precision(machine, config.mixed_precision, "as --mixed-precision says")
    # Settings that no network can have are refused here, by every process alike.
    unet = build_unet(config, kind)
    answer = None
    if ranks.is_main_process:
        answer = _read_measured(config, machine) or _measure(unet, config, ranks, machine)
    return next(found for found in gather_parts(answer) if found)


def _read_measured(config: TrainConfig, machine: str) -> Precision | None:
    """Return what was measured for this run, or for the run that it cools down, on this machine."""
    folders = [RunFolder(config.output_dir)]
    if config.from_state:
        source = Path(config.from_state)
        folders += [RunFolder(source), RunFolder(source.parent.parent)]
    found = [precision for folder in folders if (precision := read_precision(folder))]
    return next((precision for precision in found if precision.machine == machine), None)


def read_precision(folder: RunFolder) -> Precision | None:
    """Return what was measured for the run in a folder, or None."""
    try:
        found = Precision(**read_object(folder.precision, "delete it"))
    except (FileError, TypeError):
        return None  # it can be measured again
    return found if found.mixed_precision in ("no", "bf16") else None


def write_precision(folder: RunFolder, precision: Precision) -> None:
    """Remember what was measured."""
    write_object(folder.precision, vars(precision))


def machine_name(device: torch.device) -> str:
    """Return the name of the accelerator, or of the processor and what it can do with bfloat16."""
    if device.type == "cuda":
        return str(torch.cuda.get_device_name(device))
    found = torch.cpu.get_capabilities()
    formats = [name for name in ("amx_bf16", "avx512_bf16") if found.get(name)]
    return " ".join([str(found.get("cpu_name", "CPU")), *formats])


def _measure(
    unet: UNet2DModel, config: TrainConfig, ranks: PartialState, machine: str
) -> Precision:
    """Time steps in both formats, unless the device knows no bfloat16."""
    device = ranks.device
    native = device.type == "cpu" or (
        device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    )
    if not native:
        return Precision(machine, "no", f"{machine} has no bfloat16")
    rows = micro_batch_size(config, ranks.num_processes)
    rows = min(rows, MAX_CPU_IMAGES) if device.type == "cpu" else rows
    unet = unet.to(device)
    seconds = measure_step_seconds(unet, rows)
    reason = (
        f"a step of {rows} images takes {seconds['no']:.3f} s in float32 and "
        f"{seconds['bf16']:.3f} s in bf16 on {machine}"
    )
    return Precision(machine, min(seconds, key=seconds.__getitem__), reason)


def measure_step_seconds(unet: UNet2DModel, rows: int) -> dict[str, float]:
    """Return the shortest time of a forward and backward pass by precision, seconds.

    The formats take turns and the shortest time of each counts, so that other work on the machine
    does not decide.

    Args:
        unet: the network, on its device.
        rows: images a step.
    """
    layout = training_layout(unet, unet.device)
    times: dict[str, list[float]] = {"no": [], "bf16": []}
    for _ in range(1 + TIMED_STEPS):
        for name, seconds in times.items():
            seconds.append(_time_step(unet, rows, layout, name == "bf16"))
    return {name: min(seconds[1:]) for name, seconds in times.items()}


def _time_step(unet: UNet2DModel, rows: int, layout: torch.memory_format, bf16: bool) -> float:
    """Return the time of one forward and backward pass, seconds."""
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
