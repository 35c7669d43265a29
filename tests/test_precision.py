"""Tests of the format that a run trains in."""

import json
from pathlib import Path

import pytest
import torch

from fashion_ddpm.labels import FASHION_MNIST
from fashion_ddpm.model import build_unet
from fashion_ddpm.precision import (
    Precision,
    choose_precision,
    machine_name,
    read_precision,
    step_seconds,
    write_precision,
)
from fashion_ddpm.ranks import this_process
from fashion_ddpm.run_folder import RunFolder
from fashion_ddpm.training import train
from tests.tools.small_runs import run_json, small


def test_auto_measures_both_and_says_why(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    config = small(tmp_path / "run", images_total=64, mixed_precision="auto")
    train(config)
    chosen = read_precision(RunFolder(config.output_dir))
    assert chosen
    assert chosen.mixed_precision in ("no", "bf16")
    assert "in float32 and" in chosen.reason
    assert f"mixed precision: {chosen.mixed_precision} ({chosen.reason})" in capfd.readouterr().err
    assert run_json(config)["mixed_precision"] == chosen.mixed_precision
    assert run_json(config)["config"]["mixed_precision"] == "auto"


def test_a_run_that_goes_on_keeps_what_it_found_on_the_same_machine(tmp_path: Path) -> None:
    config, ranks = small(tmp_path, mixed_precision="auto"), this_process()
    machine = machine_name(ranks.device)
    for name in ("no", "bf16"):
        write_precision(RunFolder(tmp_path), Precision(machine, name, "measured before"))
        assert choose_precision(config, FASHION_MNIST, ranks).mixed_precision == name


def test_another_machine_or_a_damaged_note_is_measured_anew(tmp_path: Path) -> None:
    config, ranks = small(tmp_path, mixed_precision="auto"), this_process()
    folder = RunFolder(tmp_path)
    write_precision(folder, Precision("another machine", "fp16", "measured there"))
    assert choose_precision(config, FASHION_MNIST, ranks).machine == machine_name(ranks.device)
    for damaged in ("", "[]", json.dumps({"machine": "half"})):
        folder.precision.write_text(damaged)
        assert choose_precision(config, FASHION_MNIST, ranks).mixed_precision in ("no", "bf16")


def test_a_format_that_was_named_is_taken_unmeasured(tmp_path: Path) -> None:
    config = small(tmp_path, mixed_precision="bf16")
    chosen = choose_precision(config, FASHION_MNIST, this_process())
    assert chosen.mixed_precision == "bf16"
    assert not list(tmp_path.iterdir())


def test_measuring_leaves_the_random_numbers_of_the_run_alone(tmp_path: Path) -> None:
    torch.manual_seed(0)
    choose_precision(small(tmp_path, mixed_precision="auto"), FASHION_MNIST, this_process())
    found = torch.rand(3)
    torch.manual_seed(0)
    assert torch.equal(found, torch.rand(3))


def test_a_step_in_either_format_takes_time(tmp_path: Path) -> None:
    unet = build_unet(small(tmp_path))
    assert step_seconds(unet, 2, bf16=False) > 0
    assert step_seconds(unet, 2, bf16=True) > 0
