"""The train command: flags → TrainConfig → the training loop."""

import argparse
import dataclasses
import json
import time
from typing import Any

from fashion_ddpm.core.config import PRESETS, TrainConfig, make_train_config
from fashion_ddpm.core.settings import add_flags, given_flags


def add_train(parser: argparse.ArgumentParser) -> None:
    """Add the flags: the preset, --dry-run, and the fields of TrainConfig."""
    parser.description = "Train the model; under accelerate launch on all processes."
    parser.add_argument("--preset", choices=PRESETS, default="cpu", help="values to start from")
    parser.add_argument("--dry-run", action="store_true", help="print the resolved config, stop")
    add_flags(parser, TrainConfig)
    parser.set_defaults(run=run_train, extra="train")


def resolve_config(preset: str, flags: dict[str, Any]) -> TrainConfig:
    """Return the run's config.

    A distillation takes the network's shape and noise schedule from the teacher, a cool-down all
    settings from the original run.
    """
    if flags.get("from_state"):
        from fashion_ddpm.training.cool_down import make_cool_down_config

        return make_cool_down_config(flags)
    config = make_train_config(preset, flags)
    if not config.teacher:
        return config
    from fashion_ddpm.training.initial_state import read_teacher_settings

    return make_train_config(preset, read_teacher_settings(config.teacher) | flags)


def run_train(arguments: argparse.Namespace) -> int:
    """Resolve and print the config, train."""
    start_time = time.monotonic()
    config = resolve_config(arguments.preset, given_flags(arguments, TrainConfig))
    print(json.dumps(dataclasses.asdict(config), indent=2), flush=True)
    if arguments.dry_run:
        return 0
    from fashion_ddpm.training.loop import train

    print(f"checkpoint: {train(config, start_time=start_time)}")
    return 0
