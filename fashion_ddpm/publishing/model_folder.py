"""Write the folder of a model repository."""

import shutil
from pathlib import Path

from fashion_ddpm.checkpoints.errors import CheckpointError
from fashion_ddpm.checkpoints.locate import RUN_FILE, SAMPLES_FILE, read_run
from fashion_ddpm.checkpoints.manifest import MANIFEST, is_intact, update_manifest
from fashion_ddpm.checkpoints.verify import INDEX_FILE
from fashion_ddpm.core.paths import INSTALLED_ROOT, ROOT
from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline
from fashion_ddpm.diffusion.standalone_pipeline import PIPELINE_FILE
from fashion_ddpm.evaluation.report import Report
from fashion_ddpm.generation.sample_grid import save_sample_grid
from fashion_ddpm.publishing.model_card import CARD_FILE, HubRepos, model_card

LICENCE = "LICENSE"
SCHEDULER = "scheduler"
CHECKPOINT_PARTS = (INDEX_FILE, PIPELINE_FILE, RUN_FILE, MANIFEST, "unet", SCHEDULER)
RUN_KEYS = ("class_names", "null_label", "parameters", "config", "images_seen", "device", "log")
"""Keys of run.json that the model card and the app's page need."""

IGNORED_FILES = shutil.ignore_patterns(
    "__pycache__", ".*", "*.writing", "*.replaced", INSTALLED_ROOT.name
)
"""Caches, leftovers of interrupted writes, and what a wheel holds of the repository's root."""


def check_checkpoint(folder: Path) -> None:
    """Check that a folder can be published, without loading the network.

    Raises:
        CheckpointError: it is no checkpoint, or its files do not match the manifest.
        FileError: run.json cannot be read.
    """
    if not (folder / RUN_FILE).is_file():
        raise CheckpointError(
            f"{folder} has no {RUN_FILE}; name a folder that a training run wrote."
        )
    run = read_run(folder)
    missing = [name for name in RUN_KEYS if name not in run]
    if missing:
        raise CheckpointError(
            f"{folder / RUN_FILE} does not say {', '.join(missing)}, which the card must tell; "
            "name a folder that a training run wrote."
        )
    if (folder / MANIFEST).exists() and not is_intact(folder):
        raise CheckpointError(
            f"{folder} does not hold what its {MANIFEST} lists: a file was changed or damaged; "
            "copy the checkpoint anew."
        )


def write_model_folder(
    folder: Path, pipeline: FashionDDPMPipeline, report: Report | None, repos: HubRepos
) -> None:
    """Write a model repository: the checkpoint, its card, a grid of samples, the licence.

    Args:
        folder: the output, which must not exist.
        pipeline: the network, loaded from the folder to publish; other files there are left out.
        report: the evaluation of these weights, if there is one.
        repos: the names of the repositories.
    """
    checkpoint = Path(pipeline.name_or_path)
    folder.mkdir(parents=True)
    for name in CHECKPOINT_PARTS:
        if (checkpoint / name).is_dir():
            shutil.copytree(checkpoint / name, folder / name, ignore=IGNORED_FILES)
        elif (checkpoint / name).exists():
            shutil.copy(checkpoint / name, folder)
    if not (folder / PIPELINE_FILE).exists():  # a checkpoint of version 0.1
        pipeline.save_config(folder)
        pipeline.scheduler.save_pretrained(folder / SCHEDULER)
        if (folder / MANIFEST).exists():
            written = (INDEX_FILE, PIPELINE_FILE, f"{SCHEDULER}/{pipeline.scheduler.config_name}")
            update_manifest(folder, *written)
    save_sample_grid(pipeline, folder / SAMPLES_FILE)
    (folder / CARD_FILE).write_text(model_card(read_run(checkpoint), report, repos))
    shutil.copy(ROOT / LICENCE, folder)
