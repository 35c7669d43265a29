"""One command that trains a network, distils it, and evaluates both."""

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
from fashion_ddpm.core.config import TURBO, TrainConfig, make_train_config
from fashion_ddpm.core.data_settings import DataSettings, may_be_equal
from fashion_ddpm.core.distributed import this_process
from fashion_ddpm.core.errors import UserError
from fashion_ddpm.core.image_kind import ALL_CLASSES
from fashion_ddpm.core.json_files import read_object, write_object
from fashion_ddpm.core.requests import EVALUATION_STEPS, GenerateRequest, sampler_defaults
from fashion_ddpm.core.settings import ConfigError, flag_name
from fashion_ddpm.evaluation.command import MIN_IMAGES, Evaluation, evaluate
from fashion_ddpm.evaluation.image_sets import check_counts
from fashion_ddpm.evaluation.report import DISTILLED, REPORT_FILE
from fashion_ddpm.scoring.clip import EMBEDDED
from fashion_ddpm.training.initial_state import read_teacher_settings
from fashion_ddpm.training.loop import train
from fashion_ddpm.training.run_data import load_run_data
from fashion_ddpm.training.run_folder import RunFolder

NETWORK_SHARE = 0.7
"""Share of the minutes for training the network."""

DISTILLATION_SHARE = 0.15
"""Share of the minutes for distilling it; the rest is for the two reports."""


@dataclass(frozen=True)
class TrainAll:
    """The settings of the command.

    Attributes:
        data: the data set.
        preset: preset of the network's training.
        minutes: time for everything.
        num_images: generated images in each report.
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
        if self.num_images < MIN_IMAGES:
            raise ConfigError(
                f"--num-images is {self.num_images}; a report needs at least {MIN_IMAGES}."
            )
        GenerateRequest(ALL_CLASSES, self.num_images)  # raises if there are too many

    @property
    def flags_file(self) -> Path:
        """The file that records the flags of the first call."""
        return self.output / "train-all.json"

    @property
    def checkpoint(self) -> Path:
        """The folder of the network's checkpoint; that of the distilled one is next to it."""
        return self.output / "checkpoints" / "network"


def train_all(plan: TrainAll) -> bool:
    """Train, distil and evaluate; return whether all is finished, not stopped by a signal.

    A later call with the same settings resumes where an earlier one stopped.

    Raises:
        UserError: a part fails.
    """
    if this_process().num_processes > 1:
        raise ConfigError(
            "train-all runs in one process; with several, launch train_accelerate.py and evaluate "
            "one after the other, as docs/training.md has them."
        )
    network = make_train_config(plan.preset, _run_settings(plan, "network", NETWORK_SHARE))
    data, _ = load_run_data(network)
    check_counts(data, plan.data)
    with acquire_run_lock(plan.output / "run.lock"):
        _record_flags(plan)
        try:
            return _train_all(plan, network)
        except UserError:
            # If no run was started, a call with other flags may use the folder.
            run_config = RunFolder(plan.output / "network").config
            if not run_config.exists() and not plan.checkpoint.exists():
                plan.flags_file.unlink()
            raise


def _train_all(plan: TrainAll, network: TrainConfig) -> bool:
    if not _train_and_copy(network, plan.checkpoint):
        return False
    distillation = make_train_config(
        "distill",
        read_teacher_settings(str(plan.checkpoint))
        | _run_settings(plan, "distillation", DISTILLATION_SHARE)
        | _distillation_settings(plan.preset)
        | {
            "teacher": str(plan.checkpoint),
            # accelerate cannot change the precision within a process.
            "mixed_precision": read_run(plan.checkpoint)["mixed_precision"],
        },
    )
    if not _train_and_copy(distillation, distilled_folder(plan.checkpoint)):
        return False
    names = read_class_names(plan.checkpoint)
    request = GenerateRequest(
        ALL_CLASSES, plan.num_images, class_names=names, num_inference_steps=EVALUATION_STEPS
    )
    _write_report(plan, request, "evaluation")
    turbo = dataclasses.replace(request, sampler=TURBO, **sampler_defaults(TURBO))
    _write_report(plan, turbo, f"evaluation/{DISTILLED}")
    return True


def _record_flags(plan: TrainAll) -> None:
    """Record the flags in the output folder.

    Raises:
        ConfigError: it has a record of other flags.
    """
    flags = {
        **dataclasses.asdict(plan.data),
        "preset": plan.preset,
        "minutes": plan.minutes,
        "num_images": plan.num_images,
    }
    del flags["data_dir"]
    if plan.flags_file.exists():
        recorded = read_object(plan.flags_file, "restore it, or name another --output-dir")
        for name, value in flags.items():
            if not may_be_equal(name, recorded.get(name), value):
                raise ConfigError(
                    f"{flag_name(name)} is {value}, but {plan.output} was begun with "
                    f"{recorded.get(name)}; give that value, or another --output-dir."
                )
        return
    with atomic_folders.report_write_errors(plan.flags_file):
        plan.output.mkdir(parents=True, exist_ok=True)
        write_object(plan.flags_file, flags)


def _run_settings(plan: TrainAll, name: str, share: float) -> dict[str, Any]:
    """Return the settings that a run takes from the command."""
    return {
        **dataclasses.asdict(plan.data),
        "output_dir": str(plan.output / name),
        "minutes": share * plan.minutes,
    }


def _distillation_settings(preset: str) -> dict[str, Any]:
    """Return the settings of the distillation that go with a preset of the network's training."""
    if preset == "gpu":
        return {"batch_size": 512, "learning_rate": 6e-4}  # those of the bundled one
    if preset != "smoke":
        return {}
    names = ("batch_size", "validation_images", "validate_every", "preview_every", "frechet_every")
    smoke = make_train_config("smoke", {})
    return {name: getattr(smoke, name) for name in names}


def _train_and_copy(config: TrainConfig, checkpoint: Path) -> bool:
    """Train or resume; copy the checkpoint if the run is finished, and return whether it is."""
    if is_intact(checkpoint):
        return True
    published = train(config)
    if not RunFolder(config.output_dir).is_finished():
        return False
    temporary = atomic_folders.create_temporary_folder(checkpoint)
    with atomic_folders.report_write_errors(checkpoint):
        shutil.copytree(published, temporary, dirs_exist_ok=True)
    atomic_folders.finalize_folder(checkpoint)
    return True


def _write_report(plan: TrainAll, request: GenerateRequest, name: str) -> None:
    """Write a report unless it exists."""
    output = plan.output / name
    if (output / REPORT_FILE).exists():
        return
    evaluation = Evaluation(request, plan.checkpoint, plan.data, scorers=[EMBEDDED])
    evaluate(evaluation, output)
