"""Tests of settings, bounds, presets and flags."""

import argparse
from typing import Any

import pytest

from fashion_ddpm.core.config import PRESETS, PushConfig, TrainConfig, make_train_config
from fashion_ddpm.core.settings import ConfigError, add_flags


def parse(*arguments: str) -> dict[str, Any]:
    parser = argparse.ArgumentParser()
    add_flags(parser, TrainConfig)
    return vars(parser.parse_args(arguments))


def test_flags_override_the_preset_and_the_preset_overrides_defaults() -> None:
    flags = parse("--batch-size", "64", "--block-out-channels", "16", "32", "--no-scale-shift")
    config = make_train_config("smoke", flags)
    assert config.batch_size == 64
    assert config.block_out_channels == (16, 32)
    assert config.images_total == PRESETS["smoke"]["images_total"]
    assert config.learning_rate == TrainConfig().learning_rate


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_is_a_valid_run(preset: str) -> None:
    assert make_train_config(preset, {}).total_steps > 0


def test_the_data_folder_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FASHION_DDPM_DATA", "/somewhere")
    assert make_train_config("cpu", {}).data_dir == "/somewhere"
    assert make_train_config("cpu", {"data_dir": "here"}).data_dir == "here"


@pytest.mark.parametrize(
    ("preset", "flags", "sentence"),
    [
        ("cpu", {"batch_size": 10, "gradient_accumulation_steps": 3}, "equal parts"),
        ("cpu", {"cool_down_images": 100}, "add --lr-schedule constant"),
        (
            "cpu",
            {"cool_down_images": 1000, "lr_schedule": "constant", "images_total": 500},
            "--cool-down-images is 1000, more than --images-total 500",
        ),
        ("distill", {"lr_schedule": "constant"}, "a distillation needs a length"),
        ("distill", {"initial_checkpoint": "elsewhere"}, "leave --initial-checkpoint and --loss-w"),
        ("distill", {"loss_weighting": "min-snr"}, "leave --initial-checkpoint and --loss-w"),
    ],
)
def test_contradictory_settings_are_refused(
    preset: str, flags: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ConfigError, match=sentence):
        make_train_config(preset, flags)


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        ({"push_to_hub": True}, "add --hub-model-id USER/NAME"),
        ({"hub_model_id": "ada/boots"}, "--hub-model-id says how to push, .+ add --push-to-hub"),
        ({"push_every": 100}, "--push-every says how to push"),
        ({"push_every": -1}, "--push-every is -1; it must be at least 0"),
    ],
)
def test_a_push_is_asked_for_and_has_a_name(flags: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        PushConfig(**flags)
