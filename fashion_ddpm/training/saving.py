"""What a run writes to disk: states, averages and checkpoints, also of a rebuilt average."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from accelerate import Accelerator

from fashion_ddpm.checkpoints import atomic_folders
from fashion_ddpm.checkpoints.locate import read_run
from fashion_ddpm.checkpoints.manifest import is_intact
from fashion_ddpm.checkpoints.verify import INDEX_FILE
from fashion_ddpm.core.config import make_train_config
from fashion_ddpm.diffusion.pipeline import load_pipeline
from fashion_ddpm.diffusion.save_checkpoint import save_checkpoint
from fashion_ddpm.evaluation.figures import save_loss_curves
from fashion_ddpm.training.network import Network
from fashion_ddpm.training.power_averages import list_averages, rebuild_average, thin_out
from fashion_ddpm.training.run_folder import RunFolder, write_settings
from fashion_ddpm.training.run_log import RunLog
from fashion_ddpm.training.stopping import TrainingError


class Publisher(Protocol):
    """Publishes the checkpoints of a run while it trains."""

    def prepare(self) -> None:
        """Find out whether it can publish; called by all processes before the first step."""

    def publish_saved(self, images_seen: int) -> None:
        """Publish the checkpoint, if it is time to; called by the main process after a save."""


@dataclass(frozen=True)
class RunSaver:
    """Saves the states, averages and checkpoints of one run.

    Attributes:
        accelerator: the accelerate.Accelerator that holds the parts of a state.
        network: the run's network.
        run_log: the run's log and progress.
        facts: entries of run.json that do not change during the run.
    """

    accelerator: Accelerator
    network: Network
    run_log: RunLog
    facts: Mapping[str, Any]

    @property
    def folder(self) -> RunFolder:
        """The run's folder."""
        return RunFolder(self.network.config.output_dir)

    def save_state(self) -> None:
        """Save the state of all processes for resuming, then publish."""
        final = self.folder.state(self.run_log.images_seen)
        if self.accelerator.is_main_process:
            atomic_folders.create_temporary_folder(final)
        self.accelerator.wait_for_everyone()
        with atomic_folders.report_write_errors(final):
            self.accelerator.save_state(str(atomic_folders.temporary_path(final)))
        self.accelerator.wait_for_everyone()
        if self.accelerator.is_main_process:
            with atomic_folders.report_write_errors(final):
                write_settings(atomic_folders.temporary_path(final), self.network.config)
            atomic_folders.finalize_folder(final)
            atomic_folders.prune_states(self.folder.states, self.network.config.keep_states)
            self.publish()
        self.accelerator.wait_for_everyone()

    def publish(self) -> None:
        """Save the power-function averages and write the run's checkpoint."""
        images_seen = self.run_log.images_seen
        if images_seen:
            path = self.folder.averages_path(images_seen)
            with atomic_folders.report_write_errors(path):
                self.network.power_averages.save(path, images_seen)
                thin_out(self.folder.averages)
        self.write_checkpoint(self.folder.checkpoint)

    def publish_if_behind(self) -> None:
        """Publish if the run was killed after it saved its state and before it published."""
        checkpoint, published = self.folder.checkpoint, -1
        if is_intact(checkpoint):
            published = read_run(checkpoint).get("images_seen", -1)
        elif checkpoint.exists():
            self.run_log.print(f"{checkpoint} is damaged; writing it anew")
        if published < self.run_log.images_seen:
            self.publish()

    def write_checkpoint(self, checkpoint: Path) -> None:
        """Write the EMA weights as a checkpoint folder, and the loss curves."""
        log = self.run_log.progress.log
        facts = {"images_seen": self.run_log.images_seen, **self.facts, "log": log}
        with (
            atomic_folders.report_write_errors(checkpoint),
            self.network.ema_pipeline() as pipeline,
        ):
            save_checkpoint(pipeline, checkpoint, self.network.config, facts)
            save_loss_curves(log, self.folder.curves)


COPIED_FACTS = (
    *("dataset", "training_images", "data_sha256", "processes", "device", "mixed_precision"),
    *("started_from", "sampler", "teacher"),
)
"""Entries of run.json that a checkpoint of a rebuilt average copies from the run's."""


def rebuild_checkpoint(run: Path, length: float, images_seen: int | None, output: Path) -> Path:
    """Write a checkpoint with a power-function average of a run's weights; return its folder.

    Args:
        run: the run's output folder.
        length: relative standard deviation of the average, from 0.01 to 0.289.
        images_seen: end of the average, one of the points that the run saved; default: the last.
        output: the checkpoint's folder; an older one is replaced.

    Raises:
        TrainingError: the folder has no averages, or no average of that length or end.
        CheckpointError: the run has no checkpoint yet.
    """
    folder = RunFolder(run)
    if not folder.config.exists():
        raise TrainingError(f"{run} is no training run; name the --output-dir of one.")
    if output.exists() and not (output / INDEX_FILE).exists():
        raise TrainingError(f"--output {output} is no checkpoint to replace; name another folder.")
    saved = list_averages(folder.averages)
    images_seen = saved[-1].images_seen if images_seen is None else images_seen
    weights = rebuild_average(saved, length, images_seen)
    pipeline = load_pipeline(folder.checkpoint)
    try:
        pipeline.unet.load_state_dict(weights)
    except RuntimeError as error:
        raise TrainingError(
            f"{folder.averages} holds the averages of another network than {folder.checkpoint}; "
            "name a run whose files belong together."
        ) from error
    run_facts = read_run(folder.checkpoint)
    facts = {name: run_facts[name] for name in COPIED_FACTS if name in run_facts}
    log = [row for row in run_facts.get("log", []) if row["images_seen"] <= images_seen]
    facts |= {"images_seen": images_seen, "average_length": length, "log": log}
    with atomic_folders.report_write_errors(output):
        save_checkpoint(pipeline, output, make_train_config("cpu", folder.read_settings()), facts)
    return output
