"""The publish command: upload a checkpoint, its distilled network, and Spaces for them."""

import dataclasses
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from fashion_ddpm.checkpoints import atomic_folders
from fashion_ddpm.checkpoints.locate import distilled_folder
from fashion_ddpm.checkpoints.verify import INDEX_FILE
from fashion_ddpm.core.distributed import this_process
from fashion_ddpm.core.paths import BUNDLED_CHECKPOINT, EVALUATION_DIR
from fashion_ddpm.diffusion.pipeline import load_pipeline, weights_hash
from fashion_ddpm.evaluation.report import DISTILLED, find_report
from fashion_ddpm.publishing.errors import PublishingError
from fashion_ddpm.publishing.hub import MODEL, SPACE, Hub, Repository
from fashion_ddpm.publishing.model_card import HubRepos
from fashion_ddpm.publishing.model_folder import check_checkpoint, write_model_folder
from fashion_ddpm.publishing.space import check_space, check_static_space
from fashion_ddpm.publishing.space_trial import try_space

DEFAULT_OUTPUT = Path("runs/publish")
STATIC_SPACE = "static-space"
FOLDER_NAMES = {MODEL, DISTILLED, SPACE, STATIC_SPACE}
MAX_LISTED_FILES = 9
"""Of a folder with more files only their number is printed."""


@dataclass(frozen=True)
class Publication:
    """What to publish, and under which names.

    Attributes:
        model: USER/NAME of the model's repository.
        space: USER/NAME of the Space; empty for none.
        static_space: USER/NAME of the Space that draws in the browser; empty for none.
        checkpoint: the folder to publish.
        evaluation: the output folder of evaluate; without one the card has no metrics.
        output: where the folders are written; it may hold nothing else.
        private: whether new repositories are private.
        overwrite: whether the repositories may already exist.
        dry_run: whether to stop before the upload.
    """

    model: str
    space: str = ""
    checkpoint: Path = BUNDLED_CHECKPOINT
    evaluation: Path = EVALUATION_DIR
    output: Path = DEFAULT_OUTPUT
    private: bool = False
    overwrite: bool = False
    dry_run: bool = False
    static_space: str = ""

    @property
    def repos(self) -> HubRepos:
        """The names of the repositories."""
        return HubRepos(self.model, self.space, self.static_space)

    @property
    def folders(self) -> dict[Repository, Path]:
        """The repositories and the folders to upload to them, the model's first.

        Raises:
            PublishingError: the Hub allows no such name, or both Spaces have the same.
        """
        if self.space and self.space == self.static_space:
            raise PublishingError(
                f"--space and --static-space are both {self.space}; they are two Spaces: give each "
                "a name of its own."
            )
        model = Repository(MODEL, self.model, flag="--model")
        folders = {model: self.output / MODEL}
        if (distilled_folder(self.checkpoint) / INDEX_FILE).exists():
            distilled = Repository(MODEL, self.repos.distilled, flag="--model")
            folders[distilled] = self.output / DISTILLED
        if self.space:
            folders[Repository(SPACE, self.space, flag="--space")] = self.output / SPACE
        if self.static_space:
            static = Repository(SPACE, self.static_space, flag="--static-space", sdk="static")
            folders[static] = self.output / STATIC_SPACE
        return folders


def publish(publication: Publication) -> Iterator[str]:
    """Write the folders, start the Space to test it, and upload; yield progress messages.

    Raises:
        UserError: a check failed; nothing is sent before the upload begins.
    """
    folders = publication.folders
    private, overwrite = publication.private, publication.overwrite
    check_checkpoint(publication.checkpoint)
    _check_output(publication.output)
    hub = Hub()
    if not publication.dry_run:
        hub.check(list(folders), private=private, overwrite=overwrite)
    yield from _write_folders(publication)
    for repository, root in folders.items():
        yield f"The {repository}:"
        yield from _describe_folder(root)
    if publication.space:
        space = publication.output / SPACE
        check_space(space)
        try_space(space)
        yield f"The Space runs from {space}."
    if publication.static_space:
        check_static_space(publication.output / STATIC_SPACE)
    if publication.dry_run:
        yield "Nothing was sent; without --dry-run it is."
        return
    yield from hub.upload(folders, private=private, overwrite=overwrite)


def _check_output(output: Path) -> None:
    if output.exists() and (
        not output.is_dir() or {path.name for path in output.iterdir()} - FOLDER_NAMES
    ):
        raise PublishingError(
            f"output {output} exists and holds other things than published folders; name a new "
            "folder."
        )


def _write_folders(publication: Publication) -> Iterator[str]:
    """Write the folders; old ones are replaced only when the new ones are complete."""
    repos, evaluation = publication.repos, publication.evaluation
    pipeline = load_pipeline(publication.checkpoint, str(this_process().device))
    temporary = atomic_folders.create_temporary_folder(publication.output)
    report = find_report(evaluation, weights_hash(pipeline))
    if report is None:
        yield _missing_report(publication.checkpoint, evaluation)
    write_model_folder(temporary / MODEL, pipeline, report, repos)
    if distilled := pipeline.distilled_network:
        names = dataclasses.replace(repos, model=repos.distilled, base_model=repos.model)
        its_report = find_report(evaluation / DISTILLED, weights_hash(distilled))
        if its_report is None:
            yield _missing_report(distilled.name_or_path, evaluation / DISTILLED)
        write_model_folder(temporary / DISTILLED, distilled, its_report, names)
    _write_spaces(publication, temporary, evaluation if report else None)
    shutil.rmtree(publication.output, ignore_errors=True)
    os.replace(temporary, publication.output)


def _write_spaces(publication: Publication, folder: Path, evaluation: Path | None) -> None:
    """Write the folders of the Spaces, beside that of the model."""
    if not (publication.space or publication.static_space):
        return
    # Those who push a model alone may lack the packages of the demo and of the export.
    from fashion_ddpm.demo.engine import Demo

    repos = publication.repos
    with closing(Demo(publication.checkpoint)) as demo:
        if publication.space:
            from fashion_ddpm.publishing.space_folder import write_space_folder

            write_space_folder(folder / SPACE, folder / MODEL, demo, evaluation, repos)
        if publication.static_space:
            from fashion_ddpm.publishing.static_space_folder import write_static_space_folder

            write_static_space_folder(folder / STATIC_SPACE, folder / MODEL, demo, repos)


def _missing_report(checkpoint: str | Path, evaluation: Path) -> str:
    return (
        f"{evaluation} has no report on the weights of {checkpoint}, so their card has no figures: "
        f"python -m fashion_ddpm evaluate --checkpoint {checkpoint} makes one."
    )


def _describe_folder(root: Path) -> Iterator[str]:
    """Yield a line for a folder and one for each subfolder: file names and size."""
    files = [path for path in sorted(root.rglob("*")) if path.is_file()]
    yield f"{root}: {len(files)} files, {_format_size(files)}"
    for folder in sorted({path.parent for path in files}):
        inside = [path for path in files if path.parent == folder]
        names = [path.name for path in inside]
        shown = ", ".join(names) if len(names) <= MAX_LISTED_FILES else f"{len(names)} files"
        yield f"  {folder.relative_to(root)}/  {shown}, {_format_size(inside)}"


def _format_size(files: Iterable[Path]) -> str:
    return f"{sum(path.stat().st_size for path in files) / 1e6:.2f} MB"
