"""One command for a rented or lent machine: a network, its distilled network, reports on both."""

import dataclasses
import math
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fashion_ddpm.checkpoints import atomic_folders
from fashion_ddpm.checkpoints.locate import distilled_folder, read_class_names, read_run
from fashion_ddpm.checkpoints.manifest import is_intact
from fashion_ddpm.checkpoints.run_lock import acquire_run_lock
from fashion_ddpm.core.config import TURBO, TURBO_STEPS, TrainConfig, make_train_config
from fashion_ddpm.core.data_settings import DataSettings, may_be_equal
from fashion_ddpm.core.distributed import this_process
from fashion_ddpm.core.errors import UserError
from fashion_ddpm.core.image_kind import ALL_CLASSES
from fashion_ddpm.core.json_files import read_object, write_object
from fashion_ddpm.core.requests import EVALUATION_DEFAULTS, GenerateRequest
from fashion_ddpm.core.settings import ConfigError, flag_name
from fashion_ddpm.evaluation.command import FEWEST_IMAGES, Evaluation, evaluate
from fashion_ddpm.evaluation.image_sets import check_counts
from fashion_ddpm.evaluation.report import REPORT_FILE
from fashion_ddpm.scoring.clip import EMBEDDED
from fashion_ddpm.training.initial_state import settings_of_teacher
from fashion_ddpm.training.loop import train
from fashion_ddpm.training.run_data import load_run_data
from fashion_ddpm.training.run_folder import RunFolder

NETWORK_SHARE = 0.7
"""Share of the minutes in which the network is trained."""

DISTILLATION_SHARE = 0.15
"""Share of the minutes in which it is distilled; the rest is for the two reports."""


@dataclass(frozen=True)
class TrainAll:
    """What the command makes.

    Attributes:
        data: the data set.
        preset: of the network's training.
        minutes: for everything.
        num_images: of each report.
        output: folder for runs, checkpoints and reports.

    Raises:
        ConfigError: the minutes or the images are too few.
        RequestError: the images are too many.
    """

    data: DataSettings
    preset: str
    minutes: float
    num_images: int
    output: Path

    def __post_init__(self) -> None:
        if not 0 < self.minutes < math.inf:
            raise ConfigError(f"--minutes is {self.minutes}; it must be above 0: give 30.")
        if self.num_images < FEWEST_IMAGES:
            raise ConfigError(
                f"--num-images is {self.num_images}; a report needs at least {FEWEST_IMAGES}."
            )
        GenerateRequest(ALL_CLASSES, self.num_images)  # refuses too many

    @property
    def note(self) -> Path:
        """Where the flags are noted with which the folder was begun."""
        return self.output / "train-all.json"

    @property
    def checkpoint(self) -> Path:
        """Where the network ends up; the distilled one lies beside it."""
        return self.output / "checkpoints" / "network"


def train_all(wanted: TrainAll) -> bool:
    """Train, distil and evaluate, as far as it has not been done; return whether all is done.

    A signal stops it after a save; the same call goes on from there.

    Raises:
        UserError: a part cannot be done; the message says which and why.
    """
    if this_process().num_processes > 1:
        raise ConfigError(
            "train-all runs in one process; with several, launch train_accelerate.py and evaluate "
            "one after the other, as docs/training.md has them."
        )
    network = make_train_config(wanted.preset, _settings(wanted, "network", NETWORK_SHARE))
    data, _ = load_run_data(network)
    check_counts(data, wanted.data)
    with acquire_run_lock(wanted.output / "run.lock"):
        _begin(wanted)
        try:
            return _train_all(wanted, network)
        except UserError:
            # A folder in which nothing could be begun is nobody's, and other flags may try it.
            begun = RunFolder(wanted.output / "network").config
            if not begun.exists() and not wanted.checkpoint.exists():
                wanted.note.unlink()
            raise


def _train_all(wanted: TrainAll, network: TrainConfig) -> bool:
    if not _trained(network, wanted.checkpoint):
        return False
    distillation = make_train_config(
        "distill",
        settings_of_teacher(str(wanted.checkpoint))
        | _settings(wanted, "distillation", DISTILLATION_SHARE)
        | _smallness(wanted.preset)
        | {
            "teacher": str(wanted.checkpoint),
            # accelerate keeps one precision as long as the process lasts.
            "mixed_precision": read_run(wanted.checkpoint)["mixed_precision"],
        },
    )
    if not _trained(distillation, distilled_folder(wanted.checkpoint)):
        return False
    names = read_class_names(wanted.checkpoint)
    request = GenerateRequest(
        ALL_CLASSES, wanted.num_images, class_names=names, **EVALUATION_DEFAULTS
    )
    _report(wanted, request, "evaluation")
    turbo = dataclasses.replace(request, sampler=TURBO, num_inference_steps=TURBO_STEPS)
    _report(wanted, turbo, "evaluation-turbo")
    return True


def _begin(wanted: TrainAll) -> None:
    """Note what the folder is for.

    Raises:
        ConfigError: it was begun with other flags.
    """
    flags = {
        **dataclasses.asdict(wanted.data),
        "preset": wanted.preset,
        "minutes": wanted.minutes,
        "num_images": wanted.num_images,
    }
    del flags["data_dir"]
    note = wanted.note
    if note.exists():
        before = read_object(note, "restore it, or name another --output-dir")
        for name, value in flags.items():
            if not may_be_equal(name, before.get(name), value):
                raise ConfigError(
                    f"{flag_name(name)} is {value}, but {wanted.output} was begun with "
                    f"{before.get(name)}; give that value, or another --output-dir."
                )
        return
    with atomic_folders.report_write_errors(note):
        wanted.output.mkdir(parents=True, exist_ok=True)
        write_object(note, flags)


def _settings(wanted: TrainAll, name: str, share: float) -> dict[str, Any]:
    """Return what both runs take from the command."""
    names = [field.name for field in dataclasses.fields(DataSettings)]
    data = {name: getattr(wanted.data, name) for name in names}
    return {**data, "output_dir": str(wanted.output / name), "minutes": share * wanted.minutes}


def _smallness(preset: str) -> dict[str, Any]:
    """Return what a distillation after the smoke preset takes over from it."""
    if preset != "smoke":
        return {}
    names = ("batch_size", "validation_images", "validate_every", "preview_every", "frechet_every")
    smoke = make_train_config("smoke", {})
    return {name: getattr(smoke, name) for name in names}


def _trained(config: TrainConfig, checkpoint: Path) -> bool:
    """Train, or go on; copy the checkpoint when the run is at its end, and return whether it is."""
    if is_intact(checkpoint):
        return True
    published = train(config)
    folder = RunFolder(config.output_dir)
    if read_run(published)["images_seen"] < folder.settings()["images_total"]:
        return False
    temporary = atomic_folders.create_temporary_folder(checkpoint)
    with atomic_folders.report_write_errors(checkpoint):
        shutil.copytree(published, temporary, dirs_exist_ok=True)
    atomic_folders.finalize_folder(checkpoint)
    return True


def _report(wanted: TrainAll, request: GenerateRequest, name: str) -> None:
    """Write a report, unless there is one."""
    output = wanted.output / name
    if (output / REPORT_FILE).exists():
        return
    evaluation = Evaluation(request, wanted.checkpoint, wanted.data, scorers=[EMBEDDED])
    evaluate(evaluation, output)
