"""Declaring the settings of a config, checking them, and turning them into flags."""

import argparse
import dataclasses
import math
import os
from typing import Any

from fashion_ddpm.core.errors import UserError

DATA_DIR_VARIABLE = "FASHION_DDPM_DATA"


class ConfigError(UserError):
    """A setting that cannot be used."""


def setting(
    default: Any,
    help: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] | None = None,
) -> Any:
    """Return a dataclass field with its help text, bounds and choices."""
    metadata = {"help": help, "low": low, "high": high, "choices": choices}
    return dataclasses.field(default=default, metadata=metadata)


PATH_FIELDS = ("data_dir", "output_dir")
"""Settings that belong to a machine, not to a run: paths."""

UNPUBLISHED_FIELDS = (*PATH_FIELDS, "dataset", "from_state", "initial_checkpoint", "teacher")
"""Settings that may hold a private path."""


def public_settings(config: Any) -> dict[str, Any]:
    """Return the settings for a published run.json: all but UNPUBLISHED_FIELDS."""
    settings = dataclasses.asdict(config)
    return {name: value for name, value in settings.items() if name not in UNPUBLISHED_FIELDS}


TYPE_NAMES = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    tuple: "a list",
}


def check_fields(config: Any) -> None:
    """Raise ConfigError if a field of a config has a wrong type or is out of bounds."""
    for field in dataclasses.fields(config):
        name, value = flag_name(field.name), getattr(config, field.name)
        choices = field.metadata["choices"]
        _check_type(name, value, field.default)
        if choices and value not in choices:
            raise ConfigError(f"{name} is {value!r}; it must be one of {', '.join(choices)}.")
        for number in value if isinstance(value, tuple) else (value,):
            _check_bounds(name, number, field.metadata["low"], field.metadata["high"])


def _check_type(name: str, value: Any, default: Any) -> None:
    """Raise ConfigError if a value, perhaps from a file, has another type than the default."""
    type_ = type(default)
    allowed = (int, float) if type_ is float else type_
    if not isinstance(value, allowed) or (isinstance(value, bool) and type_ is not bool):
        raise ConfigError(f"{name} is {value!r:.80}; it must be {TYPE_NAMES[type_]}.")
    if isinstance(value, tuple):
        for number in value:
            _check_type(name, number, default[0])


def _check_bounds(name: str, number: Any, low: float | None, high: float | None) -> None:
    if isinstance(number, float) and not math.isfinite(number):
        raise ConfigError(f"{name} is {number}; it must be a finite number.")
    if low is not None and number < low:
        raise ConfigError(f"{name} is {number}; it must be at least {low}.")
    if high is not None and number > high:
        raise ConfigError(f"{name} is {number}; it must be at most {high}.")


def flag_name(field_name: str) -> str:
    """Return the flag that sets a field: "batch_size" → "--batch-size"."""
    return "--" + field_name.replace("_", "-")


def add_flags(parser: argparse.ArgumentParser, config_class: type) -> None:
    """Add a flag for each field of a config; a flag that is not given sets no attribute."""
    for field in dataclasses.fields(config_class):
        options: dict[str, Any] = {"help": field.metadata["help"], "default": argparse.SUPPRESS}
        if isinstance(field.default, bool):
            options["action"] = argparse.BooleanOptionalAction
        elif isinstance(field.default, tuple):
            options |= {"type": type(field.default[0]), "nargs": "+"}
        else:
            # Shells do not expand the ~ of --output-dir=~/run.
            type_ = os.path.expanduser if field.name in PATH_FIELDS else type(field.default)
            options |= {"type": type_, "choices": field.metadata["choices"]}
        parser.add_argument(flag_name(field.name), **options)


def given_flags(arguments: argparse.Namespace, config_class: type) -> dict[str, Any]:
    """Return the fields of a config that were set on the command line."""
    names = {field.name for field in dataclasses.fields(config_class)}
    return {name: value for name, value in vars(arguments).items() if name in names}


def default_data_dir() -> str:
    """Return the data folder from the environment, or "data"."""
    return os.environ.get(DATA_DIR_VARIABLE, "data")
