"""What lies where in a run's folder, and whether a folder holds this run or another."""

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

from fashion_ddpm.config import TrainConfig
from fashion_ddpm.data_settings import may_be_same
from fashion_ddpm.saved_states import TEMPORARY
from fashion_ddpm.settings import PATHS, ConfigError, flag_name

FREE_TO_CHANGE = {
    *PATHS,
    "keep_states",
    "preview_every",
    "frechet_every",
    "report_to",
}
"""Settings that may differ when a run is resumed; any other would make it another run."""


def free_to_change(config: TrainConfig) -> set[str]:
    """Return the settings that may differ when this run is resumed."""
    endless = config.lr_schedule == "constant" and not config.cool_down_images
    return FREE_TO_CHANGE | ({"images_total"} if endless else set())


class RunFolder:
    """The folder of one training run."""

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        self.config = self.root / "config.json"
        self.data = self.root / "data.json"
        self.states = self.root / "states"
        self.checkpoint = self.root / "checkpoint"
        self.best = self.root / "best"
        self.averages = self.root / "averages"
        self.precision = self.root / "precision.json"
        self.previews = self.root / "previews"
        self.curves = self.root / "loss.png"
        self.trackers = self.root / "trackers"

    def state(self, images_seen: int) -> Path:
        """Returns the folder of a saved state; later ones sort after earlier ones."""
        return self.states / f"images-{images_seen:011d}"

    def averages_at(self, images_seen: int) -> Path:
        """Returns the file of the averages kept at a moment of the run."""
        return self.averages / f"images-{images_seen:011d}.safetensors"

    def preview(self, images_seen: int) -> Path:
        """Returns the file of a grid of samples."""
        return self.previews / f"{images_seen:011d}.png"

    def check_same_run(self, config: TrainConfig) -> None:
        """Raises ConfigError when the folder holds a run with other settings."""
        if not self.config.exists():
            return
        before = self.settings()
        free = free_to_change(config)
        for name, value in _as_json(config).items():
            if name == "dataset" and may_be_same(before[name], value):
                continue  # its content decides
            if name not in free and before.get(name) != value:
                raise ConfigError(
                    f"{flag_name(name)} is {value}, but the run in {self.root} has "
                    f"{before.get(name)}; give that value, or another --output-dir."
                )

    def settings(self) -> dict[str, Any]:
        """Return the settings of the run in the folder, as its config.json has them."""
        # A setting that came later has its default in the files of before.
        return _as_json(TrainConfig()) | json.loads(self.config.read_text())

    def begin(self, config: TrainConfig) -> None:
        """Makes the folder and writes down whose run it holds."""
        self.previews.mkdir(parents=True, exist_ok=True)
        self.averages.mkdir(exist_ok=True)
        whole = self.config.with_name(self.config.name + TEMPORARY)
        whole.write_text(json.dumps(_as_json(config), indent=2) + "\n")
        os.replace(whole, self.config)


def _as_json(config: TrainConfig) -> dict[str, Any]:
    """Returns the settings as they look after a round trip through a file: tuples are lists."""
    return dict(json.loads(json.dumps(dataclasses.asdict(config))))
