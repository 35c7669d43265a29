"""Find a checkpoint's folder, local or on the Hub; read its class names and run.json."""

from pathlib import Path
from typing import Any

from fashion_ddpm.checkpoints.atomic_folders import recover_folder
from fashion_ddpm.checkpoints.downloads import fetch_checkpoint, find_cached_file
from fashion_ddpm.checkpoints.errors import CheckpointError
from fashion_ddpm.checkpoints.verify import INDEX_FILE, parse_class_names
from fashion_ddpm.checkpoints.weights import read_config
from fashion_ddpm.core.config import TURBO
from fashion_ddpm.core.json_files import FileError, read_object

RUN_FILE = "run.json"
SAMPLES_FILE = "samples.png"
"""The picture of a published checkpoint, beside its card."""

RUN_FILE_TYPES = {
    "config": dict,
    "images_seen": int,
    "log": list,
    "teacher": dict,
    "mixed_precision": str,
}
"""What run.json must hold where it holds anything by these names."""


def read_class_names(checkpoint: str | Path) -> tuple[str, ...]:
    """Return the names of a checkpoint's classes, without loading its weights.

    Raises:
        CheckpointError: it is not there, or does not name its classes.
    """
    folder = locate_checkpoint(checkpoint)
    try:
        return parse_class_names(read_config(folder, INDEX_FILE))
    except CheckpointError as error:
        raise CheckpointError(f"{checkpoint} could not be loaded: {error}.") from error


def locate_checkpoint(checkpoint: str | Path) -> Path:
    """Return a checkpoint's folder; one on the Hub is fetched.

    Raises:
        CheckpointError: it is not there.
    """
    folder = Path(checkpoint)
    recover_folder(folder)
    try:
        return folder if folder.is_dir() else fetch_checkpoint(str(checkpoint))[0]
    except CheckpointError as error:
        raise CheckpointError(f"{checkpoint} could not be loaded: {error}.") from error


def distilled_folder(checkpoint: str | Path) -> Path:
    """Return where the network distilled from a checkpoint is looked for: beside it."""
    folder = Path(checkpoint)
    return folder.with_name(f"{folder.name}-{TURBO}") if folder.name else folder


def read_run(checkpoint: str | Path) -> dict[str, Any]:
    """Return what run.json says of a checkpoint's training, or an empty dict.

    Args:
        checkpoint: a folder, or USER/NAME@REVISION that was fetched before.

    Raises:
        FileError: it is damaged.
    """
    path = Path(checkpoint) / RUN_FILE
    if not path.exists():
        fetched = find_cached_file(str(checkpoint), RUN_FILE)
        if not fetched:
            return {}
        path = fetched
    cure = "copy the checkpoint anew, repeat its training's command, or name another folder"
    run = read_object(path, cure)
    wrong = [
        name
        for name, type_ in RUN_FILE_TYPES.items()
        if not isinstance(run.get(name, type_()), type_)
    ]
    if wrong or not all(map(_is_row, run.get("log", []))):
        name = wrong[0] if wrong else "log"
        raise FileError(f"{path} holds a {name!r} of another form than every checkpoint's: {cure}.")
    return run


def _is_row(row: Any) -> bool:
    """Return whether this is a line of a run's log: numbers and lists of numbers by name."""
    if not isinstance(row, dict) or "images_seen" not in row:
        return False
    numbers = [each for value in row.values() for each in _listed(value)]
    return all(isinstance(number, int | float) for number in numbers)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
