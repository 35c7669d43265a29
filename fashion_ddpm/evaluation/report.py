"""The report of an evaluation: metrics, warnings, and their JSON and Markdown files."""

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fashion_ddpm.core.json_files import FileError, read_object, write_object
from fashion_ddpm.core.wording import format_with_half_width

REPORT_FILE = "report.json"
DISTILLED = "distilled"
"""Folder of the distilled network's report, inside that of the network's."""


@dataclass(frozen=True)
class Row:
    """One metric of the generated images and the same metric of real images.

    Attributes:
        name: what was measured.
        generated: of the generated images; None if it was not measured.
        real: of as many real images.
        better: "lower", "higher", or "real" if closest to the real value is best.
        half_width: half of the 95 % confidence interval of generated.
        real_half_width: the same of real.
        missing: why it was not measured.
    """

    name: str
    generated: float | None = None
    real: float | None = None
    better: str = "real"
    half_width: float | None = None
    real_half_width: float | None = None
    missing: str | None = None


@dataclass(frozen=True)
class Report:
    """The results of an evaluation.

    Attributes:
        protocol: how the images were made and what they were compared with.
        warnings: sentences to read before the metrics.
        rows: the metrics, by key.
        class_accuracy: class name → (generated, real), in [0, 1].
        confusion: [classes][classes] counts, requested (rows) × classified (columns).
    """

    protocol: dict[str, Any]
    warnings: list[str]
    rows: dict[str, Row]
    class_accuracy: dict[str, tuple[float, float]]
    confusion: list[list[int]]


def save_report(report: Report, folder: Path) -> None:
    """Write report.json and report.md."""
    (folder / "report.md").write_text(to_markdown(report))
    # JSON has no NaN and no infinity: they become null.
    text = json.dumps(dataclasses.asdict(report))
    content = json.loads(text, parse_constant=lambda name: None)
    write_object(
        folder / REPORT_FILE, content
    )  # last, and atomically: if it exists, the report is complete


def load_report(path: Path) -> Report:
    """Read report.json back.

    Raises:
        FileError: it is missing, damaged or no report.
    """
    cure = "make it anew with python -m fashion_ddpm evaluate, or name another"
    content = read_object(path, cure)
    try:
        rows = {key: Row(**row) for key, row in content.pop("rows").items()}
        pairs = content.pop("class_accuracy")
        accuracy = {name: (pair[0], pair[1]) for name, pair in pairs.items()}
        return Report(rows=rows, class_accuracy=accuracy, **content)
    except (AttributeError, IndexError, KeyError, TypeError) as error:
        raise FileError(f"{path} is no report: {cure}.") from error


def find_report(folder: Path, weights_sha256: str) -> Report | None:
    """Return the report in an output folder of evaluate, if it is of these weights.

    Args:
        folder: the folder, which may be missing.
        weights_sha256: the weights_hash of a pipeline.

    Raises:
        FileError: the report is damaged.
    """
    path = folder / REPORT_FILE
    if not path.exists():
        return None
    report = load_report(path)
    return report if report.protocol["checkpoint_sha256"] == weights_sha256 else None


def to_markdown(report: Report) -> str:
    """Return the report as Markdown: warnings, metrics, classes, protocol."""
    lines = ["# Evaluation", ""]
    lines += [f"**{warning}**\n" for warning in report.warnings]
    lines += [metrics_table(report), "", "![samples](samples.png)", ""]
    if report.class_accuracy:
        lines += ["| class | accuracy | real images |", "|---|---|---|"]
        lines += [
            f"| {name} | {generated:.1%} | {real:.1%} |"
            for name, (generated, real) in report.class_accuracy.items()
        ]
        lines += ["", "![confusion](confusion.png)", ""]
    if report.rows:
        lines += ["![nearest](nearest.png)", ""]
    lines += ["| protocol | |", "|---|---|"]
    lines += [f"| {key.replace('_', ' ')} | {value} |" for key, value in report.protocol.items()]
    return "\n".join(lines) + "\n"


def metrics_table(report: Report, keys: tuple[str, ...] | None = None) -> str:
    """Return a Markdown table of all metrics, or of those with given keys."""
    rows = [report.rows[key] for key in keys or report.rows if key in report.rows]
    lines = ["| metric | generated | real images | goal |", "|---|---|---|---|"]
    for row in rows:
        goal = "closest to real" if row.better == "real" else row.better
        if row.missing:
            lines.append(f"| {row.name} | not measured: {row.missing} | | {goal} |")
            continue
        generated = _format(row.generated, row.half_width)
        real = _format(row.real, row.real_half_width)
        lines.append(f"| {row.name} | {generated} | {real} | {goal} |")
    return "\n".join(lines)


def _format(value: float | None, half_width: float | None) -> str:
    if value is None or not math.isfinite(value):
        return "–"
    if half_width and math.isfinite(half_width):
        return format_with_half_width(value, half_width)
    text = f"{value:.4g}"
    return f"{value:,.6f}" if "e" in text else text


def find_warnings(rows: dict[str, Row], num_images: int, predicted: Mapping[str, int]) -> list[str]:
    """Return sentences about what is wrong with the images or the number of them.

    Args:
        rows: the metrics.
        num_images: number of generated images.
        predicted: class → number of images classified as it; empty without a classifier.
    """
    warnings = []
    if num_images < 10_000:
        warnings.append(
            f"{num_images:,} images: Fréchet distances are biased upwards, the more the fewer "
            "images there are; compare only with figures of the same count."
        )
    if predicted:
        largest = max(predicted, key=predicted.__getitem__)
        # With one or two classes, half of the images may be of one class.
        if predicted[largest] > max(0.5, 1.5 / len(predicted)) * num_images:
            warnings.append(
                f"Collapsed: {predicted[largest] / num_images:.0%} of the images look like one "
                f"class, {largest}."
            )
        accuracy, real_accuracy = _values(rows["class_accuracy"])
        if accuracy < max(0.3, 1.2 / len(predicted)) and len(predicted) > 1:
            warnings.append(
                f"Wrong classes: the classifier recognizes {accuracy:.0%} of the images "
                f"(real ones: {real_accuracy:.0%}); this is what noise scores."
            )
    mean, real_mean = _values(rows["mean_pixel"])
    if abs(mean - real_mean) > 0.1:
        warnings.append(
            f"Off in brightness: the mean pixel is {mean:.3f}, that of real images {real_mean:.3f}."
        )
    return warnings


def _values(row: Row) -> tuple[float, float]:
    """Return the two values of a row that was measured."""
    assert row.generated is not None
    assert row.real is not None
    return row.generated, row.real
