"""A checkpoint of another average than the one a run published, rebuilt from what the run kept."""

from pathlib import Path

from fashion_ddpm.checkpoints import atomic_folders
from fashion_ddpm.checkpoints.locate import read_run
from fashion_ddpm.checkpoints.verify import INDEX
from fashion_ddpm.core.config import train_config
from fashion_ddpm.diffusion.pipeline import load_pipeline
from fashion_ddpm.diffusion.save_checkpoint import save_checkpoint
from fashion_ddpm.training.power_averages import kept_averages, rebuild_average
from fashion_ddpm.training.run_folder import RunFolder
from fashion_ddpm.training.stopping import TrainingError

TAKEN_OVER = (
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
    if output.exists() and not (output / INDEX).exists():
        raise TrainingError(f"--output {output} is no checkpoint to replace; name another folder.")
    kept = kept_averages(folder.averages)
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
    facts = {name: before[name] for name in TAKEN_OVER if name in before}
    log = [row for row in before.get("log", []) if row["images_seen"] <= images_seen]
    facts |= {"images_seen": images_seen, "average_length": length, "log": log}
    with atomic_folders.writing(output):
        save_checkpoint(pipeline, output, train_config("cpu", folder.settings()), facts)
    return output
