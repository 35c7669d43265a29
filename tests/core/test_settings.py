"""Tests of declaring, checking and publishing settings, and of their flags."""

import argparse
import dataclasses
from typing import Any

import pytest

from fashion_ddpm.core.config import ClassifierConfig, ScorerConfig, TrainConfig
from fashion_ddpm.core.settings import (
    ConfigError,
    add_flags,
    flag_name,
    public_settings,
)


def test_every_field_is_a_flag_with_help_and_an_absent_flag_sets_nothing() -> None:
    parser = argparse.ArgumentParser()
    add_flags(parser, TrainConfig)
    names = {action.dest for action in parser._actions} - {"help"}
    assert names == {field.name for field in dataclasses.fields(TrainConfig)}
    assert all(action.help for action in parser._actions)
    assert vars(parser.parse_args([])) == {}


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("batch_size", 0, "--batch-size is 0; it must be at least 1"),
        ("dropout", 1.5, "--dropout is 1.5; it must be at most 0.9"),
        ("learning_rate", float("nan"), "--learning-rate is nan; it must be a finite number"),
        ("noise_schedule", "report", "--noise-schedule is 'report'; it must be one of cosine"),
        ("block_out_channels", (32, 4), "--block-out-channels is 4; it must be at least 8"),
    ],
)
def test_a_bad_value_is_refused(field: str, value: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        TrainConfig(**{field: value})


@pytest.mark.parametrize("config", [TrainConfig(), ScorerConfig(), ClassifierConfig()])
def test_public_settings_hold_no_path(config: Any) -> None:
    for field in dataclasses.fields(config):
        if isinstance(field.default, str) and not field.metadata["choices"]:
            object.__setattr__(config, field.name, "/home/ada/secret")
    public = public_settings(config)
    assert "/home" not in str(public)
    assert "seed" in public
    assert "learning_rate" in public


@pytest.mark.parametrize(
    ("name", "value", "type_name"),
    [
        ("images_total", "many", "a whole number"),
        ("images_total", 1.5, "a whole number"),
        ("images_total", True, "a whole number"),
        ("learning_rate", None, "a number"),
        ("zero_init", 1, "true or false"),
        ("output_dir", 7, "a text"),
        ("block_out_channels", 7, "a list"),
        ("block_out_channels", ("8",), "a whole number"),
    ],
)
def test_a_value_of_another_type_is_refused_with_its_flag(
    name: str, value: object, type_name: str
) -> None:
    settings: dict[str, Any] = {name: value}
    with pytest.raises(ConfigError, match=rf"{flag_name(name)} is .+; it must be {type_name}\."):
        TrainConfig(**settings)


def test_a_whole_number_is_a_number() -> None:
    assert TrainConfig(learning_rate=1).learning_rate == 1
