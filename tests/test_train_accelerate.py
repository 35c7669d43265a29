"""Tests of the training script in a subprocess."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fashion_ddpm.__main__ import run_program
from fashion_ddpm.cli.train import add_train
from fashion_ddpm.core.config import make_train_config
from tests.tools import MINI_DATA, TIMEOUT_S

ROOT = Path(__file__).parent.parent
CPU = str(ROOT / "configs" / "accelerate" / "cpu.yaml")


def run(*arguments: str, launcher: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *launcher, "train_accelerate.py", *arguments],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )


def test_a_dry_run_prints_the_resolved_config_and_writes_nothing(tmp_path: Path) -> None:
    done = run("--preset", "gpu", "--batch-size", "64", "--dry-run", "--output-dir", str(tmp_path))
    config = json.loads(done.stdout)
    assert config["batch_size"] == 64
    assert config["images_total"] == make_train_config("gpu", {}).images_total
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_accelerate_launch_trains_the_smoke_preset(tmp_path: Path) -> None:
    done = run(
        *("--preset", "smoke", "--data-dir", str(MINI_DATA), "--output-dir", str(tmp_path / "run")),
        launcher=("-m", "accelerate.commands.launch", "--config_file", CPU),
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "checkpoint" / "model_index.json").exists()
    assert done.stdout.strip().endswith("checkpoint")


def test_an_error_is_one_sentence_without_a_traceback(tmp_path: Path) -> None:
    done = run("--noise-schedule", "linear", "--num-train-timesteps", "100")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "terminal alpha-bar is 0.364" in done.stderr


def test_flags_may_be_written_with_underscores_as_in_diffusers(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--push_to_hub", "--hub_model_id=ada/my_boots", "--output_dir", "runs/my_run"]
    words += ["--batch_size", "8", "--dry_run"]
    monkeypatch.setattr(sys, "argv", ["train_accelerate.py", *words])
    assert run_program(add_train) == 0
    config = json.loads(capsys.readouterr().out)
    assert (config["batch_size"], config["output_dir"]) == (8, "runs/my_run")


@pytest.mark.parametrize(("value", "status"), [("latest", 0), ("checkpoint-500", 1)])
def test_a_run_resumes_from_its_latest_state_only(
    value: str, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--resume_from_checkpoint", value, "--dry-run"]
    monkeypatch.setattr(sys, "argv", ["train_accelerate.py", *words])
    assert run_program(add_train) == status
    message = f"--resume-from-checkpoint is {value!r}; it must be latest"
    assert (message in capsys.readouterr().err) == bool(status)
