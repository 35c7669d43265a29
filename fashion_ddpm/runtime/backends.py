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
from fashion_ddpm.diffusion.sampling import CPU_CHUNK, pad_chunks, unet_predictor

MIN_SPEED_UP = 1.2
"""Speed relative to eager from which auto chooses another backend."""

TOLERANCE = 1e-3
"""Largest difference to eager's output (of magnitude 1) that float32 rounding can cause."""

MAX_ROWS = 32
"""Largest batch of a call on a CPU: more rows hardly save time per image, but delay every step."""

REPEATS = 5

Inputs = tuple[Tensor, Tensor, Tensor]
"""x_t, timesteps and labels."""


class BackendError(UserError):
    """A backend cannot be used."""


def check_backend(name: str) -> None:
    """Raise BackendError for a backend whose package is not installed."""
    if name == "openvino" and not _is_openvino_installed():
        raise BackendError(
            "--backend is openvino, which is not installed; run pip install openvino, or use "
            "--backend eager."
        )


@dataclass(frozen=True)
class Backend:
    """A faster implementation of a network that gives the same images.

    Attributes:
        predict: the network.
        rows: largest batch of a call.
        runtime: its name in messages.
    """

    predict: Predictor
    rows: int
    runtime: str


def faster_backend(unet: UNet2DModel, name: str = "auto") -> Backend | None:
    """Return a backend that runs a network faster, or None where eager PyTorch is the fastest.

    This takes seconds, during which the network can be used.

    Args:
        unet: on the CPU, in float32; for others the answer is None.
        name: one of BACKENDS (core/config.py); openvino is used even if it is slower.

    Raises:
        BackendError: the backend is not installed, or cannot run this network.
    """
    check_backend(name)
    if unet.device.type != "cpu":
        return None
    by_openvino = _by_openvino(unet, name) if name != "eager" and _is_openvino_installed() else None
    return by_openvino or _with_larger_calls(unet)


def _by_openvino(unet: UNet2DModel, name: str) -> Backend | None:
    """Return OpenVINO as backend if it was asked for by name, or pays."""
    try:
        candidate = openvino_predictor(unet)
    except Exception as error:  # whatever somebody else's compiler has to say
        raise BackendError(
            f"OpenVINO cannot run this network ({reason(error)}); PyTorch can: --backend eager."
        ) from error
    if (
        name == "auto"
        and measure_speed_up(unet_predictor(unet), candidate, example_inputs(unet)) < MIN_SPEED_UP
    ):
        return None
    return Backend(candidate, CPU_CHUNK, "OpenVINO")


@torch.no_grad()
def _with_larger_calls(unet: UNet2DModel) -> Backend | None:
    """Return the largest calls that round like calls of CPU_CHUNK rows, if larger ones do."""
    inputs = example_inputs(unet, MAX_ROWS)
    expected, rows = unet_predictor(unet)(*inputs), CPU_CHUNK
    while rows < MAX_ROWS:
        larger = rows + CPU_CHUNK
        if not torch.equal(unet(*(part[:larger] for part in inputs)).sample, expected[:larger]):
            break
        rows = larger
    return Backend(unet_predictor(unet, rows), rows, "PyTorch") if rows > CPU_CHUNK else None


def _is_openvino_installed() -> bool:
    return importlib.util.find_spec("openvino") is not None


@functools.cache
def _openvino() -> tuple[ModuleType, Any]:
    """Return OpenVINO and its core, which is never deleted.

    The thread that compiles first gets memory of the core as its signal stack. If another thread
    dropped the last reference, that memory would be freed and the next signal end the process.
    """
    # It reports every conversion to Google, unless it cannot be imported.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino, openvino.Core()


class TensorOutput(nn.Module):
    """A network that returns a tensor, as exporters need it."""

    def __init__(self, unet: UNet2DModel) -> None:
        super().__init__()
        self.unet = unet

    def forward(self, x: Tensor, timesteps: Tensor, labels: Tensor) -> Tensor:
        """Return the network's output: float32 [B, C, S, S]."""
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
    with warnings.catch_warnings(action="ignore"):  # about sizes that are constant here
        network = TensorOutput(copy.deepcopy(unet)).eval()
        model = openvino.convert_model(network, example_input=inputs)
    model.reshape({index: list(rows.shape) for index, rows in enumerate(inputs)})
    settings = {
        "INFERENCE_PRECISION_HINT": "f32",  # else it uses bf16, which is visible in images
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        "PERFORMANCE_HINT": "LATENCY",
        "ENABLE_CPU_PINNING": False,  # else two processes of one thread share the first core
    }
    request = core.compile_model(model, "CPU", settings).create_infer_request()

    def call(x: Tensor, timesteps: Tensor, labels: Tensor) -> Tensor:
        rows = (x.contiguous(), timesteps.float(), labels)
        request.infer([row.numpy() for row in rows], share_inputs=True)
        return torch.from_numpy(request.get_output_tensor().data.copy())

    return pad_chunks(call)


@torch.no_grad()
def measure_speed_up(eager: Predictor, candidate: Predictor, inputs: Inputs) -> float:
    """Return a candidate's speed relative to eager, or 0 if its output differs.

    The two run alternately, so that other load on the machine slows both.
    """
    if not torch.allclose(eager(*inputs), candidate(*inputs), rtol=0, atol=TOLERANCE):
        return 0.0
    return statistics.median(
        _time_call(eager, inputs) / _time_call(candidate, inputs) for _ in range(REPEATS)
    )


def _time_call(predict: Predictor, inputs: Inputs) -> float:
    begin = time.perf_counter()
    predict(*inputs)
    return time.perf_counter() - begin
