"""Finding a checkpoint's folder, local or on the Hub; reading class names and run.json."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fashion_ddpm.checkpoints.atomic_folders import recover_folder
from fashion_ddpm.checkpoints.downloads import fetch_checkpoint, find_cached_file
from fashion_ddpm.checkpoints.errors import CheckpointError
from fashion_ddpm.checkpoints.verify import INDEX_FILE, parse_class_names
from fashion_ddpm.checkpoints.weights import read_config
from fashion_ddpm.core.config import TURBO
from fashion_ddpm.core.data_settings import FASHION
from fashion_ddpm.core.json_files import FileError, read_object

RUN_FILE = "run.json"
SAMPLES_FILE = "samples.png"
"""The picture in the model card of a published checkpoint."""

RUN_FILE_TYPES = {
    "config": dict,
    "images_seen": int,
    "dataset": str,
    "training_images": int,
    "log": list,
    "teacher": dict,
    "mixed_precision": str,
}
"""Types of optional entries of run.json."""


def read_class_names(checkpoint: str | Path) -> tuple[str, ...]:
    """Return the names of a checkpoint's classes, without loading its weights.

    Raises:
        CheckpointError: it does not exist, or has no valid class names.
    """
    folder = locate_checkpoint(checkpoint)
    try:
        return parse_class_names(read_config(folder, INDEX_FILE))
    except CheckpointError as error:
        raise CheckpointError(f"{checkpoint} could not be loaded: {error}.") from error


def locate_checkpoint(checkpoint: str | Path) -> Path:
    """Return a checkpoint's folder; download it from the Hub if needed.

    Raises:
        CheckpointError: it does not exist.
    """
    folder = Path(checkpoint)
    recover_folder(folder)
    try:
        return folder if folder.is_dir() else fetch_checkpoint(str(checkpoint))[0]
    except CheckpointError as error:
        raise CheckpointError(f"{checkpoint} could not be loaded: {error}.") from error


def distilled_folder(checkpoint: str | Path) -> Path:
    """Return the folder, beside a checkpoint, of the network distilled from it."""
    folder = Path(checkpoint)
    return folder.with_name(f"{folder.name}-{TURBO}") if folder.name else folder


def read_run(checkpoint: str | Path) -> dict[str, Any]:
    """Return the content of a checkpoint's run.json, or an empty dict.

    Args:
        checkpoint: a folder, or a cached USER/NAME@REVISION.

    Raises:
        FileError: it is damaged.
    """
    local = Path(checkpoint) / RUN_FILE
    path = local if local.exists() else find_cached_file(str(checkpoint), RUN_FILE)
    if not path:
        return {}
    fix = "copy the checkpoint anew, repeat its training's command, or name another folder"
    run = read_object(path, fix)
    wrong = [
        name
        for name, type_ in RUN_FILE_TYPES.items()
        if not isinstance(run.get(name, type_()), type_)
    ]
    if wrong or not all(map(_is_row, run.get("log", []))):
        name = wrong[0] if wrong else "log"
        raise FileError(f"{path} holds a {name!r} of another form than every checkpoint's: {fix}.")
    return run


def dataset_name(run: Mapping[str, Any]) -> str:
    """Return the last part of the data set's name: "boots" for "hub:ada/boots"."""
    return str(run.get("dataset", FASHION)).split(":")[-1].split("/")[-1]


def total_images_seen(run: Mapping[str, Any]) -> int:
    """Return the images that a network has seen, with those of the runs that it started from."""
    seen = int(run.get("images_seen", 0))
    return seen + total_images_seen(run["started_from"]) if run.get("started_from") else seen


def _is_row(row: Any) -> bool:
    """Return whether a row of a run's log has only numbers and lists of numbers as values."""
    if not isinstance(row, dict) or "images_seen" not in row:
        return False
    lists = [value if isinstance(value, list) else [value] for value in row.values()]
    return all(isinstance(number, int | float) for numbers in lists for number in numbers)
