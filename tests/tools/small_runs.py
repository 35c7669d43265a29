"""Training runs of a few seconds: settings, command lines and results."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from fashion_ddpm.core.config import TrainConfig, make_train_config
from fashion_ddpm.training.run_folder import RunFolder
from tests.tools import MINI_DATA, TIMEOUT_S

ROOT = Path(__file__).parent.parent.parent
SCRIPT = str(ROOT / "train_accelerate.py")
ENVIRONMENT = os.environ | {"ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}


def small_config(output_dir: Path, **changes: Any) -> TrainConfig:
    """Return the config of a run of 16 steps that saves every fourth."""
    settings = {
        "data_dir": str(MINI_DATA),
        "output_dir": str(output_dir),
        "block_out_channels": (8, 8, 8),
        "images_total": 512,
        "save_every": 128,
        "validate_every": 256,
        "preview_every": 512,
        "report_to": "none",
    }
    return make_train_config("smoke", settings | changes)


def make_flags(config: TrainConfig) -> list[str]:
    """Return the flags of a config."""
    words = []
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        name = field.name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{name}" if value else f"--no-{name}")
        else:
            words.append(f"--{name}")
            words += map(str, value if isinstance(value, tuple) else [value])
    return words


def argv(config: TrainConfig, processes: int = 1, restarts: int = 0) -> list[str]:
    """Return the command that trains a config, with torchrun for several processes."""
    launcher = [sys.executable]
    if processes > 1:
        launcher += ["-m", "torch.distributed.run", "--standalone"]
        launcher += ["--nproc_per_node", str(processes), "--max_restarts", str(restarts)]
    return [*launcher, SCRIPT, *make_flags(config)]


def run_training_script(config: TrainConfig) -> subprocess.CompletedProcess[str]:
    """Run the training script in one process, and wait for its end."""
    return subprocess.run(
        argv(config), env=ENVIRONMENT, capture_output=True, text=True, timeout=TIMEOUT_S
    )


def read_run_json(config: TrainConfig) -> dict[str, Any]:
    """Return the run.json of a run's checkpoint."""
    return dict(json.loads((RunFolder(config.output_dir).checkpoint / "run.json").read_text()))


def read_losses(config: TrainConfig) -> dict[tuple[int, str], float]:
    """Return (images seen, "loss" or "validation_loss") → value."""
    return {
        (row["images_seen"], kind): row[kind]
        for row in read_run_json(config)["log"]
        for kind in ("loss", "validation_loss")
        if kind in row
    }
