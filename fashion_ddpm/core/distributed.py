"""The device of all networks, accelerate's PartialState, and gathering from all processes."""

import os
import sys
from collections.abc import Iterator
from typing import TypeVar

import torch
from accelerate import PartialState
from accelerate.utils import gather_object, parse_flag_from_env

from fashion_ddpm.core.settings import ConfigError

DEVICE_VARIABLE = "ACCELERATE_TORCH_DEVICE"
"""accelerate takes its device from this variable."""

Part = TypeVar("Part")


def this_process() -> PartialState:
    """Join the processes of accelerate launch or torchrun; a single process is rank 0 of 1.

    Its device is that of all networks: of the demo, of generation, evaluation and training.

    Raises:
        ConfigError: the environment names a device that no network is tested on.
    """
    requested = os.environ.get(DEVICE_VARIABLE, "")
    if requested.partition(":")[0] not in ("", "cpu", "cuda"):
        raise ConfigError(
            f"{DEVICE_VARIABLE} is {requested!r}; it must be cpu or cuda, the only ones that "
            "networks are tested on: unset it."
        )
    return PartialState(cpu=uses_cpu())


def uses_cpu() -> bool:
    """Return whether to use the CPU: without a GPU of CUDA or ROCm, or with ACCELERATE_USE_CPU."""
    return parse_flag_from_env("ACCELERATE_USE_CPU") or not torch.cuda.is_available()


def gather_parts(part: Part) -> list[Part]:
    """Return the parts of all processes, in rank order, on every process."""
    return list(gather_object([part]))


def process_lines(state: PartialState) -> Iterator[str]:
    """Yield the number of processes, and notes where they, or the device, may be unexpected."""
    yield f"processes: {state.num_processes}, the first on {state.device}"
    if torch.backends.mps.is_available():
        yield "the GPU of this Mac (MPS) is not used: networks are tested on CPUs and CUDA alone"
    # accelerate launch --cpu sets MASTER_ADDR for several processes but starts one; launchers
    # that start several set WORLD_SIZE too.
    is_single = state.num_processes == 1
    if is_single and "MASTER_ADDR" in os.environ and "WORLD_SIZE" not in os.environ:
        yield (
            "warning: this is one process alone, though MASTER_ADDR announces several "
            "(accelerate launch --cpu starts one, whatever --num_processes says); on CPUs "
            "launch them with ACCELERATE_USE_CPU=true torchrun --nproc_per_node N"
        )


def print_processes(state: PartialState) -> None:
    """Print process_lines on the main process."""
    if state.is_main_process:
        print("\n".join(process_lines(state)), file=sys.stderr)
