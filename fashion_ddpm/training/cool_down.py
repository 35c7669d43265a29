"""Cool-down: a new run from a state of a run at a constant learning rate, which falls to 0.

It has its own folder and leaves the original run as it is, which can be resumed or cooled down
again.
"""

import shutil
from pathlib import Path
from typing import Any

from fashion_ddpm.checkpoints import atomic_folders
from fashion_ddpm.checkpoints.atomic_folders import parse_images_seen
from fashion_ddpm.checkpoints.manifest import is_intact
from fashion_ddpm.core.config import TrainConfig, make_train_config
from fashion_ddpm.core.data_settings import may_be_equal
from fashion_ddpm.core.settings import ConfigError, flag_name
from fashion_ddpm.training.run_folder import (
    CHANGEABLE_SETTINGS,
    CONFIG_FILE,
    RunFolder,
    check_settings,
    read_settings,
    write_settings,
)

COOL_DOWN_SETTINGS = {
    *CHANGEABLE_SETTINGS,
    "cool_down_images",
    "from_state",
    "log_every",
    "mixed_precision",
    "save_every",
    "validate_every",
}
"""Settings that may differ between a cool-down and its original run."""


def make_cool_down_config(flags: dict[str, Any]) -> TrainConfig:
    """Return the config of a cool-down: the settings of the original run, with a new length.

    Args:
        flags: the flags given on the command line, with from_state.

    Raises:
        ConfigError: the state is missing or damaged, a flag contradicts the original run, or the
            cool-down has no length.
    """
    folder = RunFolder(flags.get("output_dir", TrainConfig.output_dir))
    if folder.config.exists():  # the cool-down is resumed; its first state may be deleted by now
        settings = folder.read_settings()
        if settings["from_state"] != flags["from_state"]:
            raise ConfigError(
                f"--output-dir {folder.root} holds another run than a cool-down of "
                f"{flags['from_state']}; name another folder."
            )
    else:
        state = find_state(Path(flags["from_state"]))
        settings = read_state_settings(state)
        length = flags.get("cool_down_images", 0)
        if length < 1:
            raise ConfigError(
                "--from-state needs --cool-down-images, the images over which the learning rate "
                "falls to 0; a fifth of what the run has seen is usual."
            )
        settings |= {"images_total": parse_images_seen(state) + length, "minutes": 0.0}
    for name, value in flags.items():
        json_value = list(value) if isinstance(value, tuple) else value
        if name not in COOL_DOWN_SETTINGS and not may_be_equal(
            name, settings.get(name), json_value
        ):
            raise ConfigError(
                f"{flag_name(name)} is {value}, but it must be "
                f"{settings.get(name)} here, as in --from-state; leave the flag out."
            )
    return make_train_config("cpu", settings | flags)


def find_state(source: Path) -> Path:
    """Return the state at a path: the path itself, or the newest intact state of a run there.

    Raises:
        ConfigError: it is missing or damaged, or its run's learning rate is not constant.
    """
    states = atomic_folders.list_states(RunFolder(source).states) or [source]
    is_state_name = atomic_folders.STATE_NAME_PATTERN.fullmatch
    state = next((s for s in states if is_state_name(s.name) and is_intact(s)), None)
    run = RunFolder(states[0].parent.parent)
    if not state or not run.config.exists():
        raise ConfigError(
            f"--from-state {source} is no whole saved state of a run, and no run that holds one; "
            "name the run's --output-dir, or a folder in its states/."
        )
    settings = read_state_settings(state)
    cool_down_start = settings["images_total"] - settings["cool_down_images"]
    if settings["lr_schedule"] != "constant" or (
        settings["cool_down_images"] and parse_images_seen(state) > cool_down_start
    ):
        raise ConfigError(
            f"--from-state {source} is of a run whose learning rate was falling already; name a "
            "state of a run with --lr-schedule constant, before any cool-down."
        )
    return state


def read_state_settings(state: Path) -> dict[str, Any]:
    """Return the settings of the run whose folder holds a state.

    Raises:
        ConfigError: the state's own config.json is that of another run.
    """
    run = RunFolder(state.parent.parent)
    settings = run.read_settings()
    run.check_state(state, make_train_config("cpu", settings))
    return settings


def copy_state(config: TrainConfig) -> None:
    """Copy the state of --from-state into the run's folder, unless that holds an intact state.

    Raises:
        ConfigError: the state is missing.
        CheckpointError: the folder cannot be written.
    """
    folder = RunFolder(config.output_dir)
    if not config.from_state or any(map(is_intact, atomic_folders.list_states(folder.states))):
        return
    final = folder.state(config.images_total - config.cool_down_images)
    source = Path(config.from_state)
    state = source if source.name == final.name else RunFolder(source).states / final.name
    if not is_intact(state):
        raise ConfigError(
            f"--from-state {source} no longer holds {state.name}, from which this run began; name "
            "another --output-dir to begin again."
        )
    if (state / CONFIG_FILE).exists():
        changeable = {*COOL_DOWN_SETTINGS, "images_total", "minutes"}
        fix = "name another --output-dir to begin a cool-down of that run"
        check_settings(read_settings(state), config, changeable, f"the run that saved {state}", fix)
    temporary = atomic_folders.create_temporary_folder(final)
    with atomic_folders.report_write_errors(final):
        shutil.copytree(state, temporary, dirs_exist_ok=True)
    if not is_intact(temporary):
        raise ConfigError(f"{state} changed while it was copied; run the same command again.")
    with atomic_folders.report_write_errors(final):
        write_settings(temporary, config)  # makes it a state of this run
    atomic_folders.finalize_folder(final)
