"""What lies where in a run's folder, and how far the run is."""

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from fashion_ddpm.core.config import TrainConfig, make_train_config
from fashion_ddpm.core.data_settings import may_be_equal
from fashion_ddpm.core.json_files import FileError, read_object, write_object
from fashion_ddpm.core.settings import PATH_FIELDS, ConfigError, flag_name

LogRow = dict[str, Any]
"""One line of a run's log: images_seen and whatever was measured there."""

CONFIG_FILE = "config.json"
"""A run's settings: in its folder, and in each saved state."""

REQUIRED_SETTINGS = {"images_total", "batch_size", "seed"}
"""Settings that every run has written down, whatever version of this program it was."""

CHANGEABLE_SETTINGS = {
    *PATH_FIELDS,
    "keep_states",
    "preview_every",
    "frechet_every",
    "report_to",
}
"""Settings that may differ when a run is resumed; any other would make it another run."""


def changeable_settings(config: TrainConfig) -> set[str]:
    """Return the settings that may differ when this run is resumed."""
    endless = config.lr_schedule == "constant" and not config.cool_down_images
    return CHANGEABLE_SETTINGS | ({"images_total"} if endless else set())


class RunFolder:
    """The folder of one training run."""

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        self.config = self.root / CONFIG_FILE
        self.data = self.root / "data.json"
        self.lock = self.root / "run.lock"
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
        """Return the file of the averages kept at a moment of the run."""
        return self.averages / f"images-{images_seen:011d}.safetensors"

    def preview(self, images_seen: int) -> Path:
        """Return the file of a grid of samples."""
        return self.previews / f"{images_seen:011d}.png"

    def check_same_run(self, config: TrainConfig) -> None:
        """Raise ConfigError when the folder holds a run with other settings, or none at all."""
        if self.config.exists():
            whose, cure = f"the run in {self.root}", "give that value, or another --output-dir"
            check_settings(self.read_settings(), config, changeable_settings(config), whose, cure)

    def check_state(self, state: Path, config: TrainConfig) -> None:
        """Raise ConfigError when a saved state, by its own record, is of a run with other settings.

        The states of earlier versions of this program have no record.
        """
        if (state / CONFIG_FILE).exists():
            whose = f"the run that saved {state}"
            cure = "give that value, move the state away, or name another --output-dir"
            check_settings(read_settings(state), config, changeable_settings(config), whose, cure)

    def read_settings(self) -> dict[str, Any]:
        """Return the settings of the run in the folder; see read_settings."""
        return read_settings(self.root)

    def begin(self, config: TrainConfig) -> None:
        """Make the folder and write down whose run it holds."""
        self.previews.mkdir(parents=True, exist_ok=True)
        self.averages.mkdir(exist_ok=True)
        write_settings(self.root, config)


def write_settings(folder: Path, config: TrainConfig) -> None:
    """Write down whose run a folder, or a saved state, is of."""
    write_object(folder / CONFIG_FILE, _to_json(config))


def read_settings(folder: Path) -> dict[str, Any]:
    """Return the settings in a folder's config.json; those that it lacks have their defaults.

    Raises:
        FileError: it is damaged, or not the settings of a training run.
    """
    path = folder / CONFIG_FILE
    cure = "restore it (the states of a run hold copies of it), or name another folder"
    content = read_object(path, cure)
    settings = _to_json(TrainConfig()) | content
    unknown = sorted(settings.keys() - _to_json(TrainConfig()).keys())
    if unknown or not content.keys() >= REQUIRED_SETTINGS:
        found = f"holds {unknown[0]!r:.80}" if unknown else "lacks settings that every run has"
        raise FileError(f"{path} is not of a training run of this version, for it {found}: {cure}.")
    try:
        make_train_config("cpu", settings)
    except ConfigError as error:
        raise FileError(f"{path} cannot be used: {cure}. In it, {error}") from error
    return settings


def check_settings(
    before: dict[str, Any], config: TrainConfig, free: set[str], whose: str, cure: str
) -> None:
    """Raise ConfigError when a run's settings differ from those that were recorded.

    Args:
        before: the recorded settings, all of them.
        config: the run.
        free: those that may differ.
        whose: what recorded them, for the sentence.
        cure: what to do about it, the end of the sentence.
    """
    for name, value in _to_json(config).items():
        if name in free or may_be_equal(name, before[name], value):
            continue
        if name == "images_total":
            cure += (
                "; only a run with --lr-schedule constant and no --cool-down-images can be made "
                f"longer, any other is begun anew from its weights with --initial-checkpoint "
                f"{RunFolder(config.output_dir).checkpoint} and another --output-dir"
            )
        raise ConfigError(f"{flag_name(name)} is {value}, but {whose} has {before[name]}; {cure}.")


def _to_json(config: TrainConfig) -> dict[str, Any]:
    """Return the settings as they look after a round trip through a file: tuples are lists."""
    return dict(json.loads(json.dumps(dataclasses.asdict(config))))


@dataclass
class Progress:
    """The part of a run's state that is not weights.

    Attributes:
        step: optimizer steps done.
        loss_sum: float32 [], sum of the steps' mean losses since the last row that has a loss.
        log: the rows so far.
    """

    step: int = 0
    loss_sum: Tensor = field(default_factory=lambda: torch.zeros(()))
    log: list[LogRow] = field(default_factory=list)

    def state_dict(self) -> dict[str, Any]:
        """Return the progress for accelerate to save."""
        return {"step": self.step, "loss_sum": self.loss_sum, "log": self.log}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take the progress that accelerate has loaded."""
        self.step, self.loss_sum, self.log = state["step"], state["loss_sum"], state["log"]

    def steps_since_loss(self, batch_size: int) -> int:
        """Return the steps since the last row with a loss, which may be from before a resume."""
        rows = [row["images_seen"] for row in self.log if "loss" in row]
        return self.step - (rows[-1] // batch_size if rows else 0)
