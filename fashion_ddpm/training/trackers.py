"""Trackers to follow a run in: is the package there, and what is sent to it."""

import dataclasses
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from accelerate.tracking import get_available_trackers
from PIL import Image

from fashion_ddpm.core.config import TrainConfig
from fashion_ddpm.core.errors import reason
from fashion_ddpm.core.settings import ConfigError
from fashion_ddpm.training.run_folder import LogRow


def select_trackers(report_to: str) -> list[str]:
    """Return accelerate's names of the trackers to use: none or one.

    Raises:
        ConfigError: the package of one that was asked for is not installed.
    """
    installed = [str(tracker) for tracker in get_available_trackers()]
    if report_to == "auto":
        return ["tensorboard"] if "tensorboard" in installed else []
    if report_to == "none":
        return []
    if report_to not in installed:
        raise ConfigError(
            f"--report-to {report_to} needs a package that is not installed: run "
            f'"pip install {report_to}", or give --report-to none.'
        )
    return [report_to]


def settings_for_trackers(config: TrainConfig) -> dict[str, str | int | float | bool]:
    """Return the run's settings as trackers take them: no tuples."""
    settings = dataclasses.asdict(config)
    return {name: str(v) if isinstance(v, tuple) else v for name, v in settings.items()}


LOGIN_TIMEOUT_SECONDS = 60
"""How long wandb may ask for a login on a terminal; then the run goes on without it."""


def start_trackers(accelerator: Any, config: TrainConfig, folder: Path) -> None:
    """Start the trackers, and tell them the run's settings.

    Args:
        accelerator: accelerate's.
        config: the run.
        folder: where trackers may keep files.

    Raises:
        ConfigError: one cannot be started.
    """
    options = {}
    if config.report_to == "wandb" and accelerator.is_main_process:
        options = {"wandb": wandb_options(config, folder)}
    try:
        accelerator.init_trackers("fashion-ddpm", settings_for_trackers(config), options)
    except Exception as error:  # each tracker fails in its own way
        raise ConfigError(
            f"--report-to {config.report_to} could not be started ({reason(error)}): log in, set "
            "WANDB_MODE=offline for wandb, or give --report-to none."
        ) from error


def wandb_options(config: TrainConfig, folder: Path) -> dict[str, Any]:
    """Return the arguments of wandb.init with which a run that goes on stays one run.

    Args:
        config: the run.
        folder: where wandb's files lie, and the name by which it knows the run.
    """
    name = folder / "wandb-id"
    if not name.exists():
        folder.mkdir(parents=True, exist_ok=True)
        name.write_text(secrets.token_hex(8))
    return {
        "id": name.read_text(),
        "resume": "allow",
        "dir": str(folder),
        # Offline, wandb drops settings that come after its start.
        "config": settings_for_trackers(config),
        "allow_val_change": True,
        "settings": {"login_timeout": LOGIN_TIMEOUT_SECONDS},
    }


def scalars(row: LogRow) -> dict[str, float]:
    """Return a log's row as named numbers: a list becomes one number for each of its items."""
    numbers: dict[str, float] = {}
    for name, value in row.items():
        if isinstance(value, list):
            numbers |= {f"{name}/{index}": part for index, part in enumerate(value)}
        else:
            numbers[name] = value
    return numbers


def send_picture(trackers: Iterable[Any], picture: Image.Image, images_seen: int) -> None:
    """Send a picture to those of accelerate's trackers that take images.

    Args:
        trackers: accelerate's GeneralTracker objects.
        picture: a grid of samples.
        images_seen: the step that trackers show it at.
    """
    pixels = np.asarray(picture.convert("RGB"))[None]  # uint8 [1, height, width, 3]
    for tracker in trackers:
        if hasattr(tracker, "log_images"):
            # TensorBoard alone must be told where the channels are; the others look.
            layout = {"dataformats": "NHWC"} if tracker.name == "tensorboard" else {}
            tracker.log_images({"samples": pixels}, step=images_seen, **layout)
