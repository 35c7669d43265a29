"""The layout of a run's folder, the settings recorded in it, and the run's progress."""

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from fashion_ddpm.checkpoints.locate import read_run
from fashion_ddpm.core.config import TrainConfig, make_train_config
from fashion_ddpm.core.data_settings import may_be_equal
from fashion_ddpm.core.json_files import FileError, read_object, write_object
from fashion_ddpm.core.settings import PATH_FIELDS, ConfigError, flag_name
from fashion_ddpm.generation.preview import preview_name

LogRow = dict[str, Any]
"""One row of a run's log: images_seen and the values measured then."""

CONFIG_FILE = "config.json"
"""Name of the file with a run's settings, in its folder and in each saved state."""

REQUIRED_SETTINGS = {"images_total", "batch_size", "seed"}
"""Settings that every version of this program records."""

CHANGEABLE_SETTINGS = {*PATH_FIELDS, "keep_states", "preview_every", "frechet_every", "report_to"}
"""Settings that may differ when a run is resumed."""


def changeable_settings(config: TrainConfig) -> set[str]:
    """Return CHANGEABLE_SETTINGS, with the length for a run at a constant learning rate."""
    endless = config.lr_schedule == "constant" and not config.cool_down_images
    return CHANGEABLE_SETTINGS | ({"images_total"} if endless else set())


class RunFolder:
    """The folder of one training run."""

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        self.config = self.root / CONFIG_FILE
        self.data = self.root / "data.json"
        self.lock = self.root / "run.lock"
        self.hub = self.root / "hub.json"
        self.published = self.root / "hub"
        self.states = self.root / "states"
        self.checkpoint = self.root / "checkpoint"
        self.best_checkpoint = self.root / "best"
        self.averages = self.root / "averages"
        self.precision = self.root / "precision.json"
        self.previews = self.root / "previews"
        self.curves = self.root / "loss.png"
        self.trackers = self.root / "trackers"

    def state(self, images_seen: int) -> Path:
        """Return the folder of a saved state; later ones sort after earlier ones."""
        return self.states / f"images-{images_seen:011d}"

    def averages_path(self, images_seen: int) -> Path:
        """Return the file of the averages saved after so many images."""
        return self.averages / f"images-{images_seen:011d}.safetensors"

    def preview(self, images_seen: int) -> Path:
        """Return the file of a preview."""
        return self.previews / preview_name(images_seen)

    def check_same_run(self, config: TrainConfig) -> None:
        """Raise ConfigError if the folder holds a run with other settings."""
        if self.config.exists():
            owner, fix = f"the run in {self.root}", "give that value, or another --output-dir"
            check_settings(self.read_settings(), config, changeable_settings(config), owner, fix)

    def check_state(self, state: Path, config: TrainConfig) -> None:
        """Raise ConfigError if a saved state is of a run with other settings.

        States saved by earlier versions have no config.json and are not checked.
        """
        if (state / CONFIG_FILE).exists():
            owner = f"the run that saved {state}"
            fix = "give that value, move the state away, or name another --output-dir"
            check_settings(read_settings(state), config, changeable_settings(config), owner, fix)

    def read_settings(self) -> dict[str, Any]:
        """Return the settings in the folder's config.json; see the function read_settings."""
        return read_settings(self.root)

    def is_finished(self) -> bool:
        """Return whether the checkpoint has seen all images of the run."""
        images_seen = read_run(self.checkpoint).get("images_seen", 0)
        return images_seen >= self.read_settings()["images_total"]

    def begin(self, config: TrainConfig) -> None:
        """Create the folder and write the run's settings into it."""
        self.previews.mkdir(parents=True, exist_ok=True)
        self.averages.mkdir(exist_ok=True)
        write_settings(self.root, config)


def write_settings(folder: Path, config: TrainConfig) -> None:
    """Write a run's settings into its folder or into a saved state."""
    write_object(folder / CONFIG_FILE, _to_json(config))


def read_settings(folder: Path) -> dict[str, Any]:
    """Return the settings in a folder's config.json, with defaults for missing ones.

    Raises:
        FileError: the file is damaged or holds something else.
    """
    path = folder / CONFIG_FILE
    fix = "restore it (the states of a run hold copies of it), or name another folder"
    content, defaults = read_object(path, fix), _to_json(TrainConfig())
    settings = defaults | content
    unknown = sorted(content.keys() - defaults.keys())
    if unknown or not content.keys() >= REQUIRED_SETTINGS:
        found = f"holds {unknown[0]!r:.80}" if unknown else "lacks settings that every run has"
        raise FileError(f"{path} is not of a training run of this version, for it {found}: {fix}.")
    try:
        make_train_config("cpu", settings)
    except ConfigError as error:
        raise FileError(f"{path} cannot be used: {fix}. In it, {error}") from error
    return settings


def check_settings(
    recorded: dict[str, Any], config: TrainConfig, changeable: set[str], owner: str, fix: str
) -> None:
    """Raise ConfigError if a run's settings differ from recorded ones.

    Args:
        recorded: the recorded settings.
        config: the run.
        changeable: names of the settings that may differ.
        owner: what has the recorded settings, for the message.
        fix: what the user can do, for the message.
    """
    for name, value in _to_json(config).items():
        if name in changeable or may_be_equal(name, recorded[name], value):
            continue
        if name == "images_total":
            fix += (
                "; only a run with --lr-schedule constant and no --cool-down-images can be made "
                f"longer, any other is begun anew from its weights with --initial-checkpoint "
                f"{RunFolder(config.output_dir).checkpoint} and another --output-dir"
            )
        raise ConfigError(f"{flag_name(name)} is {value}, but {owner} has {recorded[name]}; {fix}.")


def _to_json(config: TrainConfig) -> dict[str, Any]:
    """Return the settings as read back from a JSON file: tuples become lists."""
    return dict(json.loads(json.dumps(dataclasses.asdict(config))))


@dataclass
class Progress:
    """The progress of a run, saved as part of its state.

    Attributes:
        step: completed optimizer steps.
        loss_sum: float32 [], sum of the steps' mean losses since the last row with a loss.
        log: the rows so far.
    """

    step: int = 0
    loss_sum: Tensor = field(default_factory=lambda: torch.zeros(()))
    log: list[LogRow] = field(default_factory=list)

    def state_dict(self) -> dict[str, Any]:
        """Return what accelerate saves."""
        return {"step": self.step, "loss_sum": self.loss_sum, "log": self.log}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what accelerate has loaded."""
        self.step, self.loss_sum, self.log = state["step"], state["loss_sum"], state["log"]

    def steps_since_loss(self, batch_size: int) -> int:
        """Return the number of steps since the last row with a loss."""
        rows = [row["images_seen"] for row in self.log if "loss" in row]
        return self.step - (rows[-1] // batch_size if rows else 0)
