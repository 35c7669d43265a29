"""Several processes share one job: accelerate's PartialState, and everyone's parts together."""

import os
import sys
from collections.abc import Iterator
from typing import TypeVar

import torch
from accelerate import PartialState
from accelerate.utils import gather_object, parse_flag_from_env

Part = TypeVar("Part")


def this_process(only_cuda: bool = True) -> PartialState:
    """Join the processes that accelerate launch or torchrun started; alone, it is rank 0 of 1.

    Args:
        only_cuda: whether to compute on the CPU where there is another accelerator than CUDA's.
    """
    return PartialState(cpu=uses_cpu(only_cuda))


def uses_cpu(only_cuda: bool = True) -> bool:
    """Return whether to compute on the CPU: where there is no GPU, or accelerate is told to."""
    asked = parse_flag_from_env("ACCELERATE_USE_CPU")
    return asked or (only_cuda and not torch.cuda.is_available())


def gather_parts(part: Part) -> list[Part]:
    """Return the parts of all processes, in the order of ranks, to each of them."""
    return list(gather_object([part]))


def process_lines(ranks: PartialState) -> Iterator[str]:
    """Yield how many processes there are, and a warning where more were asked for."""
    yield f"processes: {ranks.num_processes}, the first on {ranks.device}"
    # For several processes accelerate launch sets the address at which they would meet, and
    # with --cpu then starts one; every launcher that starts several tells them WORLD_SIZE.
    alone = ranks.num_processes == 1
    if alone and "MASTER_ADDR" in os.environ and "WORLD_SIZE" not in os.environ:
        yield (
            "warning: this is one process alone, though MASTER_ADDR announces several "
            "(accelerate launch --cpu starts one, whatever --num_processes says); on CPUs "
            "launch them with ACCELERATE_USE_CPU=true torchrun --nproc_per_node N"
        )


def print_processes(ranks: PartialState) -> None:
    """Print those lines, once for all processes."""
    if ranks.is_main_process:
        print("\n".join(process_lines(ranks)), file=sys.stderr)
