"""The end of a run at a constant rate, from any of its saved states, in a folder of its own.

The run itself is not touched: a long one is cooled down as often as one likes, and goes on.
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
"""Settings in which a cool-down may differ from the run that it ends."""


def make_cool_down_config(flags: dict[str, Any]) -> TrainConfig:
    """Return the config of a run that cools down from a state: that run's, with a new end.

    Args:
        flags: what the command line set: from_state, cool_down_images and output_dir among them.

    Raises:
        ConfigError: the state is not there or damaged, a flag would make it another run, or the
            cool-down has no length.
    """
    own = RunFolder(flags.get("output_dir", TrainConfig.output_dir))
    if own.config.exists():  # begun already; the state it came from may be gone
        settings = own.read_settings()
        if settings["from_state"] != flags["from_state"]:
            raise ConfigError(
                f"--output-dir {own.root} holds another run than a cool-down of "
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
        plain = list(value) if isinstance(value, tuple) else value  # as a file has it
        if name not in COOL_DOWN_SETTINGS and not may_be_equal(name, settings.get(name), plain):
            raise ConfigError(
                f"{flag_name(name)} is {value}, but it must be "
                f"{settings.get(name)} here, as in --from-state; leave the flag out."
            )
    return make_train_config("cpu", settings | flags)


def find_state(source: Path) -> Path:
    """Return a saved state: the one that was named, or the newest whole one of a run.

    Raises:
        ConfigError: there is none, it is damaged, or its run's rate is not constant.
    """
    found = atomic_folders.list_states(RunFolder(source).states) or [source]
    named = atomic_folders.STATE_NAME_PATTERN.fullmatch
    whole = [state for state in found if named(state.name) and is_intact(state)]
    run = RunFolder(found[0].parent.parent)
    if not whole or not run.config.exists():
        raise ConfigError(
            f"--from-state {source} is no whole saved state of a run, and no run that holds one; "
            "name the run's --output-dir, or a folder in its states/."
        )
    settings = read_state_settings(whole[0])
    begin = settings["images_total"] - settings["cool_down_images"]
    if settings["lr_schedule"] != "constant" or (
        settings["cool_down_images"] and parse_images_seen(whole[0]) > begin
    ):
        raise ConfigError(
            f"--from-state {source} is of a run whose learning rate was falling already; name a "
            "state of a run with --lr-schedule constant, before any cool-down."
        )
    return whole[0]


def read_state_settings(state: Path) -> dict[str, Any]:
    """Return the settings of the run in whose folder a state lies.

    Raises:
        ConfigError: the state is of another run, by its own record.
    """
    run = RunFolder(state.parent.parent)
    settings = run.read_settings()
    run.check_state(state, make_train_config("cpu", settings))
    return settings


def copy_state(config: TrainConfig) -> None:
    """Put the state of --from-state into the run's own folder, unless it holds one already.

    Raises:
        ConfigError: the state is gone.
        CheckpointError: it cannot be written.
    """
    folder = RunFolder(config.output_dir)
    if not config.from_state or any(map(is_intact, atomic_folders.list_states(folder.states))):
        return
    start = config.images_total - config.cool_down_images
    source = Path(config.from_state)
    state = source if source.name == folder.state(start).name else RunFolder(source).state(start)
    if not is_intact(state):
        raise ConfigError(
            f"--from-state {source} no longer holds {state.name}, from which this run began; name "
            "another --output-dir to begin again."
        )
    if (state / CONFIG_FILE).exists():
        free = {*COOL_DOWN_SETTINGS, "images_total", "minutes"}
        cure = "name another --output-dir to begin a cool-down of that run"
        check_settings(read_settings(state), config, free, f"the run that saved {state}", cure)
    final = folder.state(start)
    temporary = atomic_folders.create_temporary_folder(final)
    with atomic_folders.report_write_errors(final):
        shutil.copytree(state, temporary, dirs_exist_ok=True)
    if not is_intact(temporary):
        raise ConfigError(f"{state} changed while it was copied; run the same command again.")
    with atomic_folders.report_write_errors(final):
        write_settings(temporary, config)  # from here on it is a state of this run
    atomic_folders.finalize_folder(final)
