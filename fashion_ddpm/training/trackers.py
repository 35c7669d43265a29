"""Experiment trackers: which one a run uses, its settings, and what is sent to it."""

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
        ConfigError: the package of the requested tracker is not installed.
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
    """Return the run's settings with tuples as strings, because trackers take no tuples."""
    settings = dataclasses.asdict(config)
    return {name: str(v) if isinstance(v, tuple) else v for name, v in settings.items()}


LOGIN_TIMEOUT_SECONDS = 60
"""How long wandb waits for a login on a terminal before the run continues without it."""


def start_trackers(accelerator: Any, config: TrainConfig, folder: Path) -> None:
    """Start the trackers and send them the run's settings.

    Args:
        accelerator: the run's accelerate.Accelerator.
        config: the run.
        folder: folder for the trackers' files.

    Raises:
        ConfigError: a tracker cannot be started.
    """
    options = {}
    if config.report_to == "wandb" and accelerator.is_main_process:
        options = {"wandb": wandb_options(config, folder)}
    try:
        accelerator.init_trackers("fashion-ddpm", settings_for_trackers(config), options)
    except Exception as error:  # trackers have no common error class
        raise ConfigError(
            f"--report-to {config.report_to} could not be started ({reason(error)}): log in, set "
            "WANDB_MODE=offline for wandb, or give --report-to none."
        ) from error


def wandb_options(config: TrainConfig, folder: Path) -> dict[str, Any]:
    """Return arguments of wandb.init with which a resumed run stays the same wandb run.

    Args:
        config: the run.
        folder: folder for wandb's files and the id of its run.
    """
    id_file = folder / "wandb-id"
    if not id_file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        id_file.write_text(secrets.token_hex(8))
    return {
        "id": id_file.read_text(),
        "resume": "allow",
        "dir": str(folder),
        # Offline, wandb drops settings that are set after init.
        "config": settings_for_trackers(config),
        "allow_val_change": True,
        "settings": {"login_timeout": LOGIN_TIMEOUT_SECONDS},
    }


def scalars(row: LogRow) -> dict[str, float]:
    """Return a log row as scalars: a list becomes one scalar for each of its items."""
    numbers: dict[str, float] = {}
    for name, value in row.items():
        if isinstance(value, list):
            numbers |= {f"{name}/{index}": part for index, part in enumerate(value)}
        else:
            numbers[name] = value
    return numbers


def send_picture(trackers: Iterable[Any], picture: Image.Image, images_seen: int) -> None:
    """Send a picture to the trackers that can log images.

    Args:
        trackers: accelerate's GeneralTracker objects.
        picture: a preview.
        images_seen: the step of the picture.
    """
    pixels = np.asarray(picture.convert("RGB"))[None]  # uint8 [1, height, width, 3]
    for tracker in trackers:
        if hasattr(tracker, "log_images"):
            # TensorBoard is the only one that does not infer where the channels are.
            options = {"dataformats": "NHWC"} if tracker.name == "tensorboard" else {}
            tracker.log_images({"samples": pixels}, step=images_seen, **options)
