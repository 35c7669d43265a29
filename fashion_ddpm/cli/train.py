"""The train command: flags → TrainConfig → the training loop."""

import argparse
import dataclasses
import json
import time
from typing import Any

from fashion_ddpm.core.config import PRESETS, PushConfig, TrainConfig, make_train_config
from fashion_ddpm.core.settings import ConfigError, add_flags, given_flags


def add_train(parser: argparse.ArgumentParser) -> None:
    """Add the flags: fields of TrainConfig and PushConfig, and three more."""
    parser.description = "Train the model; under accelerate launch on all processes."
    parser.add_argument("--preset", choices=PRESETS, default="cpu", help="values to start from")
    parser.add_argument("--dry-run", action="store_true", help="print the resolved config, stop")
    parser.add_argument(
        "--resume-from-checkpoint",
        metavar="latest",
        default="latest",
        help="what a run does anyway",
    )
    add_flags(parser, TrainConfig)
    add_flags(parser, PushConfig)
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


def check_resuming(arguments: argparse.Namespace) -> None:
    """Raise ConfigError unless the run resumes where every run does."""
    if arguments.resume_from_checkpoint != "latest":
        raise ConfigError(
            f"--resume-from-checkpoint is {arguments.resume_from_checkpoint!r}; it must be latest, "
            "the newest state in the run's folder: to go back to an earlier state, move later ones "
            "out of states/; to start another run from weights, give --initial-checkpoint."
        )


def run_train(arguments: argparse.Namespace) -> int:
    """Resolve and print the config, train; push the checkpoint if asked to."""
    start_time = time.monotonic()
    check_resuming(arguments)
    push = PushConfig(**given_flags(arguments, PushConfig))
    config = resolve_config(arguments.preset, given_flags(arguments, TrainConfig))
    print(json.dumps(dataclasses.asdict(config), indent=2), flush=True)
    if arguments.dry_run:
        return 0
    from fashion_ddpm.training.loop import train

    if not push.push_to_hub:
        print(f"checkpoint: {train(config, start_time=start_time)}")
        return 0
    from fashion_ddpm.publishing.push import CheckpointPusher
    from fashion_ddpm.training.run_folder import RunFolder

    pusher = CheckpointPusher(push, RunFolder(config.output_dir))
    print(f"checkpoint: {train(config, start_time=start_time, publisher=pusher)}")
    pusher.finish()
    return 0
