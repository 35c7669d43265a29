"""Write the folder of a Space whose page draws in the visitor's browser."""

import shutil
from pathlib import Path

from fashion_ddpm.checkpoints.locate import read_run
from fashion_ddpm.core.paths import ROOT
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.publishing.model_card import HubRepos
from fashion_ddpm.publishing.model_folder import LICENCE
from fashion_ddpm.publishing.space import README
from fashion_ddpm.publishing.space_card import static_space_card
from fashion_ddpm.web.site_folder import collect_files, write_files, write_site_manifest


def write_static_space_folder(
    folder: Path, model_folder: Path, demo: Demo, repos: HubRepos
) -> None:
    """Write a static Space: the exported site, its README and the licence.

    Args:
        folder: the output, which must not exist.
        model_folder: the output of write_model_folder.
        demo: a demo of the same checkpoint.
        repos: the names of the repositories.

    Raises:
        WebError: the site cannot be exported.
    """
    folder.mkdir(parents=True)
    write_files(collect_files(demo, repos.space_url), folder)
    write_site_manifest(folder)
    shutil.copy(ROOT / LICENCE, folder)
    models = repos.models(bool(demo.pipeline.distilled_network))
    readme, run = (ROOT / README).read_text(), read_run(model_folder)
    (folder / README).write_text(static_space_card(readme, models, run, repos.space_url))
