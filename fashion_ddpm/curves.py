"""A run's log becomes pictures: loss and validation loss against images seen."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from fashion_ddpm.progress import LogRow


def save_loss_curves(log: Sequence[LogRow], path: Path) -> None:
    """Draws the training loss, the validation loss and its parts by noise level into a PNG."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    _plot(left, log, "loss", "training")
    _plot(left, log, "validation_loss", "validation (moving average of the weights)")
    left.set_title("Loss")
    bins = max((len(row.get("validation_loss_by_level", ())) for row in log), default=0)
    for index in range(bins):
        rows = [
            {**row, "part": row["validation_loss_by_level"][index]}
            for row in log
            if "validation_loss_by_level" in row
        ]
        _plot(right, rows, "part", f"t/T in [{index / bins:.2f}, {(index + 1) / bins:.2f})")
    right.set_title("Validation loss by noise level")
    for axes in (left, right):
        axes.set_xlabel("images seen")
        axes.set_yscale("log")
        if axes.lines:
            axes.legend(fontsize=8)
    figure.savefig(path, dpi=120)


def _plot(axes: Any, log: Sequence[LogRow], key: str, label: str) -> None:
    rows = [row for row in log if key in row]
    if rows:
        axes.plot([row["images_seen"] for row in rows], [row[key] for row in rows], label=label)
