"""Tests of the choice of a run's mixed precision."""

import json
from pathlib import Path

import pytest

from fashion_ddpm.core.distributed import this_process
from fashion_ddpm.core.image_kind import FASHION_MNIST
from fashion_ddpm.core.provenance import machine_name
from fashion_ddpm.core.settings import ConfigError
from fashion_ddpm.diffusion.unet import build_unet
from fashion_ddpm.training import precision
from fashion_ddpm.training.precision import (
    Precision,
    choose_precision,
    read_precision,
    write_precision,
)
from fashion_ddpm.training.run_folder import RunFolder
from tests.tools.small_runs import read_run_json, run_training_script, small_config


def test_auto_measures_both_and_says_why(tmp_path: Path) -> None:
    """In a separate process, because accelerate cannot change the precision within one."""
    config = small_config(tmp_path / "run", images_total=64, mixed_precision="auto")
    done = run_training_script(config)
    assert done.returncode == 0, done.stderr
    chosen = read_precision(RunFolder(config.output_dir))
    assert chosen
    assert chosen.mixed_precision in ("no", "bf16")
    assert "in float32 and" in chosen.reason
    assert f"mixed precision: {chosen.mixed_precision} ({chosen.reason})" in done.stderr
    assert read_run_json(config)["mixed_precision"] == chosen.mixed_precision
    assert read_run_json(config)["config"]["mixed_precision"] == "auto"


@pytest.mark.parametrize("faster", ["no", "bf16"])
def test_the_format_with_the_shorter_step_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, faster: str
) -> None:
    """One slow step, the third one in the faster format, has no influence."""
    seconds = iter([1.0, 1.0, 9.0, 1.0])

    def step_time(unet: object, rows: int, layout: object, bf16: bool) -> float:
        return next(seconds) if bf16 == (faster == "bf16") else 2.0

    monkeypatch.setattr(precision, "_time_step", step_time)
    config = small_config(tmp_path, mixed_precision="auto")
    assert choose_precision(config, FASHION_MNIST, this_process()).mixed_precision == faster


def test_a_clearly_slower_format_is_not_waited_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[bool] = []

    def step_time(unet: object, rows: int, layout: object, bf16: bool) -> float:
        steps.append(bf16)
        return 5.0 if bf16 else 1.0

    monkeypatch.setattr(precision, "_time_step", step_time)
    unet = build_unet(small_config(tmp_path), FASHION_MNIST)
    assert precision.measure_step_seconds(unet, 1) == {"no": 1.0, "bf16": 5.0}
    assert steps == [False, True, False, True]


def test_a_resumed_run_and_a_cool_down_keep_the_precision(tmp_path: Path) -> None:
    ranks, run = this_process(), RunFolder(tmp_path / "long")
    run.begin(small_config(run.root))
    configs = [small_config(run.root, mixed_precision="auto")]
    for source in (run.root, run.state(64)):
        flags = {"mixed_precision": "auto", "from_state": str(source)}
        configs.append(small_config(tmp_path / "cooled", **flags))
    for name in ("no", "bf16"):
        write_precision(run, Precision(machine_name(ranks.device), name, "measured before"))
        for config in configs:
            assert choose_precision(config, FASHION_MNIST, ranks).mixed_precision == name


def test_another_machine_or_a_damaged_file_is_measured_again(tmp_path: Path) -> None:
    config, ranks = small_config(tmp_path, mixed_precision="auto"), this_process()
    folder = RunFolder(tmp_path)
    write_precision(folder, Precision("another machine", "fp16", "measured there"))
    assert choose_precision(config, FASHION_MNIST, ranks).machine == machine_name(ranks.device)
    foreign = {"machine": machine_name(ranks.device), "mixed_precision": "int3", "reason": ""}
    for damaged in ("", "[]", json.dumps({"machine": "half"}), json.dumps(foreign)):
        folder.precision.write_text(damaged)
        assert choose_precision(config, FASHION_MNIST, ranks).mixed_precision in ("no", "bf16")


def test_a_given_format_is_used_without_measuring(tmp_path: Path) -> None:
    config = small_config(tmp_path, mixed_precision="bf16")
    chosen = choose_precision(config, FASHION_MNIST, this_process())
    assert chosen.mixed_precision == "bf16"
    assert not list(tmp_path.iterdir())


def test_an_impossible_network_is_refused_before_anything_is_measured(tmp_path: Path) -> None:
    config = small_config(tmp_path, mixed_precision="auto", attention_resolutions=(5,))
    with pytest.raises(ConfigError, match="--attention-resolutions 5 is no side"):
        choose_precision(config, FASHION_MNIST, this_process())
