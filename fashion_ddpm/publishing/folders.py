"""A checkpoint becomes two folders: a model repository, and a Space that draws with it."""

import shutil
from pathlib import Path

from fashion_ddpm.checkpoints.errors import CheckpointError
from fashion_ddpm.checkpoints.locate import RUN_FILE, SAMPLES_FILE, distilled_folder, read_run
from fashion_ddpm.checkpoints.manifest import MANIFEST, find_faults, is_intact, write_manifest
from fashion_ddpm.core.paths import BUNDLED_CHECKPOINT, BUNDLED_DIR, EVALUATION_DIR, ROOT
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.gallery import GALLERY, load_gallery, save_gallery
from fashion_ddpm.demo.trust import PREVIEWS, training_previews
from fashion_ddpm.evaluation.report import REPORT_FILE, Report
from fashion_ddpm.generation.sample_grid import draw_grid_share, save_grid
from fashion_ddpm.publishing.errors import PublishingError
from fashion_ddpm.publishing.model_card import CARD_FILE, HubRepos, model_card
from fashion_ddpm.publishing.space import README, REQUIREMENTS
from fashion_ddpm.publishing.space_card import space_card

APP, LICENCE = "app.py", "LICENSE"
CHECKPOINT_PARTS = ("model_index.json", RUN_FILE, MANIFEST, "unet", "scheduler")
RUN_KEYS = ("class_names", "null_label", "parameters", "config", "images_seen", "device", "log")
"""What run.json must say, for the model's card and for the app's page."""

IGNORED_FILES = shutil.ignore_patterns("__pycache__", ".*", "*.writing", "*.replaced")
"""What may lie beside the code and the weights, but is of no use to anybody else."""


def check_checkpoint(folder: Path) -> None:
    """Look whether a folder can be published, before anything is loaded.

    Raises:
        CheckpointError: it is no checkpoint, or its files are not those that were written.
        FileError: what it says of itself is damaged.
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
    folder: Path, checkpoint: Path, demo: Demo, report: Report | None, repos: HubRepos
) -> None:
    """Write a model repository: the checkpoint, its card, a picture of samples, the licence.

    Args:
        folder: where to; it must not exist.
        checkpoint: the folder to publish; what else lies in it stays there.
        demo: the same checkpoint, loaded.
        report: what evaluate found about these weights.
        repos: where the model and the Space will lie.
    """
    folder.mkdir(parents=True)
    for name in CHECKPOINT_PARTS:
        if (checkpoint / name).is_dir():
            shutil.copytree(checkpoint / name, folder / name, ignore=IGNORED_FILES)
        elif (checkpoint / name).exists():
            shutil.copy(checkpoint / name, folder)
    save_grid(draw_grid_share(demo.pipeline, rank=0, num_ranks=1), folder / SAMPLES_FILE)
    (folder / CARD_FILE).write_text(model_card(read_run(checkpoint), report, repos))
    shutil.copy(ROOT / LICENCE, folder)


def write_space_folder(
    folder: Path, model_folder: Path, demo: Demo, evaluation: Path | None, repos: HubRepos
) -> None:
    """Write a Space: the app, the package, and what they read, with the published weights.

    Args:
        folder: where to; it must not exist.
        model_folder: what write_model_folder wrote; it takes the place of the bundled checkpoint.
        demo: the same checkpoint, loaded.
        evaluation: the folder that evaluate wrote about these weights, if there is one.
        repos: where the model and the Space will lie.
    """
    if not (ROOT / APP).exists():
        raise PublishingError(f"{ROOT} has no {APP}; publish from a clone of the repository.")
    for fault in find_faults(BUNDLED_DIR):
        raise PublishingError(
            f"{BUNDLED_DIR} cannot be published: {fault}; git checkout checkpoints."
        )
    folder.mkdir(parents=True)
    for name in (APP, REQUIREMENTS, LICENCE):
        shutil.copy(ROOT / name, folder)
    checkpoints = folder / BUNDLED_DIR.name
    shutil.copytree(ROOT / "fashion_ddpm", folder / "fashion_ddpm", ignore=IGNORED_FILES)
    shutil.copytree(BUNDLED_DIR, checkpoints, ignore=IGNORED_FILES)
    shutil.rmtree(checkpoints / BUNDLED_CHECKPOINT.name)
    shutil.copytree(model_folder, checkpoints / BUNDLED_CHECKPOINT.name)
    beside = distilled_folder(checkpoints / BUNDLED_CHECKPOINT.name)
    shutil.rmtree(beside, ignore_errors=True)
    if demo.pipeline.distilled_network:
        shutil.copytree(distilled_folder(demo.pipeline.name_or_path), beside, ignore=IGNORED_FILES)
    shutil.rmtree(checkpoints / PREVIEWS)
    for _, path in training_previews(demo):
        (checkpoints / PREVIEWS).mkdir(exist_ok=True)
        shutil.copy(path, checkpoints / PREVIEWS)
    if load_gallery(demo) is None:
        save_gallery(demo, checkpoints / GALLERY.name)
    write_manifest(checkpoints)
    if evaluation:
        kept = folder / EVALUATION_DIR.relative_to(ROOT)
        kept.mkdir(parents=True)
        for path in (evaluation / REPORT_FILE, *sorted(evaluation.glob("*.png"))):
            shutil.copy(path, kept)
    (folder / README).write_text(
        space_card((ROOT / README).read_text(), repos.model, read_run(model_folder))
    )
