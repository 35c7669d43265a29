"""Training steps as one CUDA graph.

A step of this small network is thousands of short kernels, most of them Muon's. A CUDA graph
launches all of them at once, so that the GPU need not wait for Python.
"""

from collections.abc import Callable
from typing import Any

import torch
from accelerate import PartialState
from torch import Tensor

from fashion_ddpm.core.config import TrainConfig
from fashion_ddpm.diffusion.loss import Draws

WARM_UP_CALLS = 2
"""Eager steps before the capture, in which optimizer and libraries allocate what they need."""

Update = Callable[[Tensor, Tensor, Draws], tuple[Tensor, Tensor]]
"""(images [B, C, S, S], labels [B], draws) → the loss [] and the gradient's norm []."""


def can_graph_steps(config: TrainConfig, ranks: PartialState, mixed_precision: str) -> bool:
    """Return whether a run's steps can be one graph: on one CUDA device, always the same work.

    The loss of a distillation changes with its progress, float16 skips steps, and several
    processes, or parts of a batch, take part in one step.
    """
    return (
        ranks.device.type == "cuda"
        and ranks.num_processes == 1
        and config.gradient_accumulation_steps == 1
        and mixed_precision != "fp16"
        and not config.teacher
    )


def set_capturable(optimizer: torch.optim.Optimizer, capturable: bool) -> None:
    """Move an optimizer's learning rates and step counts to where its steps are run from.

    A graph reads them from the device. A state may have been saved by a run of the other kind.
    """
    for group in optimizer.param_groups:
        device = group["params"][0].device
        rate = float(group["lr"])
        group["capturable"] = capturable
        group["lr"] = torch.tensor(rate, device=device) if capturable else rate
        for parameter in group["params"]:
            state = optimizer.state.get(parameter, {})
            if "step" in state:
                state["step"] = state["step"].to(device if capturable else "cpu")


def set_learning_rate(optimizer: torch.optim.Optimizer, learning_rate: float) -> None:
    """Set the learning rate of all parameters; a graph reads it at its next launch."""
    for group in optimizer.param_groups:
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(learning_rate)
        else:
            group["lr"] = learning_rate


class GraphedUpdate:
    """An update that is captured as a CUDA graph after a few calls.

    Args:
        update: takes an optimizer step; its tensors must have the same shapes in each call.
    """

    def __init__(self, update: Update) -> None:
        self.update = update
        self.calls = 0
        self.graph: torch.cuda.CUDAGraph | None = None
        self.inputs: list[Tensor] = []
        self.outputs: Any = None

    def __call__(self, clean: Tensor, labels: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:
        """Take an optimizer step; the returned tensors hold until the next call."""
        inputs = [clean, labels, *vars(draws).values()]
        if self.calls < WARM_UP_CALLS:
            self.calls += 1
            return self._run_on_side_stream(inputs)
        if self.graph is None:
            self.graph = self._capture(inputs)
        for static, new in zip(self.inputs, inputs, strict=True):
            static.copy_(new)
        self.graph.replay()
        outputs: tuple[Tensor, Tensor] = self.outputs
        return outputs

    def _run_on_side_stream(self, inputs: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Run the update, as PyTorch asks for before a capture, outside the default stream."""
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            outputs = self._run(inputs)
        torch.cuda.current_stream().wait_stream(stream)
        return outputs

    def _run(self, inputs: list[Tensor]) -> tuple[Tensor, Tensor]:
        clean, labels, *draws = inputs
        return self.update(clean, labels, Draws(*draws))

    def _capture(self, inputs: list[Tensor]) -> torch.cuda.CUDAGraph:
        """Record the update, without running it, on copies of the inputs; return the graph."""
        self.inputs = [tensor.clone() for tensor in inputs]
        torch.cuda.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.outputs = self._run(self.inputs)
        return graph
