"""Tests of steps as one CUDA graph; those of the graph itself need a GPU."""

import dataclasses
from pathlib import Path

import pytest
import torch
from accelerate import PartialState

from fashion_ddpm.core.config import TrainConfig
from fashion_ddpm.diffusion.pipeline import load_pipeline
from fashion_ddpm.training import loop
from fashion_ddpm.training.cuda_graph import can_graph_steps, set_capturable, set_learning_rate
from fashion_ddpm.training.loop import train
from tests.tools.small_runs import read_losses, small_config

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


def test_on_a_cpu_steps_are_no_graph(tmp_path: Path) -> None:
    assert not can_graph_steps(small_config(tmp_path), PartialState(cpu=True), "no")


def test_the_step_count_of_a_state_from_a_gpu_is_moved() -> None:
    parameter = torch.nn.Parameter(torch.ones(3))
    optimizer = torch.optim.AdamW([parameter], lr=torch.tensor(0.5), capturable=False)
    parameter.grad = torch.ones(3)
    optimizer.param_groups[0] |= {"lr": torch.tensor(0.5), "capturable": True}
    optimizer.state[parameter] = {
        "step": torch.tensor(7.0),
        "exp_avg": torch.zeros(3),
        "exp_avg_sq": torch.zeros(3),
    }
    set_capturable(optimizer, False)
    set_learning_rate(optimizer, 0.25)
    assert optimizer.param_groups[0]["lr"] == 0.25
    optimizer.step()
    assert optimizer.state[parameter]["step"] == 8
    assert (parameter < 1).all()


@needs_cuda
@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
@pytest.mark.parametrize("precision", ["no", "bf16"])
def test_a_graph_takes_the_same_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, optimizer: str, precision: str
) -> None:
    """Also when a run without graphs goes on as one with them."""
    losses, weights = [], []
    for name, graphed in (("eager", False), ("graph", True), ("mixed", True)):
        config = small_config(tmp_path / name, images_total=512, dropout=0.1, optimizer=optimizer)
        config = dataclasses.replace(config, mixed_precision=precision, lr_schedule="constant")
        if name == "mixed":
            with monkeypatch.context() as patch:
                patch.setattr(loop, "can_graph_steps", lambda *_: False)
                train(dataclasses.replace(config, images_total=256))
        with monkeypatch.context() as patch:
            if not graphed:
                patch.setattr(loop, "can_graph_steps", lambda *_: False)
            unet = load_pipeline(train(config)).unet
        losses.append(list(read_losses(config).values()))
        weights.append(torch.cat([parameter.flatten() for parameter in unet.parameters()]))
    for other in (1, 2):
        assert losses[other] == pytest.approx(losses[0], rel=0.02)
        assert (weights[other] - weights[0]).norm() < 0.02 * weights[0].norm()


@needs_cuda
def test_one_cuda_device_makes_a_graph(tmp_path: Path) -> None:
    config, ranks = TrainConfig(), PartialState()
    assert can_graph_steps(config, ranks, "bf16")
    assert not can_graph_steps(config, ranks, "fp16")
    parts = dataclasses.replace(config, gradient_accumulation_steps=2)
    assert not can_graph_steps(parts, ranks, "bf16")
    assert not can_graph_steps(dataclasses.replace(config, teacher="x"), ranks, "bf16")
