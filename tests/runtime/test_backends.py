"""Tests of other forms of the network."""

import copy
import importlib.util
import subprocess
import sys
from typing import Any

import pytest
import torch
from diffusers import UNet2DModel
from diffusers.models.unets.unet_2d import UNet2DOutput
from torch import Tensor

from fashion_ddpm.core.config import SAMPLERS
from fashion_ddpm.core.image_kind import FASHION_MNIST
from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline
from fashion_ddpm.diffusion.sampling import CPU_CHUNK, SamplingSettings, denoise, unet_predictor
from fashion_ddpm.runtime.backends import (
    MAX_ROWS,
    BackendError,
    example_inputs,
    faster_backend,
    measure_speed_up,
    openvino_predictor,
)
from fashion_ddpm.runtime.dynamic_batching import BatchingUNet
from tests.tools import TIMEOUT_S
from tests.tools.serving import ROOT


@pytest.fixture
def without_openvino(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation of requirements.txt alone."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)


@pytest.fixture
def unet(tiny_pipeline: FashionDDPMPipeline) -> UNet2DModel:
    """A network of the tests' own."""
    return copy.deepcopy(tiny_pipeline.unet)


@pytest.mark.usefixtures("without_openvino")
@pytest.mark.parametrize("backend", ["auto", "eager"])
@pytest.mark.parametrize("alike", [8, 16, 24, 32, 64])
def test_calls_are_as_large_as_this_machine_rounds_alike(
    unet: UNet2DModel, backend: str, alike: int
) -> None:
    def answer(module: UNet2DModel, inputs: tuple[Tensor, ...], output: Any) -> UNet2DOutput:
        x, _, labels = inputs
        return UNet2DOutput(x + labels.view(-1, 1, 1, 1) + 1e-6 * (len(x) > alike))

    unet.register_forward_hook(answer)
    found = faster_backend(unet, backend)
    assert (found.rows if found else CPU_CHUNK) == min(alike, MAX_ROWS)
    if found:
        inputs = example_inputs(unet, 77)
        assert torch.equal(found.predict(*inputs), unet_predictor(unet)(*inputs))


@pytest.mark.usefixtures("without_openvino")
def test_what_is_not_installed_is_refused_in_a_sentence(tiny_pipeline: FashionDDPMPipeline) -> None:
    with pytest.raises(BackendError, match="run pip install openvino, or use --backend eager"):
        faster_backend(tiny_pipeline.unet, "openvino")


@pytest.mark.usefixtures("without_openvino")
def test_a_form_that_breaks_is_told_in_a_sentence(
    tiny_pipeline: FashionDDPMPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: True)
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(BackendError, match="OpenVINO cannot run this network"):
        faster_backend(tiny_pipeline.unet, "auto")


def test_a_backend_that_draws_something_else_is_never_faster(
    tiny_pipeline: FashionDDPMPipeline,
) -> None:
    eager, inputs = unet_predictor(tiny_pipeline.unet), example_inputs(tiny_pipeline.unet)

    def other(x: Tensor, timesteps: Tensor, labels: Tensor) -> Tensor:
        return eager(x, timesteps, labels) + 0.01

    assert measure_speed_up(eager, other, inputs) == 0
    assert measure_speed_up(eager, eager, inputs) > 0


def test_another_form_answers_from_the_next_call_on() -> None:
    shared = BatchingUNet(lambda x, timesteps, labels: x)
    inputs = torch.ones(3, 1, 28, 28), torch.zeros(3), torch.zeros(3, dtype=torch.long)
    assert torch.equal(shared(*inputs), inputs[0])
    shared.replace(lambda x, timesteps, labels: 2 * x, CPU_CHUNK)
    assert torch.equal(shared(*inputs), 2 * inputs[0])
    shared.close()


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_openvino_draws_the_same_images(tiny_pipeline: FashionDDPMPipeline, sampler: str) -> None:
    settings = SamplingSettings(sampler=sampler, num_inference_steps=10, guidance_scale=2.0)
    unet, training = tiny_pipeline.unet, tiny_pipeline.scheduler
    labels = torch.arange(11) % 10
    drawn = []
    for predict in (unet_predictor(unet), openvino_predictor(unet)):
        *_, last = denoise(predict, training, labels, range(11), settings, kind=FASHION_MNIST)
        drawn.append(last.clean)
    assert torch.allclose(drawn[0], drawn[1], rtol=0, atol=1 / 127.5)


def test_with_openvino_an_image_is_the_same_in_any_batch(
    tiny_pipeline: FashionDDPMPipeline,
) -> None:
    predict = openvino_predictor(tiny_pipeline.unet)
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(11, 1, 28, 28, generator=generator)
    timesteps, labels = torch.linspace(0, 999, 11), torch.arange(11)
    together = predict(x, timesteps, labels)
    alone = predict(x[9:10], timesteps[9:10], labels[9:10])
    assert torch.equal(together[9:10], alone)


def result_of(program: str) -> subprocess.CompletedProcess[str]:
    """Return how a program ends that has `found` made of the bundled network."""
    made = (
        "from fashion_ddpm.runtime.backends import openvino_predictor; "
        "from fashion_ddpm.core.paths import BUNDLED_CHECKPOINT; "
        "from fashion_ddpm.diffusion.pipeline import load_pipeline; "
        "found = openvino_predictor(load_pipeline(BUNDLED_CHECKPOINT).unet)\n"
    )
    command = [sys.executable, "-c", made + program]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_S)


@pytest.mark.slow
def test_openvino_tells_nobody() -> None:
    done = result_of("import sys; print(sys.modules['openvino_telemetry'])")
    assert done.stdout.split() == ["None"], done.stderr


@pytest.mark.slow
def test_after_a_backend_is_gone_signals_are_still_heard() -> None:
    done = result_of(
        "import signal, threading\n"
        "last = threading.Thread(target=lambda found: None, args=[found])\n"
        "del found\n"
        "last.start(); last.join()\n"
        "signal.signal(signal.SIGTERM, lambda number, frame: print('heard'))\n"
        "signal.raise_signal(signal.SIGTERM)\n"
    )
    assert (done.returncode, done.stdout.split()) == (0, ["heard"]), done.stderr
