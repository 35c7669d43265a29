"""Tests of the settings, their bounds, their presets and their flags."""

import argparse
import dataclasses
from typing import Any

import pytest

from fashion_ddpm.config import (
    PATHS,
    PRESETS,
    ConfigError,
    ScorerConfig,
    TrainConfig,
    add_flags,
    recorded,
    train_config,
)


def parse(*arguments: str) -> dict[str, Any]:
    parser = argparse.ArgumentParser()
    add_flags(parser, TrainConfig)
    return vars(parser.parse_args(arguments))


def test_every_field_is_a_flag_with_help_and_an_absent_flag_changes_nothing() -> None:
    parser = argparse.ArgumentParser()
    add_flags(parser, TrainConfig)
    names = {action.dest for action in parser._actions} - {"help"}
    assert names == {field.name for field in dataclasses.fields(TrainConfig)}
    assert all(action.help for action in parser._actions)
    assert parse() == {}


def test_flags_beat_the_preset_and_the_preset_beats_defaults() -> None:
    flags = parse("--batch-size", "64", "--block-out-channels", "16", "32", "--no-scale-shift")
    config = train_config("smoke", flags)
    assert config.batch_size == 64
    assert config.block_out_channels == (16, 32)
    assert config.images_total == PRESETS["smoke"]["images_total"]
    assert config.learning_rate == TrainConfig().learning_rate


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_is_a_valid_run(preset: str) -> None:
    assert train_config(preset, {}).total_steps > 0


def test_the_data_folder_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FASHION_DDPM_DATA", "/somewhere")
    assert train_config("cpu", {}).data_dir == "/somewhere"
    assert train_config("cpu", {"data_dir": "here"}).data_dir == "here"


@pytest.mark.parametrize(
    ("field", "value", "part"),
    [
        ("batch_size", 0, "--batch-size is 0; it must be at least 1"),
        ("dropout", 1.5, "--dropout is 1.5; it must be at most 0.9"),
        ("learning_rate", float("nan"), "--learning-rate is nan; it must be a finite number"),
        ("noise_schedule", "report", "--noise-schedule is 'report'; it must be one of cosine"),
        ("block_out_channels", (32, 4), "--block-out-channels is 4; it must be at least 8"),
    ],
)
def test_a_bad_value_costs_one_sentence(field: str, value: Any, part: str) -> None:
    with pytest.raises(ConfigError, match=part):
        TrainConfig(**{field: value})


def test_a_batch_that_accumulation_cannot_split_is_refused() -> None:
    with pytest.raises(ConfigError, match="equal parts"):
        TrainConfig(batch_size=10, gradient_accumulation_steps=3)


@pytest.mark.parametrize("config", [TrainConfig(), ScorerConfig()])
def test_what_is_recorded_names_no_path_of_the_machine(config: Any) -> None:
    assert set(recorded(config)) == {field.name for field in dataclasses.fields(config)} - set(
        PATHS
    )
