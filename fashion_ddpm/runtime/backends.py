"""Faster backends for the network: larger calls, OpenVINO; each draws the same images."""

import copy
import functools
import importlib.util
import statistics
import sys
import time
import warnings
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import torch
from diffusers import UNet2DModel
from torch import Tensor, nn

from fashion_ddpm.core.errors import UserError, reason
from fashion_ddpm.diffusion.loss import Predictor
from fashion_ddpm.diffusion.sampling import CPU_CHUNK, chunked, in_chunks

BACKENDS = ("auto", "eager", "openvino")
"""auto: OpenVINO where it is installed and pays."""

WORTH = 1.2
"""How many times as fast as eager another backend must be to be taken."""

TOLERANCE = 1e-3
"""Largest difference to eager's output (which lies around ±1) that float32 can cause."""

MOST_ROWS = 32
"""Most rows of a call on a CPU: more make an image hardly cheaper, but every step longer."""

REPEATS = 5

Inputs = tuple[Tensor, Tensor, Tensor]
"""x_t, timesteps and labels."""


class BackendError(UserError):
    """A backend cannot be used; the message is one sentence with the fix."""


def check_backend(name: str) -> None:
    """Raise BackendError for a backend whose package is not installed."""
    if name == "openvino" and not _installed():
        raise BackendError(
            "--backend is openvino, which is not installed; run pip install openvino, or use "
            "--backend eager."
        )


@dataclass(frozen=True)
class Backend:
    """What runs a network, drawing the same images.

    Attributes:
        predict: the network.
        rows: most rows of a call.
        runtime: what runs it, for people.
    """

    predict: Predictor
    rows: int
    runtime: str


def faster_backend(unet: UNet2DModel, name: str = "auto") -> Backend | None:
    """Return a backend that runs a network faster, or None where eager PyTorch is the fastest.

    Making one takes seconds; the network may work meanwhile.

    Args:
        unet: on the CPU, float32; on anything else it stays as it is.
        name: one of BACKENDS; whatever is named is taken, however fast.

    Raises:
        BackendError: it is not installed, or cannot run this network.
    """
    check_backend(name)
    if unet.device.type != "cpu":
        return None
    by_openvino = _by_openvino(unet, name) if name != "eager" and _installed() else None
    return by_openvino or _in_larger_calls(unet)


def _by_openvino(unet: UNet2DModel, name: str) -> Backend | None:
    """Return OpenVINO as backend if it was asked for by name, or pays."""
    try:
        candidate = openvino_predictor(unet)
    except Exception as error:  # whatever somebody else's compiler has to say
        raise BackendError(
            f"OpenVINO cannot run this network ({reason(error)}); it runs as before, as it does "
            "with --backend eager."
        ) from error
    if name == "auto" and speed_up(in_chunks(unet), candidate, example_inputs(unet)) < WORTH:
        return None
    return Backend(candidate, CPU_CHUNK, "OpenVINO")


@torch.no_grad()
def _in_larger_calls(unet: UNet2DModel) -> Backend | None:
    """Return the network in the largest calls that round as calls of CPU_CHUNK rows do."""
    inputs = example_inputs(unet, MOST_ROWS)
    wanted, rows = in_chunks(unet)(*inputs), CPU_CHUNK
    while rows < MOST_ROWS:
        more = rows + CPU_CHUNK
        if not torch.equal(unet(*(part[:more] for part in inputs)).sample, wanted[:more]):
            break
        rows = more
    return Backend(in_chunks(unet, rows), rows, "PyTorch") if rows > CPU_CHUNK else None


def _installed() -> bool:
    return importlib.util.find_spec("openvino") is not None


@functools.cache
def _openvino() -> tuple[ModuleType, Any]:
    """Return OpenVINO and its core, which is never given up.

    The thread that first compiles gets the core's memory as its stack for signals. Were another
    thread the last to use the core, that memory would go, and the next signal end the process.
    """
    # It would tell Google of every conversion; what cannot be imported cannot tell.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino, openvino.Core()


class OutputAlone(nn.Module):
    """A network that returns its output bare, as exporters want it."""

    def __init__(self, unet: UNet2DModel) -> None:
        super().__init__()
        self.unet = unet

    def forward(self, x: Tensor, timesteps: Tensor, labels: Tensor) -> Tensor:
        """Return what the network predicts: float32 [B, C, S, S]."""
        output: Tensor = self.unet(x, timesteps, labels, return_dict=False)[0]
        return output


def example_inputs(unet: UNet2DModel, rows: int = CPU_CHUNK) -> Inputs:
    """Return x_t, timesteps and labels of one call on a CPU, from a fixed seed."""
    generator, config = torch.Generator().manual_seed(0), unet.config
    shape = (rows, config["in_channels"], config["sample_size"], config["sample_size"])
    x = torch.randn(shape, generator=generator)
    labels = torch.arange(rows) % config["num_class_embeds"]
    return x, torch.linspace(0, 999, rows), labels


@torch.no_grad()
def openvino_predictor(unet: UNet2DModel) -> Predictor:
    """Return the network as OpenVINO runs it: in float32, in calls of CPU_CHUNK rows."""
    openvino, core = _openvino()
    inputs = example_inputs(unet)
    with warnings.catch_warnings(action="ignore"):  # of sizes that never change here
        network = OutputAlone(copy.deepcopy(unet)).eval()
        model = openvino.convert_model(network, example_input=inputs)
    model.reshape({index: list(rows.shape) for index, rows in enumerate(inputs)})
    settings = {
        "INFERENCE_PRECISION_HINT": "f32",  # or it takes bf16, which can be seen
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        "PERFORMANCE_HINT": "LATENCY",
    }
    request = core.compile_model(model, "CPU", settings).create_infer_request()

    def call(x: Tensor, timesteps: Tensor, labels: Tensor) -> Tensor:
        rows = (x.contiguous(), timesteps.float(), labels)
        request.infer([row.numpy() for row in rows], share_inputs=True)
        return torch.from_numpy(request.get_output_tensor().data.copy())

    return chunked(call)


@torch.no_grad()
def speed_up(eager: Predictor, candidate: Predictor, inputs: Inputs) -> float:
    """Return how many times as fast a candidate is, 0 if its output is another.

    The two take turns, so that what else the machine does slows both.
    """
    if not torch.allclose(eager(*inputs), candidate(*inputs), rtol=0, atol=TOLERANCE):
        return 0.0
    return statistics.median(
        _seconds(eager, inputs) / _seconds(candidate, inputs) for _ in range(REPEATS)
    )


def _seconds(predict: Predictor, inputs: Inputs) -> float:
    begin = time.perf_counter()
    predict(*inputs)
    return time.perf_counter() - begin
