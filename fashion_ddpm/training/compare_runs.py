"""Training runs beside each other: what differs between their settings, and their final figures."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fashion_ddpm.checkpoints.locate import RUN_FILE, read_run
from fashion_ddpm.core.data_settings import FASHION
from fashion_ddpm.core.errors import UserError
from fashion_ddpm.core.json_files import read_object
from fashion_ddpm.core.settings import flag_name
from fashion_ddpm.training.run_folder import FREE_TO_CHANGE, RunFolder

NOTHING = "–"


class RunsError(UserError):
    """There is nothing to compare; the message is one sentence with the fix."""


@dataclass(frozen=True)
class RunSummary:
    """One run.

    Attributes:
        name: its folder.
        config: its settings, without those that may change while it lasts.
        images_seen: images trained on when it was last saved; None before that.
        loss, validation_loss: their last values; None when never measured.
        images_per_second: the median over the log; None when never measured.
    """

    name: str
    config: dict[str, Any]
    images_seen: int | None
    loss: float | None
    validation_loss: float | None
    images_per_second: float | None


def runs_in(folders: Iterable[str | Path]) -> list[RunSummary]:
    """Returns the runs in folders, each a run, a published checkpoint, or a folder of such.

    Raises:
        RunsError: a folder holds no run.
        FileError: what a run says of itself is damaged.
    """
    found = []
    for folder in map(Path, folders):
        inside = sorted(path for path in folder.glob("*") if _is_run(path))
        runs = [folder] if _is_run(folder) else inside
        if not runs:
            raise RunsError(
                f"{folder} is no training run and holds none: name a folder that was an "
                "--output-dir, or one with such folders in it."
            )
        found += [_summary(run) for run in runs]
    return found


def _is_run(folder: Path) -> bool:
    published = (folder / "model_index.json").is_file() and (folder / RUN_FILE).is_file()
    return published or RunFolder(folder).previews.is_dir()


def _summary(folder: Path) -> RunSummary:
    files = RunFolder(folder)
    run = read_run(files.checkpoint) or read_run(folder)
    cure = "restore it, move the folder away, or name the others"
    config = run["config"] if "config" in run else read_object(files.config, cure)
    settings = {name: value for name, value in config.items() if name not in FREE_TO_CHANGE}
    log = run.get("log", [])
    speeds = [row["images_per_second"] for row in log if "images_per_second" in row]
    return RunSummary(
        name=str(folder),
        config={**settings, "dataset": run.get("dataset", config.get("dataset", FASHION))},
        images_seen=run.get("images_seen"),
        loss=_last(log, "loss"),
        validation_loss=_last(log, "validation_loss"),
        images_per_second=statistics.median(speeds) if speeds else None,
    )


def _last(log: Sequence[dict[str, Any]], key: str) -> float | None:
    values = [row[key] for row in log if key in row]
    return values[-1] if values else None


def differing(runs: Sequence[RunSummary]) -> list[str]:
    """Returns the settings that are not the same in all runs; one that is missing differs."""
    names = dict.fromkeys(name for run in runs for name in run.config)
    return [name for name in names if any(_cell(run, name) != _cell(runs[0], name) for run in runs)]


def table(runs: Sequence[RunSummary]) -> str:
    """Returns a line for each run: name, settings that differ, images seen, losses, images/s."""
    settings = differing(runs)
    figures = ["images seen", "loss", "validation loss", "images/s"]
    rows = [["run", *map(flag_name, settings), *figures]]
    for run in runs:
        measured = (
            _figure(run.images_seen, ",d"),
            _figure(run.loss, ".4f"),
            _figure(run.validation_loss, ".4f"),
            _figure(run.images_per_second, ",.0f"),
        )
        rows.append([run.name, *(_cell(run, name) for name in settings), *measured])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    padded = [[c.ljust(w) for c, w in zip(row, widths, strict=True)] for row in rows]
    return "\n".join("  ".join(row).rstrip() for row in padded)


def _cell(run: RunSummary, name: str) -> str:
    value = run.config.get(name, NOTHING)
    return " ".join(map(str, value)) if isinstance(value, list) else str(value) or NOTHING


def _figure(value: float | None, form: str) -> str:
    return NOTHING if value is None else format(value, form)
