"""Train the model: accelerate launch train_accelerate.py --preset smoke|cpu|gpu|distill."""

import argparse
import dataclasses
import json
import sys
import time
from typing import Any

from fashion_ddpm.core.config import PRESETS, TrainConfig, make_train_config
from fashion_ddpm.core.errors import INTERRUPT_EXIT_STATUS, UserError, error_message
from fashion_ddpm.core.process import limit_threads
from fashion_ddpm.core.settings import add_flags


def parse_arguments() -> argparse.Namespace:
    """Return the parsed flags: the preset, dry_run, and the given fields of TrainConfig."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", choices=PRESETS, default="cpu", help="values to start from")
    parser.add_argument("--dry-run", action="store_true", help="print the resolved config, stop")
    add_flags(parser, TrainConfig)
    return parser.parse_args()


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


def main() -> int:
    """Resolve and print the config, train; return the exit status."""
    start_time = time.monotonic()
    limit_threads()
    flags = vars(parse_arguments())
    preset, dry_run = flags.pop("preset"), flags.pop("dry_run")
    try:
        config = resolve_config(preset, flags)
        print(json.dumps(dataclasses.asdict(config), indent=2), flush=True)
        if dry_run:
            return 0
        from fashion_ddpm.training.loop import train

        print(f"checkpoint: {train(config, start_time=start_time)}")
    except (UserError, OSError) as error:
        print(f"train_accelerate.py: {error_message(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:  # only before training starts, which handles SIGINT itself
        print("train_accelerate.py: interrupted", file=sys.stderr)
        return INTERRUPT_EXIT_STATUS
    return 0


if __name__ == "__main__":
    sys.exit(main())
