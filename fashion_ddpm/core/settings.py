"""How a setting is declared, checked and turned into a flag: the machinery below the configs."""

import argparse
import dataclasses
import math
import os
from typing import Any

from fashion_ddpm.core.errors import UserError

DATA_DIR_VARIABLE = "FASHION_DDPM_DATA"


class ConfigError(UserError):
    """A setting that cannot be used; the message names the value, what is allowed, the fix."""


def setting(
    default: Any,
    help: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] | None = None,
) -> Any:
    """Return a dataclass field that carries its own documentation and its bounds."""
    metadata = {"help": help, "low": low, "high": high, "choices": choices}
    return dataclasses.field(default=default, metadata=metadata)


PATH_FIELDS = ("data_dir", "output_dir")
"""Settings that belong to a machine, not to a run."""

UNPUBLISHED_FIELDS = (*PATH_FIELDS, "dataset", "from_state")
"""Settings that may hold a path of the machine's; run.json tells the data set's name without it."""


def public_settings(config: Any) -> dict[str, Any]:
    """Return the settings that a published run.json repeats: all but those with paths."""
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
    """Raise ConfigError when any field of a config is of another type or outside its bounds."""
    for field in dataclasses.fields(config):
        name, value = flag_name(field.name), getattr(config, field.name)
        choices = field.metadata["choices"]
        _check_type(name, value, field.default)
        if choices and value not in choices:
            raise ConfigError(f"{name} is {value!r}; it must be one of {', '.join(choices)}.")
        for number in value if isinstance(value, tuple) else (value,):
            _check_bounds(name, number, field.metadata["low"], field.metadata["high"])


def _check_type(name: str, value: Any, default: Any) -> None:
    """Raise ConfigError for a value of another type than the default; files hold any."""
    type_ = type(default)
    wanted = (int, float) if type_ is float else type_
    if not isinstance(value, wanted) or (isinstance(value, bool) and type_ is not bool):
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
    """Add one flag for each field of a config; a flag that is not given changes nothing."""
    for field in dataclasses.fields(config_class):
        options: dict[str, Any] = {"help": field.metadata["help"], "default": argparse.SUPPRESS}
        if isinstance(field.default, bool):
            options["action"] = argparse.BooleanOptionalAction
        elif isinstance(field.default, tuple):
            options |= {"type": type(field.default[0]), "nargs": "+"}
        else:
            # Shells leave the ~ of --output-dir=~/run as it is.
            type_ = os.path.expanduser if field.name in PATH_FIELDS else type(field.default)
            options |= {"type": type_, "choices": field.metadata["choices"]}
        parser.add_argument(flag_name(field.name), **options)


def given_flags(arguments: argparse.Namespace, config_class: type) -> dict[str, Any]:
    """Return the fields of a config that the command line set."""
    names = {field.name for field in dataclasses.fields(config_class)}
    return {name: value for name, value in vars(arguments).items() if name in names}


def default_data_dir() -> str:
    """Return the data folder of the environment, or "data"."""
    return os.environ.get(DATA_DIR_VARIABLE, "data")
