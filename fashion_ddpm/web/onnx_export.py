"""Networks as ONNX files: float16 weights, float32 arithmetic, checked by running them."""

import copy
import warnings
from collections.abc import Sequence

import numpy as np
import onnx
import onnxruntime
import torch
from diffusers import UNet2DModel
from onnx import ModelProto, TensorProto, helper, numpy_helper
from torch import Tensor, nn

from fashion_ddpm.core.errors import reason
from fashion_ddpm.web.errors import WebError

OPSET = 18
CHECKED_BATCHES = (1, 3)
MAX_DIFFERENCE = 1e-3
"""Largest allowed difference between the outputs of a file and of PyTorch, which are about 1."""

MIN_HALF_SIZE = 64
"""Tensors of fewer numbers stay float32: constants of formulas, and nothing is gained."""

BATCH = torch.export.Dim("batch", max=63)
"""For 64 images and more, diffusers' layers take another path, which the same file cannot hold."""


class UNetModule(nn.Module):
    """A UNet whose inputs and output are tensors alone."""

    def __init__(self, unet: UNet2DModel) -> None:
        super().__init__()
        self.unet = unet

    def forward(self, noisy: Tensor, timestep: Tensor, class_label: Tensor) -> Tensor:
        """Return the output, float32 [B, C, S, S].

        Args:
            noisy: float32 [B, C, S, S].
            timestep: float32 [B].
            class_label: int64 [B].
        """
        output: Tensor = self.unet(noisy, timestep, class_label).sample
        return output


def export_unet(unet: UNet2DModel) -> bytes:
    """Return a UNet as an ONNX file: inputs noisy, timestep and class_label, output `output`.

    Raises:
        WebError: the file gives another output than the network.
    """
    config = unet.config
    side, channels = config["sample_size"], config["in_channels"]
    generator = torch.Generator().manual_seed(0)
    classes, most = config["num_class_embeds"], max(CHECKED_BATCHES)
    inputs = {
        "noisy": torch.randn(most, channels, side, side, generator=generator),
        "timestep": torch.linspace(1.5, 999, most),
        "class_label": torch.arange(most) % classes,
    }
    return export_module(UNetModule(unet), inputs, "output")


def export_module(module: nn.Module, inputs: dict[str, Tensor], output: str) -> bytes:
    """Return a module as an ONNX file, after a check at several batch sizes.

    Args:
        module: what to export; it keeps its weights.
        inputs: name → example, with max(CHECKED_BATCHES) rows.
        output: name of the only output.

    Raises:
        WebError: it cannot be exported, or the file gives another output.
    """
    module = _with_half_weights(module)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of torch's exporter, about itself
            program = torch.onnx.export(
                module,
                tuple(inputs.values()),
                dynamo=True,
                input_names=list(inputs),
                output_names=[output],
                dynamic_shapes=tuple({0: BATCH} for _ in inputs),
                opset_version=OPSET,
                external_data=False,
                verbose=False,
            )
    except Exception as error:  # the exporter's own, and whatever an operator raises
        raise WebError(
            f"The network cannot be written as ONNX ({reason(error)}): use the versions of torch, "
            "onnx and onnxscript in requirements.txt and requirements-web.txt."
        ) from error
    assert program is not None
    content = _shrink(program.model_proto)
    check_outputs(content, module, inputs)
    return content


def _with_half_weights(module: nn.Module) -> nn.Module:
    """Return a copy on the CPU whose weights are float32 numbers that float16 holds, too."""
    module = copy.deepcopy(module).cpu().float().eval()
    module = module.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    with torch.no_grad():
        for name, weights in module.named_parameters():
            half = weights.half()
            if not half.isfinite().all():
                raise WebError(
                    f"{name} has weights up to {weights.abs().max():g}, and a site keeps at most "
                    "65,504 (float16): export another checkpoint of this training."
                )
            weights.copy_(half.float())
    return module


def _shrink(model: ModelProto) -> bytes:
    """Return a model whose large float32 tensors are float16 before a cast, without notes."""
    graph = model.graph
    casts = []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        with np.errstate(over="ignore"):  # of masks
            half = values.astype(np.float16)
        if values.dtype == np.float32 and values.size >= MIN_HALF_SIZE and (half == values).all():
            name = tensor.name
            tensor.CopyFrom(numpy_helper.from_array(half, f"{name}_half"))
            casts.append(helper.make_node("Cast", [tensor.name], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    for node in nodes:  # where each came from in Python: as large as a sixth of the weights
        del node.metadata_props[:]
        node.doc_string = ""
    copied = [copy.copy(node) for node in nodes]
    del graph.node[:]
    graph.node.extend(copied)
    del graph.value_info[:]
    del graph.metadata_props[:]
    del model.metadata_props[:]
    onnx.checker.check_model(model)
    return model.SerializeToString(deterministic=True)


def check_outputs(content: bytes, module: nn.Module, inputs: dict[str, Tensor]) -> None:
    """Raise WebError if a file gives another output than a module at one of CHECKED_BATCHES.

    Args:
        content: the ONNX file.
        module: a module on the CPU.
        inputs: name → example, with max(CHECKED_BATCHES) rows.
    """
    for size in CHECKED_BATCHES:
        batch = {name: values[-size:] for name, values in inputs.items()}
        with torch.no_grad():
            expected = module(*batch.values()).numpy()
        got = run_onnx(content, {name: values.numpy() for name, values in batch.items()})
        difference = float(np.abs(got - expected).max())
        if not difference <= MAX_DIFFERENCE:
            raise WebError(
                f"The ONNX file's output for a batch of {size} differs by {difference:g} from "
                f"PyTorch's; it must be at most {MAX_DIFFERENCE:g}: use the versions of torch, "
                "onnx and onnxscript in requirements.txt and requirements-web.txt."
            )


def run_onnx(content: bytes, inputs: dict[str, np.ndarray]) -> np.ndarray:
    """Return the only output of an ONNX file, computed by onnxruntime on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    outputs: Sequence[np.ndarray] = session.run(None, inputs)
    return outputs[0]
