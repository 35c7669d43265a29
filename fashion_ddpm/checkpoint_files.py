"""What a checkpoint's folder says of it, without its weights; where the bundled one lies."""

import json
from pathlib import Path
from typing import Any

from fashion_ddpm.checkpoint_check import INDEX, class_names
from fashion_ddpm.config import TURBO
from fashion_ddpm.downloads import DownloadError, fetch
from fashion_ddpm.errors import UserError
from fashion_ddpm.weight_files import WeightsError, read_config

RUN_FILE = "run.json"
BUNDLED = Path(__file__).parent.parent / "checkpoints"
BUNDLED_CHECKPOINT = BUNDLED / "fashion-mnist"


class CheckpointError(UserError):
    """A checkpoint cannot be loaded; the message is one sentence with the fix."""


def class_names_of(checkpoint: str | Path) -> tuple[str, ...]:
    """Returns the names of a checkpoint's classes, without loading its weights.

    Raises:
        CheckpointError: it is not there, or does not name its classes.
    """
    folder = Path(checkpoint)
    try:
        folder = folder if folder.is_dir() else fetch(str(checkpoint))[0]
        return class_names(read_config(folder, INDEX))
    except (WeightsError, DownloadError) as error:
        raise CheckpointError(f"{checkpoint} could not be loaded: {error}.") from error


def student_folder(checkpoint: str | Path) -> Path:
    """Returns where the network distilled from a checkpoint is looked for: beside it."""
    folder = Path(checkpoint)
    return folder.with_name(f"{folder.name}-{TURBO}") if folder.name else folder


def read_run(checkpoint: str | Path) -> dict[str, Any]:
    """Returns what run.json in a folder says of a checkpoint's training, or an empty dict."""
    path = Path(checkpoint) / RUN_FILE
    return dict(json.loads(path.read_text())) if path.exists() else {}
