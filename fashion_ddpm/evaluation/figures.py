"""Loss curves and confusion matrices as PNG files; the only module that imports matplotlib."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

os.environ["MPLBACKEND"] = "agg"  # a notebook sets a backend that may not be installed

from matplotlib.figure import Figure


def save_loss_curves(log: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draw the training loss, the validation loss and its parts by noise level into a PNG."""
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


def _plot(axes: Any, log: Sequence[Mapping[str, Any]], key: str, label: str) -> None:
    rows = [row for row in log if key in row]
    if rows:
        axes.plot([row["images_seen"] for row in rows], [row[key] for row in rows], label=label)


def save_confusion(counts: Sequence[Sequence[int]], path: Path, class_names: Sequence[str]) -> None:
    """Draw the requested class (rows) against the predicted one (columns) into a PNG."""
    figure = Figure(figsize=(6.4, 5.6), layout="constrained")
    axes = figure.subplots()
    axes.imshow(counts, cmap="Blues")
    ticks = range(len(class_names))
    axes.set_xticks(ticks, class_names, rotation=45, ha="right")
    axes.set_yticks(ticks, class_names)
    axes.set_xlabel("class predicted by the classifier")
    axes.set_ylabel("requested class")
    largest = max(max(row) for row in counts)
    for row, row_counts in enumerate(counts):
        for column, count in enumerate(row_counts):
            shade = "white" if count > largest / 2 else "black"
            axes.text(column, row, str(count), ha="center", va="center", color=shade, fontsize=8)
    figure.savefig(path, dpi=110)
