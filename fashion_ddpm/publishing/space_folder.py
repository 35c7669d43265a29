"""Write the folder of a Space that runs a model."""

import shutil
from pathlib import Path

from fashion_ddpm.checkpoints.locate import distilled_folder, read_run
from fashion_ddpm.checkpoints.manifest import find_faults, write_manifest
from fashion_ddpm.core.paths import (
    BUNDLED_CHECKPOINT,
    BUNDLED_DIR,
    EVALUATION_DIR,
    PACKAGE,
    ROOT,
    STATIC_SITE_FILE,
)
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.gallery import GALLERY, load_gallery, save_gallery
from fashion_ddpm.demo.trust import PREVIEWS, preview_paths
from fashion_ddpm.evaluation.report import REPORT_FILE
from fashion_ddpm.publishing.errors import PublishingError
from fashion_ddpm.publishing.model_card import HubRepos
from fashion_ddpm.publishing.model_folder import IGNORED_FILES, LICENCE
from fashion_ddpm.publishing.space import README, REQUIREMENTS
from fashion_ddpm.publishing.space_card import space_card
from fashion_ddpm.publishing.space_trial import APP_FILE


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
    models = repos.models(bool(demo.pipeline.distilled_network))
    if repos.static_space:
        (folder / STATIC_SITE_FILE.name).write_text(f"{repos.static_space_url}\n")
    readme, run = (ROOT / README).read_text(), read_run(model_folder)
    (folder / README).write_text(space_card(readme, models, run, repos.static_space_url))
