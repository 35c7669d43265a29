"""A report on generated images: its figures, its warnings, and how they are written down."""

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


@dataclass(frozen=True)
class Row:
    """One figure and the same figure for real images.

    Attributes:
        name: what was measured.
        generated: for the generated images; None where it was not measured.
        real: for real images that were not generated, at the same count.
        better: "lower", "higher", or "real" when the nearest to the real figure is best.
        half_width: half of the generated figure's 95 % confidence interval.
        real_half_width: the same for the real figure.
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
    """Everything an evaluation found.

    Attributes:
        protocol: how the images were made and what they were compared with.
        warnings: sentences a reader must know before the figures.
        rows: the figures, by key.
        class_accuracy: class name → (generated, real), in [0, 1].
        confusion: [classes][classes] counts, asked for (rows) × seen (columns).
    """

    protocol: dict[str, Any]
    warnings: list[str]
    rows: dict[str, Row]
    class_accuracy: dict[str, tuple[float, float]]
    confusion: list[list[int]]


def save_report(report: Report, folder: Path) -> None:
    """Write report.json and report.md."""
    (folder / "report.md").write_text(to_markdown(report))
    # JSON knows no NaN and no infinity: they become null.
    text = json.dumps(dataclasses.asdict(report))
    content = json.loads(text, parse_constant=lambda name: None)
    write_object(folder / REPORT_FILE, content)  # last and whole: where it is, the report is done


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


def to_markdown(report: Report) -> str:
    """Return the report as a page: warnings, figures, classes, protocol."""
    lines = ["# Evaluation", ""]
    lines += [f"**{warning}**\n" for warning in report.warnings]
    lines += [figure_table(report), "", "![samples](samples.png)", ""]
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


def figure_table(report: Report, keys: tuple[str, ...] | None = None) -> str:
    """Return a Markdown table of the figures, all or some of them."""
    chosen = [report.rows[key] for key in keys or report.rows if key in report.rows]
    lines = ["| figure | generated | real images | better |", "|---|---|---|---|"]
    for row in chosen:
        if row.missing:
            lines.append(f"| {row.name} | not measured: {row.missing} | | {row.better} |")
            continue
        generated = _number(row.generated, row.half_width)
        real = _number(row.real, row.real_half_width)
        lines.append(f"| {row.name} | {generated} | {real} | {row.better} |")
    return "\n".join(lines)


def _number(value: float | None, half_width: float | None) -> str:
    if value is None or not math.isfinite(value):
        return "–"
    if half_width and math.isfinite(half_width):
        return format_with_half_width(value, half_width)
    shown = f"{value:.4g}"
    return f"{value:,.6f}" if "e" in shown else shown


def warnings_of(rows: dict[str, Row], num_images: int, predicted: Mapping[str, int]) -> list[str]:
    """Return what is wrong with the images, in words.

    Args:
        rows: the figures.
        num_images: how many images were measured.
        predicted: class → how many images the classifier takes for it; empty without a classifier.
    """
    found = []
    if num_images < 10_000:
        found.append(
            f"{num_images:,} images: Fréchet distances are biased upwards, the more the fewer "
            "images there are; compare only with figures of the same count."
        )
    if predicted:
        most = max(predicted, key=predicted.__getitem__)
        # Of one or two classes, half the images may well be one.
        if predicted[most] > max(0.5, 1.5 / len(predicted)) * num_images:
            found.append(
                f"Collapsed: {predicted[most] / num_images:.0%} of the images look like one class, "
                f"{most}."
            )
        accuracy, real_accuracy = _pair(rows["class_accuracy"])
        if accuracy < max(0.3, 1.2 / len(predicted)) and len(predicted) > 1:
            found.append(
                f"Not what was asked for: the classifier recognizes {accuracy:.0%} of the images "
                f"(real ones: {real_accuracy:.0%}); this is what noise scores."
            )
    mean, real_mean = _pair(rows["mean_pixel"])
    if abs(mean - real_mean) > 0.1:
        found.append(
            f"Off in brightness: the mean pixel is {mean:.3f}, that of real images {real_mean:.3f}."
        )
    return found


def _pair(row: Row) -> tuple[float, float]:
    """Return a measured row's two figures."""
    assert row.generated is not None
    assert row.real is not None
    return row.generated, row.real
