"""Tests of the choice of trackers and of what they receive."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from accelerate.tracking import LoggerType
from PIL import Image

from fashion_ddpm.core.config import TRACKERS, TrainConfig
from fashion_ddpm.core.settings import ConfigError
from fashion_ddpm.training import trackers
from fashion_ddpm.training.trackers import (
    scalars,
    select_trackers,
    send_picture,
    settings_for_trackers,
    start_trackers,
    wandb_options,
)


def test_tensorboard_is_used_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert select_trackers("auto") == select_trackers("tensorboard") == ["tensorboard"]
    assert select_trackers("none") == []
    monkeypatch.setattr(trackers, "get_available_trackers", list)
    assert select_trackers("auto") == []


def test_every_choice_is_a_tracker_of_accelerates() -> None:
    assert {str(kind) for kind in LoggerType} >= {*TRACKERS} - {"auto", "none"}


def test_a_row_becomes_plain_numbers() -> None:
    row = {"validation_loss": 0.5, "validation_loss_by_level": [0.75, 0.25]}
    assert scalars(row) == {
        "validation_loss": 0.5,
        "validation_loss_by_level/0": 0.75,
        "validation_loss_by_level/1": 0.25,
    }


def test_settings_are_of_the_types_that_trackers_take() -> None:
    settings = settings_for_trackers(TrainConfig())
    assert settings["block_out_channels"] == "(32, 64, 128)"
    assert {type(value) for value in settings.values()} == {str, int, float, bool}


class Album:
    """A tracker that takes images."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.images: list[Any] = []

    def log_images(self, values: dict[str, Any], step: int, **options: str) -> None:
        """Store the arguments."""
        self.images.append((values, step, options))


def test_a_picture_goes_to_the_trackers_that_take_images() -> None:
    picture = Image.fromarray(np.arange(12, dtype=np.uint8).reshape(3, 4))
    board, other, without_images = Album("tensorboard"), Album("wandb"), object()
    send_picture([board, other, without_images], picture, images_seen=64)
    ((values, step, options),) = board.images
    assert values["samples"].shape == (1, 3, 4, 3)
    assert (values["samples"][0, :, :, 1] == np.asarray(picture)).all()
    assert (step, options) == (64, {"dataformats": "NHWC"})
    assert other.images[0][2] == {}


def test_wandb_gets_the_same_id_for_a_resumed_run_and_all_its_settings(
    tmp_path: Path,
) -> None:
    config = TrainConfig(report_to="wandb")
    first, again = (wandb_options(config, tmp_path / "run") for _ in range(2))
    assert first == again
    assert first["id"] != wandb_options(config, tmp_path / "other")["id"]
    assert first["config"] == settings_for_trackers(config)
    assert first["resume"] == "allow"
    assert first["settings"]["login_timeout"] > 0
    assert Path(first["dir"]).is_dir()


class Accelerator:
    """The part of accelerate.Accelerator that start_trackers uses."""

    is_main_process = True

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.options: dict[str, Any] = {}

    def init_trackers(self, name: str, settings: dict[str, Any], options: dict[str, Any]) -> None:
        """Store the options, or fail as a tracker without a login does."""
        self.options = options
        if self.error:
            raise self.error


def test_a_tracker_gets_its_options_and_fails_with_a_sentence(
    tmp_path: Path,
) -> None:
    accelerator = Accelerator()
    start_trackers(accelerator, TrainConfig(report_to="wandb"), tmp_path)
    assert set(accelerator.options) == {"wandb"}
    start_trackers(accelerator, TrainConfig(report_to="tensorboard"), tmp_path)
    assert accelerator.options == {}
    refusing = Accelerator(RuntimeError("api_key not configured (no-tty)"))
    with pytest.raises(ConfigError, match=r"--report-to wandb .+no-tty.+WANDB_MODE=offline"):
        start_trackers(refusing, TrainConfig(report_to="wandb"), tmp_path)
