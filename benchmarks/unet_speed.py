"""Speed of one UNet call on this CPU, by number format, memory layout and backend.

python -m benchmarks.unet_speed prints a Markdown table of milliseconds per image. With --forms
(all, or those named) it compares calls of CPU_CHUNK images in other forms with eager float32
instead, in turns; a ratio is the median over pairs of calls. Forms that are not installed are left
out. Run it on an idle machine; on a busy one OMP_NUM_THREADS=1 compares CPU times, which vary less.
"""

import argparse
import copy
import importlib.util
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from diffusers import UNet2DModel
from diffusers.models.attention_processor import Attention, AttnProcessor
from torch import Tensor

from benchmarks.tables import machine_and_commit, row, table
from fashion_ddpm.core.paths import BUNDLED_CHECKPOINT
from fashion_ddpm.core.requests import GenerateRequest
from fashion_ddpm.diffusion.loss import Predictor
from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline, load_pipeline
from fashion_ddpm.diffusion.sampling import pad_chunks, unet_predictor
from fashion_ddpm.runtime.backends import Inputs, TensorOutput, example_inputs, openvino_predictor

BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64)
LAYOUTS = {"contiguous": torch.contiguous_format, "channels last": torch.channels_last}
REPEATS = 9
FORM_COLUMNS = ("form", "as fast as eager", "seconds to make", "largest uint8 difference")


@torch.no_grad()
def ms_per_image(pipeline: FashionDDPMPipeline, batch: int, bf16: bool, layout: str) -> float:
    """Return the median time of a call per image."""
    unet = pipeline.unet.to(memory_format=LAYOUTS[layout])
    x = torch.randn(batch, 1, 28, 28).contiguous(memory_format=LAYOUTS[layout])
    timesteps, labels = torch.full((batch,), 500.0), torch.zeros(batch, dtype=torch.long)
    times = []
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        for _ in range(REPEATS):
            begin = time.perf_counter()
            unet(x, timesteps, labels)
            times.append(time.perf_counter() - begin)
    return 1000 * statistics.median(times[2:]) / batch


def build_inference_mode(unet: UNet2DModel) -> Predictor:
    """Return eager calls in torch.inference_mode."""
    return torch.inference_mode()(unet_predictor(unet))


def build_bf16(unet: UNet2DModel) -> Predictor:
    """Return eager calls under bf16 autocast."""

    def call(x: Tensor, timesteps: Tensor, labels: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            return unet(x, timesteps, labels).sample.float()

    return pad_chunks(call)


def build_contiguous(unet: UNet2DModel) -> Predictor:
    """Return eager calls with weights in contiguous memory."""
    return unet_predictor(copy.deepcopy(unet).to(memory_format=torch.contiguous_format))


def build_plain_attention(unet: UNet2DModel) -> Predictor:
    """Return eager calls with unfused attention."""
    unet = copy.deepcopy(unet)
    for module in unet.modules():
        if isinstance(module, Attention):
            module.set_processor(AttnProcessor())
    return unet_predictor(unet)


def build_traced(unet: UNet2DModel) -> Predictor:
    """Return a frozen TorchScript trace."""
    network = torch.jit.trace(TensorOutput(copy.deepcopy(unet)).eval(), example_inputs(unet))
    return pad_chunks(torch.jit.freeze(network))


def build_traced_for_inference(unet: UNet2DModel) -> Predictor:
    """Return a TorchScript trace with convolution weights in oneDNN's layout."""
    network = torch.jit.trace(TensorOutput(copy.deepcopy(unet)).eval(), example_inputs(unet))
    return pad_chunks(torch.jit.optimize_for_inference(torch.jit.freeze(network)))


def build_compiled(unet: UNet2DModel) -> Predictor:
    """Return the network compiled by torch.compile, which needs a C++ compiler."""
    return pad_chunks(torch.compile(TensorOutput(copy.deepcopy(unet)).eval(), dynamic=False))


def build_onnx_runtime(unet: UNet2DModel) -> Predictor:
    """Return an ONNX export, run by ONNX Runtime."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    names = ["x", "timesteps", "labels"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "unet.onnx"
        network = TensorOutput(copy.deepcopy(unet)).eval()
        torch.onnx.export(network, example_inputs(unet), path, input_names=names, verbose=False)
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def call(*rows: Tensor) -> Tensor:
        inputs = {name: part.numpy() for name, part in zip(names, rows, strict=True)}
        return torch.from_numpy(session.run(None, inputs)[0])

    return pad_chunks(call)


FORMS: dict[str, tuple[Callable[[UNet2DModel], Predictor], tuple[str, ...]]] = {
    "eager, once more": (unet_predictor, ()),
    "inference mode": (build_inference_mode, ()),
    "contiguous memory": (build_contiguous, ()),
    "plain attention": (build_plain_attention, ()),
    "bf16 autocast": (build_bf16, ()),
    "traced and frozen": (build_traced, ()),
    "traced, optimize_for_inference": (build_traced_for_inference, ()),
    "torch.compile": (build_compiled, ()),
    "ONNX Runtime": (build_onnx_runtime, ("onnxruntime", "onnx", "onnxscript")),
    "OpenVINO": (openvino_predictor, ("openvino",)),
}
"""Form → the function that builds it, and the packages that it needs."""


@torch.no_grad()
def speedup(eager: Predictor, other: Predictor, inputs: Inputs, repeats: int) -> float:
    """Return the speed of a form relative to eager."""
    clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
    ratios = []
    for _ in range(repeats):
        times = [clock()]
        for predict in (eager, other):
            predict(*inputs)
            times.append(clock())
        ratios.append((times[1] - times[0]) / (times[2] - times[1]))
    return statistics.median(ratios)


def draw_samples(pipeline: FashionDDPMPipeline, predict: Predictor, count: int) -> Tensor:
    """Return samples by a form of the network, 20 steps: uint8 [N, 28, 28] as int."""
    pipeline.predict = predict
    request = GenerateRequest("all", count, schedule="cosine", num_inference_steps=20)
    batches = pipeline.generate_request(request)
    return torch.cat([batch.images for batch in batches]).int()


@torch.no_grad()
def compare_forms(
    pipeline: FashionDDPMPipeline, names: Sequence[str], repeats: int, count: int
) -> None:
    """Print the table of forms."""
    eager = unet_predictor(pipeline.unet)
    expected, inputs = draw_samples(pipeline, eager, count), example_inputs(pipeline.unet)
    print(
        f"{machine_and_commit()}; {repeats} pairs; "
        f"difference over {count} images, 20 steps\n\n{table(FORM_COLUMNS)}",
        flush=True,
    )
    for name in names or FORMS:
        make, packages = FORMS[name]
        if not all(importlib.util.find_spec(package) for package in packages):
            continue
        begin = time.perf_counter()
        with warnings.catch_warnings(action="ignore"):
            predict = make(pipeline.unet)
            for _ in range(2):  # some forms are compiled by their first calls
                predict(*inputs)
        build_seconds = time.perf_counter() - begin
        difference = (draw_samples(pipeline, predict, count) - expected).abs().max().item()
        speed = f"{speedup(eager, predict, inputs, repeats):.2f} ×"
        print(row([name, speed, f"{build_seconds:.1f}", f"{difference:.0f}"]), flush=True)


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", default=BUNDLED_CHECKPOINT)
    parser.add_argument("--forms", nargs="*", choices=FORMS, help="compare forms of the network")
    parser.add_argument("--repeats", type=int, default=30, help="pairs of calls of a form")
    parser.add_argument("--num-images", type=int, default=80, help="drawn with every form")
    arguments = parser.parse_args()
    pipeline = load_pipeline(arguments.checkpoint)
    if arguments.forms is not None:
        compare_forms(pipeline, arguments.forms, arguments.repeats, arguments.num_images)
        return
    kinds = [(bf16, layout) for bf16 in (False, True) for layout in LAYOUTS]
    names = [f"{'bf16' if bf16 else 'float32'}, {layout}" for bf16, layout in kinds]
    print(table(("batch", *names)))
    for batch in BATCH_SIZES:
        times = [f"{ms_per_image(pipeline, batch, *kind):.1f}" for kind in kinds]
        print(row([batch, *times]), flush=True)


if __name__ == "__main__":
    main()
