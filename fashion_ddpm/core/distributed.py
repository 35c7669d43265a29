"""Multi-process runs: accelerate's PartialState, and gathering from all processes."""

import os
import sys
from collections.abc import Iterator
from typing import TypeVar

import torch
from accelerate import PartialState
from accelerate.utils import gather_object, parse_flag_from_env

Part = TypeVar("Part")


def this_process(only_cuda: bool = True) -> PartialState:
    """Join the processes of accelerate launch or torchrun; a single process is rank 0 of 1.

    Args:
        only_cuda: use the CPU instead of accelerators other than CUDA's.
    """
    return PartialState(cpu=uses_cpu(only_cuda))


def uses_cpu(only_cuda: bool = True) -> bool:
    """Return whether to use the CPU: without a GPU, or with ACCELERATE_USE_CPU."""
    requested = parse_flag_from_env("ACCELERATE_USE_CPU")
    return requested or (only_cuda and not torch.cuda.is_available())


def gather_parts(part: Part) -> list[Part]:
    """Return the parts of all processes, in rank order, on every process."""
    return list(gather_object([part]))


def process_lines(state: PartialState) -> Iterator[str]:
    """Yield the number of processes, and a warning where more were requested."""
    yield f"processes: {state.num_processes}, the first on {state.device}"
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
