"""Several processes share one job: which part is this one's, and everyone's parts together."""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import torch
from accelerate import PartialState
from accelerate.utils import gather_object, parse_flag_from_env

Part = TypeVar("Part")


@dataclass(frozen=True)
class Ranks:
    """This process among all that were launched together.

    Attributes:
        rank: 0 … count − 1; rank 0 writes and prints.
        count: number of processes.
        device: where this process computes.
    """

    rank: int
    count: int
    device: torch.device

    @property
    def is_main(self) -> bool:
        """Whether this is the process that writes and prints."""
        return self.rank == 0

    def lines(self) -> Iterator[str]:
        """Yield how many processes there are, and a warning where more were asked for."""
        yield f"processes: {self.count}, the first on {self.device}"
        # For several processes accelerate launch sets the address at which they would meet, and
        # with --cpu then starts one; every launcher that starts several tells them WORLD_SIZE.
        if self.count == 1 and "MASTER_ADDR" in os.environ and "WORLD_SIZE" not in os.environ:
            yield (
                "warning: this is one process alone, though MASTER_ADDR announces several "
                "(accelerate launch --cpu starts one, whatever --num_processes says); on CPUs "
                "launch them with ACCELERATE_USE_CPU=true torchrun --nproc_per_node N"
            )

    def tell(self) -> None:
        """Print those lines, once for all processes."""
        if self.is_main:
            print("\n".join(self.lines()), file=sys.stderr)

    def share(self, total: int) -> range:
        """Return this process's indices of a job: rank, rank + count, rank + 2 count and so on."""
        return range(self.rank, total, self.count)

    def together(self, part: Part) -> list[Part]:
        """Return the parts of all processes, in the order of ranks, to each of them."""
        return list(gather_object([part])) if self.count > 1 else [part]


def this_process(only_cuda: bool = True) -> Ranks:
    """Join the processes that accelerate launch or torchrun started; alone, it is rank 0 of 1.

    Args:
        only_cuda: whether to compute on the CPU where there is another accelerator than CUDA's.
    """
    state = PartialState(cpu=uses_cpu(only_cuda))
    return Ranks(state.process_index, state.num_processes, state.device)


def uses_cpu(only_cuda: bool = True) -> bool:
    """Return whether to compute on the CPU: where there is no GPU, or accelerate is told to."""
    told = parse_flag_from_env("ACCELERATE_USE_CPU")
    return told or (only_cuda and not torch.cuda.is_available())
