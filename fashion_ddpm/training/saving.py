"""What a run leaves on disk: states, kept averages, checkpoints of its own or a rebuilt average."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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


@dataclass(frozen=True)
class RunSaver:
    """The saves of one run.

    Attributes:
        accelerator: accelerate's, which knows the parts of a state.
        network: whose averaged weights are published.
        run_log: how far the run is.
        facts: what run.json says of the run from its first step on.
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
        """Save the state for resuming, of all processes together, then publish."""
        final = self.folder.state(self.run_log.images_seen)
        main = self.accelerator.is_main_process
        if main:
            atomic_folders.create_temporary_folder(final)
        self.accelerator.wait_for_everyone()
        with atomic_folders.report_write_errors(final):
            self.accelerator.save_state(str(atomic_folders.temporary_path(final)))
        self.accelerator.wait_for_everyone()
        if main:
            with atomic_folders.report_write_errors(final):
                write_settings(atomic_folders.temporary_path(final), self.network.config)
            atomic_folders.finalize_folder(final)
            atomic_folders.prune_states(self.folder.states, self.network.config.keep_states)
            self.publish()
        self.accelerator.wait_for_everyone()

    def publish(self) -> None:
        """Keep the power-function averages, and write the run's checkpoint."""
        seen = self.run_log.images_seen
        if seen:
            path = self.folder.averages_path(seen)
            with atomic_folders.report_write_errors(path):
                self.network.power_averages.save(path, seen)
                thin_out(self.folder.averages)
        self.write_checkpoint(self.folder.checkpoint)

    def publish_if_behind(self) -> None:
        """Publish what a kill between saving and publishing has left unpublished."""
        checkpoint, published = self.folder.checkpoint, -1
        if is_intact(checkpoint):
            published = read_run(checkpoint).get("images_seen", -1)
        elif checkpoint.exists():
            self.run_log.print(f"{checkpoint} is damaged; writing it anew")
        if published < self.run_log.images_seen:
            self.publish()

    def write_checkpoint(self, checkpoint: Path) -> None:
        """Write the averaged weights as a checkpoint folder, and the loss curves."""
        log = self.run_log.progress.log
        facts = {"images_seen": self.run_log.images_seen, **self.facts, "log": log}
        with (
            atomic_folders.report_write_errors(checkpoint),
            self.network.ema_pipeline() as pipeline,
        ):
            save_checkpoint(pipeline, checkpoint, self.network.config, facts)
            save_loss_curves(log, self.folder.curves)


COPIED_FACTS = (
    *("dataset", "data_sha256", "processes", "device", "mixed_precision"),
    *("started_from", "sampler", "teacher"),
)
"""What the new checkpoint's run.json repeats of the run's own."""


def rebuild_checkpoint(run: Path, length: float, at: int | None, output: Path) -> Path:
    """Write a checkpoint whose weights are a power-function average of a run's.

    Args:
        run: the run's output folder.
        length: relative standard deviation of the average, above 0 and at most 0.289.
        at: images seen at its end, one of the moments that the run kept; None for the last.
        output: the checkpoint's folder; an older one is replaced.

    Returns:
        The folder.

    Raises:
        TrainingError: the folder holds no averages, or none of that length or moment.
        CheckpointError: the run has published no checkpoint yet.
    """
    folder = RunFolder(run)
    if not folder.config.exists():
        raise TrainingError(f"{run} is no training run; name the --output-dir of one.")
    if output.exists() and not (output / INDEX_FILE).exists():
        raise TrainingError(f"--output {output} is no checkpoint to replace; name another folder.")
    kept = list_averages(folder.averages)
    images_seen = kept[-1].images_seen if at is None else at
    weights = rebuild_average(kept, length, images_seen)
    pipeline = load_pipeline(folder.checkpoint)
    try:
        pipeline.unet.load_state_dict(weights)
    except RuntimeError as error:
        raise TrainingError(
            f"{folder.averages} holds the averages of another network than {folder.checkpoint}; "
            "name a run whose files belong together."
        ) from error
    before = read_run(folder.checkpoint)
    facts = {name: before[name] for name in COPIED_FACTS if name in before}
    log = [row for row in before.get("log", []) if row["images_seen"] <= images_seen]
    facts |= {"images_seen": images_seen, "average_length": length, "log": log}
    with atomic_folders.report_write_errors(output):
        save_checkpoint(pipeline, output, make_train_config("cpu", folder.read_settings()), facts)
    return output
