"""Write the folders to upload: a model repository, and a Space that runs the model."""

import shutil
from pathlib import Path

from fashion_ddpm.checkpoints.errors import CheckpointError
from fashion_ddpm.checkpoints.locate import RUN_FILE, SAMPLES_FILE, distilled_folder, read_run
from fashion_ddpm.checkpoints.manifest import MANIFEST, find_faults, is_intact, write_manifest
from fashion_ddpm.checkpoints.verify import INDEX_FILE
from fashion_ddpm.core.paths import (
    BUNDLED_CHECKPOINT,
    BUNDLED_DIR,
    EVALUATION_DIR,
    INSTALLED_ROOT,
    PACKAGE,
    ROOT,
)
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.gallery import GALLERY, load_gallery, save_gallery
from fashion_ddpm.demo.trust import PREVIEWS, preview_paths
from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline
from fashion_ddpm.diffusion.standalone_pipeline import PIPELINE_FILE
from fashion_ddpm.evaluation.report import REPORT_FILE, Report
from fashion_ddpm.generation.sample_grid import save_sample_grid
from fashion_ddpm.publishing.errors import PublishingError
from fashion_ddpm.publishing.model_card import CARD_FILE, HubRepos, model_card
from fashion_ddpm.publishing.space import README, REQUIREMENTS
from fashion_ddpm.publishing.space_card import space_card
from fashion_ddpm.publishing.space_trial import APP_FILE

LICENCE = "LICENSE"
CHECKPOINT_PARTS = (INDEX_FILE, PIPELINE_FILE, RUN_FILE, MANIFEST, "unet", "scheduler")
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
            f"{folder} has no {RUN_FILE}; name a folder that train_accelerate.py wrote."
        )
    run = read_run(folder)
    missing = [name for name in RUN_KEYS if name not in run]
    if missing:
        raise CheckpointError(
            f"{folder / RUN_FILE} does not say {', '.join(missing)}, which the card must tell; "
            "name a folder that train_accelerate.py wrote."
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
    save_sample_grid(pipeline, folder / SAMPLES_FILE)
    (folder / CARD_FILE).write_text(model_card(read_run(checkpoint), report, repos))
    shutil.copy(ROOT / LICENCE, folder)


def write_space_folder(
    folder: Path, model_folder: Path, demo: Demo, evaluation: Path | None, repos: HubRepos
) -> None:
    """Write a Space: the app, the package and its files, with the published weights.

    Args:
        folder: the output, which must not exist.
        model_folder: the output of write_model_folder; it replaces the bundled checkpoint.
        demo: a demo of the same checkpoint.
        evaluation: the output folder of evaluate for these weights, if there is one.
        repos: the names of the repositories.
    """
    for fault in find_faults(BUNDLED_DIR):
        raise PublishingError(
            f"{BUNDLED_DIR} cannot be published: {fault}; git checkout checkpoints."
        )
    folder.mkdir(parents=True)
    for name in (APP_FILE, REQUIREMENTS, LICENCE):
        shutil.copy(ROOT / name, folder)
    checkpoints = folder / BUNDLED_DIR.name
    shutil.copytree(PACKAGE, folder / PACKAGE.name, ignore=IGNORED_FILES)
    shutil.copytree(BUNDLED_DIR, checkpoints, ignore=IGNORED_FILES)
    shutil.rmtree(checkpoints / BUNDLED_CHECKPOINT.name)
    shutil.copytree(model_folder, checkpoints / BUNDLED_CHECKPOINT.name)
    turbo = distilled_folder(checkpoints / BUNDLED_CHECKPOINT.name)
    shutil.rmtree(turbo, ignore_errors=True)
    if demo.pipeline.distilled_network:
        shutil.copytree(distilled_folder(demo.pipeline.name_or_path), turbo, ignore=IGNORED_FILES)
    shutil.rmtree(checkpoints / PREVIEWS)
    for path in preview_paths(demo):
        (checkpoints / PREVIEWS).mkdir(exist_ok=True)
        shutil.copy(path, checkpoints / PREVIEWS)
    if load_gallery(demo) is None:
        save_gallery(demo, checkpoints / GALLERY.name)
    write_manifest(checkpoints)
    if evaluation:
        target = folder / EVALUATION_DIR.relative_to(ROOT)
        target.mkdir(parents=True)
        for path in (evaluation / REPORT_FILE, *sorted(evaluation.glob("*.png"))):
            shutil.copy(path, target)
    (folder / README).write_text(
        space_card((ROOT / README).read_text(), repos.model, read_run(model_folder))
    )
